/* avg_pool3d on blocked tensors: a window is a few vectors. Windows of inactive output
 * voxels are not read. Plain tensors are the reference's. */
#include "ops/avg_pool3d.h"

#include <string.h>

#include "backend/cpu/mask_rows.h"

/* Extents of x and y, the window, distances of rows and planes of x in floats. */
typedef struct geom {
    const int *k;
    int64_t in[3], out[3], row, plane, maps;
    float by;           /* 1 / voxels of a window */
    vox_mask_rows mask; /* of y */
} geom;

static geom geom_of(const vox_call *c)
{
    const vox_avg_pool3d_attr *attr = c->attr;
    const vox_blocked t = vox_blocked_of(c->in[0].shape);
    geom g = {.k = attr->kernel.v, .maps = t.images * t.blocks};
    const int masked = vox_call_in(c, VOX_AVG_POOL3D_ACTIVE) != NULL;

    for (int i = 0; i < 3; i++) {
        g.in[i] = c->in[0].shape.n[2 + i];
        g.out[i] = c->out[0].shape.n[2 + i];
    }
    g.row = g.in[2] * VOX_LANES;
    g.plane = g.in[1] * g.row;
    g.by = 1.0f / (float)(g.k[0] * g.k[1] * g.k[2]);
    g.mask = vox_mask_rows_of(&c->out[0], masked ? &c->in[VOX_AVG_POOL3D_ACTIVE] : NULL);
    return g;
}

static int supports(const vox_problem *q)
{
    return vox_is_blocked(&q->in[0]) && vox_is_blocked(&q->out[0]);
}

/* The window that starts at `at`. */
static vec sum_window(const geom *g, vox_stream x, int64_t at)
{
    vec sum = vec_zero();

    for (int kz = 0; kz < g->k[0]; kz++) {
        for (int ky = 0; ky < g->k[1]; ky++) {
            const int64_t row = at + kz * g->plane + ky * g->row;

            for (int kx = 0; kx < g->k[2]; kx++)
                sum = vec_add(sum, vox_stream_load(x, row + kx * VOX_LANES));
        }
    }
    return sum;
}

/* `count` outputs of a row, from the first's window on. */
static void pool_row(const geom *g, vox_stream y, vox_stream x, int64_t count)
{
    const vec by = vec_set1(g->by);

    for (int64_t w = 0; w < count; w++)
        vox_stream_store(y, w * VOX_LANES,
                         vec_mul(sum_window(g, x, w * g->k[2] * VOX_LANES), by));
}

static void forward(const vox_call *c)
{
    const geom g = geom_of(c);
    const vox_stream x = vox_stream_in(c, 0), y = vox_stream_out(c);
    const int64_t segment = g.mask.segment / VOX_LANES;

    VOX_SHARE(i, g.maps * g.out[0]) {
        const int64_t first = (i / g.out[0] * g.in[0] + i % g.out[0] * g.k[0]) * g.plane;
        int64_t at = i * g.out[1] * g.out[2] * VOX_LANES;

        for (int64_t h = 0; h < g.out[1]; h++) {
            const uint8_t *active = vox_mask_row(&g.mask, i, h);

            for (int64_t w = 0; w < g.out[2]; w += segment, at += g.mask.segment) {
                if (active && !active[w / segment])
                    vox_stream_clear(vox_stream_at(y, at), g.mask.segment);
                else
                    pool_row(&g, vox_stream_at(y, at),
                             vox_stream_at(x, first + h * g.k[1] * g.row +
                                                  w * g.k[2] * VOX_LANES),
                             segment);
            }
        }
    }
}

/* One row of dx: its window's dy / voxels of a window, 0 behind the last window and in
 * inactive ones. `dy` is NULL for a row behind the last window. */
static void put_row(const geom *g, vox_grad dx, int64_t at, const float *dy,
                    const uint8_t *active)
{
    const vec by = vec_set1(g->by);
    const int64_t covered = g->out[2] * g->k[2], segment = g->mask.segment / VOX_LANES;

    for (int64_t w = 0; w < g->out[2]; w++) {
        vec v = vec_zero();

        if (dy && (!active || active[w / segment]))
            v = vec_mul(vec_load(dy + w * VOX_LANES), by);
        for (int kx = 0; kx < g->k[2]; kx++, at += VOX_LANES)
            vox_grad_put_vec(dx, at, v);
    }
    for (int64_t x = covered; x < g->in[2]; x++, at += VOX_LANES)
        vox_grad_put_vec(dx, at, vec_zero());
}

static void backward(const vox_call *c)
{
    const geom g = geom_of(c);
    const vox_grad dx = c->din[0];

    if (dx.put == VOX_SKIP)
        return;
    VOX_SHARE(i, g.maps * g.in[0]) {
        const int64_t map = i / g.in[0], z = i % g.in[0] / g.k[0];

        for (int64_t h = 0; h < g.in[1]; h++) {
            const int64_t y = h / g.k[1], plane = map * g.out[0] + z;
            const float *dy = NULL;
            const uint8_t *active = NULL;

            if (z < g.out[0] && y < g.out[1]) {
                dy = vox_call_dout(c, 0) + (plane * g.out[1] + y) * g.out[2] * VOX_LANES;
                active = vox_mask_row(&g.mask, plane, y);
            }
            put_row(&g, dx, i * g.plane + h * g.row, dy, active);
        }
    }
}

const vox_kernel VOX_KERNEL(vox_kernel_avg_pool3d) = {
    .op = "avg_pool3d",
    .name = "avg_pool3d",
    .bf16 = VOX_IN(0) | VOX_OUT(0),
    .supports = supports,
    .forward = forward,
    .backward = backward,
};
