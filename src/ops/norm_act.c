/*
 * norm_act: y = act((x - mean) * rstd * gamma + beta + residual), where rstd is
 * 1 / sqrt(var + eps).
 *
 *   in    x         [N, C, D, H, W], more than one voxel
 *         gamma     [C], optional, together with beta
 *         beta      [C]
 *         residual  shape of x, optional
 *         active    [N, 1, d, h, w] u8, optional: statistics over voxels of blocks with 1
 *                   only, y is 0 elsewhere
 *   out   y         shape of x, may overwrite x or residual
 *   attr  eps
 *         slope     act is leaky ReLU with that slope; 1 = none, 0 = ReLU
 *
 * Mean and biased variance per (sample, channel). saved [N, C, 2]: mean and rstd as f32; y
 * is made from these, so that a rebuilt y has the same bits.
 *
 * As slope >= 0, y > 0 exactly where the sum before the activation is > 0, so backward
 * takes the activation's side from y and needs neither the residual nor a second pass.
 * (With slope = 1 the side does not matter, with slope = 0 the negative side is y = 0.)
 * What it reads is there anyway: x, and y, which the next convolution keeps. gamma and beta
 * are parameters; beta is named for kernels that make the side from x instead.
 *
 * Source: networks.md 1 (InstanceNorm3d, LeakyReLU), 8.2 (active); methods.md 7.1.
 */
#include "ops/norm_act.h"

#include <math.h>

#include "graph/problem.h"
#include "ops/blocks.h"

enum {
    X = VOX_NORM_ACT_X,
    GAMMA = VOX_NORM_ACT_GAMMA,
    BETA = VOX_NORM_ACT_BETA,
    RESIDUAL = VOX_NORM_ACT_RESIDUAL,
    ACTIVE = VOX_NORM_ACT_ACTIVE
};

static const vox_opt opts[] = {
    VOX_OPT_F32(vox_norm_act_attr, eps, 1e-5, 1e-30, 1.0, "added to the variance"),
    VOX_OPT_F32(vox_norm_act_attr, slope, 0.01, 0.0, 10.0, "gradient for negative values"),
    VOX_OPT_END,
};

/* One channel of one sample. */
typedef struct map {
    int64_t n, c, first, voxels; /* first: its place in x */
    double gamma, beta, eps, slope;
    vox_blocks active;
    float *saved; /* mean, rstd */
} map;

static map map_of(const vox_call *c, int64_t n, int64_t channel)
{
    const vox_norm_act_attr *attr = c->attr;
    const vox_shape s = c->in[X].shape;
    const float *gamma = vox_call_in(c, GAMMA), *beta = vox_call_in(c, BETA);
    map m = {.n = n, .c = channel, .voxels = s.n[2] * s.n[3] * s.n[4]};

    m.first = (n * s.n[1] + channel) * m.voxels;
    m.gamma = gamma ? (double)gamma[channel] : 1.0;
    m.beta = beta ? (double)beta[channel] : 0.0;
    m.eps = (double)attr->eps;
    m.slope = (double)attr->slope;
    if (ACTIVE < c->n_in)
        m.active = vox_blocks_of(&c->in[ACTIVE], s);
    m.saved = (float *)c->saved + (n * s.n[1] + channel) * 2;
    return m;
}

/* Mean and rstd of the active voxels: two passes in f64. */
static void measure(const map *m, const float *x)
{
    const int64_t count = vox_blocks_active(&m->active, m->n, m->voxels);
    double sum = 0.0, square = 0.0, mean;

    for (int64_t i = 0; i < m->voxels; i++)
        sum += vox_blocks_at(&m->active, m->n, i) ? (double)x[i] : 0.0;
    mean = count ? sum / (double)count : 0.0;
    for (int64_t i = 0; i < m->voxels; i++) {
        const double d = (double)x[i] - mean;

        square += vox_blocks_at(&m->active, m->n, i) ? d * d : 0.0;
    }
    m->saved[0] = (float)mean;
    m->saved[1] = (float)(1.0 / sqrt((count ? square / (double)count : 0.0) + m->eps));
}

static void apply(const map *m, float *y, const float *x, const float *residual)
{
    const double mean = (double)m->saved[0], scale = (double)m->saved[1] * m->gamma;

    for (int64_t i = 0; i < m->voxels; i++) {
        double v = ((double)x[i] - mean) * scale + m->beta;

        v += residual ? (double)residual[i] : 0.0;
        v = v > 0.0 ? v : m->slope * v;
        y[i] = vox_blocks_at(&m->active, m->n, i) ? (float)v : 0.0f;
    }
}

