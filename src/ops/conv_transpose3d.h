/* conv_transpose3d: transposed convolution with kernel = stride, no overlap. */
#ifndef VOX_OPS_CONV_TRANSPOSE3D_H
#define VOX_OPS_CONV_TRANSPOSE3D_H

#include "graph/graph.h"

typedef struct vox_conv_transpose3d_attr {
    int out;         /* output channels */
    vox_ints stride; /* 3 values, = kernel */
} vox_conv_transpose3d_attr;

enum { VOX_CONVT3D_X, VOX_CONVT3D_W, VOX_CONVT3D_B, VOX_CONVT3D_N };

/** w is [Cin, Cout, k, k, k]; y[o, k*i+a] = b[o] + sum_c x[c,i] w[c,o,a]. b may be NULL.
 * Source: networks.md 1. */
vox_node *vox_conv_transpose3d(vox_graph *g, vox_node *x, vox_node *w, vox_node *b);

#endif
