/* The vector layer on its avx512 path; skipped where the CPU lacks it. */
#if defined(__x86_64__)
#include <stdint.h>
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi,bmi2,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")
#define VOX_PATH    avx512
#define VOX_PATH_ID 2
#define VOX_LANES   16
#include "support/simd_checks.h"
#pragma GCC pop_options

int main(void)
{
    return simd_checks(VOX_ISA_AVX512);
}
#else
int main(void)
{
    return 77;
}
#endif
