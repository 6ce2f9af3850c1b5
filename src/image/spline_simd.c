/*
 * spline_simd: the spline kernels of one path.
 *
 * Both passes work on strips: n samples deep, a few vectors wide, in scratch that stays in
 * the second cache. Columns are copied in; rows are transposed in and out. In between the
 * same filter runs on a constant number of vectors side by side, which hides the latency of
 * its recursion.
 */
#include <string.h>

#include "base/simd.h"
#include "image/spline.h"

enum {
    ROW_VECS = 2,
    ROW_WIDTH = ROW_VECS * VOX_LANES,
    STRIP_VECS = 8,
    STRIP_WIDTH = STRIP_VECS * VOX_LANES, /* at most VOX_SPLINE_STRIP */
};

extern const vox_grid_kernel VOX_KERNEL(vox_grid);

#define POLE   ((float)VOX_SPLINE_POLE)
#define STEADY ((float)(1.0 / (1.0 - VOX_SPLINE_POLE)))
#define TURN   ((float)(-VOX_SPLINE_POLE / (1.0 - VOX_SPLINE_POLE * VOX_SPLINE_POLE)))

/*
 * Samples to coefficients, in place: b[i] is row i, `vecs` vectors wide, rows -2, -1 and n,
 * n + 1 are room. Row -1 keeps s[0] and row n + 1 keeps x[n-1] until they are needed.
 */
VOX_INLINE void filter(float *b, int64_t n, const int vecs)
{
    const int64_t w = (int64_t)vecs * VOX_LANES;
    const vec z = vec_set1(POLE), steady = vec_set1(STEADY);
    vec s[STRIP_VECS];

    VOX_UNROLL
    for (int v = 0; v < vecs; v++) {
        const int at = v * VOX_LANES;

        vec_store(b + (n + 1) * w + at, vec_load(b + (n - 1) * w + at));
        s[v] = vec_mul(vec_load(b + at), steady);
        vec_store(b + at, s[v]);
        vec_store(b - w + at, s[v]);
    }
    for (int64_t i = 1; i < n; i++) {
        VOX_UNROLL
        for (int v = 0; v < vecs; v++) {
            s[v] = vec_fma(z, s[v], vec_load(b + i * w + v * VOX_LANES));
            vec_store(b + i * w + v * VOX_LANES, s[v]);
        }
    }
    VOX_UNROLL
    for (int v = 0; v < vecs; v++) {
        float *end = b + (n - 1) * w + v * VOX_LANES;
        const vec last = vec_load(end + 2 * w);
        const vec level = vec_mul(last, vec_set1(1.0f / 6.0f));
        const vec d = vec_mul(vec_fnma(last, steady, s[v]), vec_set1(TURN));

        s[v] = vec_add(level, d);
        vec_store(end, s[v]);
        vec_store(end + w, vec_fma(d, z, level));
        vec_store(end + 2 * w, vec_fma(d, vec_mul(z, z), level));
    }
    for (int64_t i = n - 2; i >= 0; i--) {
        VOX_UNROLL
        for (int v = 0; v < vecs; v++) {
            s[v] = vec_mul(z, vec_sub(s[v], vec_load(b + i * w + v * VOX_LANES)));
            vec_store(b + i * w + v * VOX_LANES, s[v]);
        }
    }
    VOX_UNROLL
    for (int v = 0; v < vecs; v++) {
        float *before = b - w + v * VOX_LANES;
        const vec s0 = vec_load(before);

        s[v] = vec_mul(z, vec_sub(s[v], s0));
        vec_store(before, s[v]);
        vec_store(before - w, vec_mul(z, vec_sub(s[v], s0)));
    }
}

/* Output k of the axis, `vecs` vectors wide. */
VOX_INLINE void sample(float *out, const float *b, const vox_spline_axis *a, int64_t k,
                       const int vecs)
{
    const int64_t w = (int64_t)vecs * VOX_LANES;
    const float *tap = b + a->first[k] * w, *weight = a->weight + 4 * k;
    const vec w0 = vec_set1(weight[0]), w1 = vec_set1(weight[1]);
    const vec w2 = vec_set1(weight[2]), w3 = vec_set1(weight[3]);

    VOX_UNROLL
    for (int v = 0; v < vecs; v++, tap += VOX_LANES) {
        const vec lo = vec_fma(w0, vec_load(tap), vec_mul(w1, vec_load(tap + w)));
        const vec hi =
            vec_fma(w2, vec_load(tap + 2 * w), vec_mul(w3, vec_load(tap + 3 * w)));

        vec_store(out + v * VOX_LANES, vec_add(lo, hi));
    }
}

/* A row of a strip that is ready. */
VOX_INLINE void map_row(float *x, const vox_spline_map *map)
{
    const vec scale = vec_set1(map->scale), rest = vec_set1(map->rest);
    const vec lo = vec_set1(map->lo), hi = vec_set1(map->hi);

    VOX_UNROLL
    for (int v = 0; v < STRIP_VECS; v++, x += VOX_LANES)
        vec_store(x, vec_min(vec_max(vec_fma(vec_load(x), scale, rest), lo), hi));
}

