/*
 * conv_weigh: gradient of the weights (K3 and K4 of cpu-engine.md 4).
 *
 * The inner loop walks over the voxels of some rows and keeps the sums of a few taps x
 * source channels x two vectors of coarse channels in registers:
 *
 *     registers    32             16            8
 *     3 in a row   3 x 4 x 2      3 x 2 x 2     3 x 1 x 2
 *     1 tap        8 x 2          4 x 2         2 x 2
 *     loads/FMA    14/24, 10/16   8/12, 6/8     5/6, 4/4
 *
 * Sums start at zero in every tile and are then added to the part's gradient, so that long
 * sums are summed in two levels. A part is a fixed run of tiles; parts are summed in their
 * order at the end. Parts depend on shapes only, so the result is the same bits for any
 * thread count.
 */
#include <string.h>

#include "backend/cpu/conv.h"

enum {
    LANES = VOX_LANES,
    PAIR = 2 * VOX_LANES,
    ROW_CHANNELS = VOX_VECS >= 32   ? 4
                   : VOX_VECS >= 16 ? 2
                                    : 1, /* with 3 taps in a row */
    TAP_CHANNELS = 2 * ROW_CHANNELS,     /* with 1 tap */
    AHEAD = 2                            /* rows asked for before they are read in place */
};

/* Rows that all have the taps in question. Distances in floats. */
typedef struct rows {
    const float *source, *coarse[2];
    int64_t source_step[2], coarse_step[2]; /* of depth, height */
    int64_t count[2], width;
    int64_t tap[3]; /* offsets of the taps in the source */
    float *sum;
    int64_t sum_tap; /* distance of taps in sum */
    int add;
} rows;

VOX_INLINE void put_sum(float *to, vec sum, int add)
{
    vec_store(to, add ? vec_add(vec_load(to), sum) : sum);
}

/* One row; a pointer per tap, that channels need no registers of their own. */
VOX_INLINE void weigh_row(const int taps, const int channels, const int vectors,
                          const int step, const rows *r, vec *a, vec *b, const float *x,
                          const float *y0, const float *y1)
{
    const float *at[3];

    VOX_UNROLL
    for (int t = 0; t < taps; t++)
        at[t] = x + r->tap[t];
    for (int64_t q = 0; q < r->width; q++) {
        const vec v0 = vec_load(y0 + q * LANES);
        const vec v1 = vectors == 2 ? vec_load(y1 + q * LANES) : v0;

        if (step >=
            LANES) /* in place: rows come from far, in pieces too short to foresee */
            vec_prefetch(at[0] + q * step + AHEAD * r->source_step[1]);
        VOX_UNROLL
        for (int i = 0; i < taps * channels; i++) {
            const vec s = vec_set1(at[i / channels][q * step + i % channels]);

            a[i] = vec_fma(s, v0, a[i]);
            if (vectors == 2)
                b[i] = vec_fma(s, v1, b[i]);
        }
    }
}

/* Constants first: taps 1 or 3, source channels summed at once, coarse vectors, and the
 * distance of the source's voxels. */
VOX_INLINE void weigh_rows(const int taps, const int channels, const int vectors,
                           const int step, const rows *r)
{
    vec a[3 * TAP_CHANNELS], b[3 * TAP_CHANNELS];

    VOX_UNROLL
    for (int i = 0; i < taps * channels; i++)
        a[i] = b[i] = vec_zero();
    for (int64_t d = 0; d < r->count[0]; d++) {
        for (int64_t h = 0; h < r->count[1]; h++) {
            const int64_t at = d * r->coarse_step[0] + h * r->coarse_step[1];
            const float *x = r->source + d * r->source_step[0] + h * r->source_step[1];

            weigh_row(taps, channels, vectors, step, r, a, b, x, r->coarse[0] + at,
                      r->coarse[1] + at);
        }
    }
    VOX_UNROLL
    for (int i = 0; i < taps * channels; i++) {
        float *to = r->sum + i / channels * r->sum_tap + i % channels * PAIR;

        put_sum(to, a[i], r->add);
        if (vectors == 2)
            put_sum(to + LANES, b[i], r->add);
    }
}

/* The instances: a table of those that read a tile, by (chunk == 1, three taps,
 * vectors - 1), and of those that read blocks in place, by (step - 1, vectors - 1). */
typedef void rows_fn(const rows *r);
#define INSTANCE(taps, channels, vectors, step)                              \
    static VOX_NOINLINE void rows_##taps##_##vectors##_##step(const rows *r) \
    {                                                                        \
        weigh_rows(taps, channels, vectors, step, r);                        \
    }
