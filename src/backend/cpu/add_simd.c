/* add: y = a + b over everything stored, for operands of one layout. */
#include "ops/add.h"

#include "backend/cpu/tiles.h"

static int supports(const vox_problem *q)
{
    return q->in[0].layout == q->out[0].layout && q->in[1].layout == q->out[0].layout;
}

static void forward(const vox_call *c)
{
    const float *a = vox_call_in(c, 0), *b = vox_call_in(c, 1);
    float *y = vox_call_out(c, 0);
    const int64_t count = vox_call_count(c);

    VOX_SHARE(t, vox_tiles(count)) {
        const int64_t end = vox_tile_end(t, count);
        int64_t i = t * VOX_TILE;

        for (; i + VOX_LANES <= end; i += VOX_LANES)
            vec_store(y + i, vec_add(vec_load(a + i), vec_load(b + i)));
        for (; i < end; i++)
            y[i] = a[i] + b[i];
    }
}

static void put(vox_grad g, const float *dy, int64_t i, int64_t end)
{
    if (g.put == VOX_SKIP)
        return;
    for (; i + VOX_LANES <= end; i += VOX_LANES)
        vox_grad_put_vec(g, i, vec_load(dy + i));
    for (; i < end; i++)
        vox_grad_put(g, i, dy[i]);
}

/* da = db = dy. When a and b are one tensor so are their gradients: a thread does a tile of
 * both, in order. */
static void backward(const vox_call *c)
{
    const int64_t count = vox_call_count(c);

    VOX_SHARE(t, vox_tiles(count)) {
        put(c->din[0], vox_call_dout(c, 0), t * VOX_TILE, vox_tile_end(t, count));
        put(c->din[1], vox_call_dout(c, 0), t * VOX_TILE, vox_tile_end(t, count));
    }
}

const vox_kernel VOX_KERNEL(vox_kernel_add) = {
    .op = "add",
    .name = "add",
    .supports = supports,
    .forward = forward,
    .backward = backward,
};
