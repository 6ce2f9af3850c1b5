/*
 * simd: one vector type for every kernel path. The only place (with compiler.h) that knows
 * intrinsics, vector types and inline assembly.
 *
 * A file named *_simd.c is compiled once per path. The build gives it
 *
 *     VOX_PATH     plain | avx2 | avx512     the word that ends its exported symbols
 *     VOX_PATH_ID  0     | 1    | 2
 *     VOX_LANES    8     | 8    | 16         floats per vector, channels per block
 *
 * and it exports everything through VOX_KERNEL(name), which becomes name_avx2 and so on.
 * Other files may include this header too and get the plain path. All functions are static
 * and inlined, hence without the vox_ prefix: vec_ means "on one vector of VOX_LANES
 * floats".
 *
 * Addresses need no alignment. Every function does the same thing on every path but for the
 * rounding of vec_fma (one rounding on avx2 and avx512, two on plain).
 */
#ifndef VOX_BASE_SIMD_H
#define VOX_BASE_SIMD_H

#include <math.h>
#include <stdint.h>

#include "base/compiler.h"

#ifndef VOX_PATH
#define VOX_PATH    plain
#define VOX_PATH_ID 0
#define VOX_LANES   8
#endif

/** The symbol of this path: VOX_KERNEL(vox_peak) is vox_peak_avx2. */
#define VOX_KERNEL(name)              VOX_KERNEL_JOIN_(name, VOX_PATH)
#define VOX_KERNEL_JOIN_(name, path)  VOX_KERNEL_JOIN2_(name, path)
#define VOX_KERNEL_JOIN2_(name, path) name##_##path

/** In front of a loop with a constant count: unroll it whole, so that arrays of vec indexed
 * by its counter live in registers. */
#define VOX_UNROLL _Pragma("GCC unroll 64")

/*
 * Vector registers the compiler has for values of type vec: how many accumulators a kernel
 * may keep.
 */
#if VOX_PATH_ID == 2
#define VOX_VECS 32
#elif VOX_PATH_ID == 1 || defined(__aarch64__)
#define VOX_VECS 16
#else
#define VOX_VECS 8
#endif

#if VOX_PATH_ID > 0
#include "base/simd_x86.h"
#else
#include "base/simd_plain.h"
#endif

/** c - a * b. */
VOX_INLINE vec vec_fnma(vec a, vec b, vec c)
{
    return vec_fma(vec_neg(a), b, c);
}

/** a >= 0 ? a : slope * a for slope >= 0. */
VOX_INLINE vec vec_leaky(vec a, vec slope)
{
    return vec_select(vec_gt(a, vec_zero()), a, vec_mul(a, slope));
}

/** bf16 from memory to memory as f32, where `count` is no whole vector. */
VOX_INLINE void vec_expand_bf16(float *dst, const uint16_t *src, int count)
{
    for (int i = 0; i < count; i++) {
        const uint32_t bits = (uint32_t)src[i] << 16;

        __builtin_memcpy(dst + i, &bits, sizeof bits);
    }
}

/** Sum of the lanes, always in the same order: neighbouring halves. */
VOX_INLINE float vec_sum(vec a)
{
    float lane[VOX_LANES];

    vec_store(lane, a);
    VOX_UNROLL
    for (int half = VOX_LANES / 2; half > 0; half /= 2) {
        VOX_UNROLL
        for (int i = 0; i < half; i++)
            lane[i] += lane[i + half];
    }
    return lane[0];
}

/** Largest lane. */
VOX_INLINE float vec_top(vec a)
{
    float lane[VOX_LANES], top;

    vec_store(lane, a);
    top = lane[0];
    VOX_UNROLL
    for (int i = 1; i < VOX_LANES; i++)
        top = lane[i] > top ? lane[i] : top;
    return top;
}

/**
 * Let results too small for a normal number become 0, as recursions that fade out make many
 * of them, which some CPUs compute very slowly. Of this thread, until restored.
 * @return what vec_restore_denormals is to be given
 */
VOX_INLINE unsigned vec_flush_denormals(void)
{
#ifdef __SSE__
    const unsigned mode = __builtin_ia32_stmxcsr();

    __builtin_ia32_ldmxcsr(mode | 0x8040u);
    return mode;
#else
    return 0;
#endif
}

VOX_INLINE void vec_restore_denormals(unsigned mode)
{
#ifdef __SSE__
    __builtin_ia32_ldmxcsr(mode);
#else
    (void)mode;
#endif
}

/** Ask for a cache line that will be read soon. Any address is legal. */
VOX_INLINE void vec_prefetch(const void *p)
{
    __builtin_prefetch(p);
}

#endif
