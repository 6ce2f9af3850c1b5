/*
 * gather: y[n, k] = x[n, index[n, k]], rows of C values.
 *
 *   in    x      [N, T, C]
 *         index  [N, K] i64 in [0, T); rows may repeat and may be left out
 *   out   y      [N, K, C]
 *
 * Backward: row t of dx is the sum of the rows of dy that were taken from it, in the order
 * of k; 0 when there is none.
 */
#include "ops/gather.h"

#include "graph/problem.h"

static void forward(const vox_call *c)
{
    const vox_shape x = c->in[0].shape, y = c->out[0].shape;
    const int64_t *index = c->in[1].data;

    VOX_SHARE(row, y.n[0] * y.n[1]) {
        const float *from =
            vox_call_in(c, 0) + (row / y.n[1] * x.n[1] + index[row]) * x.n[2];
        float *to = vox_call_out(c, 0) + row * x.n[2];

        VOX_ASSERT(index[row] >= 0 && index[row] < x.n[1]);
        for (int64_t i = 0; i < x.n[2]; i++)
            to[i] = from[i];
    }
}

/* Element i of row t of sample n of dx. */
static double sum_taken(const float *dy, const int64_t *index, const vox_shape *y,
                        int64_t t, int64_t i)
{
    double sum = 0.0;

    for (int64_t k = 0; k < y->n[1]; k++) {
        if (index[k] == t)
            sum += (double)dy[k * y->n[2] + i];
    }
    return sum;
}

static void backward(const vox_call *c)
{
    const vox_shape x = c->in[0].shape, y = c->out[0].shape;
    const float *dy = vox_call_dout(c, 0);
    const vox_grad dx = vox_call_din(c, 0);

    if (dx.put == VOX_SKIP)
        return;
    VOX_SHARE(row, x.n[0] * x.n[1]) {
        const int64_t n = row / x.n[1];
        const int64_t *index = (const int64_t *)c->in[1].data + n * y.n[1];

        for (int64_t i = 0; i < x.n[2]; i++) {
            const double sum =
                sum_taken(dy + n * y.n[1] * y.n[2], index, &y, row % x.n[1], i);

            vox_grad_put(dx, row * x.n[2] + i, (float)sum);
        }
    }
}

static int infer(vox_infer *io)
{
    char found[128], wanted[128];
    const vox_value *x, *index;

    VOX_TRY(vox_infer_want(io, 0, VOX_F32, 3));
    VOX_TRY(vox_infer_want(io, 1, VOX_I64, 2));
    x = io->in[0];
    index = io->in[1];
    if (x->shape.n[0] != index->shape.n[0])
        return vox_infer_fail(io, "index %s for tokens %s",
                              vox_shape_text(index->shape, found),
                              vox_shape_text(x->shape, wanted));
    io->out[0].shape = VOX_SHAPE(x->shape.n[0], index->shape.n[1], x->shape.n[2]);
    return VOX_OK;
}

static int operands(vox_value in[VOX_MAX_IN], int64_t limit[VOX_MAX_IN], const void *attr)
{
    const vox_shape x = in[0].shape;

    (void)attr;
    vox_operand_fill(&in[1], VOX_I64, VOX_ROLE_INPUT, VOX_SHAPE(x.n[0], (x.n[1] + 1) / 2));
    limit[1] = x.n[1];
    return VOX_OK;
}

static const char *const problems[] = {"2x8x12", "3x7x5", "1x1x4", "2x5x9 in1=2x11", NULL};

const vox_op vox_op_gather = {
    .name = "gather",
    .summary = "rows of a token sequence by index",
    .n_in_min = 2,
    .n_in_max = 2,
    .n_out = 1,
    .backward_reads = VOX_IN(1),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .operands = operands,
    .problems = problems,
};

vox_node *vox_gather(vox_graph *g, vox_node *x, vox_node *index)
{
    return vox_graph_add(g, &vox_op_gather, NULL, 2, (vox_node *const[]){x, index});
}
