/*
 * compiler: the only place (with simd.h) that knows the compiler's extensions.
 */
#ifndef VOX_BASE_COMPILER_H
#define VOX_BASE_COMPILER_H

#if defined(__GNUC__)
#define VOX_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define VOX_NORETURN          __attribute__((noreturn))
#define VOX_INLINE            static inline __attribute__((always_inline, unused))
#define VOX_NOINLINE          __attribute__((noinline))
#else
#define VOX_PRINTF(fmt, args)
#define VOX_NORETURN
#define VOX_INLINE static inline
#define VOX_NOINLINE
#endif

/* Instruction sets, asked of CPU and system at run time (base/cpu.h gives them names). */
#if defined(__GNUC__) && defined(__x86_64__)
#define VOX_CPU_HAS_X86_V3()                                            \
    (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && \
     __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
#define VOX_CPU_HAS_X86_V4()                                                     \
    (VOX_CPU_HAS_X86_V3() && __builtin_cpu_supports("avx512f") &&                \
     __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") && \
     __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
#define VOX_CPU_HAS_X86_BF16() \
    (VOX_CPU_HAS_X86_V4() && __builtin_cpu_supports("avx512bf16"))
#else
#define VOX_CPU_HAS_X86_V3()   0
#define VOX_CPU_HAS_X86_V4()   0
#define VOX_CPU_HAS_X86_BF16() 0
#endif

/** In a loop that waits for another core's write: leaves the core's units to others. */
#if defined(__GNUC__) && defined(__x86_64__)
#define VOX_PAUSE() __builtin_ia32_pause()
#elif defined(__GNUC__) && defined(__aarch64__)
#define VOX_PAUSE() __asm__ volatile("yield")
#else
#define VOX_PAUSE() ((void)0)
#endif

/** Number of elements of an array object (not of a pointer). */
#define VOX_COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

#endif
