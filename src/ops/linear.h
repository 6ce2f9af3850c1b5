/* linear: a layer of tokens, and the end of a transformer's branch. */
#ifndef VOX_OPS_LINEAR_H
#define VOX_OPS_LINEAR_H

#include "graph/graph.h"

typedef struct vox_linear_attr {
    int out;
} vox_linear_attr;

enum {
    VOX_LINEAR_X,
    VOX_LINEAR_W,
    VOX_LINEAR_B,
    VOX_LINEAR_SCALE,
    VOX_LINEAR_RESIDUAL,
    VOX_LINEAR_KEEP,
    VOX_LINEAR_N
};

/** y = x w' + b; x is [N, T, K], w [O, K], b [O] or NULL, y [N, T, O]. */
vox_node *vox_linear(vox_graph *g, vox_node *x, vox_node *w, vox_node *b);

/** y = residual + keep * scale * (x w' + b): scale is [O] (LayerScale), keep [N] (drop
 * path: 0 or 1 / (1 - rate) per sample). All but x and w may be NULL.
 * Source: networks.md 6.3. */
vox_node *vox_linear_branch(vox_graph *g, vox_node *x, vox_node *w, vox_node *b,
                            vox_node *scale, vox_node *residual, vox_node *keep);

#endif
