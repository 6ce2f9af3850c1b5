/*
 * masked_mse: mean squared error over the hidden voxels.
 *
 *   in    y     [N, C, D, H, W], or any shape when there is no mask
 *         x     shape of y: what y should be
 *         keep  [N, 1, d, h, w] u8, optional; repeated over its block, 0 = hidden = counted
 *   out   loss  [1] = sum((y - x)^2 over hidden voxels) / (C * hidden voxels), 0 without
 *
 * saved: the divisor C * hidden voxels, then the sum of every tile of TILE elements, f64.
 * Source: methods.md 3.1; C > 1 is divided by C, unlike the peer.
 */
#include "ops/masked_mse.h"

#include "graph/problem.h"
#include "ops/blocks.h"

enum { TILE = 4096, Y = 0, X = 1, KEEP = 2 };

/* A call in short. */
typedef struct view {
    int64_t count, map, per; /* elements, of one channel, of one sample */
    const float *y, *x;
    vox_blocks keep;
} view;

static view view_of(const vox_call *c)
{
    const vox_shape s = c->in[Y].shape;
    view v = {.count = vox_shape_count(s), .y = vox_call_in(c, Y), .x = vox_call_in(c, X)};

    v.map = v.per = v.count;
    if (c->n_in > KEEP && c->in[KEEP].data) {
        v.keep = vox_blocks_of(&c->in[KEEP], s);
        v.map = s.n[2] * s.n[3] * s.n[4];
        v.per = v.map * s.n[1];
    }
    return v;
}

static int hidden(const view *v, int64_t i)
{
    return !v->keep.keep || !vox_blocks_at(&v->keep, i / v->per, i % v->map);
}

static int64_t tiles_of(int64_t count)
{
    return (count + TILE - 1) / TILE;
}

static double sum_tile(const view *v, int64_t tile)
{
    const int64_t end = (tile + 1) * TILE < v->count ? (tile + 1) * TILE : v->count;
    double sum = 0.0;

    for (int64_t i = tile * TILE; i < end; i++) {
        const double d = (double)v->y[i] - (double)v->x[i];

        if (hidden(v, i))
            sum += d * d;
    }
    return sum;
}

static double divisor(const view *v)
{
    int64_t visible = 0;

    for (int64_t n = 0; v->keep.keep && n < v->count / v->per; n++)
        visible += vox_blocks_active(&v->keep, n, v->map) * (v->per / v->map);
    return (double)(v->count - visible);
}

static void forward(const vox_call *c)
{
    const view v = view_of(c);
    const int64_t tiles = tiles_of(v.count);
    double *saved = c->saved;

    VOX_SHARE(t, tiles)
        saved[1 + t] = sum_tile(&v, t);
    vox_barrier();
    VOX_SHARE(one, 1) {
        double sum = 0.0;

        for (int64_t t = 0; t < tiles; t++)
            sum += saved[1 + t];
        saved[0] = divisor(&v);
        vox_call_out(c, 0)[0] = saved[0] > 0.0 ? (float)(sum / saved[0]) : 0.0f;
    }
}

/* dy = 2 (y - x) / divisor where hidden, dx = -dy; one loop, for y and x may be one tensor.
 */
static void backward(const vox_call *c)
{
    const view v = view_of(c);
    const vox_grad dy = vox_call_din(c, Y), dx = vox_call_din(c, X);
    const double by = *(const double *)c->saved;
    const double scale = by > 0.0 ? 2.0 * (double)vox_call_dout(c, 0)[0] / by : 0.0;

    VOX_SHARE(i, v.count) {
        const double d = scale * ((double)v.y[i] - (double)v.x[i]);
        const float grad = hidden(&v, i) ? (float)d : 0.0f;

        if (dy.put != VOX_SKIP)
            vox_grad_put(dy, i, grad);
        if (dx.put != VOX_SKIP)
            vox_grad_put(dx, i, -grad);
    }
}

static int infer(vox_infer *io)
{
    const vox_value *keep = io->n_in > KEEP ? io->in[KEEP] : NULL;
    char found[128], wanted[128];

    VOX_TRY(vox_infer_want(io, Y, VOX_F32, -1));
    VOX_TRY(vox_infer_want(io, X, VOX_F32, -1));
    if (!vox_shape_equal(io->in[Y]->shape, io->in[X]->shape))
        return vox_infer_fail(io, "prediction %s, target %s",
                              vox_shape_text(io->in[Y]->shape, found),
                              vox_shape_text(io->in[X]->shape, wanted));
    if (keep)
        VOX_TRY(vox_blocks_infer(io, KEEP, io->in[Y]->shape));
    io->out[0].shape = VOX_SHAPE(1);
    io->saved = (size_t)(1 + tiles_of(vox_shape_count(io->in[Y]->shape))) * sizeof(double);
    return VOX_OK;
}

static int operands(vox_value in[VOX_MAX_IN], int64_t limit[VOX_MAX_IN], const void *attr)
{
    (void)attr;
    vox_operand_fill(&in[X], VOX_F32, VOX_ROLE_ACTIVATION, in[Y].shape);
    if (in[Y].shape.rank == 5)
        vox_operand_fill(&in[KEEP], VOX_U8, VOX_ROLE_INPUT, vox_blocks_shape(in[Y].shape));
    limit[KEEP] = 2;
    return VOX_OK;
}

static const char *const problems[] = {"2x1x4x6x8 in=0,1,2",
                                       "1x3x5x4x9 in=0,1,2",
                                       "2x9x4x2x4 in=0,1,2",
                                       "2x1x16x18x20 in=0,1,2",
                                       "2x5x7",
                                       "1x1x4x4x4",
                                       NULL};

const vox_op vox_op_masked_mse = {
    .name = "masked_mse",
    .summary = "mean squared error over the hidden voxels",
    .n_in_min = 2,
    .n_in_max = 3,
    .n_out = 1,
    .backward_reads = VOX_IN(Y) | VOX_IN(X) | VOX_IN(KEEP) | VOX_SAVED,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .operands = operands,
    .problems = problems,
};

vox_node *vox_masked_mse(vox_graph *g, vox_node *y, vox_node *x, vox_node *keep)
{
    return vox_graph_add(g, &vox_op_masked_mse, NULL, 3, (vox_node *const[]){y, x, keep});
}
