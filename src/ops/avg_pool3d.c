/*
 * avg_pool3d: every output voxel is the mean of its window; windows do not overlap.
 *
 *   in    x       [N, C, D, H, W]
 *         active  [N, 1, d, h, w] u8, optional: output voxels of blocks with 0 are zero and
 *                 give no gradient
 *   out   y       [N, C, D / kd, H / kh, W / kw], floored: voxels past the last window
 *                 count nowhere
 *
 * Source: networks.md 1, 8.2 (active). Reference behaviour:
 * torch.nn.functional.avg_pool3d(x, k).
 */
#include "ops/avg_pool3d.h"

#include "graph/problem.h"
#include "ops/blocks.h"

enum { X = VOX_AVG_POOL3D_X, ACTIVE = VOX_AVG_POOL3D_ACTIVE };

static const vox_opt opts[] = {
    VOX_OPT_INTS(vox_avg_pool3d_attr, kernel, "2,2,2", 1, 1024, "edges of the window"),
    VOX_OPT_END,
};

static vox_blocks active_of(const vox_call *c)
{
    return ACTIVE < c->n_in ? vox_blocks_of(&c->in[ACTIVE], c->out[0].shape)
                            : (vox_blocks){.keep = NULL};
}

static double sum_window(const float *x, const vox_shape *in, const int *k, int64_t z,
                         int64_t y, int64_t at)
{
    double sum = 0.0;

    for (int64_t kz = 0; kz < k[0]; kz++) {
        for (int64_t ky = 0; ky < k[1]; ky++) {
            const float *row = x + ((z * k[0] + kz) * in->n[3] + y * k[1] + ky) * in->n[4];

            for (int64_t kx = 0; kx < k[2]; kx++)
                sum += (double)row[at * k[2] + kx];
        }
    }
    return sum;
}

static void forward(const vox_call *c)
{
    const vox_avg_pool3d_attr *attr = c->attr;
    const int *k = attr->kernel.v;
    const vox_shape in = c->in[X].shape, out = c->out[0].shape;
    const vox_blocks active = active_of(c);
    const double size = (double)k[0] * k[1] * k[2];

    VOX_SHARE(plane, in.n[0] * in.n[1] * out.n[2]) {
        const int64_t map = plane / out.n[2], z = plane % out.n[2];
        const int64_t area = out.n[3] * out.n[4];
        const float *x = vox_call_in(c, X) + map * in.n[2] * in.n[3] * in.n[4];
        float *row = vox_call_out(c, 0) + plane * area;

        for (int64_t i = 0; i < area; i++) {
            const double sum = sum_window(x, &in, k, z, i / out.n[4], i % out.n[4]);
            const int on = vox_blocks_at(&active, map / in.n[1], z * area + i);

            row[i] = on ? (float)(sum / size) : 0.0f;
        }
    }
}

/* dx = dy of its window / voxels of a window; 0 outside all windows and in inactive
 * ones. */
static void backward(const vox_call *c)
{
    const vox_avg_pool3d_attr *attr = c->attr;
    const int *k = attr->kernel.v;
    const vox_shape in = c->in[X].shape, out = c->out[0].shape;
    const vox_blocks active = active_of(c);
    const double size = (double)k[0] * k[1] * k[2];
    const float *dy = vox_call_dout(c, 0);
    const vox_grad dx = vox_call_din(c, X);

    if (dx.put == VOX_SKIP)
        return;
    VOX_SHARE(row, in.n[0] * in.n[1] * in.n[2] * in.n[3]) {
        const int64_t map = row / in.n[3] / in.n[2];
        const int64_t z = row / in.n[3] % in.n[2] / k[0], y = row % in.n[3] / k[1];
        const int covered = z < out.n[2] && y < out.n[3];

        for (int64_t x = 0; x < in.n[4]; x++) {
            const int64_t at = (z * out.n[3] + y) * out.n[4] + x / k[2];
            const int64_t from = map * out.n[2] * out.n[3] * out.n[4] + at;
            const int hit =
                covered && x / k[2] < out.n[4] && vox_blocks_at(&active, map / in.n[1], at);

            vox_grad_put(dx, row * in.n[4] + x,
                         hit ? (float)((double)dy[from] / size) : 0.0f);
        }
    }
}

static int infer(vox_infer *io)
{
    const vox_avg_pool3d_attr *attr = io->attr;
    vox_shape *y = &io->out[0].shape;
    char text[128];

    VOX_TRY(vox_infer_want(io, X, VOX_F32, 5));
    *y = io->in[X]->shape;
    if (attr->kernel.count != 3)
        return vox_infer_fail(io, "kernel wants three values");
    for (int a = 0; a < 3; a++) {
        const int k = attr->kernel.v[a];

        if (k < 1 || k > y->n[2 + a])
            return vox_infer_fail(io, "window of %d on axis %d of %s", k, a,
                                  vox_shape_text(io->in[X]->shape, text));
        y->n[2 + a] /= k;
    }
    return ACTIVE < io->n_in && io->in[ACTIVE] ? vox_blocks_infer(io, ACTIVE, *y) : VOX_OK;
}

static int operands(vox_value in[VOX_MAX_IN], int64_t limit[VOX_MAX_IN], const void *attr_)
{
    const vox_avg_pool3d_attr *attr = attr_;
    vox_shape y = in[X].shape;

    for (int a = 0; a < 3 && y.rank == 5 && a < attr->kernel.count; a++)
        y.n[2 + a] /= attr->kernel.v[a];
    if (y.rank == 5)
        vox_operand_fill(&in[ACTIVE], VOX_U8, VOX_ROLE_INPUT, vox_blocks_shape(y));
    limit[ACTIVE] = 2;
    return VOX_OK;
}

static const char *const problems[] = {"2x3x4x6x8",
                                       "1x9x5x7x4",
                                       "2x16x2x3x6 kernel=1,3,2",
                                       "1x17x4x4x5 kernel=3",
                                       "1x8x4x2x6",
                                       "2x3x4x8x4 in=0,1",
                                       "2x9x8x12x9 in=0,1",
                                       "1x16x6x8x16 in=0,1 in1=1x1x1x2x4",
                                       NULL};

const vox_op vox_op_avg_pool3d = {
    .name = "avg_pool3d",
    .summary = "mean over windows that do not overlap, active blocks",
    .n_in_min = 1,
    .n_in_max = VOX_AVG_POOL3D_N,
    .n_out = 1,
    .attr_size = sizeof(vox_avg_pool3d_attr),
    .opts = opts,
    .backward_reads = VOX_IN(ACTIVE),
    .infer = infer,
    .forward = forward,
    .rebuild = forward,
    .backward = backward,
    .operands = operands,
    .problems = problems,
};

vox_node *vox_avg_pool3d(vox_graph *g, vox_node *x, const int kernel[3], vox_node *active)
{
    const vox_avg_pool3d_attr attr = {
        {3, {kernel[0], kernel[1], kernel[2]}}
    };

    return vox_graph_add(g, &vox_op_avg_pool3d, &attr, VOX_AVG_POOL3D_N,
                         (vox_node *const[]){x, active});
}