static void columns(float *out, const float *in, int64_t width, const vox_spline_axis *a,
                    const vox_spline_map *map, float *scratch)
{
    float *b = scratch + 2 * STRIP_WIDTH, tail[STRIP_WIDTH];
    const unsigned mode = vec_flush_denormals();

    for (int64_t x = 0; x < width; x += STRIP_WIDTH) {
        const int whole = width - x >= STRIP_WIDTH;
        const size_t bytes = sizeof *b * (size_t)(whole ? STRIP_WIDTH : width - x);

        for (int64_t i = 0; i < a->n; i++) {
            if (!whole)
                memset(b + i * STRIP_WIDTH, 0, sizeof tail);
            memcpy(b + i * STRIP_WIDTH, in + i * width + x, bytes);
        }
        filter(b, a->n, STRIP_VECS);
        for (int64_t k = 0; k < a->m; k++) {
            float *to = whole ? out + k * width + x : tail;

            sample(to, b, a, k, STRIP_VECS);
            if (map)
                map_row(to, map);
            if (!whole)
                memcpy(out + k * width + x, tail, bytes);
        }
    }
    vec_restore_denormals(mode);
}

/* ROW_WIDTH lines of n into columns of b. */
static void turn_in(float *b, const float *in, int64_t n)
{
    vec r[VOX_LANES];

    for (int at = 0; at < ROW_WIDTH; at += VOX_LANES) {
        for (int64_t i = 0; i < n; i += VOX_LANES) {
            const int count = n - i < VOX_LANES ? (int)(n - i) : VOX_LANES;

            VOX_UNROLL
            for (int j = 0; j < VOX_LANES; j++) {
                const float *p = in + (at + j) * n + i;

                r[j] = count == VOX_LANES ? vec_load(p) : vec_load_part(p, count);
            }
            vec_transpose(r);
            for (int j = 0; j < count; j++)
                vec_store(b + (i + j) * ROW_WIDTH + at, r[j]);
        }
    }
}

/* Columns of b, m deep, back to lines; b may be read up to VOX_LANES - 1 rows further. */
static void turn_out(float *out, const float *b, int64_t from, int64_t lines, int64_t m)
{
    vec r[VOX_LANES];

    for (int at = 0; at < ROW_WIDTH; at += VOX_LANES) {
        for (int64_t i = 0; i < m; i += VOX_LANES) {
            const int count = m - i < VOX_LANES ? (int)(m - i) : VOX_LANES;

            VOX_UNROLL
            for (int j = 0; j < VOX_LANES; j++)
                r[j] = vec_load(b + (i + j) * ROW_WIDTH + at);
            vec_transpose(r);
            VOX_UNROLL
            for (int j = 0; j < VOX_LANES; j++) {
                const int64_t line = from + at + j;

                if (line >= lines)
                    break;
                if (count == VOX_LANES)
                    vec_store(out + line * m + i, r[j]);
                else
                    vec_store_part(out + line * m + i, r[j], count);
            }
        }
    }
}

/* `count` rows of voxels as floats, one after the other; the last stands in for missing
 * ones. */
static void widen(float *out, const vox_spline_rows *in, int64_t from, int64_t n)
{
    const int64_t step = in->step * (int64_t)vox_voxel_size(in->voxel);

    for (int64_t i = 0; i < ROW_WIDTH; i++) {
        const int64_t line = from + i < in->count ? from + i : in->count - 1;

        VOX_KERNEL(vox_grid).widen(out + i * n, (const char *)in->data + line * step,
                                   in->voxel, n, in->shift, 1.0f);
    }
}

static void rows(float *out, const vox_spline_rows *in, const vox_spline_axis *a,
                 float *scratch)
{
    float *b = scratch + 2 * ROW_WIDTH, *done = scratch + (a->n + 4) * ROW_WIDTH;
    float *wide = done + (a->m + VOX_LANES) * ROW_WIDTH;
    const unsigned mode = vec_flush_denormals();

    memset(done + a->m * ROW_WIDTH, 0, sizeof *done * ROW_WIDTH * VOX_LANES);
    for (int64_t from = 0; from < in->count; from += ROW_WIDTH) {
        widen(wide, in, from, a->n);
        turn_in(b, wide, a->n);
        filter(b, a->n, ROW_VECS);
        for (int64_t k = 0; k < a->m; k++)
            sample(done + k * ROW_WIDTH, b, a, k, ROW_VECS);
        turn_out(out, done, from, in->count, a->m);
    }
    vec_restore_denormals(mode);
}

static void finish(float *x, int64_t n, const vox_spline_map *map)
{
    for (int64_t i = 0; i < n; i++) {
        float v = x[i] * map->scale + map->rest;

        v = v > map->lo ? v : map->lo;
        x[i] = v < map->hi ? v : map->hi;
    }
}

extern const vox_spline_kernel VOX_KERNEL(vox_spline);
const vox_spline_kernel VOX_KERNEL(vox_spline) = {rows, columns, finish};
