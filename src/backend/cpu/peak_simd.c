/* peak: the loops that measure multiply-adds and memory (peak.h). */
#include "backend/cpu/peak.h"

#include "backend/cpu/tiles.h"

float VOX_KERNEL(vox_peak_loop)(int64_t n)
{
    const vec x = vec_set1(1e-7f);
    vec a[VOX_PEAK_CHAINS], sum = vec_zero();

    VOX_UNROLL
    for (int i = 0; i < VOX_PEAK_CHAINS; i++)
        a[i] = vec_set1((float)i);
    for (int64_t k = 0; k < n; k++) {
        VOX_UNROLL
        for (int i = 0; i < VOX_PEAK_CHAINS;
             i++) /* nothing constant to take out of the loop */
            a[i] = vec_fma(x, a[(i + 1) % VOX_PEAK_CHAINS], a[i]);
    }
    VOX_UNROLL
    for (int i = 0; i < VOX_PEAK_CHAINS; i++)
        sum = vec_add(sum, a[i]);
    return vec_sum(sum);
}

void VOX_KERNEL(vox_peak_triad)(float *a, const float *b, const float *c, int64_t count)
{
    const vec s = vec_set1(3.0f);

    VOX_SHARE(t, vox_tiles(count)) {
        for (int64_t i = t * VOX_TILE; i < vox_tile_end(t, count); i += VOX_LANES)
            vec_store(a + i, vec_fma(s, vec_load(c + i), vec_load(b + i)));
    }
}
