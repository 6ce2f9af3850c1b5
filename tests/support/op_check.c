/* op_check: how far apart two results may be. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "ops/blocks.h"
#include "ops/linear.h"
#include "ops/norm_act.h"
#include "support/op_case.h"
#include "support/unit.h"

static int is(const op_case *c, const char *op)
{
    return strcmp(c->spec.op->name, op) == 0;
}

static void make_positive(float *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        v[i] = fabsf(v[i]);
}

/* The reference with every term of every sum positive. Squares are that by themselves. */
static op_result sums_of_magnitudes(const op_case *c)
{
    vox_device *dev = op_device("reference", 1);
    const op_how how = op_how_write(dev, NULL);
    op_case p = {.spec = VOX_PROBLEM_SPEC_INIT};
    op_result r;

    p = op_case_new(c->spec.op, c->problem, 0, 0);
    for (int i = 0; i < c->spec.n_in; i++) {
        if (!c->in[i])
            continue;
        memcpy(p.in[i], c->in[i],
               (size_t)op_case_count_in(c, i) * vox_dtype_size(c->spec.in[i].dtype));
        if (c->spec.in[i].dtype == VOX_F32 && !is(c, "masked_mse"))
            make_positive(p.in[i], op_case_count_in(c, i));
    }
    for (int i = 0; i < c->spec.n_out; i++) {
        memcpy(p.dout[i], c->dout[i], (size_t)op_case_count_out(c, i) * sizeof(float));
        make_positive(p.dout[i], op_case_count_out(c, i));
    }
    r = op_case_run(&p, &how);
    for (int i = 0; i < c->spec.n_in; i++) {
        if (r.din[i])
            make_positive(r.din[i], op_case_count_in(c, i));
    }
    op_case_free(&p);
    vox_device_close(dev);
    return r;
}

/* ---- norm_act: error scales of one channel of one sample ---- */

typedef struct channel {
    const op_case *c;
    const float *x, *residual, *dy;
    double gamma, beta, mean, rstd, slope;
    int64_t n, voxels;
    vox_blocks active;
} channel;

static const float *values(const op_case *c, int i)
{
    return i < c->spec.n_in ? c->in[i] : NULL;
}

static channel channel_of(const op_case *c, int64_t n, int64_t k)
{
    const vox_norm_act_attr *attr = c->spec.attr;
    const vox_shape s = c->spec.in[VOX_NORM_ACT_X].shape;
    const float *gamma = values(c, VOX_NORM_ACT_GAMMA),
                *beta = values(c, VOX_NORM_ACT_BETA);
    const vox_tensor mask = {.data = c->in[VOX_NORM_ACT_ACTIVE],
                             .shape = c->spec.in[VOX_NORM_ACT_ACTIVE].shape};
    channel m = {.c = c, .n = n, .voxels = s.n[2] * s.n[3] * s.n[4]};
    const int64_t first = (n * s.n[1] + k) * m.voxels;
    double sum = 0, square = 0, count;

    m.x = values(c, VOX_NORM_ACT_X) + first;
    m.residual = values(c, VOX_NORM_ACT_RESIDUAL);
    m.residual += m.residual ? first : 0;
    m.dy = c->dout[0] + first;
    m.gamma = gamma ? (double)gamma[k] : 1;
    m.beta = beta ? (double)beta[k] : 0;
    m.slope = (double)attr->slope;
    m.active = vox_blocks_of(&mask, s);
    count = (double)vox_blocks_active(&m.active, n, m.voxels);
    for (int64_t i = 0; i < m.voxels; i++)
        sum += vox_blocks_at(&m.active, n, i) ? (double)m.x[i] : 0;
    m.mean = count > 0 ? sum / count : 0;
    for (int64_t i = 0; i < m.voxels; i++)
        square += vox_blocks_at(&m.active, n, i) ? pow((double)m.x[i] - m.mean, 2) : 0;
    m.rstd = 1 / sqrt((count > 0 ? square / count : 0) + (double)attr->eps);
    return m;
}

