/*
 * conv_pack: the copies around the convolution kernels: tiles of the source, weights into
 * the order of the inner loops, weight gradients back out of it.
 *
 *     tile      [chunk][row d][row h][plane][column][channel of chunk]
 *     weights   [pair][chunk][tap][channel of chunk][2 * VOX_LANES], zero above the
 * channels
 *
 * Parameters lie in PyTorch's order, where the target channel is the slow axis; the inner
 * loops want it fastest. Both ways go through squares of VOX_LANES x VOX_LANES.
 */
#include <string.h>

#include "backend/cpu/conv.h"

enum {
    LANES = VOX_LANES,
    PAIR = 2 * VOX_LANES,
    AHEAD = 6 * VOX_LANES /* columns in front of which rows of weights are asked for */
};

/* ---- tiles ---- */

/* The channels of one chunk at one voxel. */
VOX_INLINE void copy_chunk(const int chunk, float *dst, vox_stream from, int64_t at)
{
    if (from.bf16)
        vec_expand_bf16(dst, (const uint16_t *)from.data + at, chunk);
    else
        memcpy(dst, (const float *)from.data + at, (size_t)chunk * sizeof *dst);
}

/* Columns of one plane of a row: zeros where x lies outside [0, extent), copies inside. */
VOX_INLINE void copy_plane(const int chunk, float *dst, vox_stream row, int64_t columns,
                           int64_t x, int64_t step, int64_t extent, int64_t lanes)
{
    int64_t begin = x < 0 ? (-x + step - 1) / step : 0;
    int64_t end = x < extent ? (extent - x + step - 1) / step : 0;

    end = end < columns ? end : columns;
    begin = begin < end ? begin : end;
    memset(dst, 0, (size_t)(begin * chunk) * sizeof *dst);
    memset(dst + end * chunk, 0, (size_t)((columns - end) * chunk) * sizeof *dst);
    for (int64_t j = begin; j < end; j++) {
        const int64_t from = (x + j * step) * lanes;

        vec_prefetch(vox_stream_at(row, from + extent * lanes).data); /* the next row's */
        copy_chunk(chunk, dst + j * chunk, row, from);
    }
}

static void copy_row(float *dst, const vox_conv_pass *p, vox_stream row)
{
    const vox_conv_axis *w = &p->axis[2];

    for (int64_t q = 0; q < w->source_step; q++, dst += p->plane) {
        if (p->chunk == 1)
            copy_plane(1, dst, row, p->columns, q + w->low, w->source_step, w->source, 1);
        else
            copy_plane(VOX_CONV_CHUNK, dst, row, p->columns, q + w->low, w->source_step,
                       w->source, LANES);
    }
}

vox_stream VOX_KERNEL(vox_conv_chunk)(const vox_conv_pass *p, const vox_stream source[2],
                                      int64_t image, int64_t chunk)
{
    const vox_conv_side *s = &p->source;
    const vox_conv_group g = vox_conv_group_of(s, p->chunk, chunk);

    return vox_stream_at(source[g.second], image * vox_conv_image_size(s, g.second) +
                                               vox_conv_group_at(s, &g));
}

void VOX_KERNEL(vox_conv_tile)(float *tile, const vox_conv_pass *p, const vox_conv_box *b,
                               const vox_stream source[2], int64_t begin, int64_t end)
{
    const vox_conv_side *s = &p->source;

    for (int64_t c = begin; c < end; c++, tile += p->chunk_size) {
        const vox_stream from = VOX_KERNEL(vox_conv_chunk)(p, source, b->image, c);

        for (int64_t d = b->low[0]; d < b->high[0]; d++) {
            for (int64_t h = b->low[1]; h < b->high[1]; h++) {
                const int64_t row = (d - b->low[0]) * p->rows[1] + h - b->low[1];

                copy_row(
                    tile + row * p->row, p,
                    vox_stream_at(from, (d * s->extent[1] + h) * s->extent[2] * s->lanes));
            }
        }
    }
}

/* ---- weights ---- */

/*
 * Weights of one target vector and one chunk are a table: a row per target channel, a
 * column per (source channel, tap). Where source channels lie `taps` apart, its columns are
 * one run of memory; else there is one run per source channel.
 */
typedef struct table {
    int64_t offset;         /* of the table in the weights */
    int64_t rows, row_step; /* target channels that exist, and their distance */
    int64_t runs, run_step, columns;
    int taps, chunk;
} table;

static table table_of(const vox_conv_pass *p, int64_t vector, int64_t chunk)
{
    const vox_conv_group target = vox_conv_group_of(&p->target, LANES, vector);
    const vox_conv_group source = vox_conv_group_of(&p->source, p->chunk, chunk);
    table t = {.offset =
                   target.channel * p->weight_target + source.channel * p->weight_source,
               .rows = target.count,
               .row_step = p->weight_target,
               .runs = source.count,
               .run_step = p->weight_source,
               .columns = p->taps,
               .taps = p->taps,
               .chunk = p->chunk};

    if (p->weight_source == p->taps) {
        t.runs = 1;
        t.columns = source.count * p->taps;
    }
    return t;
}

/* Place of column e of a run in the packed chunk. */
VOX_INLINE int64_t packed_at(const table *t, int64_t run, int64_t e)
{
    const int64_t source = t->runs == 1 ? e / t->taps : run;
    const int64_t tap = t->runs == 1 ? e % t->taps : e;

    return (tap * t->chunk + source) * PAIR;
}

