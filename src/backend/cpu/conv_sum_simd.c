/*
 * conv_sum: gather and spread of conv.h, by one inner loop (K1 of cpu-engine.md 4).
 *
 * The loop keeps the sums of VOXELS voxels and two vectors of target channels in registers.
 * Per tap and source channel it loads two vectors of weights and one scalar per voxel:
 *
 *     registers   32      16      8
 *     voxels      12       6      2      in groups of 4, 2, 1 neighbours, a pointer per
 * group sums        24      12      4 loads/FMA   14/24    8/12   4/4
 *
 * About 32 taps x chunks make a batch: their weights stay in L1 while all voxels of the
 * tile pass, and the sums wait in the target between batches.
 */
#include <string.h>

#include "backend/cpu/conv.h"

enum {
    LANES = VOX_LANES,
    PAIR = 2 * VOX_LANES,
    GROUP = VOX_CONV_GROUP,
    GROUPS = VOX_CONV_GROUPS,
    VOXELS = GROUP * GROUPS,
    BATCH = 32
};

/* What the inner loop needs besides the voxels. */
typedef struct batch {
    const float *source, *weight;
    int64_t source_chunk, weight_chunk; /* distances of chunks */
    int chunks, taps;
    const vox_conv_tap *tap;
    float *target[2];
    int64_t target_step;   /* distance of neighbouring voxels */
    const float *start[2]; /* what the sums begin with; NULL: what the target holds */
} batch;

/* Offsets of a block's groups (or single voxels) in tile and target. */
typedef struct block {
    int64_t from[VOXELS], to[VOXELS];
} block;

/* ---- the inner loop ---- */

VOX_INLINE void load_sums(const int voxels, const int run, vec *sum, const batch *r, int v,
                          const block *b)
{
    VOX_UNROLL
    for (int p = 0; p < voxels; p++) {
        if (r->start[v])
            sum[p] = vec_load(r->start[v]);
        else
            sum[p] = vec_load(r->target[v] + b->to[p / run] + p % run * r->target_step);
    }
}

VOX_INLINE void store_sums(const int voxels, const int run, const vec *sum, const batch *r,
                           int v, const block *b)
{
    VOX_UNROLL
    for (int p = 0; p < voxels; p++)
        vec_store(r->target[v] + b->to[p / run] + p % run * r->target_step, sum[p]);
}

/* One chunk of channels of one tap. */
VOX_INLINE void add_tap(const int voxels, const int run, const int vectors, const int chunk,
                        vec *a, vec *b, const float *const *at, int64_t source,
                        const float *weight)
{
    VOX_UNROLL
    for (int c = 0; c < chunk; c++) {
        const vec w0 = vec_load(weight + c * PAIR);
        const vec w1 = vectors == 2 ? vec_load(weight + c * PAIR + LANES) : w0;

        VOX_UNROLL
        for (int p = 0; p < voxels; p++) {
            const vec x = vec_set1(at[p / run][source + p % run * chunk + c]);

            a[p] = vec_fma(x, w0, a[p]);
            if (vectors == 2)
                b[p] = vec_fma(x, w1, b[p]);
        }
    }
}

/* Constants first: `groups` of GROUP voxels, `run` neighbours per pointer, 1 or 2 target
 * vectors, `chunk` source channels. */
VOX_INLINE void sum_block(const int groups, const int run, const int vectors,
                          const int chunk, const batch *r, const block *at)
{
    const int voxels = groups * GROUP;
    vec a[VOXELS], b[VOXELS];
    const float *x[VOXELS];

    VOX_UNROLL
    for (int g = 0; g < voxels / run; g++)
        x[g] = r->source + at->from[g];
    load_sums(voxels, run, a, r, 0, at);
    if (vectors == 2)
        load_sums(voxels, run, b, r, 1, at);
    for (int c = 0; c < r->chunks; c++) {
        const int64_t source = c * r->source_chunk;
        const float *weight = r->weight + c * r->weight_chunk;

        for (int t = 0; t < r->taps; t++)
            add_tap(voxels, run, vectors, chunk, a, b, x, source + r->tap[t].source,
                    weight + r->tap[t].weight * chunk * PAIR);
    }
    store_sums(voxels, run, a, r, 0, at);
    if (vectors == 2)
        store_sums(voxels, run, b, r, 1, at);
}

