/* sampler: where in an image a crop is taken. */
#ifndef VOX_DATA_SAMPLER_H
#define VOX_DATA_SAMPLER_H

#include <stdint.h>

#include "base/rng.h"

/**
 * First and last place a crop may begin, per axis: [range[0], range[1]].
 *
 * @param extent  of the crop that is read
 * @param patch   of the network, <= extent: it lies in the middle of the crop
 * @param size    of the image; a smaller image is met from both sides with padding
 * Source  augmentation.md 2.2.
 */
void vox_box_range(int64_t range[2], int64_t extent, int64_t patch, int64_t size);

/** Draw the beginning of a crop, all axes independent and uniform. */
void vox_box_draw(int64_t lo[3], const int64_t extent[3], const int64_t patch[3],
                  const int64_t size[3], vox_rng *rng);

/** The crop with `voxel` in its middle, moved as far as the range asks (2.3). */
void vox_box_around(int64_t lo[3], const int64_t voxel[3], const int64_t extent[3],
                    const int64_t patch[3], const int64_t size[3]);

/** The crop in the middle of the range (2.4). */
void vox_box_centre(int64_t lo[3], const int64_t extent[3], const int64_t patch[3],
                    const int64_t size[3]);

#endif