/* The mean is stored as f32 and summed from values as far from it as the deviation: off by
 * a few roundings of both. A half, for the units of a comparison are at least 6. */
static double mean_scale(const channel *m)
{
    return 0.5 * (fabs(m->mean) * m->rstd + 1);
}

static void norm_forward(channel *m, float *out, float *dout, double units)
{
    for (int64_t i = 0; i < m->voxels; i++) {
        const double r = m->residual ? (double)m->residual[i] : 0;
        const double normal = ((double)m->x[i] - m->mean) * m->rstd;
        const double sum = normal * m->gamma + m->beta + r;
        const double scale = fabs(normal * m->gamma) + mean_scale(m) * fabs(m->gamma) +
                             fabs(m->beta) + fabs(r);

        out[i] = (float)scale;
        if (fabs(sum) <= units * 0x1p-24 * scale)
            dout[i] = 0;
    }
}

static double gradient(const channel *m, int64_t i)
{
    const double top = m->slope > 1 ? m->slope : 1;

    return vox_blocks_at(&m->active, m->n, i) ? fabs((double)m->dy[i]) * top : 0;
}

static void norm_backward(const channel *m, int64_t k, op_result *r)
{
    const double far = mean_scale(m);
    const double count = (double)vox_blocks_active(&m->active, m->n, m->voxels);
    double d = 0, dn = 0;

    for (int64_t i = 0; i < m->voxels; i++) {
        d += gradient(m, i);
        dn += gradient(m, i) * fabs((double)m->x[i] - m->mean) * m->rstd;
    }
    if (r->din[VOX_NORM_ACT_GAMMA])
        r->din[VOX_NORM_ACT_GAMMA][k] += (float)(dn + far * d);
    if (r->din[VOX_NORM_ACT_BETA])
        r->din[VOX_NORM_ACT_BETA][k] += (float)d;
    for (int64_t i = 0; count > 0 && i < m->voxels; i++) {
        const double normal = fabs((double)m->x[i] - m->mean) * m->rstd;
        const double sums = d + normal * dn + far * (normal * d + dn);
        const int64_t at = m->x - values(m->c, VOX_NORM_ACT_X) + i;

        r->din[VOX_NORM_ACT_X][at] =
            (float)(fabs(m->gamma) * m->rstd * (gradient(m, i) + sums / count));
        if (r->din[VOX_NORM_ACT_RESIDUAL])
            r->din[VOX_NORM_ACT_RESIDUAL][at] = (float)gradient(m, i);
    }
}

static op_result norm_magnitude(op_case *c)
{
    const vox_shape s = c->spec.in[0].shape;
    op_result r = {{0}, {0}, {0}};

    r.out[0] = vox_zalloc((size_t)op_case_count_out(c, 0), sizeof(float));
    for (int i = 0; i < c->spec.n_in; i++) {
        if (op_case_has_grad(c, i))
            r.din[i] = vox_zalloc((size_t)op_case_count_in(c, i), sizeof(float));
    }
    for (int64_t n = 0; n < s.n[0]; n++) {
        for (int64_t k = 0; k < s.n[1]; k++) {
            channel m = channel_of(c, n, k);
            const int64_t first = m.dy - c->dout[0];

            norm_backward(&m, k, &r);
            norm_forward(&m, r.out[0] + first, c->dout[0] + first,
                         op_case_units(c, OP_OUT));
        }
    }
    return r;
}

op_result op_case_magnitude(op_case *c)
{
    return is(c, "norm_act") ? norm_magnitude(c) : sums_of_magnitudes(c);
}

/* ---- Winograd's form of a convolution ---- */

