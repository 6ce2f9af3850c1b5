/*
 * blocks: a mask [N, 1, d, h, w] u8 read at voxels of an image [N, C, D, H, W]: every value
 * stands for a block of D/d x H/h x W/w voxels, 0 = inactive or hidden. Shared by the ops
 * that take such a mask; the extents of the image are multiples of the mask's.
 */
#ifndef VOX_OPS_BLOCKS_H
#define VOX_OPS_BLOCKS_H

#include "graph/op.h"

typedef struct vox_blocks {
    const uint8_t *keep; /* NULL: every voxel is active */
    int64_t n[3];        /* blocks per axis */
    int64_t size[3];     /* voxels per block and axis */
} vox_blocks;

/** The mask operand (absent: data NULL) as seen from an image of that shape. */
vox_blocks vox_blocks_of(const vox_tensor *mask, vox_shape image);

/** Is voxel `i` (row-major number in the image's D x H x W) of sample n active? */
static inline int vox_blocks_at(const vox_blocks *b, int64_t n, int64_t i)
{
    const int64_t w = b->n[2] * b->size[2], h = b->n[1] * b->size[1];
    int64_t z, y;

    if (!b->keep)
        return 1;
    z = i / (w * h) / b->size[0];
    y = i / w % h / b->size[1];
    return b->keep[((n * b->n[0] + z) * b->n[1] + y) * b->n[2] + i % w / b->size[2]] != 0;
}

/** Active voxels of sample n; the image's voxels when there is no mask. */
int64_t vox_blocks_active(const vox_blocks *b, int64_t n, int64_t voxels);

/** Check operand i of an infer: a u8 mask [N, 1, d, h, w] whose blocks tile `image`.
 * @return VOX_OK; VOX_E_ARG */
int vox_blocks_infer(const vox_infer *io, int i, vox_shape image);

/** The mask that problem texts use: each axis split by the smallest prime factor of its
 * extent, so 6 voxels are 2 blocks and 5 voxels 5 blocks. */
vox_shape vox_blocks_shape(vox_shape image);

#endif