INSTANCE(1, TAP_CHANNELS, 1, VOX_CONV_CHUNK)
INSTANCE(1, TAP_CHANNELS, 2, VOX_CONV_CHUNK)
INSTANCE(3, ROW_CHANNELS, 1, VOX_CONV_CHUNK)
INSTANCE(3, ROW_CHANNELS, 2, VOX_CONV_CHUNK)
INSTANCE(1, 1, 1, 1)
INSTANCE(1, 1, 2, 1)
INSTANCE(3, 1, 1, 1)
INSTANCE(3, 1, 2, 1)
INSTANCE(1, TAP_CHANNELS, 1, LANES)
INSTANCE(1, TAP_CHANNELS, 2, LANES)
INSTANCE(1, TAP_CHANNELS, 1, PAIR)
INSTANCE(1, TAP_CHANNELS, 2, PAIR)

static rows_fn *const rows_table[2][2][2] = {
    {{rows_1_1_VOX_CONV_CHUNK, rows_1_2_VOX_CONV_CHUNK},
     {rows_3_1_VOX_CONV_CHUNK, rows_3_2_VOX_CONV_CHUNK}                          },
    {{rows_1_1_1, rows_1_2_1},                           {rows_3_1_1, rows_3_2_1}},
};
static rows_fn *const place_table[2][2] = {
    {rows_1_1_LANES, rows_1_2_LANES},
    {rows_1_1_PAIR,  rows_1_2_PAIR }
};

/* ---- one tile ---- */

/* A task: some chunks of one pair, over the tiles of one part. */
typedef struct task {
    const vox_conv_weigh *p;
    const vox_stream *fine;
    const float *coarse;
    float *tile, *copy; /* the thread's buffers */
    float *sum; /* the part's gradient of the pair: [chunk][tap][channel][2 vectors] */
    int64_t pair, begin, end;                                 /* chunks */
    unsigned char touched[VOX_CONV_KERNEL * VOX_CONV_KERNEL]; /* by (kd, kh): holds a sum */
} task;

/* A plain coarse side as one block with zero lanes above its channels. */
static void copy_coarse(const task *t, const vox_conv_box *b)
{
    const vox_conv_side *s = &t->p->pass.target;
    const int64_t width = s->extent[2];
    float *out = t->copy;

    memset(out, 0, (size_t)t->p->coarse_size * sizeof *out);
    for (int64_t d = b->begin[0]; d < b->end[0]; d++) {
        for (int64_t h = b->begin[1]; h < b->end[1]; h++, out += width * LANES) {
            const float *from = t->coarse + b->image * s->channels * s->voxels +
                                (d * s->extent[1] + h) * width;

            for (int64_t c = 0; c < s->channels; c++) {
                for (int64_t x = 0; x < width; x++)
                    out[x * LANES + c] = from[c * s->voxels + x];
            }
        }
    }
}

/* Where the pair's coarse vectors of a tile start; how many there are. */
static int coarse_rows(rows *r, const task *t, const vox_conv_box *b)
{
    const vox_conv_side *s = &t->p->pass.target;
    const int64_t blocks = (s->channels + LANES - 1) / LANES, width = s->extent[2];
    const int64_t first = (b->begin[0] * s->extent[1] + b->begin[1]) * width;

    r->width = width;
    r->coarse_step[1] = width * LANES;
    if (s->lanes == 1) {
        r->coarse_step[0] = (b->end[1] - b->begin[1]) * width * LANES;
        r->coarse[0] = r->coarse[1] = t->copy;
        return 1;
    }
    r->coarse_step[0] = s->extent[1] * width * LANES;
    r->coarse[0] =
        t->coarse + ((b->image * blocks + 2 * t->pair) * s->voxels + first) * LANES;
    r->coarse[1] = r->coarse[0];
    if (2 * t->pair + 1 == blocks)
        return 1;
    r->coarse[1] += s->voxels * LANES;
    return 2;
}

/* Leave out the rows of the tile whose source row lies outside the volume, on axis 0 or 1,
 * for kernel element `index`. @return the first row left */
static int64_t clip(rows *r, const vox_conv_pass *p, const vox_conv_box *b, int i,
                    int index)
{
    const vox_conv_axis *x = &p->axis[i];
    const int shift = x->phase[0].shift[index];
    int64_t begin = b->begin[i], end = b->end[i];

    while (begin < end && x->source_step * begin + shift < 0)
        begin++;
    while (begin < end && x->source_step * (end - 1) + shift >= x->source)
        end--;
    r->count[i] = end - begin;
    return begin;
}

/* All elements in w of the kernel's row (kd, kh), for one chunk. */
static void weigh_chunk(const task *t, rows *r, int vectors, float *sum)
{
    const vox_conv_pass *p = &t->p->pass;
    const vox_conv_axis *w = &p->axis[2];
    const int three = w->kernel == 3;
    const int channels = p->chunk == 1 ? 1 : three ? ROW_CHANNELS : TAP_CHANNELS;
    const float *source = r->source;
    rows_fn *fn = t->p->in_place ? place_table[w->source_step - 1][vectors - 1]
                                 : rows_table[p->chunk == 1][three][vectors - 1];

    for (int k = 0; k < w->kernel; k += three ? 3 : 1) {
        for (int e = 0; e < (three ? 3 : 1); e++)
            r->tap[e] =
                (k + e) % w->source_step * p->plane + (k + e) / w->source_step * p->chunk;
        for (int c = 0; c < p->chunk; c += channels) {
            r->source = source + c;
            r->sum = sum + (k * p->chunk + c) * PAIR;
            fn(r);
        }
    }
}

