/*
 * winograd_weight: weights of 27 taps into the planes of winograd.h, and gradients of
 * the planes back into those of the taps. Weights come and go through the packed order of
 * conv_pack, [tap][lane][2 vectors], one pair and block at a time.
 */
#include "backend/cpu/winograd.h"

enum {
    LANES = VOX_LANES,
    PAIR = 2 * VOX_LANES,
    TAPS = VOX_WINOGRAD_TAPS,
    COLUMNS = VOX_WINOGRAD_COLUMNS,
    SLICE = VOX_WINOGRAD_SLICE
};

/* ---- G w G' ---- */

/* Depth or height. */
VOX_INLINE void weight_axis(vec out[4], vec a, vec b, vec c)
{
    const vec half = vec_set1(0.5f);
    const vec outer = vec_mul(half, vec_add(a, c)), inner = vec_mul(half, b);

    out[0] = a;
    out[1] = vec_add(outer, inner);
    out[2] = vec_sub(outer, inner);
    out[3] = c;
}

/* Width. */
VOX_INLINE void weight_row(vec out[COLUMNS], vec a, vec b, vec c)
{
    const vec third = vec_set1(1.0f / 3), ratio = vec_set1(1.0f / 15);
    const vec outer = vec_mul(third, vec_add(a, c)), inner = vec_mul(third, b);
    const vec four = vec_set1(4), two = vec_set1(2);

    out[0] = a;
    out[1] = vec_add(inner, outer);
    out[2] = vec_sub(inner, outer);
    out[3] = vec_mul(vec_mul(vec_set1(-4), ratio), vec_fma(four, a, vec_fma(two, b, c)));
    out[4] = vec_mul(ratio, vec_fma(four, c, vec_fnma(two, b, a)));
    out[5] = c;
}

/* One vector of target channels: tap t at w + t * step. */
static void weight_planes(float *u, int64_t plane, const float *w, int64_t step)
{
    float a[9 * COLUMNS * LANES], b[3 * SLICE * LANES];
    vec o[COLUMNS];

    for (int i = 0; i < 9; i++, w += 3 * step) { /* width */
        weight_row(o, vec_load(w), vec_load(w + step), vec_load(w + 2 * step));
        for (int k = 0; k < COLUMNS; k++)
            vec_store(a + (COLUMNS * i + k) * LANES, o[k]);
    }
    for (int i = 0; i < 3 * COLUMNS; i++) { /* height, of each depth and column */
        const int depth = i / COLUMNS, column = i % COLUMNS;
        const float *at = a + (depth * 3 * COLUMNS + column) * LANES;

        weight_axis(o, vec_load(at), vec_load(at + COLUMNS * LANES),
                    vec_load(at + 2 * COLUMNS * LANES));
        for (int k = 0; k < 4; k++)
            vec_store(b + (depth * SLICE + COLUMNS * k + column) * LANES, o[k]);
    }
    for (int i = 0; i < SLICE; i++) { /* depth */
        const float *at = b + i * LANES;

        weight_axis(o, vec_load(at), vec_load(at + SLICE * LANES),
                    vec_load(at + 2 * SLICE * LANES));
        for (int k = 0; k < 4; k++)
            vec_store(u + (SLICE * k + i) * plane, o[k]);
    }
}

void VOX_KERNEL(vox_winograd_weights)(float *u, int64_t plane, const vox_winograd *w,
                                      const float *weight, int64_t pair, int64_t block,
                                      float *packed)
{
    const int64_t tap = LANES * PAIR;
    const float *first = w->flip ? packed + (TAPS - 1) * tap : packed;

    VOX_KERNEL(vox_conv_pack_chunk)(packed, &w->pass, weight, pair, block);
    for (int64_t i = 0; i < tap; i += LANES)
        weight_planes(u + i, plane, first + i, w->flip ? -tap : tap);
}

/* ---- G' dU G ---- */

/* Depth or height. */
VOX_INLINE void gradient_axis(vec out[3], const vec u[4])
{
    const vec half = vec_set1(0.5f);
    const vec sum = vec_mul(half, vec_add(u[1], u[2]));

    out[0] = vec_add(u[0], sum);
    out[1] = vec_mul(half, vec_sub(u[1], u[2]));
    out[2] = vec_add(sum, u[3]);
}

/* Width. */
VOX_INLINE void gradient_row(vec out[3], const vec u[COLUMNS])
{
    const vec third = vec_set1(1.0f / 3), ratio = vec_set1(1.0f / 15);
    const vec four = vec_mul(vec_set1(4), ratio), two = vec_mul(vec_set1(2), ratio);
    const vec sum = vec_mul(third, vec_add(u[1], u[2]));
    const vec difference = vec_mul(third, vec_sub(u[1], u[2]));
    const vec half = vec_mul(four, u[3]); /* of the point 1/2 */

    out[0] = vec_add(vec_add(u[0], difference),
                     vec_fnma(vec_set1(4), half, vec_mul(ratio, u[4])));
    out[1] = vec_sub(sum, vec_fma(vec_set1(2), half, vec_mul(two, u[4])));
    out[2] = vec_add(vec_add(u[5], difference), vec_sub(vec_mul(four, u[4]), half));
}

/* One value of a plane, summed over the parts in their order. */
VOX_INLINE vec sum_parts(const float *u, int64_t parts, int64_t part)
{
    vec sum = vec_load(u);

    for (int64_t i = 1; i < parts; i++)
        sum = vec_add(sum, vec_load(u + i * part));
    return sum;
}

/* One vector of target channels: tap t to w + t * step. */
static void gradient_taps(float *w, int64_t step, const float *u, int64_t plane,
                          int64_t parts, int64_t part)
{
    float b[3 * SLICE * LANES], a[9 * COLUMNS * LANES];
    vec v[COLUMNS], o[3];

    for (int i = 0; i < SLICE; i++) { /* depth */
        for (int k = 0; k < 4; k++)
            v[k] = sum_parts(u + (SLICE * k + i) * plane, parts, part);
        gradient_axis(o, v);
        for (int k = 0; k < 3; k++)
            vec_store(b + (SLICE * k + i) * LANES, o[k]);
    }
    for (int i = 0; i < 3 * COLUMNS; i++) { /* height, of each depth and column */
        const int depth = i / COLUMNS, column = i % COLUMNS;

        for (int k = 0; k < 4; k++)
            v[k] = vec_load(b + (depth * SLICE + COLUMNS * k + column) * LANES);
        gradient_axis(o, v);
        for (int k = 0; k < 3; k++)
            vec_store(a + ((3 * depth + k) * COLUMNS + column) * LANES, o[k]);
    }
    for (int i = 0; i < 9; i++, w += 3 * step) { /* width */
        for (int k = 0; k < COLUMNS; k++)
            v[k] = vec_load(a + (COLUMNS * i + k) * LANES);
        gradient_row(o, v);
        for (int k = 0; k < 3; k++)
            vec_store(w + k * step, o[k]);
    }
}

void VOX_KERNEL(vox_winograd_gradient)(vox_grad grad, const vox_winograd *w, const float *u,
                                       int64_t plane, int64_t parts, int64_t part,
                                       int64_t pair, int64_t block, float *packed)
{
    const int64_t tap = LANES * PAIR;

    for (int64_t i = 0; i < tap; i += LANES)
        gradient_taps(packed + i, tap, u + i, plane, parts, part);
    VOX_KERNEL(vox_conv_unpack_chunk)(grad, &w->pass, packed, pair, block);
}
