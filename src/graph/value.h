/*
 * value: what the graph says about a tensor, and how a tensor lies in memory.
 *
 * Logical shapes are [N, C, D, H, W] for images, [N, T, C] for tokens. How activations lie
 * is fixed by (kernel path, rank, channels) and not negotiated: vox_layout_of().
 */
#ifndef VOX_GRAPH_VALUE_H
#define VOX_GRAPH_VALUE_H

#include "base/shape.h"

typedef enum vox_role {
    VOX_ROLE_INPUT,     /* filled from outside before each run: f32, u8 or i64 */
    VOX_ROLE_PARAM,     /* lives in a vox_params, has a gradient */
    VOX_ROLE_STATE,     /* lives in a vox_params, no gradient (running statistics) */
    VOX_ROLE_ACTIVATION /* computed */
} vox_role;

typedef struct vox_value {
    vox_dtype dtype;
    vox_role role;
    vox_shape shape; /* logical */
} vox_value;

typedef enum vox_layout {
    VOX_PLAIN,        /* the logical order, no padding */
    VOX_BLOCKED8,     /* [N, C/8, D, H, W, 8], channels above C hold zero */
    VOX_BLOCKED16,    /* [N, C/16, D, H, W, 16], likewise */
    VOX_CHANNELS_LAST /* [N, D, H, W, C] */
} vox_layout;

/** Channels per block: 1, 8, 16, 1. */
int vox_layout_lanes(vox_layout layout);

/** Elements stored for a shape in a layout, padding lanes included. */
int64_t vox_layout_count(vox_shape shape, vox_layout layout);

/** The layout of a value on a path whose images with C >= 8 are `blocked`: activations of
 * rank 5 with C >= 8 get it, everything else is plain. */
vox_layout vox_layout_of(const vox_value *v, vox_layout blocked);

/** [N,C,D,H,W] f32 from one layout to another; padding lanes of `dst` become zero. Called
 * by every member of a team, or outside of a run; without a barrier behind it. */
void vox_relayout(float *dst, vox_layout to, const float *src, vox_layout from,
                  vox_shape shape);

#endif
