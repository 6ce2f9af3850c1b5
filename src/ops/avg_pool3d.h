/* avg_pool3d: mean over windows, kernel = stride, no padding, floor mode. */
#ifndef VOX_OPS_AVG_POOL3D_H
#define VOX_OPS_AVG_POOL3D_H

#include "graph/graph.h"

typedef struct vox_avg_pool3d_attr {
    vox_ints kernel; /* 3 values */
} vox_avg_pool3d_attr;

/* ACTIVE [N, 1, d, h, w] u8: output voxels of blocks with 0 are zero and give no gradient.
 */
enum { VOX_AVG_POOL3D_X, VOX_AVG_POOL3D_ACTIVE, VOX_AVG_POOL3D_N };

/** Each output voxel is the mean of its window. `active` may be NULL. Source: networks.md
 * 1. */
vox_node *vox_avg_pool3d(vox_graph *g, vox_node *x, const int kernel[3], vox_node *active);

#endif
