/*
 * crop: the box of voxels that are not zero, and what lies outside the body.
 */
#ifndef VOX_IMAGE_CROP_H
#define VOX_IMAGE_CROP_H

#include "image/volume.h"

/** A box, half open: lo <= index < hi, order z, y, x. */
typedef struct vox_box {
    int64_t lo[3], hi[3];
} vox_box;

/**
 * The smallest box that holds every voxel that is not zero in some channel.
 *
 * @return the whole volume when all are zero
 * Source  data.md 7.4: filling holes never changes the box, so nothing is filled.
 */
vox_box vox_crop_box(const vox_volume *v);

/**
 * Copy one channel's box, its axes permuted: output axis i is input axis order[i].
 *
 * @param[out] out  contiguous, as large as the box
 * @param      in   [D, H, W] of extents n
 */
void vox_crop_copy(float *out, const float *in, const int64_t n[3], const vox_box *box,
                   const int order[3]);

/**
 * Mark what is outside the body: zeros connected through faces to the outside of the
 * volume.
 *
 * @param[out] outside  [D, H, W], 1 outside, 0 inside (holes count as inside)
 * @param      image    [D, H, W]; a value that is not 0 is body
 * @return VOX_OK; VOX_E_NOMEM
 *
 * Source  data.md 7.4; the complement is scipy's binary_fill_holes of (image != 0).
 */
int vox_crop_outside(uint8_t *outside, const float *image, const int64_t n[3]);

#endif
