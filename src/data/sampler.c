/* sampler: places of crops, in whole voxels. */
#include "data/sampler.h"

void vox_box_range(int64_t range[2], int64_t extent, int64_t patch, int64_t size)
{
    int64_t need = extent - patch, half;

    if (need + size < extent)
        need = extent - size;
    half = (need + 1) / 2;
    range[0] = -half;
    range[1] = size - extent + half;
}

void vox_box_draw(int64_t lo[3], const int64_t extent[3], const int64_t patch[3],
                  const int64_t size[3], vox_rng *rng)
{
    for (int i = 0; i < 3; i++) {
        int64_t range[2];

        vox_box_range(range, extent[i], patch[i], size[i]);
        lo[i] = range[0] + (int64_t)vox_rng_below(rng, (uint64_t)(range[1] - range[0] + 1));
    }
}

void vox_box_around(int64_t lo[3], const int64_t voxel[3], const int64_t extent[3],
                    const int64_t patch[3], const int64_t size[3])
{
    for (int i = 0; i < 3; i++) {
        int64_t range[2];

        vox_box_range(range, extent[i], patch[i], size[i]);
        lo[i] = voxel[i] - extent[i] / 2;
        lo[i] = lo[i] < range[0] ? range[0] : lo[i] > range[1] ? range[1] : lo[i];
    }
}

void vox_box_centre(int64_t lo[3], const int64_t extent[3], const int64_t patch[3],
                    const int64_t size[3])
{
    for (int i = 0; i < 3; i++) {
        int64_t range[2];

        vox_box_range(range, extent[i], patch[i], size[i]);
        lo[i] = (range[0] + range[1]) / 2; /* toward zero */
    }
}