/* Along one axis every value becomes the largest of itself and its two neighbours. */
static void spread_axis(float *v, vox_shape s, int axis)
{
    const int64_t all = vox_shape_count(s);
    float *from = vox_alloc((size_t)all, sizeof *from);
    int64_t step = 1;

    assert_non_null(from);
    memcpy(from, v, (size_t)all * sizeof *from);
    for (int a = axis + 1; a < s.rank; a++)
        step *= s.n[a];
    for (int64_t i = 0; i < all; i++) {
        const int64_t at = i / step % s.n[axis];

        if (at > 0)
            v[i] = fmaxf(v[i], from[i - step]);
        if (at < s.n[axis] - 1)
            v[i] = fmaxf(v[i], from[i + step]);
    }
    vox_free(from);
}

/* So often per axis, and `times` that. */
static void spread(float *v, vox_shape s, const int reach[3], float times)
{
    for (int axis = 0; axis < 3; axis++) {
        for (int i = 0; i < reach[axis]; i++)
            spread_axis(v, s, 2 + axis);
    }
    for (int64_t i = 0; i < vox_shape_count(s); i++)
        v[i] *= times;
}

/* A tile's voxels share their sums, and so do all taps. The transforms round too: where few
 * voxels are summed into a tap, nothing hides what its three transforms are off by (some 40
 * roundings have been seen). */
void op_result_mix(const op_case *c, op_result *magnitude)
{
    enum { TRANSFORMS = 48 };
    static const int tile[3] = {1, 1, 3}, taps[3] = {2, 2, 2};

    if (!op_spec_is_winograd(&c->spec))
        return;
    spread(magnitude->out[0], c->spec.out[0].shape, tile, 2);
    for (int i = 0; i < c->spec.n_in; i++) {
        const vox_shape shape = c->spec.in[i].shape;

        if (!magnitude->din[i] || shape.rank != 5)
            continue;
        if (c->spec.in[i].role == VOX_ROLE_PARAM)
            spread(magnitude->din[i], shape, taps,
                   2 + TRANSFORMS / (float)op_case_units(c, i));
        else
            spread(magnitude->din[i], shape, tile, 2);
    }
}

/* ---- comparing ---- */

/* Into the output, or gradient i, of a convolution. Weights are [O, C, taps] and, of the
 * transposed one, [C, O, taps], where taps do not meet in an output. */
static int64_t conv_terms(const op_case *c, int i)
{
    const vox_shape w = c->spec.in[1].shape;
    const int64_t all = vox_shape_count(w);

    if (i != OP_OUT && c->spec.in[i].role == VOX_ROLE_PARAM)
        return op_case_count_out(c, 0) / c->spec.out[0].shape.n[1];
    if (is(c, "conv_transpose3d"))
        return i == OP_OUT ? w.n[0] : all / w.n[0];
    return i == OP_OUT ? all / w.n[0] : all / w.n[1];
}

static int64_t linear_terms(const op_case *c, int i)
{
    const vox_shape x = c->spec.in[VOX_LINEAR_X].shape;
    const int64_t tokens = x.n[0] * x.n[1];

    switch (i) {
    case OP_OUT:
        return x.n[2];
    case VOX_LINEAR_X:
        return c->spec.out[0].shape.n[2];
    case VOX_LINEAR_W:
    case VOX_LINEAR_B:
        return tokens;
    case VOX_LINEAR_SCALE:
        return tokens * x.n[2];
    default:
        return 1;
    }
}

static int64_t terms(const op_case *c, int i)
{
    const int64_t all = op_case_count_in(c, 0);

    if (is(c, "conv3d") || is(c, "conv_transpose3d"))
        return conv_terms(c, i);
    if (is(c, "linear"))
        return linear_terms(c, i);
    if (is(c, "norm_act"))
        return all / c->spec.in[0].shape.n[1];
    if (is(c, "masked_mse"))
        return all;
    if (is(c, "avg_pool3d"))
        return all / op_case_count_out(c, 0) + 1;
    if (is(c, "gather"))
        return op_case_count_out(c, 0);
    return 1; /* voxel by voxel */
}

