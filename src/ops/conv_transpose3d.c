/*
 * conv_transpose3d: y[o, k * i + a] = b[o] + sum over c of x[c, i] * w[c, o, a],
 * 0 <= a < k.
 *
 *   in    x  [N, C, D, H, W]
 *         w  [C, O, kd, kh, kw]
 *         b  [O], optional
 *   out   y  [N, O, kd D, kh H, kw W]
 *
 * Kernel = stride, so that no two inputs meet in an output. The reference sums rows in f64
 * in pieces of ROW voxels; each element of a result is one thread's work.
 * Source: networks.md 1. Reference behaviour: torch.nn.functional.conv_transpose3d.
 */
#include "ops/conv_transpose3d.h"

#include "graph/problem.h"

enum { ROW = 128 };

static const vox_opt opts[] = {
    VOX_OPT_INT(vox_conv_transpose3d_attr, out, 8, 1, 65536, "output channels"),
    VOX_OPT_INTS(vox_conv_transpose3d_attr, stride, "2,2,2", 1, 32, "taps = step per axis"),
    VOX_OPT_END,
};

/* A call in short. */
typedef struct geom {
    int64_t samples, c, o;
    int64_t in[3], out[3], k[3]; /* extents; taps */
    int64_t voxels_in, voxels_out, taps;
    const float *x, *w;
} geom;

