/* leaky_relu over everything stored: lanes that pad the channels stay zero by themselves.
 */
#include "ops/leaky_relu.h"

#include "backend/cpu/tiles.h"

static int supports(const vox_problem *q)
{
    return q->in[0].layout == q->out[0].layout;
}

static void forward(const vox_call *c)
{
    const vox_leaky_relu_attr *attr = c->attr;
    const vec slope = vec_set1(attr->slope);
    const float *x = vox_call_in(c, 0);
    float *y = vox_call_out(c, 0);
    const int64_t count = vox_call_count(c);

    VOX_SHARE(t, vox_tiles(count)) {
        const int64_t end = vox_tile_end(t, count);
        int64_t i = t * VOX_TILE;

        for (; i + VOX_LANES <= end; i += VOX_LANES)
            vec_store(y + i, vec_leaky(vec_load(x + i), slope));
        for (; i < end; i++)
            y[i] = x[i] > 0.0f ? x[i] : attr->slope * x[i];
    }
}

/* dx = dy where y > 0, slope * dy elsewhere. */
static void backward(const vox_call *c)
{
    const vox_leaky_relu_attr *attr = c->attr;
    const vec slope = vec_set1(attr->slope);
    const float *y = vox_call_out(c, 0), *dy = vox_call_dout(c, 0);
    const vox_grad dx = c->din[0];
    const int64_t count = vox_call_count(c);

    if (dx.put == VOX_SKIP)
        return;
    VOX_SHARE(t, vox_tiles(count)) {
        const int64_t end = vox_tile_end(t, count);
        int64_t i = t * VOX_TILE;

        for (; i + VOX_LANES <= end; i += VOX_LANES) {
            const vec d = vec_load(dy + i);
            const vec_mask positive = vec_gt(vec_load(y + i), vec_zero());

            vox_grad_put_vec(dx, i, vec_select(positive, d, vec_mul(d, slope)));
        }
        for (; i < end; i++)
            vox_grad_put(dx, i, y[i] > 0.0f ? dy[i] : attr->slope * dy[i]);
    }
}

const vox_kernel VOX_KERNEL(vox_kernel_leaky_relu) = {
    .op = "leaky_relu",
    .name = "leaky_relu",
    .supports = supports,
    .forward = forward,
    .backward = backward,
};