static void run(const vox_call *c, int statistics)
{
    const vox_shape s = c->in[X].shape;
    const float *residual = vox_call_in(c, RESIDUAL);

    VOX_SHARE(i, s.n[0] * s.n[1]) {
        const map m = map_of(c, i / s.n[1], i % s.n[1]);
        const float *x = vox_call_in(c, X) + m.first;

        if (statistics)
            measure(&m, x);
        apply(&m, vox_call_out(c, 0) + m.first, x, residual ? residual + m.first : NULL);
    }
}

static void forward(const vox_call *c)
{
    run(c, 1);
}

static void rebuild(const vox_call *c)
{
    run(c, 0);
}

/* Gradient in front of the activation. */
static double slope_side(const map *m, const float *y, const float *dy, int64_t i)
{
    if (!vox_blocks_at(&m->active, m->n, i))
        return 0.0;
    return y[i] > 0.0f ? (double)dy[i] : m->slope * (double)dy[i];
}

/* sum[0] = sum of d, sum[1] = sum of d * xhat, d being the gradient before the activation.
 */
static void sum_map(const map *m, double sum[2], const float *x, const float *y,
                    const float *dy)
{
    const double mean = (double)m->saved[0], rstd = (double)m->saved[1];

    sum[0] = sum[1] = 0.0;
    for (int64_t i = 0; i < m->voxels; i++) {
        const double d = slope_side(m, y, dy, i);

        if (!vox_blocks_at(&m->active, m->n, i))
            continue; /* x may be inf or NaN there */
        sum[0] += d;
        sum[1] += d * (((double)x[i] - mean) * rstd);
    }
}

/* dx = gamma rstd (d - mean(d) - xhat mean(d xhat)), dresidual = d; one loop, for x and
 * residual may be one tensor. */
static void backward_map(const vox_call *c, const map *m, const double sum[2],
                         const float *x, const float *y, const float *dy)
{
    const vox_grad dx = vox_call_din(c, X);
    const vox_grad dr =
        RESIDUAL < c->n_in ? vox_call_din(c, RESIDUAL) : (vox_grad){.put = VOX_SKIP};
    const double mean = (double)m->saved[0], rstd = (double)m->saved[1];
    const int64_t count = vox_blocks_active(&m->active, m->n, m->voxels);
    const double by = count ? 1.0 / (double)count : 0.0;

    for (int64_t i = 0; i < m->voxels; i++) {
        const double d = slope_side(m, y, dy, i), xhat = ((double)x[i] - mean) * rstd;
        const double g = m->gamma * rstd * (d - sum[0] * by - xhat * sum[1] * by);
        const int active = vox_blocks_at(&m->active, m->n, i);

        if (dx.put != VOX_SKIP)
            vox_grad_put(dx, m->first + i, active ? (float)g : 0.0f);
        if (dr.put != VOX_SKIP)
            vox_grad_put(dr, m->first + i, (float)d);
    }
}

static void put_param(const vox_call *c, int i, int64_t channel, double v)
{
    if (i < c->n_in && c->din[i].put != VOX_SKIP)
        vox_grad_put(c->din[i], channel, (float)v);
}

/* Channels are shared out, for gamma and beta sum over the samples. */
static void backward(const vox_call *c)
{
    const vox_shape s = c->in[X].shape;

    VOX_SHARE(channel, s.n[1]) {
        double total[2] = {0.0, 0.0};

        for (int64_t n = 0; n < s.n[0]; n++) {
            const map m = map_of(c, n, channel);
            const float *x = vox_call_in(c, X) + m.first, *y = vox_call_out(c, 0) + m.first;
            const float *dy = vox_call_dout(c, 0) + m.first;
            double sum[2];

            sum_map(&m, sum, x, y, dy);
            total[0] += sum[0];
            total[1] += sum[1];
            backward_map(c, &m, sum, x, y, dy);
        }
        put_param(c, GAMMA, channel, total[1]);
        put_param(c, BETA, channel, total[0]);
    }
}

static int infer_affine(const vox_infer *io, int64_t channels)
{
    if (GAMMA < io->n_in && !io->in[GAMMA] && BETA < io->n_in && !io->in[BETA])
        return VOX_OK;
    for (int i = GAMMA; i <= BETA; i++) {
        VOX_TRY(vox_infer_want(io, i, VOX_F32, 1));
        if (io->in[i]->shape.n[0] != channels)
            return vox_infer_fail(io, "operand %d has %lld values, wanted %lld", i,
                                  (long long)io->in[i]->shape.n[0], (long long)channels);
    }
    return VOX_OK;
}

