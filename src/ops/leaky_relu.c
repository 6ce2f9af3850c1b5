/*
 * leaky_relu: y = x where x > 0, slope * x elsewhere.
 *
 *   in    x      any shape, f32
 *   out   y      shape of x, may overwrite x
 *   attr  slope  gradient on the negative side, >= 0
 *
 * As slope >= 0, y > 0 exactly where x > 0: backward reads only y.
 * Source: Maas et al. 2013. Reference behaviour: torch.nn.functional.leaky_relu.
 */
#include "ops/leaky_relu.h"

static const vox_opt opts[] = {
    VOX_OPT_F32(vox_leaky_relu_attr, slope, 0.01, 0.0, 10.0, "gradient for x <= 0"),
    VOX_OPT_END,
};

static void forward(const vox_call *c)
{
    const vox_leaky_relu_attr *attr = c->attr;
    const float *x = vox_call_in(c, 0);
    float *y = vox_call_out(c, 0);
    const int64_t n = vox_call_count(c);

    VOX_SHARE(i, n)
        y[i] = x[i] > 0.0f ? x[i] : attr->slope * x[i];
}

/* dx = dy * (y > 0 ? 1 : slope), written or added as the call says. */
static void backward(const vox_call *c)
{
    const vox_leaky_relu_attr *attr = c->attr;
    const float *y = vox_call_out(c, 0), *dy = vox_call_dout(c, 0);
    const vox_grad dx = vox_call_din(c, 0);
    const int64_t n = vox_call_count(c);

    if (dx.put == VOX_SKIP)
        return;
    VOX_SHARE(i, n)
        vox_grad_put(dx, i, y[i] > 0.0f ? dy[i] : attr->slope * dy[i]);
}

static const char *const problems[] = {"2x3x4x5x6", "7 slope=0", "1x9x3x5x2 slope=0.2",
                                       NULL};

const vox_op vox_op_leaky_relu = {
    .name = "leaky_relu",
    .summary = "x where x > 0, slope * x elsewhere",
    .n_in_min = 1,
    .n_in_max = 1,
    .n_out = 1,
    .attr_size = sizeof(vox_leaky_relu_attr),
    .opts = opts,
    .backward_reads = VOX_OUT(0),
    .may_alias = VOX_ALIAS(0, 0),
    .grad_alias = VOX_ALIAS(0, 0),
    .infer = vox_infer_same,
    .forward = forward,
    .backward = backward,
    .problems = problems,
};

vox_node *vox_leaky_relu(vox_graph *g, vox_node *x, float slope)
{
    return vox_graph_add1(g, &vox_op_leaky_relu, &(vox_leaky_relu_attr){slope}, x);
}