double op_case_units(const op_case *c, int i)
{
    return 4.0 + 2.0 * sqrt((double)terms(c, i));
}

void op_result_add_base(const op_case *c, op_result *r, const op_how *how)
{
    for (int i = 0; i < c->spec.n_in; i++) {
        for (int64_t k = 0; r->din[i] && k < op_case_count_in(c, i); k++)
            r->din[i][k] += how->put[i] == VOX_ADD ? how->base : 0.0f;
    }
}

/* Of output i or gradient i, by `what`. */
static double compare(const op_case *c, const char *who, const char *what, int i,
                      const float *found, const float *wanted, const float *magnitude,
                      int64_t n)
{
    const double units = op_case_units(c, what[0] == 'o' ? OP_OUT : i) * 0x1p-24;
    double worst = 0;

    for (int64_t k = 0; found && wanted && k < n; k++) {
        const double bound = units * (double)magnitude[k] + 1e-37;
        const double off = fabs((double)found[k] - (double)wanted[k]);

        if (!(off <= bound))
            fail_msg("%s: %s: %s %d at %lld is %.9g, wanted %.9g, off by %.3g, may be %.3g",
                     c->text, who, what, i, (long long)k, (double)found[k],
                     (double)wanted[k], off, bound);
        worst = fmax(worst, off / bound);
    }
    return worst;
}

double op_result_compare(const op_case *c, const char *who, const op_result *found,
                         const op_result *wanted, const op_result *magnitude)
{
    double worst = 0;

    for (int i = 0; i < c->spec.n_out; i++)
        worst = fmax(worst, compare(c, who, "output", i, found->out[i], wanted->out[i],
                                    magnitude->out[i], op_case_count_out(c, i)));
    for (int i = 0; i < c->spec.n_in; i++)
        worst =
            fmax(worst, compare(c, who, "gradient", i, found->din[i], wanted->din[i],
                                magnitude->din[i], c->in[i] ? op_case_count_in(c, i) : 0));
    return worst;
}

static void same(const op_case *c, const char *who, const char *what, int i, const float *a,
                 const float *b, int64_t n)
{
    for (int64_t k = 0; a && b && k < n; k++) {
        if (memcmp(&a[k], &b[k], sizeof *a) != 0)
            fail_msg("%s: %s: %s %d at %lld is %.9g and %.9g", c->text, who, what, i,
                     (long long)k, (double)a[k], (double)b[k]);
    }
}

void op_result_same(const op_case *c, const char *who, const op_result *a,
                    const op_result *b)
{
    for (int i = 0; i < c->spec.n_out; i++)
        same(c, who, "output", i, a->out[i], b->out[i], op_case_count_out(c, i));
    for (int i = 0; i < c->spec.n_in; i++)
        same(c, who, "gradient", i, a->din[i], b->din[i],
             c->in[i] ? op_case_count_in(c, i) : 0);
    for (int i = 0; i < c->spec.n_in; i++) {
        if (a->din[i] && b->din[i] && a->squares[i] != b->squares[i])
            fail_msg("%s, %s: squares of gradient %d have other bits", c->text, who, i);
    }
}

void op_case_check_backward(const op_case *c, const op_how *how, const op_result *wanted,
                            const char *who)
{
    const vox_op *op = c->spec.op;
    op_how other = *how;
    op_result found;

    if (op->data_reads) {
        other.apart = 1;
        found = op_case_run(c, &other);
        op_result_same(c, who, wanted, &found);
        op_result_free(&found);
    }
    other.apart = 0;
    for (int i = 0; i < c->spec.n_in; i++) {
        if (!op_case_has_grad(c, i) || !(op->grad_alias & VOX_ALIAS(0, i)))
            continue;
        other.grad_alias = i;
        found = op_case_run(c, &other);
        op_result_same(c, who, wanted, &found);
        op_result_free(&found);
    }
}
