/*
 * conv3d: y[o, i] = b[o] + sum over c, a of x[c, stride * i + a - pad] * w[o, c, a].
 *
 *   in    x       [N, C, D, H, W]
 *         w       [O, C (+ C2), kd, kh, kw]
 *         b       [O], optional
 *         x2      [N, C2, D, H, W], optional: channels behind those of x, concatenated
 *         active  [N, 1, d, h, w] u8, optional: output voxels of blocks with 0 are zero and
 *                 give no gradient
 *   out   y       [N, O, D', H', W'], D' = (D + 2 pad - kd) / stride + 1, floored
 *
 * Outside x is zero. The reference walks rows (all voxels along W); a row is summed in f64,
 * channel after channel, tap after tap, in pieces of ROW voxels. Every element of a result
 * is one thread's work in one order, so the bits do not depend on the threads.
 * Source: networks.md 1. Reference behaviour: torch.nn.functional.conv3d.
 */
#include "ops/conv3d.h"

#include "graph/problem.h"
#include "ops/blocks.h"

enum { ROW = 128, MAX_TAPS = 32 };

static const vox_opt opts[] = {
    VOX_OPT_INT(vox_conv3d_attr, out, 8, 1, 65536, "output channels"),
    VOX_OPT_INTS(vox_conv3d_attr, kernel, "3,3,3", 1, MAX_TAPS, "taps per axis"),
    VOX_OPT_INTS(vox_conv3d_attr, stride, "1,1,1", 1, 32, "step per axis"),
    VOX_OPT_INTS(vox_conv3d_attr, pad, "1,1,1", 0, MAX_TAPS - 1, "zeros before and after"),
    VOX_OPT_END,
};

/* A call in short: extents, and where things are. */
typedef struct geom {
    int64_t samples, c, c1, o; /* channels of x and x2 together, of x */
    int64_t in[3], out[3];     /* extents */
    int64_t k[3], s[3], p[3];  /* taps, stride, pad */
    int64_t voxels_in, voxels_out, taps;
    const float *x, *x2, *w;
    vox_blocks active;
} geom;

static geom geom_of(const vox_call *c)
{
    const vox_conv3d_attr *attr = c->attr;
    const vox_shape *x = &c->in[VOX_CONV3D_X].shape, *y = &c->out[0].shape;
    geom g = {.samples = x->n[0], .c1 = x->n[1], .o = y->n[1]};

    g.c = c->in[VOX_CONV3D_W].shape.n[1];
    g.voxels_in = g.voxels_out = g.taps = 1;
    for (int a = 0; a < 3; a++) {
        g.in[a] = x->n[2 + a];
        g.out[a] = y->n[2 + a];
        g.k[a] = attr->kernel.v[a];
        g.s[a] = attr->stride.v[a];
        g.p[a] = attr->pad.v[a];
        g.voxels_in *= g.in[a];
        g.voxels_out *= g.out[a];
        g.taps *= g.k[a];
    }
    g.x = vox_call_in(c, VOX_CONV3D_X);
    g.x2 = c->n_in > VOX_CONV3D_X2 ? vox_call_in(c, VOX_CONV3D_X2) : NULL;
    g.w = vox_call_in(c, VOX_CONV3D_W);
    if (c->n_in > VOX_CONV3D_ACTIVE)
        g.active = vox_blocks_of(&c->in[VOX_CONV3D_ACTIVE], *y);
    return g;
}