static geom geom_of(const vox_call *c)
{
    const vox_conv_transpose3d_attr *attr = c->attr;
    const vox_shape *x = &c->in[VOX_CONVT3D_X].shape, *y = &c->out[0].shape;
    geom g = {.samples = x->n[0], .c = x->n[1], .o = y->n[1]};

    g.voxels_in = g.voxels_out = g.taps = 1;
    for (int a = 0; a < 3; a++) {
        g.in[a] = x->n[2 + a];
        g.out[a] = y->n[2 + a];
        g.k[a] = attr->stride.v[a];
        g.voxels_in *= g.in[a];
        g.voxels_out *= g.out[a];
        g.taps *= g.k[a];
    }
    g.x = vox_call_in(c, VOX_CONVT3D_X);
    g.w = vox_call_in(c, VOX_CONVT3D_W);
    return g;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* First voxel of input row (z, y) of channel c. */
static int64_t input_row(const geom *g, int64_t n, int64_t c, int64_t z, int64_t y)
{
    return (n * g->c + c) * g->voxels_in + (z * g->in[1] + y) * g->in[2];
}

/* First voxel of row (z, y) of output channel o. */
static int64_t output_row(const geom *g, int64_t n, int64_t o, int64_t z, int64_t y)
{
    return (n * g->o + o) * g->voxels_out + (z * g->out[1] + y) * g->out[2];
}

/* The taps along W of (c, o) that belong to place (z, y) within the kernel. */
static const float *tap_row(const geom *g, int64_t c, int64_t o, int64_t z, int64_t y)
{
    return g->w + (c * g->o + o) * g->taps + (z * g->k[1] + y) * g->k[2];
}

/* The outputs of row (z, y) that tap kx writes. */
static void forward_row(const geom *g, float *out, double bias, const int64_t at[4],
                        int64_t kx)
{
    const int64_t n = at[0], o = at[1], z = at[2] / g->k[0], y = at[3] / g->k[1];
    float *row = out + output_row(g, n, o, at[2], at[3]);

    for (int64_t x0 = 0; x0 < g->in[2]; x0 += ROW) {
        const int64_t some = least(g->in[2] - x0, ROW);
        double acc[ROW];

        for (int64_t i = 0; i < some; i++)
            acc[i] = bias;
        for (int64_t c = 0; c < g->c; c++) {
            const float *x = g->x + input_row(g, n, c, z, y) + x0;
            const double w = (double)tap_row(g, c, o, at[2] % g->k[0], at[3] % g->k[1])[kx];

            for (int64_t i = 0; i < some; i++)
                acc[i] += w * (double)x[i];
        }
        for (int64_t i = 0; i < some; i++)
            row[(x0 + i) * g->k[2] + kx] = (float)acc[i];
    }
}

static void forward(const vox_call *c)
{
    const geom g = geom_of(c);
    const float *b = c->n_in > VOX_CONVT3D_B ? vox_call_in(c, VOX_CONVT3D_B) : NULL;
    float *out = vox_call_out(c, 0);

    VOX_SHARE(i, g.samples * g.o * g.out[0]) {
        const int64_t z = i % g.out[0], o = i / g.out[0] % g.o, n = i / g.out[0] / g.o;

        for (int64_t y = 0; y < g.out[1]; y++) {
            for (int64_t kx = 0; kx < g.k[2]; kx++)
                forward_row(&g, out, b ? (double)b[o] : 0.0, (int64_t[]){n, o, z, y}, kx);
        }
    }
}

/* acc = inputs [x0, x0 + some) of row (z, y) of dx. */
static void sum_dx(const geom *g, double *acc, const float *dy, const int64_t at[4],
                   int64_t x0, int64_t some)
{
    for (int64_t i = 0; i < some; i++)
        acc[i] = 0.0;
    for (int64_t o = 0; o < g->o; o++) {
        for (int64_t t = 0; t < g->k[0] * g->k[1]; t++) {
            const int64_t kz = t / g->k[1], ky = t % g->k[1];
            const float *w = tap_row(g, at[1], o, kz, ky);
            const float *row =
                dy + output_row(g, at[0], o, at[2] * g->k[0] + kz, at[3] * g->k[1] + ky);

            for (int64_t i = 0; i < some; i++) {
                for (int64_t kx = 0; kx < g->k[2]; kx++)
                    acc[i] += (double)w[kx] * (double)row[(x0 + i) * g->k[2] + kx];
            }
        }
    }
}

static void backward_data(const geom *g, const float *dy, vox_grad dx)
{
    if (dx.put == VOX_SKIP)
        return;
    VOX_SHARE(row, g->samples * g->c * g->in[0] * g->in[1]) {
        const int64_t y = row % g->in[1], z = row / g->in[1] % g->in[0];
        const int64_t map = row / g->in[1] / g->in[0], n = map / g->c, c = map % g->c;

        for (int64_t x = 0; x < g->in[2]; x += ROW) {
            const int64_t some = least(g->in[2] - x, ROW);
            double acc[ROW];

            sum_dx(g, acc, dy, (int64_t[]){n, c, z, y}, x, some);
            for (int64_t i = 0; i < some; i++)
                vox_grad_put(dx, row * g->in[2] + x + i, (float)acc[i]);
        }
    }
}

/* One weight's gradient: sum over n, z, y, x of x[c] * dy[o] at its tap. */
static double sum_dw(const geom *g, const float *dy, int64_t c, int64_t o, int64_t tap)
{
    const int64_t kx = tap % g->k[2], ky = tap / g->k[2] % g->k[1],
                  kz = tap / g->k[2] / g->k[1];
    double sum = 0.0;

    for (int64_t n = 0; n < g->samples; n++) {
        for (int64_t z = 0; z < g->in[0]; z++) {
            for (int64_t y = 0; y < g->in[1]; y++) {
                const float *x = g->x + input_row(g, n, c, z, y);
                const float *row =
                    dy + output_row(g, n, o, z * g->k[0] + kz, y * g->k[1] + ky) + kx;

                for (int64_t i = 0; i < g->in[2]; i++)
                    sum += (double)x[i] * (double)row[i * g->k[2]];
            }
        }
    }
    return sum;
}

static void backward_weights(const geom *g, const float *dy, vox_grad dw)
{
    if (dw.put == VOX_SKIP)
        return;
    VOX_SHARE(i, g->c * g->o) {
        for (int64_t tap = 0; tap < g->taps; tap++)
            vox_grad_put(dw, i * g->taps + tap,
                         (float)sum_dw(g, dy, i / g->o, i % g->o, tap));
    }
}

static void backward_bias(const geom *g, const float *dy, vox_grad db)
{
    if (db.put == VOX_SKIP)
        return;
    VOX_SHARE(o, g->o) {
        double sum = 0.0;

        for (int64_t n = 0; n < g->samples; n++) {
            for (int64_t i = 0; i < g->voxels_out; i++)
                sum += (double)dy[(n * g->o + o) * g->voxels_out + i];
        }
        vox_grad_put(db, o, (float)sum);
    }
}

static void backward(const vox_call *c)
{
    const geom g = geom_of(c);
    const float *dy = vox_call_dout(c, 0);

    backward_data(&g, dy, vox_call_din(c, VOX_CONVT3D_X));
    backward_weights(&g, dy, vox_call_din(c, VOX_CONVT3D_W));
    if (c->n_in > VOX_CONVT3D_B)
        backward_bias(&g, dy, vox_call_din(c, VOX_CONVT3D_B));
}

static int infer_weights(const vox_infer *io, vox_shape x)
{
    const vox_conv_transpose3d_attr *attr = io->attr;
    const vox_value *b = io->n_in > VOX_CONVT3D_B ? io->in[VOX_CONVT3D_B] : NULL;
    char found[128], wanted[128];
    vox_shape w;

    VOX_TRY(vox_infer_want(io, VOX_CONVT3D_W, VOX_F32, 5));
    w = VOX_SHAPE(x.n[1], attr->out, attr->stride.v[0], attr->stride.v[1],
                  attr->stride.v[2]);
    if (!vox_shape_equal(io->in[VOX_CONVT3D_W]->shape, w))
        return vox_infer_fail(io, "weight %s, wanted %s",
                              vox_shape_text(io->in[VOX_CONVT3D_W]->shape, found),
                              vox_shape_text(w, wanted));
    if (!b)
        return VOX_OK;
    VOX_TRY(vox_infer_want(io, VOX_CONVT3D_B, VOX_F32, 1));
    return b->shape.n[0] == attr->out ? VOX_OK
                                      : vox_infer_fail(io, "bias of %lld, wanted %d",
                                                       (long long)b->shape.n[0], attr->out);
}

static int infer(vox_infer *io)
{
    const vox_conv_transpose3d_attr *attr = io->attr;
    vox_shape *y = &io->out[0].shape;

    if (attr->stride.count != 3)
        return vox_infer_fail(io, "stride wants three values");
    VOX_TRY(vox_infer_want(io, VOX_CONVT3D_X, VOX_F32, 5));
    *y = io->in[VOX_CONVT3D_X]->shape;
    VOX_TRY(infer_weights(io, *y));
    y->n[1] = attr->out;
    for (int a = 0; a < 3; a++)
        y->n[2 + a] *= attr->stride.v[a];
    return VOX_OK;
}

static int operands(vox_value in[VOX_MAX_IN], int64_t limit[VOX_MAX_IN], const void *attr_)
{
    const vox_conv_transpose3d_attr *attr = attr_;
    const int *k = attr->stride.v;

    (void)limit;
    vox_operand_fill(&in[VOX_CONVT3D_W], VOX_F32, VOX_ROLE_PARAM,
                     VOX_SHAPE(in[VOX_CONVT3D_X].shape.n[1], attr->out, k[0], k[1], k[2]));
    vox_operand_fill(&in[VOX_CONVT3D_B], VOX_F32, VOX_ROLE_PARAM, VOX_SHAPE(attr->out));
    return VOX_OK;
}

static double flops(const vox_infer *io)
{
    return 2.0 * (double)vox_shape_count(io->out[0].shape) *
           (double)io->in[VOX_CONVT3D_X]->shape.n[1];
}

static const char *const problems[] = {"2x8x3x4x5 out=16 in=0,1,2",
                                       "1x16x5x2x3 out=8",
                                       "1x9x3x2x4 out=17 in=0,1,2",
                                       "2x3x4x3x2 out=5 in=0,1,2",
                                       "1x8x2x3x4 out=1 in=0,1,2",
                                       "1x4x3x4x2 out=3 stride=2,1,3",
                                       "1x2x1x2x140 out=2 in=0,1,2",
                                       "1x64x2x2x2 out=48 in=0,1,2",
                                       NULL};

const vox_op vox_op_conv_transpose3d = {
    .name = "conv_transpose3d",
    .summary = "transposed 3-D convolution with kernel = stride",
    .n_in_min = 2,
    .n_in_max = VOX_CONVT3D_N,
    .n_out = 1,
    .attr_size = sizeof(vox_conv_transpose3d_attr),
    .opts = opts,
    .backward_reads = VOX_IN(VOX_CONVT3D_X) | VOX_IN(VOX_CONVT3D_W),
    .data_reads = VOX_IN(VOX_CONVT3D_W),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .operands = operands,
    .problems = problems,
    .flops = flops,
};

vox_node *vox_conv_transpose3d(vox_graph *g, vox_node *x, vox_node *w, vox_node *b)
{
    const vox_shape shape = vox_node_shape(w);
    vox_conv_transpose3d_attr attr = {
        (int)shape.n[1], {3, {0}}
    };

    for (int a = 0; a < 3; a++)
        attr.stride.v[a] = (int)shape.n[2 + a];
    return vox_graph_add(g, &vox_op_conv_transpose3d, &attr, VOX_CONVT3D_N,
                         (vox_node *const[]){x, w, b});
}
