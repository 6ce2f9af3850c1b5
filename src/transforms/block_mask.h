/*
 * block_mask: hide blocks of a patch.
 */
#ifndef VOX_TRANSFORMS_BLOCK_MASK_H
#define VOX_TRANSFORMS_BLOCK_MASK_H

#include "base/rng.h"
#include "base/sample.h"

/**
 * Add the array `name` u8 [1, D/block, H/block, W/block]: 0 on the hidden blocks, else 1.
 *
 * @param patch   [C, D, H, W]
 * @param block   edge of a block in voxels; must divide D, H and W
 * @param hidden  share in [0, 1]; exactly trunc(hidden * blocks) blocks are hidden. A
 * double on purpose: the float 0.9f is smaller than 0.9 and would hide one block less
 * @return VOX_OK; VOX_E_ARG naming the extent and the block; VOX_E_NOMEM
 *
 * Every set of blocks of that size is equally likely.
 * Threads  re-entrant.
 * Source   augmentation.md 8.1.  Tests  tests/unit/test_block_mask.c
 */
int vox_block_mask_draw(vox_sample *out, const char *name, vox_shape patch, int block,
                        double hidden, vox_rng rng);

#endif
