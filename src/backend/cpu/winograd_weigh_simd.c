/*
 * winograd_weigh: the gradient of the weights by winograd.h. Per run of tiles both sides
 * are transformed, and each plane of dU grows by a matrix product over the tiles.
 *
 * The product keeps the sums of CHANNELS source channels and two vectors of coarse channels
 * in registers (K4 of cpu-engine.md 4).
 */
#include "backend/cpu/winograd.h"

enum {
    LANES = VOX_LANES,
    PAIR = 2 * VOX_LANES,
    CHANNELS = VOX_VECS >= 32   ? 8
               : VOX_VECS >= 16 ? 4
                                : 2
};

/* Constant first: vectors of coarse channels. u grows by the sum over tiles of v z. */
VOX_INLINE void add_products(const int vectors, float *u, const float *v, const float *z,
                             int64_t z_vector, int64_t tiles, int add)
{
    vec a[CHANNELS], b[CHANNELS];

    VOX_UNROLL
    for (int c = 0; c < CHANNELS; c++)
        a[c] = b[c] = vec_zero();
    for (int64_t t = 0; t < tiles; t++, v += LANES, z += LANES) {
        const vec z0 = vec_load(z), z1 = vectors == 2 ? vec_load(z + z_vector) : z0;

        VOX_UNROLL
        for (int c = 0; c < CHANNELS; c++) {
            const vec x = vec_set1(v[c]);

            a[c] = vec_fma(x, z0, a[c]);
            if (vectors == 2)
                b[c] = vec_fma(x, z1, b[c]);
        }
    }
    VOX_UNROLL
    for (int c = 0; c < CHANNELS; c++, u += PAIR) {
        vec_store(u, add ? vec_add(vec_load(u), a[c]) : a[c]);
        if (vectors == 2)
            vec_store(u + LANES, add ? vec_add(vec_load(u + LANES), b[c]) : b[c]);
    }
}

/* Instances: products_1, products_2. */
#define INSTANCE(vectors)                                                                 \
    static VOX_NOINLINE void products_##vectors(float *u, const float *v, const float *z, \
                                                int64_t z_vector, int64_t tiles, int add) \
    {                                                                                     \
        add_products(vectors, u, v, z, z_vector, tiles, add);                             \
    }
INSTANCE(1)
INSTANCE(2)

/* A task: some pairs of one part. */
typedef struct task {
    const vox_winograd_weigh *p;
    const float *const *fine;
    const float *coarse;
    float *v, *z, *packed;
    float *u;           /* the part's dU of all pairs */
    int64_t begin, end; /* pairs */
} task;

static void transform(const task *t, vox_winograd_run r)
{
    const vox_winograd *w = &t->p->w;
    const vox_conv_side *fine = &w->pass.source, *coarse = &w->pass.target;

    r.plane = t->p->v_plane;
    for (int64_t k = 0; k < w->pass.chunks; k++) {
        const vox_conv_group g = vox_conv_group_of(fine, LANES, k);

        VOX_KERNEL(vox_winograd_source)
        (t->v + k * r.run * LANES, w, r, t->fine[g.second] + vox_conv_group_at(fine, &g),
         vox_conv_image_size(fine, g.second));
    }
    r.plane = t->p->z_plane;
    for (int64_t k = 2 * t->begin; k < 2 * t->end; k++) {
        const vox_conv_group g = vox_conv_group_of(coarse, LANES, k);

        if (g.count > 0)
            VOX_KERNEL(vox_winograd_target)
            (t->z + (k - 2 * t->begin) * r.run * LANES, w, r,
             t->coarse + vox_conv_group_at(coarse, &g), vox_conv_image_size(coarse, 0));
    }
}

/* One plane of one pair. */
static void add_plane(const task *t, int plane, int64_t pair, int64_t tiles, int add)
{
    const vox_winograd_weigh *p = t->p;
    const int64_t run = p->run * LANES;
    const float *z = t->z + plane * p->z_plane + 2 * (pair - t->begin) * run;
    float *u = t->u + pair * p->u_size + plane * p->u_plane;
    const int two = vox_conv_group_of(&p->w.pass.target, LANES, 2 * pair + 1).count > 0;

    for (int64_t k = 0; k < p->w.pass.chunks; k++) {
        const float *v = t->v + plane * p->v_plane + k * run;

        for (int c = 0; c < LANES; c += CHANNELS, u += CHANNELS * PAIR) {
            if (two)
                products_2(u, v + c, z, run, tiles, add);
            else
                products_1(u, v + c, z, run, tiles, add);
        }
    }
}

static void run_part(const task *t, int64_t part)
{
    const vox_winograd_weigh *p = t->p;
    const int64_t runs = (p->w.tiles + p->run - 1) / p->run, first = part * runs / p->parts;

    for (int64_t i = first; i < (part + 1) * runs / p->parts; i++) {
        const int64_t left = p->w.tiles - i * p->run, n = left < p->run ? left : p->run;

        transform(t, (vox_winograd_run){i * p->run, n, p->run, 0});
        for (int plane = 0; plane < VOX_WINOGRAD_PLANES; plane++) {
            for (int64_t pair = t->begin; pair < t->end; pair++)
                add_plane(t, plane, pair, n, i > first);
        }
    }
}

void VOX_KERNEL(vox_winograd_weigh)(const vox_winograd_weigh *p, const float *const fine[2],
                                    const float *coarse, vox_grad grad, void *work)
{
    const int64_t pairs = p->w.pass.pairs, blocks = p->w.pass.chunks;
    float *u = work;
    task t = {.p = p, .fine = fine, .coarse = coarse};

    t.v = (float *)(void *)((char *)work + p->partial_bytes +
                            (size_t)VOX_THREAD() * p->worker_bytes);
    t.z = t.v + p->v_size;
    t.packed = t.z + p->z_size;
#pragma omp for schedule(dynamic, 1)
    for (int64_t i = 0; i < p->parts * p->pair_split; i++) {
        const int64_t part = i / p->pair_split, split = i % p->pair_split;

        t.u = u + part * pairs * p->u_size;
        t.begin = split * pairs / p->pair_split;
        t.end = (split + 1) * pairs / p->pair_split;
        run_part(&t, part);
    }
#pragma omp for schedule(dynamic, 1)
    for (int64_t i = 0; i < pairs * blocks; i++)
        VOX_KERNEL(vox_winograd_gradient)
        (grad, &p->w, u + i / blocks * p->u_size, p->u_plane, p->parts, pairs * p->u_size,
         i / blocks, i % blocks, t.packed);
}
