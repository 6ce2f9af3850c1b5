/*
 * mask_rows: walking over an image under a mask of blocks (ops/blocks.h) row by row, so
 * that the mask is looked up once per block and not per voxel. Plain images have C planes
 * of one float per voxel, blocked ones C / lanes planes of `lanes` floats per voxel.
 */
#ifndef VOX_BACKEND_CPU_MASK_ROWS_H
#define VOX_BACKEND_CPU_MASK_ROWS_H

#include <string.h>

#include "backend/cpu/tiles.h"
#include "ops/blocks.h"

typedef struct vox_mask_rows {
    vox_blocks keep;              /* keep.keep NULL: every voxel is kept */
    int64_t planes;               /* images x blocks of channels x D */
    int64_t per_image;            /* planes of one image */
    int64_t depth, height, width; /* width in floats */
    int64_t segment;              /* floats of a row under one value of the mask */
} vox_mask_rows;

static inline vox_mask_rows vox_mask_rows_of(const vox_tensor *x, const vox_tensor *mask)
{
    const int64_t lanes = vox_layout_lanes(x->layout);
    const int64_t blocks = (x->shape.n[1] + lanes - 1) / lanes;
    vox_mask_rows r = {
        .depth = x->shape.n[2], .height = x->shape.n[3], .width = x->shape.n[4] * lanes};

    if (mask)
        r.keep = vox_blocks_of(mask, x->shape);
    r.per_image = blocks * r.depth;
    r.planes = x->shape.n[0] * r.per_image;
    r.segment = r.keep.keep ? r.keep.size[2] * lanes : r.width;
    return r;
}

/** The mask's values along row h of a plane, one per segment; NULL: all kept. */
static inline const uint8_t *vox_mask_row(const vox_mask_rows *r, int64_t plane, int64_t h)
{
    const vox_blocks *b = &r->keep;
    const int64_t n = plane / r->per_image, z = plane % r->depth;

    if (!b->keep)
        return NULL;
    return b->keep + ((n * b->n[0] + z / b->size[0]) * b->n[1] + h / b->size[1]) * b->n[2];
}

/** dst = src where kept, 0 elsewhere; dst may be src, and is stored like it. Called by
 * every member of a team. */
static inline void vox_mask_copy(const vox_mask_rows *r, vox_stream dst, vox_stream src)
{
    VOX_SHARE(i, r->planes * r->height) {
        const uint8_t *keep = vox_mask_row(r, i / r->height, i % r->height);

        for (int64_t s = 0; s * r->segment < r->width; s++) {
            const int64_t at = i * r->width + s * r->segment;

            if (keep && !keep[s])
                vox_stream_clear(vox_stream_at(dst, at), r->segment);
            else if (dst.data != src.data)
                memcpy(vox_stream_at(dst, at).data, vox_stream_at(src, at).data,
                       (size_t)r->segment * (dst.bf16 ? 2 : 4));
        }
    }
}

#endif
