/*
 * winograd_sum: forward and the gradient of x by winograd.h: tiles in, a matrix product per
 * plane, tiles out.
 *
 * The product keeps the sums of VOXELS tiles and two vectors of target channels in
 * registers, as the inner loop of conv_sum does; a block of source channels is one step.
 */
#include "backend/cpu/winograd.h"

enum {
    LANES = VOX_LANES,
    PAIR = 2 * VOX_LANES,
    GROUP = VOX_CONV_GROUP,
    GROUPS = VOX_CONV_GROUPS,
    TILES = GROUP * GROUPS,
    STEP = 8 /* source channels whose code is unrolled */
};

/* Matrices of one plane. */
typedef struct product {
    const float *v, *u;
    float *m;
    int64_t blocks, v_block, m_vector; /* distances */
} product;

/* Constants first: groups of GROUP tiles, vectors of target channels. */
VOX_INLINE void multiply(const int groups, const int vectors, const product *p)
{
    const int tiles = groups * GROUP;
    const float *u = p->u, *v = p->v;
    vec a[TILES], b[TILES];

    VOX_UNROLL
    for (int t = 0; t < tiles; t++)
        a[t] = b[t] = vec_zero();
    for (int64_t k = 0; k < p->blocks; k++, v += p->v_block) {
        for (int i = 0; i < LANES; i += STEP, u += STEP * PAIR) {
            VOX_UNROLL
            for (int c = 0; c < STEP; c++) {
                const vec u0 = vec_load(u + c * PAIR);
                const vec u1 = vectors == 2 ? vec_load(u + c * PAIR + LANES) : u0;

                VOX_UNROLL
                for (int t = 0; t < tiles; t++) {
                    const vec x = vec_set1(v[t * LANES + i + c]);

                    a[t] = vec_fma(x, u0, a[t]);
                    if (vectors == 2)
                        b[t] = vec_fma(x, u1, b[t]);
                }
            }
        }
    }
    VOX_UNROLL
    for (int t = 0; t < tiles; t++) {
        vec_store(p->m + t * LANES, a[t]);
        if (vectors == 2)
            vec_store(p->m + p->m_vector + t * LANES, b[t]);
    }
}

/* The instances, by (vectors - 1, groups - 1). */
typedef void product_fn(const product *p);
#define INSTANCE(groups, vectors)                                           \
    static VOX_NOINLINE void product_##groups##_##vectors(const product *p) \
    {                                                                       \
        multiply(groups, vectors, p);                                       \
    }
INSTANCE(1, 1)
INSTANCE(2, 1)
INSTANCE(GROUPS, 1)
INSTANCE(1, 2)
INSTANCE(2, 2)
INSTANCE(GROUPS, 2)
static product_fn *const product_table[2][3] = {
    {product_1_1, product_2_1, product_GROUPS_1},
    {product_1_2, product_2_2, product_GROUPS_2},
};

/* All planes: M of a run's tiles from V and one pair's U. The last group may run over tiles
 * that are not there: buffers have room for them. */
static void multiply_planes(const vox_winograd_sum *p, int vectors, float *m,
                            const float *v, int64_t v_block, const float *u, int64_t tiles)
{
    const int64_t all = (tiles + GROUP - 1) / GROUP, parts = (all + GROUPS - 1) / GROUPS;
    product q = {
        .blocks = p->w.pass.chunks, .v_block = v_block, .m_vector = p->run * LANES};

    for (int plane = 0; plane < VOX_WINOGRAD_PLANES; plane++) {
        q.u = u + plane * p->u_plane;
        for (int64_t i = 0; i < parts; i++) {
            const int64_t first = i * all / parts, n = (i + 1) * all / parts - first;

            q.v = v + plane * p->v_plane + first * GROUP * LANES;
            q.m = m + plane * p->m_plane + first * GROUP * LANES;
            product_table[vectors - 1][n == GROUPS ? 2 : n - 1](&q);
        }
    }
}

/* ---- around the products ---- */

static void transform_source(const vox_winograd_sum *p, const vox_conv_io *io, float *v,
                             int64_t block, vox_winograd_run r)
{
    const vox_conv_side *s = &p->w.pass.source;
    const vox_conv_group g = vox_conv_group_of(s, LANES, block);

    VOX_KERNEL(vox_winograd_source)
    (v + block * r.run * LANES, &p->w, r,
     vox_stream_at(io->source[g.second], vox_conv_group_at(s, &g)),
     vox_conv_image_size(s, g.second));
}

/* One block of a pair's U. */
static void transform_weights(const vox_winograd_sum *p, const vox_conv_io *io, float *u,
                              int64_t pair, int64_t block, float *packed)
{
    VOX_KERNEL(vox_winograd_weights)
    (u + block * LANES * PAIR, p->u_plane, &p->w, io->weight, pair, block, packed);
}