/* The instances, and a table of them by (chunk == 1, vectors - 1, run == 1, groups - 1). */
typedef void sum_fn(const batch *r, const block *at);
#define INSTANCE(groups, run, vectors, chunk)                                            \
    static VOX_NOINLINE void sum_##groups##_##run##_##vectors##_##chunk(const batch *r,  \
                                                                        const block *at) \
    {                                                                                    \
        sum_block(groups, run, vectors, chunk, r, at);                                   \
    }
#define INSTANCES(vectors, chunk)           \
    INSTANCE(1, GROUP, vectors, chunk)      \
    INSTANCE(2, GROUP, vectors, chunk)      \
    INSTANCE(GROUPS, GROUP, vectors, chunk) \
    INSTANCE(1, 1, vectors, chunk)          \
    INSTANCE(2, 1, vectors, chunk)          \
    INSTANCE(GROUPS, 1, vectors, chunk)
INSTANCES(1, 1)
INSTANCES(2, 1)
INSTANCES(1, VOX_CONV_CHUNK)
INSTANCES(2, VOX_CONV_CHUNK)

#define ENTRY(run, vectors, chunk)                                            \
    {                                                                         \
        sum_1_##run##_##vectors##_##chunk, sum_2_##run##_##vectors##_##chunk, \
            sum_GROUPS_##run##_##vectors##_##chunk                            \
    }
#define ENTRIES(chunk)                                    \
    {                                                     \
        {ENTRY(GROUP, 1, chunk), ENTRY(1, 1, chunk)},     \
            {ENTRY(GROUP, 2, chunk), ENTRY(1, 2, chunk)}, \
    }
static sum_fn *const sum_table[2][2][2][3] = {ENTRIES(VOX_CONV_CHUNK), ENTRIES(1)};

/* ---- walking over the voxels of a region ---- */

/* Rows and columns as the tile and the target count them. */
typedef struct walk {
    int64_t begin_h, end_h, width, run;
    int64_t d, h, x, left; /* where it is; groups or voxels still to come */
    int64_t from, from_step[3], to, to_step[3];
} walk;

static void walk_next(walk *w, block *b, int i)
{
    b->from[i] =
        w->from + w->d * w->from_step[0] + w->h * w->from_step[1] + w->x * w->from_step[2];
    b->to[i] = w->to + w->d * w->to_step[0] + w->h * w->to_step[1] + w->x * w->to_step[2];
    if (w->left ==
        1) /* the last voxel may fill up a group: harmless, its sum is the same */
        return;
    w->left--;
    w->x += w->run;
    if (w->x < w->width)
        return;
    w->x = 0;
    if (++w->h < w->end_h)
        return;
    w->h = w->begin_h;
    w->d++;
}

static void walk_region(walk *w, const batch *r, int vectors, int chunk)
{
    const int64_t all = w->run == 1 ? (w->left + GROUP - 1) / GROUP : w->left;
    const int slots = GROUP / (int)w->run; /* offsets per group */
    sum_fn *const *fn = sum_table[chunk == 1][vectors - 1][w->run == 1 && GROUP > 1];

    for (int64_t groups = all; groups > 0;) {
        const int64_t blocks = (groups + GROUPS - 1) / GROUPS;
        const int n = (int)((groups + blocks - 1) / blocks);
        block b;

        for (int i = 0; i < n * slots; i++)
            walk_next(w, &b, i);
        fn[n == GROUPS ? 2 : n - 1](r, &b);
        groups -= n;
    }
}

/* ---- tiles ---- */

/* A thread's part of the work memory. */
typedef struct worker {
    float *tile, *copy; /* copy: a plain or bf16 target's tile, in blocks of f32 */
    vox_conv_region *region;
    vox_conv_tap *tap;
} worker;

static worker worker_of(const vox_conv_pass *p, void *work)
{
    char *at = (char *)work + p->weight_bytes + (size_t)vox_team_member() * p->worker_bytes;
    const size_t tile = ((size_t)p->tile_size * sizeof(float) + 63) / 64 * 64;
    const size_t copy = (size_t)p->copy_size * sizeof(float);
    const size_t regions = ((size_t)p->regions * sizeof(vox_conv_region) + 63) / 64 * 64;
    worker w;

    w.tile = (float *)(void *)at;
    w.copy = (float *)(void *)(at + tile);
    at += tile + (copy + 63) / 64 * 64;
    w.region = (vox_conv_region *)(void *)at;
    w.tap = (vox_conv_tap *)(void *)(at + regions);
    return w;
}

/* A walk over a region; offsets count from the tile's chunk and the image's channel block
 * (or from the worker's copy, where there is one). */
