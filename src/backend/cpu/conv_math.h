/* conv_math: arithmetic that the plans of convolutions share. Static, hence no prefix. */
#ifndef VOX_BACKEND_CPU_CONV_MATH_H
#define VOX_BACKEND_CPU_CONV_MATH_H

#include <stdint.h>

static inline int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static inline int64_t min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
