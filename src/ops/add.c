/*
 * add: y = a + b.
 *
 *   in    a, b  any shape, the same; f32
 *   out   y     that shape, may overwrite a or b
 */
#include "ops/add.h"

#include "graph/problem.h"

static void forward(const vox_call *c)
{
    const float *a = vox_call_in(c, 0), *b = vox_call_in(c, 1);
    float *y = vox_call_out(c, 0);
    const int64_t n = vox_call_count(c);

    VOX_SHARE(i, n)
        y[i] = a[i] + b[i];
}

/* da = db = dy. When a and b are one tensor their gradient is too: one loop, in order. */
static void backward(const vox_call *c)
{
    const float *dy = vox_call_dout(c, 0);
    const vox_grad da = vox_call_din(c, 0), db = vox_call_din(c, 1);
    const int64_t n = vox_call_count(c);

    VOX_SHARE(i, n) {
        if (da.put != VOX_SKIP)
            vox_grad_put(da, i, dy[i]);
        if (db.put != VOX_SKIP)
            vox_grad_put(db, i, dy[i]);
    }
}

static int infer(vox_infer *io)
{
    char found[128], wanted[128];

    VOX_TRY(vox_infer_same(io));
    VOX_TRY(vox_infer_want(io, 1, VOX_F32, -1));
    return vox_shape_equal(io->in[0]->shape, io->in[1]->shape)
               ? VOX_OK
               : vox_infer_fail(io, "operands are %s and %s",
                                vox_shape_text(io->in[0]->shape, wanted),
                                vox_shape_text(io->in[1]->shape, found));
}

static int operands(vox_value in[VOX_MAX_IN], int64_t limit[VOX_MAX_IN], const void *attr)
{
    (void)limit;
    (void)attr;
    vox_operand_fill(&in[1], VOX_F32, VOX_ROLE_ACTIVATION, in[0].shape);
    return VOX_OK;
}

static const char *const problems[] = {"2x3x4x5x6", "11", "1x9x3x5x2", "2x7x12", NULL};

const vox_op vox_op_add = {
    .name = "add",
    .summary = "sum of two tensors of one shape",
    .n_in_min = 2,
    .n_in_max = 2,
    .n_out = 1,
    .may_alias = VOX_ALIAS(0, 0) | VOX_ALIAS(0, 1),
    .grad_alias = VOX_ALIAS(0, 0) | VOX_ALIAS(0, 1),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .operands = operands,
    .problems = problems,
};

vox_node *vox_add(vox_graph *g, vox_node *a, vox_node *b)
{
    return vox_graph_add(g, &vox_op_add, NULL, 2, (vox_node *const[]){a, b});
}
