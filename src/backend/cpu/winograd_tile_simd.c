/*
 * winograd_tile: tiles of voxels into the 64 planes of winograd.h and back.
 *
 * A tile is transformed axis by axis, one vector of channels at a time. Tiles that reach
 * over the border, and those with less than two target voxels on an axis, go through a copy
 * of their own with zeros outside.
 */
#include <string.h>

#include "backend/cpu/winograd.h"

enum { LANES = VOX_LANES, AHEAD = 4 /* tiles in front of which the source is asked for */ };

/* Extents and origin of a tile's voxels in a tensor, in voxels. */
typedef struct window {
    int64_t begin[3]; /* may lie outside */
    const int64_t *extent;
} window;

/* Do `edge` voxels from begin on lie inside, on every axis? */
static int is_inside(const window *w, int64_t edge)
{
    for (int i = 0; i < 3; i++) {
        if (w->begin[i] < 0 || w->begin[i] + edge > w->extent[i])
            return 0;
    }
    return 1;
}

static int64_t offset_of(const window *w, int64_t d, int64_t h, int64_t x)
{
    return (((w->begin[0] + d) * w->extent[1] + w->begin[1] + h) * w->extent[2] +
            w->begin[2] + x) *
           LANES;
}

/* Voxels [*low, *high) of `edge` that lie inside on one axis. */
static void clip(const window *w, int axis, int64_t edge, int64_t *low, int64_t *high)
{
    *low = w->begin[axis] < 0 ? -w->begin[axis] : 0;
    *high = w->extent[axis] - w->begin[axis];
    *high = *high < edge ? *high : edge;
}

/* A copy of the window, zero outside. */
static void copy_window(float *out, const window *w, int64_t edge, vox_stream x)
{
    int64_t low[3], high[3];

    for (int i = 0; i < 3; i++)
        clip(w, i, edge, &low[i], &high[i]);
    memset(out, 0, (size_t)(edge * edge * edge * LANES) * sizeof *out);
    for (int64_t d = low[0]; d < high[0]; d++) {
        for (int64_t h = low[1]; h < high[1]; h++) {
            for (int64_t k = low[2]; k < high[2]; k++)
                vec_store(out + ((d * edge + h) * edge + k) * LANES,
                          vox_stream_load(x, offset_of(w, d, h, k)));
        }
    }
}

/* ---- source: B' x B ---- */

/* Four values `step` apart into four. */
VOX_INLINE void source_axis(vec *out, int step, vec a, vec b, vec c, vec d)
{
    out[0] = vec_sub(a, c);
    out[step] = vec_add(b, c);
    out[2 * step] = vec_sub(c, b);
    out[3 * step] = vec_sub(b, d);
}

/* Width and height of one depth of a tile. */
VOX_INLINE void source_plane(float *out, vox_stream x, int64_t at, int64_t row)
{
    vec a[16], b[16];

    VOX_UNROLL
    for (int h = 0; h < 4; h++, at += row)
        source_axis(a + 4 * h, 1, vox_stream_load(x, at), vox_stream_load(x, at + LANES),
                    vox_stream_load(x, at + 2 * LANES), vox_stream_load(x, at + 3 * LANES));
    VOX_UNROLL
    for (int k = 0; k < 4; k++)
        source_axis(b + k, 4, a[k], a[4 + k], a[8 + k], a[12 + k]);
    VOX_UNROLL
    for (int i = 0; i < 16; i++)
        vec_store(out + i * LANES, b[i]);
}

VOX_INLINE void source_tile(float *v, int64_t plane, vox_stream x, int64_t row,
                            int64_t slice)
{
    float half[64 * LANES];

    for (int d = 0; d < 4; d++) {
        for (int h = 0; h < 4; h++) {
            const int64_t at = d * slice + h * row + 2 * AHEAD * LANES;

            vec_prefetch(vox_stream_at(x, at).data);
            vec_prefetch(vox_stream_at(x, at + LANES).data);
        }
        source_plane(half + d * 16 * LANES, x, d * slice, row);
    }
    for (int i = 0; i < 16; i++) {
        const float *at = half + i * LANES;
        vec a[4];

        source_axis(a, 1, vec_load(at), vec_load(at + 16 * LANES),
                    vec_load(at + 32 * LANES), vec_load(at + 48 * LANES));
        for (int k = 0; k < 4; k++)
            vec_store(v + (16 * k + i) * plane, a[k]);
    }
}

/* The type is a constant in the tile's loops. */
static void put_source(float *v, int64_t plane, vox_stream x, int64_t row, int64_t slice)
{
    if (x.bf16)
        source_tile(v, plane, (vox_stream){x.data, 1}, row, slice);
    else
        source_tile(v, plane, (vox_stream){x.data, 0}, row, slice);
}

void VOX_KERNEL(vox_winograd_source)(float *v, const vox_winograd *w, vox_winograd_run r,
                                     vox_stream x, int64_t image)
{
    const vox_conv_axis *axis = w->pass.axis;
    const int64_t *extent = w->pass.source.extent;
    const int64_t row = extent[2] * LANES, slice = extent[1] * row;
    vox_winograd_place p = vox_winograd_place_of(w, r.first);

    for (int64_t t = 0; t < r.count; t++, v += LANES, vox_winograd_step(w, &p)) {
        const window at = {
            {2 * p.at[0] + axis[0].low, 2 * p.at[1] + axis[1].low,
             2 * p.at[2] + axis[2].low},
            extent
        };
        float copy[64 * LANES];

        if (is_inside(&at, 4)) {
            put_source(v, r.plane,
                       vox_stream_at(x, p.image * image + offset_of(&at, 0, 0, 0)), row,
                       slice);
        } else {
            copy_window(copy, &at, 4, vox_stream_at(x, p.image * image));
            put_source(v, r.plane, vox_stream_f32(copy), 4 * LANES, 16 * LANES);
        }
    }
}