static int infer(vox_infer *io)
{
    const vox_norm_act_attr *attr = io->attr;
    char found[128], wanted[128];
    vox_shape x;

    VOX_TRY(vox_infer_want(io, X, VOX_F32, 5));
    x = io->in[X]->shape;
    if (x.n[2] * x.n[3] * x.n[4] < 2)
        return vox_infer_fail(io, "one voxel per channel has no variance (%s)",
                              vox_shape_text(x, found));
    if (!(attr->eps > 0.0f && attr->slope >= 0.0f))
        return vox_infer_fail(io, "eps is %g, slope %g; wanted > 0 and >= 0",
                              (double)attr->eps, (double)attr->slope);
    if (io->n_in > GAMMA)
        VOX_TRY(infer_affine(io, x.n[1]));
    if (io->n_in > RESIDUAL && io->in[RESIDUAL]) {
        VOX_TRY(vox_infer_want(io, RESIDUAL, VOX_F32, 5));
        if (!vox_shape_equal(io->in[RESIDUAL]->shape, x))
            return vox_infer_fail(io, "residual is %s, wanted %s",
                                  vox_shape_text(io->in[RESIDUAL]->shape, found),
                                  vox_shape_text(x, wanted));
    }
    if (io->n_in > ACTIVE && io->in[ACTIVE])
        VOX_TRY(vox_blocks_infer(io, ACTIVE, x));
    io->out[0].shape = x;
    io->saved = (size_t)(x.n[0] * x.n[1]) * 2 * sizeof(float);
    return VOX_OK;
}

static int operands(vox_value in[VOX_MAX_IN], int64_t limit[VOX_MAX_IN], const void *attr)
{
    const vox_shape x = in[X].shape;

    (void)attr;
    vox_operand_fill(&in[GAMMA], VOX_F32, VOX_ROLE_PARAM, VOX_SHAPE(x.n[1]));
    vox_operand_fill(&in[BETA], VOX_F32, VOX_ROLE_PARAM, VOX_SHAPE(x.n[1]));
    vox_operand_fill(&in[RESIDUAL], VOX_F32, VOX_ROLE_ACTIVATION, x);
    if (x.rank == 5)
        vox_operand_fill(&in[ACTIVE], VOX_U8, VOX_ROLE_INPUT, vox_blocks_shape(x));
    limit[ACTIVE] = 2;
    return VOX_OK;
}

/* clang-format off */
static const char *const problems[] = {
    "2x3x4x5x6 in=0,1,2",
    "1x9x3x5x4",
    "2x8x4x3x5 slope=1 in=0,1,2",
    "2x16x3x4x3 in=0,1,2,3",
    "1x17x4x2x3 slope=0 in=0,1,2,3",
    "1x8x4x4x6 slope=0.2 in=0,3",
    "2x12x4x6x4 in=0,1,2,4",
    "2x8x4x6x4 in=0,1,2,3,4",
    "1x8x4x4x6 slope=1 in=0,4",
    "1x40x1x1x2 in=0,1,2",
    "1x4x7x9x11 slope=1 in=0,1,2,3",
    "1x9x18x17x15 in=0,1,2", /* more voxels than a tile of a kernel */
    NULL};
/* clang-format on */

const vox_op vox_op_norm_act = {
    .name = "norm_act",
    .summary = "instance norm, residual, leaky ReLU",
    .n_in_min = 1,
    .n_in_max = VOX_NORM_ACT_N,
    .n_out = 1,
    .attr_size = sizeof(vox_norm_act_attr),
    .opts = opts,
    .backward_reads =
        VOX_IN(X) | VOX_IN(GAMMA) | VOX_IN(BETA) | VOX_IN(ACTIVE) | VOX_OUT(0) | VOX_SAVED,
    .may_alias = VOX_ALIAS(0, X) | VOX_ALIAS(0, RESIDUAL),
    .grad_alias = VOX_ALIAS(0, X) | VOX_ALIAS(0, RESIDUAL),
    .infer = infer,
    .forward = forward,
    .rebuild = rebuild,
    .backward = backward,
    .operands = operands,
    .problems = problems,
};

vox_node *vox_norm_act(vox_graph *g, vox_node *x, vox_node *gamma, vox_node *beta,
                       vox_node *residual, vox_node *active, float eps, float slope)
{
    const vox_norm_act_attr attr = {eps, slope};

    return vox_graph_add(g, &vox_op_norm_act, &attr, VOX_NORM_ACT_N,
                         (vox_node *const[]){x, gamma, beta, residual, active});
}
