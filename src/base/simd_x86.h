/*
 * simd_x86: the vector type on AVX2 (8 lanes) and AVX-512 (16 lanes). Included by simd.h
 * only.
 *
 * On AVX2 no 64-byte vector type ever appears: gcc would keep such values in memory.
 */
#ifndef VOX_BASE_SIMD_X86_H
#define VOX_BASE_SIMD_X86_H

#include <immintrin.h>

#if VOX_PATH_ID == 2
typedef __m512 vec;
typedef __mmask16 vec_mask; /* a lane's bit: yes or no */
#define VOX_MM_(name) _mm512_##name
#else
typedef __m256 vec;
typedef __m256 vec_mask; /* a lane's bits: all set or none */
#define VOX_MM_(name) _mm256_##name
#endif

VOX_INLINE vec vec_zero(void)
{
    return VOX_MM_(setzero_ps)();
}

VOX_INLINE vec vec_set1(float a)
{
    return VOX_MM_(set1_ps)(a);
}

VOX_INLINE vec vec_load(const float *p)
{
    return VOX_MM_(loadu_ps)(p);
}

VOX_INLINE void vec_store(float *p, vec a)
{
    VOX_MM_(storeu_ps)(p, a);
}

VOX_INLINE vec vec_add(vec a, vec b)
{
    return VOX_MM_(add_ps)(a, b);
}

VOX_INLINE vec vec_sub(vec a, vec b)
{
    return VOX_MM_(sub_ps)(a, b);
}

VOX_INLINE vec vec_mul(vec a, vec b)
{
    return VOX_MM_(mul_ps)(a, b);
}

VOX_INLINE vec vec_div(vec a, vec b)
{
    return VOX_MM_(div_ps)(a, b);
}

VOX_INLINE vec vec_sqrt(vec a)
{
    return VOX_MM_(sqrt_ps)(a);
}

/** The greater; b when one is NaN. */
VOX_INLINE vec vec_max(vec a, vec b)
{
    return VOX_MM_(max_ps)(a, b);
}

/** The smaller; b when one is NaN. */
VOX_INLINE vec vec_min(vec a, vec b)
{
    return VOX_MM_(min_ps)(a, b);
}

/** -a, the sign bit flipped. */
VOX_INLINE vec vec_neg(vec a)
{
    return VOX_MM_(xor_ps)(a, vec_set1(-0.0f));
}

/** |a|. */
VOX_INLINE vec vec_abs(vec a)
{
    return VOX_MM_(andnot_ps)(vec_set1(-0.0f), a);
}

/** a * b + c. Assembly, in the form that overwrites the addend: left to choose, gcc 12
 * takes the forms that overwrite a factor and then moves or spills the accumulators
 * (measured: 58 instead of 81 GFLOP/s). "v" allows all 32 registers, "x" only half of them.
 */
VOX_INLINE vec vec_fma(vec a, vec b, vec c)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+v"(c) : "v"(a), "v"(b));
    return c;
}

#if VOX_PATH_ID == 2

/** VOX_LANES bf16 from memory. */
VOX_INLINE vec vec_load_bf16(const uint16_t *p)
{
    const __m512i a = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)p));

    return _mm512_castsi512_ps(_mm512_slli_epi32(a, 16));
}

/** To memory as bf16: rounded to nearest, ties to even; NaN stays NaN. */
VOX_INLINE void vec_store_bf16(uint16_t *p, vec a)
{
    const __m512i bits = _mm512_castps_si512(a), high = _mm512_srli_epi32(bits, 16);
    const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
    const __m512i half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
    const __m512i near = _mm512_srli_epi32(_mm512_add_epi32(bits, half), 16);
    const __m512i nan = _mm512_or_si512(high, _mm512_set1_epi32(0x40));
    const __mmask16 none = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
    const __m512i out = _mm512_mask_blend_epi32(none, near, nan);

    _mm256_storeu_si256((__m256i_u *)p, _mm512_cvtepi32_epi16(out));
}