/* Where the rows of a chunk start. */
static const float *tile_of(const task *t, const vox_conv_box *b, int64_t chunk)
{
    const vox_conv_pass *p = &t->p->pass;

    if (!t->p->in_place)
        return t->tile + (chunk - t->begin) * p->chunk_size;
    return (const float *)VOX_KERNEL(vox_conv_chunk)(p, t->fine, b->image, chunk).data +
           (b->low[0] * p->rows[1] + b->low[1]) * p->row;
}

static void weigh_tile(task *t, const vox_conv_box *b)
{
    const vox_conv_pass *p = &t->p->pass;
    const int heights = p->axis[1].kernel, widths = p->axis[2].kernel;
    const int64_t size = (int64_t)p->taps * p->chunk * PAIR;
    rows base = {.sum_tap = p->chunk * PAIR};
    const int vectors = coarse_rows(&base, t, b);

    base.source_step[0] = p->axis[0].source_step * p->rows[1] * p->row;
    base.source_step[1] = p->axis[1].source_step * p->row;
    for (int k = 0; k < p->axis[0].kernel * heights; k++) {
        rows r = base;
        const int kd = k / heights, kh = k % heights;
        const int64_t d = clip(&r, p, b, 0, kd), h = clip(&r, p, b, 1, kh);
        const int64_t row =
            p->axis[0].source_step * d + p->axis[0].phase[0].shift[kd] - b->low[0];
        const int64_t column =
            p->axis[1].source_step * h + p->axis[1].phase[0].shift[kh] - b->low[1];

        if (r.count[0] <= 0 || r.count[1] <= 0)
            continue;
        for (int v = 0; v < 2; v++)
            r.coarse[v] +=
                (d - b->begin[0]) * r.coarse_step[0] + (h - b->begin[1]) * r.coarse_step[1];
        r.add = t->touched[k];
        for (int64_t c = t->begin; c < t->end; c++) {
            r.source = tile_of(t, b, c) + (row * p->rows[1] + column) * p->row;
            weigh_chunk(t, &r, vectors,
                        t->sum + c * size + (int64_t)k * widths * p->chunk * PAIR);
        }
        t->touched[k] = 1;
    }
}

/* Kernel rows that met no voxel of the part. */
static void clear_untouched(const task *t)
{
    const vox_conv_pass *p = &t->p->pass;
    const int64_t row = (int64_t)p->axis[2].kernel * p->chunk * PAIR;

    for (int k = 0; k < p->axis[0].kernel * p->axis[1].kernel; k++) {
        for (int64_t c = t->begin; c < t->end && !t->touched[k]; c++)
            memset(t->sum + (c * p->axis[0].kernel * p->axis[1].kernel + k) * row, 0,
                   (size_t)row * sizeof *t->sum);
    }
}

static void run_task(task *t, int64_t part)
{
    const vox_conv_pass *p = &t->p->pass;
    const int64_t tiles = p->images * p->tiles[0] * p->tiles[1], parts = t->p->parts;

    for (int64_t i = part * tiles / parts; i < (part + 1) * tiles / parts; i++) {
        const vox_conv_box b = vox_conv_tile_box(p, i);

        if (!t->p->in_place)
            VOX_KERNEL(vox_conv_tile)(t->tile, p, &b, t->fine, t->begin, t->end);
        if (p->target.lanes == 1)
            copy_coarse(t, &b);
        weigh_tile(t, &b);
    }
    clear_untouched(t);
}

void VOX_KERNEL(vox_conv_weigh)(const vox_conv_weigh *p, const vox_stream fine[2],
                                const float *coarse, vox_grad grad, void *work)
{
    const vox_conv_pass *pass = &p->pass;
    const int64_t size = (int64_t)pass->taps * pass->chunk * PAIR * pass->chunks;
    char *buffer =
        (char *)work + p->partial_bytes + (size_t)vox_team_member() * p->worker_bytes;
    task t = {.p = p, .fine = fine, .coarse = coarse};

    t.tile = (float *)(void *)buffer;
    t.copy = (float *)(void *)(buffer +
                               ((size_t)pass->tile_size * sizeof(float) + 63) / 64 * 64);
    VOX_SHARE(i, p->parts * pass->pairs * p->chunk_split) {
        const int64_t split = i % p->chunk_split, part = i / p->chunk_split / pass->pairs;

        t.pair = i / p->chunk_split % pass->pairs;
        t.begin = split * pass->chunks / p->chunk_split;
        t.end = (split + 1) * pass->chunks / p->chunk_split;
        t.sum = (float *)work + (part * pass->pairs + t.pair) * size;
        memset(t.touched, 0, sizeof t.touched);
        run_task(&t, part);
    }
    vox_barrier();
    VOX_KERNEL(vox_conv_unpack)(grad, pass, work, p->parts);
}
