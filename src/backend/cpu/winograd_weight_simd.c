/*
 * winograd_weight: weights of 27 taps into the 64 planes of winograd.h, and gradients of
 * the planes back into those of the taps. Weights come and go through the packed order of
 * conv_pack, [tap][lane][2 vectors], one pair and block at a time.
 */
#include "backend/cpu/winograd.h"

enum { LANES = VOX_LANES, PAIR = 2 * VOX_LANES, TAPS = VOX_WINOGRAD_TAPS };

/* ---- G w G' ---- */

VOX_INLINE void weight_axis(vec *out, int step, vec a, vec b, vec c)
{
    const vec half = vec_set1(0.5f);
    const vec outer = vec_mul(half, vec_add(a, c)), inner = vec_mul(half, b);

    out[0] = a;
    out[step] = vec_add(outer, inner);
    out[2 * step] = vec_sub(outer, inner);
    out[3 * step] = c;
}

/* One vector of target channels: tap t at w + t * step. */
static void weight_planes(float *u, int64_t plane, const float *w, int64_t step)
{
    float a[36 * LANES], b[48 * LANES];
    vec o[4];

    for (int i = 0; i < 9; i++, w += 3 * step) { /* width */
        weight_axis(o, 1, vec_load(w), vec_load(w + step), vec_load(w + 2 * step));
        for (int k = 0; k < 4; k++)
            vec_store(a + (4 * i + k) * LANES, o[k]);
    }
    for (int i = 0; i < 12; i++) { /* height: depth i / 4, width i % 4 */
        const float *at = a + (i / 4 * 12 + i % 4) * LANES;

        weight_axis(o, 1, vec_load(at), vec_load(at + 4 * LANES), vec_load(at + 8 * LANES));
        for (int k = 0; k < 4; k++)
            vec_store(b + (i / 4 * 16 + 4 * k + i % 4) * LANES, o[k]);
    }
    for (int i = 0; i < 16; i++) { /* depth */
        const float *at = b + i * LANES;

        weight_axis(o, 1, vec_load(at), vec_load(at + 16 * LANES),
                    vec_load(at + 32 * LANES));
        for (int k = 0; k < 4; k++)
            vec_store(u + (16 * k + i) * plane, o[k]);
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

VOX_INLINE void gradient_axis(vec *out, vec a, vec b, vec c, vec d)
{
    const vec half = vec_set1(0.5f);
    const vec sum = vec_mul(half, vec_add(b, c));

    out[0] = vec_add(a, sum);
    out[1] = vec_mul(half, vec_sub(b, c));
    out[2] = vec_add(sum, d);
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
    float b[48 * LANES], a[36 * LANES];
    vec o[3];

    for (int i = 0; i < 16; i++) { /* depth */
        vec v[4];

        for (int k = 0; k < 4; k++)
            v[k] = sum_parts(u + (16 * k + i) * plane, parts, part);
        gradient_axis(o, v[0], v[1], v[2], v[3]);
        for (int k = 0; k < 3; k++)
            vec_store(b + (16 * k + i) * LANES, o[k]);
    }
    for (int i = 0; i < 12; i++) { /* height */
        const float *at = b + (i / 4 * 16 + i % 4) * LANES;

        gradient_axis(o, vec_load(at), vec_load(at + 4 * LANES), vec_load(at + 8 * LANES),
                      vec_load(at + 12 * LANES));
        for (int k = 0; k < 3; k++)
            vec_store(a + (i / 4 * 12 + 4 * k + i % 4) * LANES, o[k]);
    }
    for (int i = 0; i < 9; i++) { /* width */
        const float *at = a + 4 * i * LANES;

        gradient_axis(o, vec_load(at), vec_load(at + LANES), vec_load(at + 2 * LANES),
                      vec_load(at + 3 * LANES));
        for (int k = 0; k < 3; k++)
            vec_store(w + (3 * i + k) * step, o[k]);
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
