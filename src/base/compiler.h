/*
 * compiler: the only place (with simd.h) that knows the compiler's extensions.
 */
#ifndef VOX_BASE_COMPILER_H
#define VOX_BASE_COMPILER_H

#if defined(__GNUC__)
#define VOX_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define VOX_NORETURN          __attribute__((noreturn))
#define VOX_UNUSED            __attribute__((unused))
#define VOX_INLINE            static inline __attribute__((always_inline, unused))
#define VOX_NOINLINE          __attribute__((noinline))
#else
#define VOX_PRINTF(fmt, args)
#define VOX_NORETURN
#define VOX_UNUSED
#define VOX_INLINE static inline
#define VOX_NOINLINE
#endif

/** Number of elements of an array object (not of a pointer). */
#define VOX_COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

#endif