/* Channel c of sample n of concat(x, x2). */
static const float *channel(const geom *g, int64_t n, int64_t c)
{
    if (c < g->c1)
        return g->x + (n * g->c1 + c) * g->voxels_in;
    return g->x2 + (n * (g->c - g->c1) + c - g->c1) * g->voxels_in;
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* Outputs i of an axis, within [from, to), whose tap `k` falls inside the input: [*lo,
 * *hi). */
static void inside(const geom *g, int axis, int64_t k, int64_t from, int64_t to,
                   int64_t *lo, int64_t *hi)
{
    const int64_t s = g->s[axis], shift = g->p[axis] - k; /* 0 <= s i - shift < in */
    const int64_t first = shift > 0 ? (shift + s - 1) / s : 0;
    const int64_t end = g->in[axis] + shift > 0 ? (g->in[axis] + shift + s - 1) / s : 0;

    *lo = clamp(first, from, to);
    *hi = clamp(end, *lo, to);
}

/* acc[0, n) += one row of taps of one channel: outputs [x0, x0 + n) from the input row. */
static void add_row(const geom *g, double *acc, int64_t x0, int64_t n, const float *row,
                    const float *w)
{
    for (int64_t kx = 0; kx < g->k[2]; kx++) {
        const double tap = (double)w[kx];
        const int64_t shift = kx - g->p[2];
        int64_t lo, hi;

        inside(g, 2, kx, x0, x0 + n, &lo, &hi);
        if (g->s[2] == 1) {
            for (int64_t i = lo; i < hi; i++)
                acc[i - x0] += tap * (double)row[i + shift];
        } else {
            for (int64_t i = lo; i < hi; i++)
                acc[i - x0] += tap * (double)row[i * g->s[2] + shift];
        }
    }
}

/* acc[0, n) = outputs [x0, x0 + n) of row (z, y) of channel o, without the bias. */
static void sum_row(const geom *g, double *acc, const int64_t at[4], int64_t x0, int64_t n)
{
    const int64_t o = at[1], z0 = at[2] * g->s[0] - g->p[0], y0 = at[3] * g->s[1] - g->p[1];

    for (int64_t c = 0; c < g->c; c++) {
        const float *x = channel(g, at[0], c), *w = g->w + (o * g->c + c) * g->taps;

        for (int64_t kz = 0; kz < g->k[0]; kz++) {
            for (int64_t ky = 0; ky < g->k[1]; ky++) {
                const int64_t z = z0 + kz, y = y0 + ky;

                if (z >= 0 && z < g->in[0] && y >= 0 && y < g->in[1])
                    add_row(g, acc, x0, n, x + (z * g->in[1] + y) * g->in[2],
                            w + (kz * g->k[1] + ky) * g->k[2]);
            }
        }
    }
}

static void forward_row(const geom *g, float *y, const float *bias, const int64_t at[4])
{
    const int64_t first = (at[2] * g->out[1] + at[3]) * g->out[2]; /* voxel */
    float *row = y + (at[0] * g->o + at[1]) * g->voxels_out + first;

    for (int64_t x0 = 0; x0 < g->out[2]; x0 += ROW) {
        const int64_t n = clamp(g->out[2] - x0, 0, ROW);
        double acc[ROW];

        for (int64_t i = 0; i < n; i++)
            acc[i] = bias ? (double)bias[at[1]] : 0.0;
        sum_row(g, acc, at, x0, n);
        for (int64_t i = 0; i < n; i++)
            row[x0 + i] =
                vox_blocks_at(&g->active, at[0], first + x0 + i) ? (float)acc[i] : 0.0f;
    }
}

static void forward(const vox_call *c)
{
    const geom g = geom_of(c);
    const float *bias = c->n_in > VOX_CONV3D_B ? vox_call_in(c, VOX_CONV3D_B) : NULL;
    float *out = vox_call_out(c, 0);

    VOX_SHARE(i, g.samples * g.o * g.out[0]) {
        const int64_t z = i % g.out[0], o = i / g.out[0] % g.o, n = i / g.out[0] / g.o;

        for (int64_t y = 0; y < g.out[1]; y++)
            forward_row(&g, out, bias, (int64_t[]){n, o, z, y});
    }
}

/* Row (z, y) of dy of channel o, outputs [from, to), as f64: zero where not active. */
static void load_dy(const geom *g, double *row, const float *dy, const int64_t at[4],
                    int64_t from, int64_t to)
{
    const int64_t first = (at[2] * g->out[1] + at[3]) * g->out[2];
    const float *src = dy + (at[0] * g->o + at[1]) * g->voxels_out + first;

    for (int64_t i = from; i < to; i++)
        row[i - from] = vox_blocks_at(&g->active, at[0], first + i) ? (double)src[i] : 0.0;
}

/* acc: inputs [x0, x0 + n) of a row of dx += one row of taps on a row of dy. */
static void spread_row(const geom *g, double *acc, int64_t x0, int64_t n, const float *dy,
                       const int64_t at[4], const float *w)
{
    const int64_t s = g->s[2], p = g->p[2];
    const int64_t from = clamp((x0 + p - g->k[2] + 1) / s - 1, 0, g->out[2]);
    const int64_t to = clamp((x0 + n - 1 + p) / s + 1, from, g->out[2]);
    double row[ROW + MAX_TAPS + 4];

    load_dy(g, row, dy, at, from, to);
    for (int64_t kx = 0; kx < g->k[2]; kx++) {
        const double tap = (double)w[kx];
        const int64_t shift = kx - p - x0; /* 0 <= s i + shift < n */
        int64_t lo = from, hi = to;

        while (lo < hi && s * lo + shift < 0)
            lo++;
        while (hi > lo && s * (hi - 1) + shift >= n)
            hi--;
        for (int64_t i = lo; i < hi; i++)
            acc[s * i + shift] += tap * row[i - from];
    }
}

/* The output position whose tap k lies on input position j, or -1. */
static int64_t above(const geom *g, int axis, int64_t j, int64_t k)
{
    const int64_t t = j + g->p[axis] - k;

    if (t < 0 || t % g->s[axis] || t / g->s[axis] >= g->out[axis])
        return -1;
    return t / g->s[axis];
}

/* acc = inputs [x0, x0 + n) of row (z, y) of dx, channel c of concat(x, x2). */
static void sum_dx(const geom *g, double *acc, const float *dy, const int64_t at[4],
                   int64_t x0, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        acc[i] = 0.0;
    for (int64_t o = 0; o < g->o; o++) {
        const float *w = g->w + (o * g->c + at[1]) * g->taps;

        for (int64_t kz = 0; kz < g->k[0]; kz++) {
            const int64_t z = above(g, 0, at[2], kz);

            for (int64_t ky = 0; z >= 0 && ky < g->k[1]; ky++) {
                const int64_t y = above(g, 1, at[3], ky);

                if (y >= 0)
                    spread_row(g, acc, x0, n, dy, (int64_t[]){at[0], o, z, y},
                               w + (kz * g->k[1] + ky) * g->k[2]);
            }
        }
    }
}

/* The gradient of x (first = 0) or x2 (first = channels of x). */
static void backward_data(const geom *g, const float *dy, vox_grad dx, int64_t first,
                          int64_t count)
{
    if (dx.put == VOX_SKIP)
        return;
    VOX_SHARE(row, g->samples * count * g->in[0] * g->in[1]) {
        const int64_t y = row % g->in[1], z = row / g->in[1] % g->in[0];
        const int64_t map = row / g->in[1] / g->in[0], n = map / count, c = map % count;

        for (int64_t x = 0; x < g->in[2]; x += ROW) {
            const int64_t some = clamp(g->in[2] - x, 0, ROW);
            double acc[ROW];

            sum_dx(g, acc, dy, (int64_t[]){n, first + c, z, y}, x, some);
            for (int64_t i = 0; i < some; i++)
                vox_grad_put(dx, row * g->in[2] + x + i, (float)acc[i]);
        }
    }
}

/* sum of a[i] * b[i * step], by four fixed partial sums. */
static double dot(const double *a, const float *b, int64_t step, int64_t n)
{
    double s[4] = {0, 0, 0, 0};
    int64_t i = 0;

    for (; i + 4 <= n; i += 4) {
        s[0] += a[i] * (double)b[i * step];
        s[1] += a[i + 1] * (double)b[(i + 1) * step];
        s[2] += a[i + 2] * (double)b[(i + 2) * step];
        s[3] += a[i + 3] * (double)b[(i + 3) * step];
    }
    for (; i < n; i++)
        s[0] += a[i] * (double)b[i * step];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

/* acc[kx] += the row (z, y) of dy times the row of the input below it. */
static void correlate_row(const geom *g, double *acc, const float *dy, const int64_t at[4],
                          const float *row)
{
    for (int64_t x0 = 0; x0 < g->out[2]; x0 += ROW) {
        const int64_t end = clamp(g->out[2], 0, x0 + ROW);
        double piece[ROW];

        load_dy(g, piece, dy, at, x0, end);
        for (int64_t kx = 0; kx < g->k[2]; kx++) {
            int64_t lo, hi;

            inside(g, 2, kx, x0, end, &lo, &hi);
            if (lo < hi)
                acc[kx] += dot(piece + lo - x0, row + lo * g->s[2] + kx - g->p[2], g->s[2],
                               hi - lo);
        }
    }
}

/* Weights (o, c, kz, ky, all kx) of the gradient. */
static void backward_taps(const geom *g, const float *dy, vox_grad dw, const int64_t tap[4])
{
    const int64_t o = tap[0], c = tap[1], kz = tap[2], ky = tap[3];
    const int64_t first = (((o * g->c + c) * g->k[0] + kz) * g->k[1] + ky) * g->k[2];
    int64_t z_lo, z_hi, y_lo, y_hi;
    double acc[MAX_TAPS] = {0};

    inside(g, 0, kz, 0, g->out[0], &z_lo, &z_hi);
    inside(g, 1, ky, 0, g->out[1], &y_lo, &y_hi);
    for (int64_t n = 0; n < g->samples; n++) {
        const float *x = channel(g, n, c);

        for (int64_t z = z_lo; z < z_hi; z++) {
            for (int64_t y = y_lo; y < y_hi; y++) {
                const int64_t iz = z * g->s[0] + kz - g->p[0],
                              iy = y * g->s[1] + ky - g->p[1];

                correlate_row(g, acc, dy, (int64_t[]){n, o, z, y},
                              x + (iz * g->in[1] + iy) * g->in[2]);
            }
        }
    }
    for (int64_t kx = 0; kx < g->k[2]; kx++)
        vox_grad_put(dw, first + kx, (float)acc[kx]);
}

static void backward_weights(const geom *g, const float *dy, vox_grad dw)
{
    if (dw.put == VOX_SKIP)
        return;
    VOX_SHARE(i, g->o * g->c * g->k[0]) {
        const int64_t kz = i % g->k[0], c = i / g->k[0] % g->c, o = i / g->k[0] / g->c;

        for (int64_t ky = 0; ky < g->k[1]; ky++)
            backward_taps(g, dy, dw, (int64_t[]){o, c, kz, ky});
    }
}

static void backward_bias(const geom *g, const float *dy, vox_grad db)
{
    if (db.put == VOX_SKIP)
        return;
    VOX_SHARE(o, g->o) {
        double sum = 0.0;

        for (int64_t n = 0; n < g->samples; n++) {
            const float *map = dy + (n * g->o + o) * g->voxels_out;

            for (int64_t i = 0; i < g->voxels_out; i++) {
                if (vox_blocks_at(&g->active, n, i))
                    sum += (double)map[i];
            }
        }
        vox_grad_put(db, o, (float)sum);
    }
}

static void backward(const vox_call *c)
{
    const geom g = geom_of(c);
    const float *dy = vox_call_dout(c, 0);

    backward_data(&g, dy, vox_call_din(c, VOX_CONV3D_X), 0, g.c1);
    if (c->n_in > VOX_CONV3D_X2) {
        vox_barrier(); /* x2 may be x: then this adds to what was just written */
        backward_data(&g, dy, vox_call_din(c, VOX_CONV3D_X2), g.c1, g.c - g.c1);
    }
    backward_weights(&g, dy, vox_call_din(c, VOX_CONV3D_W));
    if (c->n_in > VOX_CONV3D_B)
        backward_bias(&g, dy, vox_call_din(c, VOX_CONV3D_B));
}

static const vox_value *operand(const vox_infer *io, int i)
{
    return i < io->n_in ? io->in[i] : NULL;
}

static int infer_weights(const vox_infer *io, int64_t channels)
{
    const vox_conv3d_attr *attr = io->attr;
    const vox_value *b = operand(io, VOX_CONV3D_B);
    char text[128];
    vox_shape w;

    VOX_TRY(vox_infer_want(io, VOX_CONV3D_W, VOX_F32, 5));
    w = io->in[VOX_CONV3D_W]->shape;
    for (int a = 0; a < 3; a++) {
        if (w.n[2 + a] != attr->kernel.v[a] || w.n[2 + a] > MAX_TAPS)
            return vox_infer_fail(io,
                                  "weight %s has not the kernel %dx%dx%d (at most %d each)",
                                  vox_shape_text(w, text), attr->kernel.v[0],
                                  attr->kernel.v[1], attr->kernel.v[2], MAX_TAPS);
    }
    if (w.n[0] != attr->out || w.n[1] != channels)
        return vox_infer_fail(io, "weight %s, wanted %d x %lld channels",
                              vox_shape_text(w, text), attr->out, (long long)channels);
    if (!b)
        return VOX_OK;
    VOX_TRY(vox_infer_want(io, VOX_CONV3D_B, VOX_F32, 1));
    return b->shape.n[0] == attr->out ? VOX_OK
                                      : vox_infer_fail(io, "bias of %lld, wanted %d",
                                                       (long long)b->shape.n[0], attr->out);
}

/* x and x2 agree; their channels together. */
static int infer_sources(const vox_infer *io, int64_t *channels)
{
    const vox_value *x2 = operand(io, VOX_CONV3D_X2);
    char found[128], wanted[128];
    vox_shape x, other;

    VOX_TRY(vox_infer_want(io, VOX_CONV3D_X, VOX_F32, 5));
    x = other = io->in[VOX_CONV3D_X]->shape;
    *channels = x.n[1];
    if (!x2)
        return VOX_OK;
    VOX_TRY(vox_infer_want(io, VOX_CONV3D_X2, VOX_F32, 5));
    other.n[1] = x2->shape.n[1];
    *channels += other.n[1];
    return vox_shape_equal(x2->shape, other)
               ? VOX_OK
               : vox_infer_fail(io, "second source is %s, the first %s",
                                vox_shape_text(x2->shape, found),
                                vox_shape_text(x, wanted));
}

static int want_three(const vox_conv3d_attr *attr)
{
    if (attr->kernel.count != 3 || attr->stride.count != 3 || attr->pad.count != 3)
        return vox_fail(VOX_E_ARG, "conv3d: kernel, stride and pad want three values each");
    return VOX_OK;
}

static int infer(vox_infer *io)
{
    const vox_conv3d_attr *attr = io->attr;
    vox_shape *y = &io->out[0].shape;
    int64_t channels;

    VOX_TRY(want_three(attr));
    VOX_TRY(infer_sources(io, &channels));
    VOX_TRY(infer_weights(io, channels));
    *y = io->in[VOX_CONV3D_X]->shape;
    y->n[1] = attr->out;
    for (int a = 0; a < 3; a++) {
        const int k = attr->kernel.v[a], s = attr->stride.v[a], p = attr->pad.v[a];
        const int64_t room = y->n[2 + a] + 2 * p - k;

        if (s < 1 || p < 0 || p >= k || room < 0)
            return vox_infer_fail(io, "kernel %d, stride %d, pad %d do not fit %lld voxels",
                                  k, s, p, (long long)y->n[2 + a]);
        y->n[2 + a] = room / s + 1;
    }
    return operand(io, VOX_CONV3D_ACTIVE) ? vox_blocks_infer(io, VOX_CONV3D_ACTIVE, *y)
                                          : VOX_OK;
}

static int operands(vox_value in[VOX_MAX_IN], int64_t limit[VOX_MAX_IN], const void *attr_)
{
    const vox_conv3d_attr *attr = attr_;
    const vox_shape x = in[VOX_CONV3D_X].shape;
    vox_shape w = VOX_SHAPE(attr->out, x.n[1], 1, 1, 1), y = x;

    VOX_TRY(want_three(attr));
    vox_operand_fill(&in[VOX_CONV3D_X2], VOX_F32, VOX_ROLE_ACTIVATION, x);
    if (in[VOX_CONV3D_X2].shape.rank == 5)
        w.n[1] += in[VOX_CONV3D_X2].shape.n[1];
    for (int a = 0; a < 3; a++) {
        w.n[2 + a] = attr->kernel.v[a];
        y.n[2 + a] =
            (x.n[2 + a] + 2 * attr->pad.v[a] - attr->kernel.v[a]) / attr->stride.v[a] + 1;
    }
    vox_operand_fill(&in[VOX_CONV3D_W], VOX_F32, VOX_ROLE_PARAM, w);
    vox_operand_fill(&in[VOX_CONV3D_B], VOX_F32, VOX_ROLE_PARAM, VOX_SHAPE(attr->out));
    vox_operand_fill(&in[VOX_CONV3D_ACTIVE], VOX_U8, VOX_ROLE_INPUT, vox_blocks_shape(y));
    limit[VOX_CONV3D_ACTIVE] = 2;
    return VOX_OK;
}

static double flops(const vox_infer *io)
{
    const vox_shape w = io->in[VOX_CONV3D_W]->shape, y = io->out[0].shape;

    return 2.0 * (double)vox_shape_count(y) * (double)vox_shape_count(w) / (double)w.n[0];
}

/* clang-format off */
static const char *const problems[] = {
    "2x3x4x5x6 in=0,1,2", /* few channels in, as a stem */
    "1x1x5x6x7 out=32 in=0,1,2",
    "2x8x5x4x7 out=16",
    "1x9x3x5x4 out=17 in=0,1,2", /* one past a block */
    "1x16x4x6x5 out=1 kernel=1 pad=0 in=0,1,2", /* a head */
    "2x8x6x5x7 out=16 stride=2 in=0,1,2",
    "1x4x4x4x6 out=24 kernel=1 pad=0",
    "1x3x8x4x8 out=20 kernel=4 stride=4 pad=0 in=0,1,2", /* patches */
    "1x2x5x6x3 out=3 kernel=3,1,2 stride=1,2,1 pad=1,0,1 in=0,1,2",
    "1x1x9x4x9 out=1 kernel=5 pad=2",
    "1x3x2x2x140 out=2", /* longer than a piece of a row */
    "1x2x1x2x300 out=2 stride=2",
    "1x8x4x5x6 out=8 in=0,1,2 in3=1x8x4x5x6",
    "2x16x3x4x5 out=8 in=0,1,3 in3=2x5x3x4x5",
    "1x32x4x4x4 out=32 in=0,1,2 in3=1x32x4x4x4",
    "2x8x4x6x4 out=16 in=0,1,2,4",
    "1x8x8x8x4 out=8 stride=2 in=0,1,2,3,4",
    "1x64x2x2x2 out=48",
    "1x9x11x13x17 out=10 in=0,1,2", /* more voxels than a tile of a kernel */
    "1x2x18x17x15 out=3 stride=1 in=0,1,2",
    "1x8x1x1x1 out=8 in=0,1,2",
    NULL};
/* clang-format on */

const vox_op vox_op_conv3d = {
    .name = "conv3d",
    .summary = "3-D convolution with zero padding, a second source, active blocks",
    .n_in_min = 2,
    .n_in_max = VOX_CONV3D_N,
    .n_out = 1,
    .attr_size = sizeof(vox_conv3d_attr),
    .opts = opts,
    .backward_reads = VOX_IN(VOX_CONV3D_X) | VOX_IN(VOX_CONV3D_W) | VOX_IN(VOX_CONV3D_X2) |
                      VOX_IN(VOX_CONV3D_ACTIVE),
    .data_reads = VOX_IN(VOX_CONV3D_W) | VOX_IN(VOX_CONV3D_ACTIVE),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .operands = operands,
    .problems = problems,
    .flops = flops,
};

vox_node *vox_conv3d(vox_graph *g, vox_node *x, vox_node *x2, vox_node *w, vox_node *b,
                     int stride, vox_node *active)
{
    const vox_shape shape = vox_node_shape(w);
    vox_conv3d_attr attr = {
        (int)shape.n[0], {3, {0}},
         {3, {0}},
         {3, {0}}
    };

    for (int a = 0; a < 3; a++) {
        attr.kernel.v[a] = (int)shape.n[2 + a];
        attr.stride.v[a] = stride;
        attr.pad.v[a] = (attr.kernel.v[a] - 1) / 2;
    }
    return vox_graph_add(g, &vox_op_conv3d, &attr, VOX_CONV3D_N,
                         (vox_node *const[]){x, w, b, x2, active});
}
