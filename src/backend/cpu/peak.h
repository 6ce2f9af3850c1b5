/* peak: what this machine can do at most, the yardstick for every kernel's figure. */
#ifndef VOX_BACKEND_CPU_PEAK_H
#define VOX_BACKEND_CPU_PEAK_H

#include "base/simd.h"

/** GFLOP/s of multiply-adds alone, by the widest vectors of a kernel path ("plain", "avx2",
 * "avx512"; NULL: the best), in registers. Best of a few runs of some milliseconds; by the
 * time the threads were running, so that other work on the machine disturbs little.
 * @return 0 when the path is unknown or not on this CPU, or without threads */
double vox_cpu_peak_gflops(const char *path, int threads);

/** GB/s of a = b + s * c over arrays far larger than the caches, three streams counted.
 * Wall time. @return 0 without memory for them, or threads */
double vox_cpu_peak_bandwidth(int threads);

/** Floating point operations of one call of vox_peak_loop with n = 1. */
enum { VOX_PEAK_CHAINS = 12 };

/** n rounds of VOX_PEAK_CHAINS independent multiply-adds per lane. The value means nothing.
 */
float VOX_KERNEL(vox_peak_loop)(int64_t n);

/** a = b + 3 c, shared by a team; count is a multiple of VOX_LANES. */
void VOX_KERNEL(vox_peak_triad)(float *a, const float *b, const float *c, int64_t count);

#endif
