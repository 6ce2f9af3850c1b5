/*
 * simd_plain: the vector type for any CPU: 8 lanes as two vectors of 4, which SSE2, NEON,
 * VSX and others all have; elsewhere the compiler takes them apart. Included by simd.h
 * only.
 *
 * Two of 4 in a struct rather than one of 8: where registers hold 4 floats gcc keeps a
 * vector of 8 in memory, but takes a struct apart. What the functions promise is said in
 * simd_x86.h.
 */
#ifndef VOX_BASE_SIMD_PLAIN_H
#define VOX_BASE_SIMD_PLAIN_H

typedef float vec_half __attribute__((vector_size(16)));
typedef int32_t vec_bits __attribute__((vector_size(16)));
typedef struct vec {
    vec_half lo, hi;
} vec;
typedef struct vec_mask { /* a lane's bits: all set or none */
    vec_bits lo, hi;
} vec_mask;

VOX_INLINE vec vec_set1(float a)
{
    return (vec){
        {a, a, a, a},
        {a, a, a, a}
    };
}

VOX_INLINE vec vec_zero(void)
{
    return vec_set1(0.0f);
}

VOX_INLINE vec vec_load(const float *p)
{
    vec a;

    __builtin_memcpy(&a.lo, p, sizeof a.lo);
    __builtin_memcpy(&a.hi, p + 4, sizeof a.hi);
    return a;
}

VOX_INLINE void vec_store(float *p, vec a)
{
    __builtin_memcpy(p, &a.lo, sizeof a.lo);
    __builtin_memcpy(p + 4, &a.hi, sizeof a.hi);
}

VOX_INLINE vec vec_add(vec a, vec b)
{
    return (vec){a.lo + b.lo, a.hi + b.hi};
}

VOX_INLINE vec vec_sub(vec a, vec b)
{
    return (vec){a.lo - b.lo, a.hi - b.hi};
}

VOX_INLINE vec vec_mul(vec a, vec b)
{
    return (vec){a.lo * b.lo, a.hi * b.hi};
}

VOX_INLINE vec vec_div(vec a, vec b)
{
    return (vec){a.lo / b.lo, a.hi / b.hi};
}

VOX_INLINE vec vec_neg(vec a)
{
    return (vec){-a.lo, -a.hi};
}

VOX_INLINE vec vec_fma(vec a, vec b, vec c)
{
    return (vec){a.lo * b.lo + c.lo, a.hi * b.hi + c.hi};
}

VOX_INLINE vec_mask vec_gt(vec a, vec b)
{
    return (vec_mask){a.lo > b.lo, a.hi > b.hi};
}

VOX_INLINE vec vec_select(vec_mask m, vec a, vec b)
{
    const vec_bits lo = (m.lo & (vec_bits)a.lo) | (~m.lo & (vec_bits)b.lo);
    const vec_bits hi = (m.hi & (vec_bits)a.hi) | (~m.hi & (vec_bits)b.hi);

    return (vec){(vec_half)lo, (vec_half)hi};
}

VOX_INLINE vec vec_max(vec a, vec b)
{
    return vec_select(vec_gt(a, b), a, b);
}

VOX_INLINE vec vec_min(vec a, vec b)
{
    return vec_select(vec_gt(b, a), a, b);
}

VOX_INLINE vec vec_abs(vec a)
{
    const vec_bits keep = {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};

    return (vec){(vec_half)((vec_bits)a.lo & keep), (vec_half)((vec_bits)a.hi & keep)};
}

VOX_INLINE vec_half vec_half_sqrt(vec_half a)
{
    return (vec_half){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])};
}

VOX_INLINE vec vec_sqrt(vec a)
{
    return (vec){vec_half_sqrt(a.lo), vec_half_sqrt(a.hi)};
}

VOX_INLINE vec_mask vec_first(int count)
{
    const vec_bits lo = {0, 1, 2, 3}, hi = {4, 5, 6, 7};

    return (vec_mask){lo < count, hi < count};
}

VOX_INLINE int vec_none(vec_mask m)
{
    const vec_bits any = m.lo | m.hi;

    return (any[0] | any[1] | any[2] | any[3]) == 0;
}

VOX_INLINE vec vec_load_part(const float *p, int count)
{
    float lane[8] = {0};

    for (int i = 0; i < count; i++)
        lane[i] = p[i];
    return vec_load(lane);
}

VOX_INLINE void vec_store_part(float *p, vec a, int count)
{
    float lane[8];

    vec_store(lane, a);
    for (int i = 0; i < count; i++)
        p[i] = lane[i];
}

VOX_INLINE vec vec_load_bf16(const uint16_t *p)
{
    uint32_t bits[8];
    float lane[8];

    for (int i = 0; i < 8; i++)
        bits[i] = (uint32_t)p[i] << 16;
    __builtin_memcpy(lane, bits, sizeof lane);
    return vec_load(lane);
}

VOX_INLINE void vec_store_bf16(uint16_t *p, vec a)
{
    uint32_t bits[8];

    __builtin_memcpy(bits, &a, sizeof bits);
    for (int i = 0; i < 8; i++) {
        const uint32_t high = bits[i] >> 16, near = bits[i] + 0x7fffu + (high & 1u);
        const int nan = (bits[i] & 0x7fffffffu) > 0x7f800000u;

        p[i] = (uint16_t)(nan ? high | 0x40u : near >> 16);
    }
}

VOX_INLINE void vec_transpose(vec r[8])
{
    float square[8][8], turned[8][8];

    for (int i = 0; i < 8; i++)
        vec_store(square[i], r[i]);
    for (int i = 0; i < 8; i++) {
        for (int k = 0; k < 8; k++)
            turned[i][k] = square[k][i];
    }
    for (int i = 0; i < 8; i++)
        r[i] = vec_load(turned[i]);
}

#endif
