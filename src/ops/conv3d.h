/* conv3d: cross-correlation with zero padding; optional second source and active blocks. */
#ifndef VOX_OPS_CONV3D_H
#define VOX_OPS_CONV3D_H

#include "graph/graph.h"

typedef struct vox_conv3d_attr {
    int out;                      /* output channels */
    vox_ints kernel, stride, pad; /* 3 values each */
} vox_conv3d_attr;

/* Operands. X2 continues X's channels: the weight sees concat(X, X2). ACTIVE [N, 1, d, h,
 * w] u8: output voxels of blocks with 0 are zero and give no gradient. */
enum {
    VOX_CONV3D_X,
    VOX_CONV3D_W,
    VOX_CONV3D_B,
    VOX_CONV3D_X2,
    VOX_CONV3D_ACTIVE,
    VOX_CONV3D_N
};

/** Optional operands may be NULL. Padding is (k - 1) / 2. y[o,i] = b[o] + sum x[c, s*i+a-p]
 * w[o,c,a]. Source: networks.md 1. */
vox_node *vox_conv3d(vox_graph *g, vox_node *x, vox_node *x2, vox_node *w, vox_node *b,
                     int stride, vox_node *active);

#endif