static walk walk_of(const vox_conv_pass *p, const vox_conv_box *b, const vox_conv_region *r)
{
    const vox_conv_axis *x = p->axis;
    const int64_t lanes = LANES, width = r->phase[2]->count;
    walk w = {
        .begin_h = r->begin[1],
        .end_h = r->end[1],
        .width = width,
        .run = width % GROUP == 0 ? GROUP : 1,
        .d = r->begin[0],
        .h = r->begin[1],
        .from = r->origin,
        .from_step = {x[0].source_step * p->rows[1] * p->row, x[1].source_step * p->row,
                      p->chunk}
    };
    const int copy = p->copy_size > 0; /* then offsets count from the tile */
    const int64_t row = x[2].target;
    const int64_t rows = copy ? (b->end[1] - b->begin[1]) * x[1].target_step : x[1].target;
    const int64_t d = r->phase[0]->first - (copy ? b->begin[0] * x[0].target_step : 0);
    const int64_t h = r->phase[1]->first - (copy ? b->begin[1] * x[1].target_step : 0);

    w.left = (r->end[0] - r->begin[0]) * (r->end[1] - r->begin[1]) * width / w.run;
    w.to = ((d * rows + h) * row + r->phase[2]->first) * lanes;
    w.to_step[0] = x[0].target_step * rows * row * lanes;
    w.to_step[1] = x[1].target_step * row * lanes;
    w.to_step[2] = x[2].target_step * lanes;
    return w;
}

/* What the sums of a vector of target channels begin with, and where they go. */
typedef struct goal {
    int vectors, first; /* how many are wanted; the first of them: 0 or 1 */
    float *target[2];
    int64_t step;
    const float *start[2];
    float bias[2][LANES];
} goal;

/* A group of the target's channels. */
static vox_stream target_vector(const vox_conv_pass *p, const vox_conv_io *io,
                                int64_t image, const vox_conv_group *g)
{
    const vox_conv_side *s = &p->target;

    return vox_stream_at(io->target[g->second], image * vox_conv_image_size(s, g->second) +
                                                    vox_conv_group_at(s, g));
}

static void add_goal(goal *g, const vox_conv_io *io, float *target, vox_put put,
                     const vox_conv_group *group)
{
    const int i = g->vectors++;

    g->target[i] = target;
    vec_store(g->bias[i], io->bias ? vec_load_part(io->bias + group->channel, group->count)
                                   : vec_zero());
    g->start[i] = put == VOX_ADD ? NULL : g->bias[i];
}

static void set_goal(goal *g, const vox_conv_pass *p, const vox_conv_io *io,
                     const worker *w, int64_t image, int64_t pair)
{
    g->vectors = g->first = 0;
    g->step = p->axis[2].target_step * LANES;
    for (int v = 0; v < 2; v++) {
        const vox_conv_group group = vox_conv_group_of(&p->target, LANES, 2 * pair + v);

        if (group.count == 0 || io->put[group.second] == VOX_SKIP)
            continue;
        if (g->vectors == 0)
            g->first = v;
        if (p->copy_size > 0) /* put_plain adds */
            add_goal(g, io, w->copy + v * (p->copy_size / 2), VOX_WRITE, &group);
        else
            add_goal(g, io, target_vector(p, io, image, &group).data, io->put[group.second],
                     &group);
    }
}

/* Chunks whose weights for a region's taps make a batch. */
static int64_t batch_chunks(const vox_conv_pass *p, const vox_conv_region *r)
{
    const int64_t channels = (int64_t)r->taps * p->chunk;
    const int64_t n = channels ? BATCH * VOX_CONV_CHUNK / channels : p->chunks;

    return n > 0 ? n : 1;
}

/* All voxels of a tile for one pair of target vectors, batch by batch. */
static void run_pair(const vox_conv_pass *p, const vox_conv_box *b, const worker *w,
                     int regions, const float *packed, const goal *g)
{
    const int64_t size = (int64_t)p->taps * p->chunk * PAIR;

    for (int64_t c = 0; c < p->chunks; c++) {
        for (int i = 0; i < regions; i++) {
            const vox_conv_region *region = &w->region[i];
            const int64_t n = batch_chunks(p, region);
            batch r = {
                .source = w->tile + c * p->chunk_size,
                .weight = packed + c * size + g->first * LANES,
                .source_chunk = p->chunk_size,
                .weight_chunk = size,
                .taps = region->taps,
                .tap = region->tap,
                .target = {g->target[0], g->target[1]},
                .target_step = g->step
            };
            walk at;

            if (c % n != 0)
                continue;
            r.chunks = (int)(p->chunks - c < n ? p->chunks - c : n);
            if (c == 0) {
                r.start[0] = g->start[0];
                r.start[1] = g->start[1];
            }
            at = walk_of(p, b, region);
            walk_region(&at, &r, g->vectors, p->chunk);
        }
    }
}