/* Vectors of a pair that exist. */
static int vectors_of(const vox_conv_side *s, int64_t pair)
{
    return vox_conv_group_of(s, LANES, 2 * pair + 1).count > 0 ? 2 : 1;
}

static void put_results(const vox_winograd_sum *p, const vox_conv_io *io, const float *m,
                        int64_t pair, vox_winograd_run r)
{
    const vox_conv_side *s = &p->w.pass.target;

    for (int i = 0; i < vectors_of(s, pair); i++, m += p->run * LANES) {
        const vox_conv_group g = vox_conv_group_of(s, LANES, 2 * pair + i);
        float bias[LANES] = {0};

        if (io->put[g.second] == VOX_SKIP)
            continue;
        if (io->bias)
            vec_store(bias, vec_load_part(io->bias + g.channel, g.count));
        VOX_KERNEL(vox_winograd_result)
        (vox_stream_at(io->target[g.second], vox_conv_group_at(s, &g)), io->put[g.second],
         &p->w, r, m, vox_conv_image_size(s, g.second), bias);
    }
}

static vox_winograd_run run_of(const vox_winograd_sum *p, int64_t index)
{
    const int64_t first = index * p->run, left = p->w.tiles - first;

    return (vox_winograd_run){first, left < p->run ? left : p->run, p->run, p->m_plane};
}

/* A thread's part of the work memory: V or U, M, and a chunk of packed weights. */
typedef struct worker {
    float *own, *m, *packed;
} worker;

static worker worker_of(const vox_winograd_sum *p, void *work)
{
    char *at = (char *)work + p->shared_bytes + (size_t)vox_team_member() * p->worker_bytes;
    worker w;

    w.own = (float *)(void *)at;
    w.m = w.own + (p->deep ? p->u_size : p->v_size);
    w.packed = w.m + p->m_size;
    return w;
}

/* ---- wide: shared U ---- */

static void run_wide(const vox_winograd_sum *p, const vox_conv_io *io, void *work,
                     int64_t index)
{
    const worker w = worker_of(p, work);
    const vox_winograd_run r = run_of(p, index);
    vox_winograd_run source = r;

    source.plane = p->v_plane;
    for (int64_t block = 0; block < p->w.pass.chunks; block++)
        transform_source(p, io, w.own, block, source);
    for (int64_t pair = 0; pair < p->w.pass.pairs; pair++) {
        multiply_planes(p, vectors_of(&p->w.pass.target, pair), w.m, w.own, p->run * LANES,
                        (float *)work + pair * p->u_size, r.count);
        put_results(p, io, w.m, pair, r);
    }
}

static void sum_wide(const vox_winograd_sum *p, const vox_conv_io *io, void *work)
{
    const int64_t blocks = p->w.pass.chunks;

    VOX_SHARE(i, p->w.pass.pairs * blocks)
        transform_weights(p, io, (float *)work + i / blocks * p->u_size, i / blocks,
                          i % blocks, worker_of(p, work).packed);
    vox_barrier();
    VOX_SHARE(i, p->runs)
        run_wide(p, io, work, i);
}

/* ---- deep: shared V ---- */

static void run_deep(const vox_winograd_sum *p, const vox_conv_io *io, void *work,
                     int64_t pair, int64_t split)
{
    const worker w = worker_of(p, work);

    for (int64_t block = 0; block < p->w.pass.chunks; block++)
        transform_weights(p, io, w.own, pair, block, w.packed);
    for (int64_t i = split * p->runs / p->splits; i < (split + 1) * p->runs / p->splits;
         i++) {
        const vox_winograd_run r = run_of(p, i);

        multiply_planes(p, vectors_of(&p->w.pass.target, pair), w.m,
                        (float *)work + r.first * LANES, p->w.tiles * LANES, w.own,
                        r.count);
        put_results(p, io, w.m, pair, r);
    }
}

static void sum_deep(const vox_winograd_sum *p, const vox_conv_io *io, void *work)
{
    const int64_t blocks = p->w.pass.chunks;

    VOX_SHARE(i, blocks * p->runs) {
        vox_winograd_run r = run_of(p, i % p->runs);

        r.run = p->w.tiles; /* what a block of V holds */
        r.plane = p->v_plane;
        transform_source(p, io, (float *)work + r.first * LANES, i / p->runs, r);
    }
    vox_barrier();
    VOX_SHARE(i, p->w.pass.pairs * p->splits)
        run_deep(p, io, work, i / p->splits, i % p->splits);
}

void VOX_KERNEL(vox_winograd_sum)(const vox_winograd_sum *p, const vox_conv_io *io,
                                  void *work)
{
    if (p->deep)
        sum_deep(p, io, work);
    else
        sum_wide(p, io, work);
}
