/* avg_pool3d on blocked tensors: a window is a few vectors. Plain tensors are the
 * reference's. */
#include "ops/avg_pool3d.h"

#include "backend/cpu/tiles.h"

/* Extents of x and y, the window, distances of rows and planes of x in floats. */
typedef struct geom {
    const int *k;
    int64_t in[3], out[3], row, plane, maps;
    float by; /* 1 / voxels of a window */
} geom;

static geom geom_of(const vox_call *c)
{
    const vox_avg_pool3d_attr *attr = c->attr;
    const vox_blocked t = vox_blocked_of(c->in[0].shape);
    geom g = {.k = attr->kernel.v, .maps = t.images * t.blocks};

    for (int i = 0; i < 3; i++) {
        g.in[i] = c->in[0].shape.n[2 + i];
        g.out[i] = c->out[0].shape.n[2 + i];
    }
    g.row = g.in[2] * VOX_LANES;
    g.plane = g.in[1] * g.row;
    g.by = 1.0f / (float)(g.k[0] * g.k[1] * g.k[2]);
    return g;
}

static int supports(const vox_problem *q)
{
    return vox_is_blocked(&q->in[0]) && vox_is_blocked(&q->out[0]);
}

static vec sum_window(const geom *g, const float *x)
{
    vec sum = vec_zero();

    for (int kz = 0; kz < g->k[0]; kz++) {
        for (int ky = 0; ky < g->k[1]; ky++) {
            const float *row = x + kz * g->plane + ky * g->row;

            for (int kx = 0; kx < g->k[2]; kx++)
                sum = vec_add(sum, vec_load(row + kx * VOX_LANES));
        }
    }
    return sum;
}

static void forward(const vox_call *c)
{
    const geom g = geom_of(c);
    const vec by = vec_set1(g.by);

    VOX_SHARE(i, g.maps * g.out[0]) {
        const float *x = vox_call_in(c, 0) + i / g.out[0] * g.in[0] * g.plane +
                         i % g.out[0] * g.k[0] * g.plane;
        float *y = vox_call_out(c, 0) + i * g.out[1] * g.out[2] * VOX_LANES;

        for (int64_t h = 0; h < g.out[1]; h++) {
            for (int64_t w = 0; w < g.out[2]; w++, y += VOX_LANES) {
                const float *window = x + h * g.k[1] * g.row + w * g.k[2] * VOX_LANES;

                vec_store(y, vec_mul(sum_window(&g, window), by));
            }
        }
    }
}

/* One row of dx: its window's dy / voxels of a window, 0 behind the last window. `dy` is
 * NULL for a row behind the last window. */
static void put_row(const geom *g, vox_grad dx, int64_t at, const float *dy)
{
    const vec by = vec_set1(g->by);
    const int64_t covered = dy ? g->out[2] * g->k[2] : 0;

    for (int64_t x = 0; x < g->in[2]; x++) {
        vec v = vec_zero();

        if (x < covered)
            v = vec_mul(vec_load(dy + x / g->k[2] * VOX_LANES), by);
        vox_grad_put_vec(dx, at + x * VOX_LANES, v);
    }
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
            const int64_t y = h / g.k[1];
            const float *dy = NULL;

            if (z < g.out[0] && y < g.out[1])
                dy = vox_call_dout(c, 0) +
                     ((map * g.out[0] + z) * g.out[1] + y) * g.out[2] * VOX_LANES;
            put_row(&g, dx, i * g.plane + h * g.row, dy);
        }
    }
}

const vox_kernel VOX_KERNEL(vox_kernel_avg_pool3d) = {
    .op = "avg_pool3d",
    .name = "avg_pool3d",
    .supports = supports,
    .forward = forward,
    .backward = backward,
};
