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

typedef struct operands {
    const vox_winograd_weigh *p;
    const vox_stream *fine;
    const float *coarse;
    vox_grad grad;
} operands;

/* ---- tiles of both sides ---- */

static void transform_fine(float *v, const operands *o, int64_t block, vox_winograd_run r)
{
    const vox_conv_side *s = &o->p->w.pass.source;
    const vox_conv_group g = vox_conv_group_of(s, LANES, block);

    r.plane = o->p->v_plane;
    VOX_KERNEL(vox_winograd_source)
    (v + block * r.run * LANES, &o->p->w, r,
     vox_stream_at(o->fine[g.second], vox_conv_group_at(s, &g)),
     vox_conv_image_size(s, g.second));
}

/* Vector number `vector` of the coarse side into place `at` of Z. */
static void transform_coarse(float *z, const operands *o, int64_t vector, int64_t at,
                             vox_winograd_run r)
{
    const vox_conv_side *s = &o->p->w.pass.target;
    const vox_conv_group g = vox_conv_group_of(s, LANES, vector);

    r.plane = o->p->z_plane;
    if (g.count > 0)
        VOX_KERNEL(vox_winograd_target)
    (z + at * r.run * LANES, &o->p->w, r, o->coarse + vox_conv_group_at(s, &g),
     vox_conv_image_size(s, 0));
}

static vox_winograd_run run_of(const vox_winograd_weigh *p, int64_t index)
{
    const int64_t first = index * p->run, left = p->w.tiles - first;

    return (vox_winograd_run){first, left < p->run ? left : p->run, p->run, 0};
}

/* All source channels of one block and plane. */
static void add_block(const vox_winograd_weigh *p, float *u, const float *v, const float *z,
                      int64_t pair, int64_t room, int64_t tiles, int add)
{
    const int two = vox_conv_group_of(&p->w.pass.target, LANES, 2 * pair + 1).count > 0;

    for (int c = 0; c < LANES; c += CHANNELS, u += CHANNELS * PAIR) {
        if (two)
            products_2(u, v + c, z, room * LANES, tiles, add);
        else
            products_1(u, v + c, z, room * LANES, tiles, add);
    }
}

/* A thread's part of the work memory. */
typedef struct worker {
    float *v, *z, *u, *packed;
} worker;

static worker worker_of(const vox_winograd_weigh *p, void *work)
{
    worker w;

    w.v = (float *)(void *)((char *)work + p->shared_bytes +
                            (size_t)vox_team_member() * p->worker_bytes);
    w.z = w.v + (p->deep ? 0 : p->v_size);
    w.u = w.z + (p->deep ? 0 : p->z_size);
    w.packed = w.u + (p->deep ? p->u_size : 0);
    return w;
}

/* ---- wide ---- */

/* What a task makes of dU: pairs and blocks [begin, end). */
typedef struct piece {
    int64_t pair_begin, pair_end, block_begin, block_end;
} piece;

/* Number `index` of splits x cuts. */
static piece piece_of(const vox_winograd_weigh *p, int64_t index)
{
    const int64_t pairs = p->w.pass.pairs, blocks = p->w.pass.chunks;
    const int64_t split = index / p->cuts, cut = index % p->cuts;

    return (piece){split * pairs / p->splits, (split + 1) * pairs / p->splits,
                   cut * blocks / p->cuts, (cut + 1) * blocks / p->cuts};
}

/* A piece's share of a run of tiles into dU. */
static void add_run(const operands *o, const worker *w, float *u, const piece *t,
                    vox_winograd_run r, int add)
{
    const vox_winograd_weigh *p = o->p;
    const int64_t room = r.run * LANES, begin = t->pair_begin;

    for (int64_t k = t->block_begin; k < t->block_end; k++)
        transform_fine(w->v, o, k, r);
    for (int64_t k = 2 * begin; k < 2 * t->pair_end; k++)
        transform_coarse(w->z, o, k, k - 2 * begin, r);
    for (int plane = 0; plane < VOX_WINOGRAD_PLANES; plane++) {
        for (int64_t pair = begin; pair < t->pair_end; pair++) {
            for (int64_t k = t->block_begin; k < t->block_end; k++)
                add_block(p, u + pair * p->u_size + plane * p->u_plane + k * LANES * PAIR,
                          w->v + plane * p->v_plane + k * room,
                          w->z + plane * p->z_plane + 2 * (pair - begin) * room, pair,
                          r.run, r.count, add);
        }
    }
}

static void weigh_wide(const operands *o, void *work)
{
    const vox_winograd_weigh *p = o->p;
    const int64_t pairs = p->w.pass.pairs, blocks = p->w.pass.chunks;
    const int64_t runs = (p->w.tiles + p->run - 1) / p->run;
    const worker w = worker_of(p, work);
    float *u = work;

    VOX_SHARE(i, p->parts * p->splits * p->cuts) {
        const int64_t part = i / p->cuts / p->splits, first = part * runs / p->parts;
        const piece t = piece_of(p, i % (p->splits * p->cuts));

        for (int64_t k = first; k < (part + 1) * runs / p->parts; k++)
            add_run(o, &w, u + part * pairs * p->u_size, &t, run_of(p, k), k > first);
    }
    vox_barrier();
    VOX_SHARE(i, pairs * blocks)
        VOX_KERNEL(vox_winograd_gradient)
    (o->grad, &p->w, u + i / blocks * p->u_size + i % blocks * LANES * PAIR, p->u_plane,
     p->parts, pairs * p->u_size, i / blocks, i % blocks, w.packed);
}

/* ---- deep ---- */

static void weigh_deep(const operands *o, void *work)
{
    const vox_winograd_weigh *p = o->p;
    const int64_t pairs = p->w.pass.pairs, blocks = p->w.pass.chunks, tiles = p->w.tiles;
    const vox_winograd_run all = run_of(p, 0);
    const worker w = worker_of(p, work);
    float *v = work, *z = v + p->v_size;

    VOX_SHARE(i, blocks + 2 * pairs) {
        if (i < blocks)
            transform_fine(v, o, i, all);
        else
            transform_coarse(z, o, i - blocks, i - blocks, all);
    }
    vox_barrier();
    VOX_SHARE(i, pairs * p->splits) {
        const int64_t pair = i / p->splits, split = i % p->splits;

        for (int64_t k = split * blocks / p->splits; k < (split + 1) * blocks / p->splits;
             k++) {
            for (int plane = 0; plane < VOX_WINOGRAD_PLANES; plane++)
                add_block(p, w.u + plane * p->u_plane,
                          v + plane * p->v_plane + k * tiles * LANES,
                          z + plane * p->z_plane + 2 * pair * tiles * LANES, pair, tiles,
                          tiles, 0);
            VOX_KERNEL(vox_winograd_gradient)
            (o->grad, &p->w, w.u, p->u_plane, 1, 0, pair, k, w.packed);
        }
    }
}

void VOX_KERNEL(vox_winograd_weigh)(const vox_winograd_weigh *p, const vox_stream fine[2],
                                    const float *coarse, vox_grad grad, void *work)
{
    const operands o = {p, fine, coarse, grad};

    if (p->deep)
        weigh_deep(&o, work);
    else
        weigh_wide(&o, work);
}