/* Target rows and slices of a tile; the last may lie outside. */
static void target_rows(const vox_conv_pass *p, const vox_conv_box *b, int64_t begin[2],
                        int64_t end[2])
{
    for (int i = 0; i < 2; i++) {
        begin[i] = b->begin[i] * p->axis[i].target_step;
        end[i] = b->end[i] * p->axis[i].target_step;
    }
}

/* One vector's copy of a tile, rounded into a bf16 target. */
static void round_tile(const vox_conv_pass *p, const vox_conv_box *b, const float *copy,
                       vox_stream target)
{
    const int64_t *extent = p->target.extent, row = extent[2] * LANES;
    int64_t begin[2], end[2];

    target_rows(p, b, begin, end);
    for (int64_t d = begin[0]; d < end[0] && d < extent[0]; d++) {
        for (int64_t h = begin[1]; h < end[1]; h++, copy += row) {
            for (int64_t x = 0; x < row && h < extent[1]; x += LANES)
                vox_stream_store(target, (d * extent[1] + h) * row + x, vec_load(copy + x));
        }
    }
}

static void put_rounded(const vox_conv_pass *p, const vox_conv_io *io, const worker *w,
                        const vox_conv_box *b, int64_t pair)
{
    for (int v = 0; v < 2; v++) {
        const vox_conv_group g = vox_conv_group_of(&p->target, LANES, 2 * pair + v);

        if (g.count > 0)
            round_tile(p, b, w->copy + v * (p->copy_size / 2),
                       target_vector(p, io, b->image, &g));
    }
}

/* The blocked copy of a tile into a plain target. */
static void put_plain(const vox_conv_pass *p, const vox_conv_box *b, const float *copy,
                      vox_grad target)
{
    const vox_conv_side *s = &p->target;
    const int64_t width = s->extent[2];
    int64_t begin[2], end[2];

    target_rows(p, b, begin, end);
    for (int64_t d = begin[0]; d < end[0] && d < s->extent[0]; d++) {
        for (int64_t h = begin[1]; h < end[1] && h < s->extent[1]; h++) {
            const int64_t row = (d - begin[0]) * (end[1] - begin[1]) + h - begin[1];

            for (int64_t c = 0; c < s->channels; c++) {
                const int64_t first = (b->image * s->channels + c) * s->voxels +
                                      (d * s->extent[1] + h) * width;

                for (int64_t x = 0; x < width; x++)
                    vox_grad_put(target, first + x, copy[(row * width + x) * LANES + c]);
            }
        }
    }
}

static void run_tile(const vox_conv_pass *p, const vox_conv_io *io, void *work,
                     int64_t index, int64_t split)
{
    const vox_conv_box b = vox_conv_tile_box(p, index);
    const worker w = worker_of(p, work);
    const int regions = vox_conv_regions(p, &b, w.region, w.tap);
    const float *packed = work;

    VOX_KERNEL(vox_conv_tile)(w.tile, p, &b, io->source, 0, p->chunks);
    for (int64_t k = split * p->pairs / p->splits; k < (split + 1) * p->pairs / p->splits;
         k++) {
        goal g;

        set_goal(&g, p, io, &w, b.image, k);
        if (g.vectors > 0)
            run_pair(p, &b, &w, regions, packed + k * p->chunks * p->taps * p->chunk * PAIR,
                     &g);
        if (p->target.bf16)
            put_rounded(p, io, &w, &b, k);
    }
    if (p->target.lanes == 1)
        put_plain(p, &b, w.copy, (vox_grad){.data = io->target[0].data, .put = io->put[0]});
}

void VOX_KERNEL(vox_conv_sum)(const vox_conv_pass *p, const vox_conv_io *io, void *work)
{
    const int64_t tiles = p->images * p->tiles[0] * p->tiles[1];

    VOX_KERNEL(vox_conv_pack)(work, p, io->weight);
    vox_barrier();
    VOX_SHARE(i, tiles * p->splits)
        run_tile(p, io, work, i / p->splits, i % p->splits);
}