/** Mask of the first `count` lanes; count may be anything from 0 to VOX_LANES. */
VOX_INLINE vec_mask vec_first(int count)
{
    return (vec_mask)_bzhi_u32(0xffffu, (unsigned)count);
}

/** Lanes where a > b; no where one is NaN. */
VOX_INLINE vec_mask vec_gt(vec a, vec b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}

/** Lane by lane m ? a : b. */
VOX_INLINE vec vec_select(vec_mask m, vec a, vec b)
{
    return _mm512_mask_blend_ps(m, b, a);
}

/** The first `count` lanes from memory, the others 0. Reads nothing behind them. */
VOX_INLINE vec vec_load_part(const float *p, int count)
{
    return _mm512_maskz_loadu_ps(vec_first(count), p);
}

/** The first `count` lanes to memory. Writes nothing behind them. */
VOX_INLINE void vec_store_part(float *p, vec a, int count)
{
    _mm512_mask_storeu_ps(p, vec_first(count), a);
}

/** r is a square of 16 x 16 floats; swap its rows and columns. */
VOX_INLINE void vec_transpose(vec r[16])
{
    vec t[16];

    VOX_UNROLL
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    VOX_UNROLL
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
        r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    VOX_UNROLL
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
    }
    VOX_UNROLL
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
        r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

#else

/** VOX_LANES bf16 from memory. */
VOX_INLINE vec vec_load_bf16(const uint16_t *p)
{
    const __m256i a = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i_u *)p));

    return _mm256_castsi256_ps(_mm256_slli_epi32(a, 16));
}

/** To memory as bf16: rounded to nearest, ties to even; NaN stays NaN. */
VOX_INLINE void vec_store_bf16(uint16_t *p, vec a)
{
    const __m256i bits = _mm256_castps_si256(a), high = _mm256_srli_epi32(bits, 16);
    const __m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
    const __m256i half = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
    const __m256i near = _mm256_srli_epi32(_mm256_add_epi32(bits, half), 16);
    const __m256i nan = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
    const __m256i none = _mm256_castps_si256(_mm256_cmp_ps(a, a, _CMP_UNORD_Q));
    const __m256i out = _mm256_blendv_epi8(near, nan, none);

    _mm_storeu_si128((__m128i_u *)p, _mm_packus_epi32(_mm256_castsi256_si128(out),
                                                      _mm256_extracti128_si256(out, 1)));
}

/** Mask of the first `count` lanes; count may be anything from 0 to VOX_LANES. */
VOX_INLINE vec_mask vec_first(int count)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane));
}

/** Lanes where a > b; no where one is NaN. */
VOX_INLINE vec_mask vec_gt(vec a, vec b)
{
    return _mm256_cmp_ps(a, b, _CMP_GT_OQ);
}

/** Lane by lane m ? a : b. */
VOX_INLINE vec vec_select(vec_mask m, vec a, vec b)
{
    return _mm256_blendv_ps(b, a, m);
}

/** The first `count` lanes from memory, the others 0. Reads nothing behind them. */
VOX_INLINE vec vec_load_part(const float *p, int count)
{
    return _mm256_maskload_ps(p, _mm256_castps_si256(vec_first(count)));
}

/** The first `count` lanes to memory. Writes nothing behind them. */
VOX_INLINE void vec_store_part(float *p, vec a, int count)
{
    _mm256_maskstore_ps(p, _mm256_castps_si256(vec_first(count)), a);
}

/** r is a square of 8 x 8 floats; swap its rows and columns. */
VOX_INLINE void vec_transpose(vec r[8])
{
    vec t[8];

    VOX_UNROLL
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    VOX_UNROLL
    for (int i = 0; i < 8; i += 4) {
        r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    VOX_UNROLL
    for (int i = 0; i < 4; i++) {
        t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
        t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
    }
    VOX_UNROLL
    for (int i = 0; i < 8; i++)
        r[i] = t[i];
}

#endif

/** No lane of the mask set? */
VOX_INLINE int vec_none(vec_mask m)
{
#if VOX_PATH_ID == 2
    return m == 0;
#else
    return _mm256_movemask_ps(m) == 0;
#endif
}

#endif
