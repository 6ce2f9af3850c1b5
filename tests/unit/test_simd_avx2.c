/* The vector layer on its avx2 path; skipped where the CPU lacks it. */
#if defined(__x86_64__)
#include <stdint.h>
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi,bmi2")
#define VOX_PATH    avx2
#define VOX_PATH_ID 1
#define VOX_LANES   8
#include "support/simd_checks.h"
#pragma GCC pop_options

int main(void)
{
    return simd_checks(VOX_ISA_AVX2);
}
#else
int main(void)
{
    return 77;
}
#endif
