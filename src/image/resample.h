/*
 * resample: a volume on another grid over the same physical extent.
 *
 * Images by cubic splines, labels by the majority of a linear vote. Where one axis is much
 * coarser than the others (thick slices) the slices are resampled each for itself, and the
 * coarse axis takes the nearest slice. No filter against aliasing, as in the peer.
 */
#ifndef VOX_IMAGE_RESAMPLE_H
#define VOX_IMAGE_RESAMPLE_H

#include "image/spline.h"

/**
 * The axis to be treated as thick slices, or -1 for all three alike.
 *
 * @param from, to  spacing before and after, mm; finite and > 0
 *
 * An axis is thick when the largest spacing is more than 3 times the smallest, before or
 * else after, and no second axis is as coarse (data.md 7.6).
 */
int vox_resample_thick_axis(const double from[3], const double to[3]);

/**
 * The shape after a change of spacing: rint(from / to * n), at least 1.
 * @return VOX_OK; VOX_E_FORMAT: more than 2^33 voxels, or more than 2^24 along an axis
 */
int vox_resample_shape(int64_t out[3], const int64_t n[3], const double from[3],
                       const double to[3]);

/** Memory of a resampling, kept from call to call. */
typedef struct vox_resample_space {
    vox_spline_space spline;
    vox_scratch in, out; /* one slice */
} vox_resample_space;

#define VOX_RESAMPLE_SPACE_INIT \
    {                           \
        0                       \
    }

/** Give the memory back; legal on an _INIT value. */
void vox_resample_space_release(vox_resample_space *s);

/**
 * Resample a grid to a shape and map its values, in one go.
 *
 * @param[out] out    [m0, m1, m2], of the caller
 * @param      v      voxels as stored
 * @param      m      each >= 1. An axis that keeps its length keeps its samples
 * @param      thick  -1, or the axis of thick slices
 * @param      map    applied to what the voxels mean
 * @param      range  of what the voxels mean; NULL: measured. Results are clipped to it
 *                    (thick: to the range of the slice)
 * @return VOX_OK; VOX_E_NOMEM
 *
 * Edges    the image is continued by its edge voxel for ever; half-voxel centres.
 * Threads  re-entrant, one thread. VOX_CPU picks the kernel path; `reference` is in double.
 * Source   data.md 7.6.1, 7.6.3, image-kernels.md 1.
 * Tests    tests/golden/resample, tests/unit/test_resample.c
 */
int vox_grid_resample(float *out, const vox_grid *v, const int64_t m[3], int thick,
                      const vox_norm_map *map, const float range[2],
                      vox_resample_space *space);

/**
 * Resample an image to a shape.
 *
 * @param[out] out    new volume, owned by the caller (vox_volume_release); unchanged when
 * the call fails; may not be `in`. Its info is that of `in` with the new shape and spacing
 * @param      in     [C, D, H, W]; borrowed
 * @param      shape  D', H', W', each >= 1. An axis that keeps its length keeps its samples
 * @param      thick  -1, or the axis of thick slices
 * @return VOX_OK; VOX_E_ARG; VOX_E_NOMEM
 *
 * Otherwise as vox_grid_resample of each channel.
 */
int vox_volume_resample(vox_volume *out, const vox_volume *in, const int64_t shape[3],
                        int thick);

/**
 * Resample labels: each output voxel takes the label that has at least half of the weight
 * of a linear interpolation there, the larger one on a tie, 0 when there is none.
 *
 * Parameters and errors as vox_volume_resample.
 * Source   data.md 7.6.4.  Tests  tests/golden/resample, tests/unit/test_resample.c
 */
int vox_volume_resample_labels(vox_volume *out, const vox_volume *in,
                               const int64_t shape[3], int thick);

#endif
