/*
 * baseline: what a reconstruction is worth. The losses of two predictors that have learned
 * nothing, on the same crops and masks: zero everywhere, and each crop's mean over its
 * visible voxels. A network that sees anatomy is well below both.
 */
#ifndef VOX_TRAIN_BASELINE_H
#define VOX_TRAIN_BASELINE_H

#include "train/batch.h"

/** A crop hidden in blocks: sample `i` of a batch that holds "x" [B, C, D, H, W] and "keep"
 * [B, 1, d, h, w] with 1 = visible. */
typedef struct vox_masked {
    const float *x;      /* [C, D, H, W] */
    const uint8_t *keep; /* [d, h, w] */
    int64_t c, n[3], grid[3], block[3];
} vox_masked;

/** @return 1; 0 when the batch holds no such arrays or they do not fit each other */
int vox_masked_of(vox_masked *out, const vox_batch *b, int64_t i);

/** Is voxel (z, y, x) hidden? */
static inline int vox_masked_hidden(const vox_masked *m, int64_t z, int64_t y, int64_t x)
{
    return !m->keep[(z / m->block[0] * m->grid[1] + y / m->block[1]) * m->grid[2] +
                    x / m->block[2]];
}

/**
 * Mean squared error over the batch's hidden voxels of predicting zero, and of predicting
 * each crop's (and channel's) visible mean; 0 where a crop has no visible voxel.
 *
 * @return 1; 0 when the batch is not of this kind or hides nothing: both are NaN
 */
int vox_baseline(const vox_batch *b, double *zero, double *mean);

#endif
