/*
 * mask_blocks: y = x in visible blocks, 0 in hidden ones.
 *
 *   in    x     [N, C, D, H, W]
 *         keep  [N, 1, d, h, w] u8, one value per block of D/d x H/h x W/w voxels;
 *               0 = hidden
 *   out   y     shape of x, may overwrite x
 *
 * A hidden voxel is not read: NaN there does not reach y.
 */
#include "ops/mask_blocks.h"

#include "graph/problem.h"
#include "ops/blocks.h"

static void forward(const vox_call *c)
{
    const vox_shape s = c->in[0].shape;
    const vox_blocks keep = vox_blocks_of(&c->in[1], s);
    const int64_t voxels = s.n[2] * s.n[3] * s.n[4], all = vox_shape_count(s);
    const float *x = vox_call_in(c, 0);
    float *y = vox_call_out(c, 0);

    VOX_SHARE(i, all)
        y[i] = vox_blocks_at(&keep, i / voxels / s.n[1], i % voxels) ? x[i] : 0.0f;
}

static void backward(const vox_call *c)
{
    const vox_shape s = c->in[0].shape;
    const vox_blocks keep = vox_blocks_of(&c->in[1], s);
    const int64_t voxels = s.n[2] * s.n[3] * s.n[4], all = vox_shape_count(s);
    const float *dy = vox_call_dout(c, 0);
    const vox_grad dx = vox_call_din(c, 0);

    if (dx.put == VOX_SKIP)
        return;
    VOX_SHARE(i, all)
        vox_grad_put(dx, i,
                     vox_blocks_at(&keep, i / voxels / s.n[1], i % voxels) ? dy[i] : 0.0f);
}

static int infer(vox_infer *io)
{
    VOX_TRY(vox_infer_want(io, 0, VOX_F32, 5));
    io->out[0].shape = io->in[0]->shape;
    return vox_blocks_infer(io, 1, io->in[0]->shape);
}

static int operands(vox_value in[VOX_MAX_IN], int64_t limit[VOX_MAX_IN], const void *attr)
{
    (void)attr;
    if (in[0].shape.rank == 5)
        vox_operand_fill(&in[1], VOX_U8, VOX_ROLE_INPUT, vox_blocks_shape(in[0].shape));
    limit[1] = 2;
    return VOX_OK;
}

static const char *const problems[] = {"2x1x4x6x8", "1x3x5x3x9", "2x9x4x4x2", NULL};

const vox_op vox_op_mask_blocks = {
    .name = "mask_blocks",
    .summary = "set the voxels of hidden blocks to zero",
    .n_in_min = 2,
    .n_in_max = 2,
    .n_out = 1,
    .backward_reads = VOX_IN(1),
    .may_alias = VOX_ALIAS(0, 0),
    .infer = infer,
    .forward = forward,
    .rebuild = forward,
    .backward = backward,
    .operands = operands,
    .problems = problems,
};

vox_node *vox_mask_blocks(vox_graph *g, vox_node *x, vox_node *keep)
{
    return vox_graph_add(g, &vox_op_mask_blocks, NULL, 2, (vox_node *const[]){x, keep});
}