/* ---- target, for the gradient of the weights: A dy A' ---- */

VOX_INLINE void target_axis(vec *out, int step, vec a, vec b)
{
    out[0] = a;
    out[step] = vec_add(a, b);
    out[2 * step] = vec_sub(a, b);
    out[3 * step] = vec_neg(b);
}

/* Width and height of one depth. */
VOX_INLINE void target_plane(float *out, const float *y, int64_t row)
{
    vec a[8], b[16];

    VOX_UNROLL
    for (int h = 0; h < 2; h++, y += row)
        target_axis(a + 4 * h, 1, vec_load(y), vec_load(y + LANES));
    VOX_UNROLL
    for (int k = 0; k < 4; k++)
        target_axis(b + k, 4, a[k], a[4 + k]);
    VOX_UNROLL
    for (int i = 0; i < 16; i++)
        vec_store(out + i * LANES, b[i]);
}

static void target_tile(float *z, int64_t plane, const float *y, int64_t row, int64_t slice)
{
    float half[32 * LANES];

    for (int d = 0; d < 2; d++)
        target_plane(half + d * 16 * LANES, y + d * slice, row);
    for (int i = 0; i < 16; i++) {
        vec a[4];

        target_axis(a, 1, vec_load(half + i * LANES), vec_load(half + (16 + i) * LANES));
        for (int k = 0; k < 4; k++)
            vec_store(z + (16 * k + i) * plane, a[k]);
    }
}

void VOX_KERNEL(vox_winograd_target)(float *z, const vox_winograd *w, vox_winograd_run r,
                                     const float *dy, int64_t image)
{
    const int64_t *extent = w->pass.target.extent;
    const int64_t row = extent[2] * LANES, slice = extent[1] * row;
    vox_winograd_place p = vox_winograd_place_of(w, r.first);

    for (int64_t t = 0; t < r.count; t++, z += LANES, vox_winograd_step(w, &p)) {
        const window at = {
            {2 * p.at[0], 2 * p.at[1], 2 * p.at[2]},
            extent
        };
        float copy[8 * LANES];

        if (is_inside(&at, 2)) {
            target_tile(z, r.plane, dy + p.image * image + offset_of(&at, 0, 0, 0), row,
                        slice);
        } else {
            copy_window(copy, &at, 2, vox_stream_f32(dy + p.image * image));
            target_tile(z, r.plane, copy, 2 * LANES, 4 * LANES);
        }
    }
}

/* ---- result: A' m A ---- */

VOX_INLINE void result_axis(vec *out, int step, vec a, vec b, vec c, vec d)
{
    out[0] = vec_add(vec_add(a, b), c);
    out[step] = vec_sub(vec_sub(b, c), d);
}

/* Height and width of one depth: [2][2] vectors. */
VOX_INLINE void result_plane(vec out[4], const float *half)
{
    vec m[16], a[8];

    VOX_UNROLL
    for (int i = 0; i < 16; i++)
        m[i] = vec_load(half + i * LANES);
    VOX_UNROLL
    for (int k = 0; k < 4; k++)
        result_axis(a + k, 4, m[k], m[4 + k], m[8 + k], m[12 + k]);
    VOX_UNROLL
    for (int h = 0; h < 2; h++)
        result_axis(out + 2 * h, 1, a[4 * h], a[4 * h + 1], a[4 * h + 2], a[4 * h + 3]);
}

/* The depth axis: two depths of 16 values. */
VOX_INLINE void result_depths(float half[32 * LANES], const float *m, int64_t plane)
{
    for (int i = 0; i < 16; i++) {
        vec a[2];

        result_axis(a, 1, vec_load(m + i * plane), vec_load(m + (16 + i) * plane),
                    vec_load(m + (32 + i) * plane), vec_load(m + (48 + i) * plane));
        vec_store(half + i * LANES, a[0]);
        vec_store(half + (16 + i) * LANES, a[1]);
    }
}

static void put_voxel(vox_stream y, int64_t at, vec v, int add)
{
    vox_stream_store(y, at, add ? vec_add(vox_stream_load(y, at), v) : v);
}

static void result_tile(vox_stream y, const window *at, const float *m, int64_t plane,
                        vec bias, int add)
{
    float half[32 * LANES];

    result_depths(half, m, plane);
    for (int d = 0; d < 2 && at->begin[0] + d < at->extent[0]; d++) {
        vec out[4];

        result_plane(out, half + d * 16 * LANES);
        VOX_UNROLL
        for (int i = 0; i < 4; i++) {
            if (at->begin[1] + i / 2 < at->extent[1] &&
                at->begin[2] + i % 2 < at->extent[2])
                put_voxel(y, offset_of(at, d, i / 2, i % 2), vec_add(out[i], bias), add);
        }
    }
}

void VOX_KERNEL(vox_winograd_result)(vox_stream y, vox_put put, const vox_winograd *w,
                                     vox_winograd_run r, const float *m, int64_t image,
                                     const float *bias)
{
    const int64_t *extent = w->pass.target.extent;
    vox_winograd_place p = vox_winograd_place_of(w, r.first);

    for (int64_t t = 0; t < r.count; t++, m += LANES, vox_winograd_step(w, &p)) {
        const window at = {
            {2 * p.at[0], 2 * p.at[1], 2 * p.at[2]},
            extent
        };

        result_tile(vox_stream_at(y, p.image * image), &at, m, r.plane, vec_load(bias),
                    put == VOX_ADD);
    }
}
