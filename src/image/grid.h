/*
 * grid: a box of voxels as a file stores them, read in place: small integers stay what they
 * are until a kernel needs them, which saves half of the memory and of its traffic.
 *
 * What a voxel means is stored * slope + inter.
 */
#ifndef VOX_IMAGE_GRID_H
#define VOX_IMAGE_GRID_H

#include "image/normalise.h"
#include "image/volume.h"

/** How a voxel is stored, in host byte order. */
typedef enum vox_voxel {
    VOX_VOXEL_F32,
    VOX_VOXEL_U8,
    VOX_VOXEL_I8,
    VOX_VOXEL_U16,
    VOX_VOXEL_I16,
    VOX_VOXELS
} vox_voxel;

/** Bytes of a voxel. */
size_t vox_voxel_size(vox_voxel e);

typedef struct vox_grid {
    const void *data; /* the first voxel; borrowed */
    vox_voxel voxel;
    int64_t n[3];        /* D, H, W; rows are contiguous */
    int64_t step[2];     /* voxels from plane to plane, from row to row */
    double slope, inter; /* 1 and 0 for F32 */
} vox_grid;

/** A box, half open: lo <= index < hi, order z, y, x. */
typedef struct vox_box {
    int64_t lo[3], hi[3];
} vox_box;

/** One channel of a volume. */
vox_grid vox_volume_grid(const vox_volume *v, int64_t channel);

/** The grid's box. */
vox_grid vox_grid_part(const vox_grid *v, const vox_box *box);

/**
 * The smallest box that holds every voxel that is not zero; all of the grid when all are.
 *
 * @return VOX_OK; VOX_E_NOMEM
 * Source  data.md 7.4: filling holes never changes the box, so nothing is filled.
 */
int vox_grid_box(vox_box *out, const vox_grid *v);

/** Statistics of what the voxels mean; integers are summed exactly. One pass.
 * @return of a grid with at least one voxel */
vox_stats vox_grid_stats(const vox_grid *v);

/** The smallest and the largest stored value. */
void vox_grid_range(float lo_hi[2], const vox_grid *v);

/**
 * 1 where a voxel is not zero, axes permuted: output axis i is the grid's axis order[i].
 * @param[out] out  contiguous, as many voxels as the grid
 */
void vox_grid_body(uint8_t *out, const vox_grid *v, const int order[3]);

/** Copy with axes permuted: (stored - shift) * scale. */
void vox_grid_copy(float *out, const vox_grid *v, const int order[3], float shift,
                   float scale);

/** What kernels of one path do with a row of n stored voxels. */
typedef struct vox_row_sums {
    int64_t sum, squares;        /* of integers, exact */
    double fsum[8], fsquares[8]; /* of floats, about `centre`, dealt to eight lanes */
    double centre;
    float lo, hi;
} vox_row_sums;

typedef struct vox_grid_kernel {
    /** out = (row - shift) * scale */
    void (*widen)(float *out, const void *row, vox_voxel e, int64_t n, float shift,
                  float scale);
    /** Or what differs from `zero` into acc[n], of the row's width. @return 1: something
     * does */
    int (*differs)(void *acc, const void *row, vox_voxel e, int64_t n, int zero);
    /** Add the row to the sums. */
    void (*sums)(vox_row_sums *s, const void *row, vox_voxel e, int64_t n);
} vox_grid_kernel;

/** The kernels for this CPU, or of the path named in VOX_CPU; those of `plain` for
 * `reference`. */
const vox_grid_kernel *vox_grid_kernel_choose(void);

/** Paths of the image kernels, worst first. */
enum { VOX_IMAGE_REFERENCE, VOX_IMAGE_PLAIN, VOX_IMAGE_AVX2, VOX_IMAGE_AVX512 };

/** The path for this CPU, or the one named in VOX_CPU. */
int vox_image_path(void);

#endif