static void pack_square(float *dst, const table *t, const float *weight, int64_t run,
                        int64_t e)
{
    const int columns = (int)(t->columns - e < LANES ? t->columns - e : LANES);
    vec square[LANES];

    for (int r = 0; r < LANES; r++) {
        const float *row = weight + r * t->row_step + e;

        vec_prefetch(row + AHEAD);
        square[r] = r < t->rows ? vec_load_part(row, columns) : vec_zero();
    }
    vec_transpose(square);
    for (int k = 0; k < columns; k++)
        vec_store(dst + packed_at(t, run, e + k), square[k]);
}

/* A kernel of one tap whose target channels are neighbours needs no turning. */
static void pack_columns(float *dst, const table *t, const float *weight)
{
    for (int64_t run = 0; run < t->runs; run++)
        vec_store(dst + run * PAIR,
                  vec_load_part(weight + run * t->run_step, (int)t->rows));
}

static void pack_vector(float *dst, const vox_conv_pass *p, const float *weight,
                        int64_t vector, int64_t chunk)
{
    const table t = table_of(p, vector, chunk);

    if (t.rows < LANES || t.runs * t.columns < p->chunk * p->taps) {
        for (int64_t i = 0; i < p->taps * p->chunk; i++)
            vec_store(dst + i * PAIR, vec_zero());
    }
    if (t.rows == 0)
        return;
    weight += t.offset;
    if (t.columns == 1 && t.row_step == 1) {
        pack_columns(dst, &t, weight);
        return;
    }
    for (int64_t run = 0; run < t.runs; run++) {
        for (int64_t e = 0; e < t.columns; e += LANES)
            pack_square(dst, &t, weight + run * t.run_step, run, e);
    }
}

void VOX_KERNEL(vox_conv_pack_chunk)(float *packed, const vox_conv_pass *p,
                                     const float *weight, int64_t pair, int64_t chunk)
{
    pack_vector(packed, p, weight, 2 * pair, chunk);
    pack_vector(packed + LANES, p, weight, 2 * pair + 1, chunk);
}

void VOX_KERNEL(vox_conv_pack)(float *packed, const vox_conv_pass *p, const float *weight)
{
    const int64_t size = (int64_t)p->taps * p->chunk * PAIR;

    VOX_SHARE(i, p->pairs * p->chunks)
        VOX_KERNEL(vox_conv_pack_chunk)
    (packed + i * size, p, weight, i / p->chunks, i % p->chunks);
}

/* ---- gradients of weights ---- */

/* `count` lanes of v, zero above, into a gradient. @return what is there now, zero above */
VOX_INLINE vec put_part(float *dst, vox_put put, vec v, int count)
{
    if (put == VOX_ADD)
        v = vec_add(v, vec_load_part(dst, count));
    if (count == LANES)
        vec_store(dst, v);
    else
        vec_store_part(dst, v, count);
    return v;
}

/* One square of the table: the parts' sums in order of the parts, turned, put.
 * @return the sum of the squares of what is there now */
static double unpack_square(vox_grad grad, const table *t, const float *packed,
                            int64_t parts, int64_t part_size, int64_t e)
{
    const int columns = (int)(t->columns - e < LANES ? t->columns - e : LANES);
    vec square[LANES], squares = vec_zero();

    for (int k = columns; k < LANES; k++)
        square[k] = vec_zero();
    for (int k = 0; k < columns; k++) {
        const float *from = packed + packed_at(t, 0, e + k);

        square[k] = vec_load(from);
        for (int64_t part = 1; part < parts; part++)
            square[k] = vec_add(square[k], vec_load(from + part * part_size));
    }
    vec_transpose(square);
    for (int64_t r = 0; r < t->rows; r++) {
        float *row = grad.data + t->offset + r * t->row_step + e;
        const vec now = put_part(row, grad.put, square[r], columns);

        vec_prefetch(row + AHEAD);
        squares = vec_fma(now, now, squares);
    }
    return (double)vec_sum(squares);
}

static void unpack_vector(vox_grad grad, const vox_conv_pass *p, const float *packed,
                          int64_t parts, int64_t part_size, int64_t vector, int64_t chunk)
{
    const table t = table_of(p, vector, chunk);
    double squares = 0.0;

    for (int64_t e = 0; t.rows > 0 && e < t.columns; e += LANES)
        squares += unpack_square(grad, &t, packed, parts, part_size, e);
    if (grad.squares)
        grad.squares[vector * p->chunks + chunk] = squares;
}

void VOX_KERNEL(vox_conv_unpack_chunk)(vox_grad grad, const vox_conv_pass *p,
                                       const float *packed, int64_t pair, int64_t chunk)
{
    for (int i = 0; i < 2; i++)
        unpack_vector(grad, p, packed + i * LANES, 1, 0, 2 * pair + i, chunk);
}

void VOX_KERNEL(vox_conv_unpack)(vox_grad grad, const vox_conv_pass *p, const float *packed,
                                 int64_t parts)
{
    const int64_t size = (int64_t)p->taps * p->chunk * PAIR, all = p->pairs * p->chunks;

    VOX_SHARE(i, 2 * all)
        unpack_vector(grad, p, packed + i / 2 * size + i % 2 * LANES, parts, all * size,
                      i / 2 / p->chunks * 2 + i % 2, i / 2 % p->chunks);
}
