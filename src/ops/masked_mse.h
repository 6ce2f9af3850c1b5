/* masked_mse: mean squared error over the voxels that are not visible. */
#ifndef VOX_OPS_MASKED_MSE_H
#define VOX_OPS_MASKED_MSE_H

#include "graph/graph.h"

/** loss [1] = sum((y - x)^2 * (1 - keep)) / (C * sum(1 - keep)), keep [N, 1, d, h, w] u8
 * repeated over its block; all hidden when keep is NULL. 0 when nothing is hidden. Source:
 * methods.md 3.1. */
vox_node *vox_masked_mse(vox_graph *g, vox_node *y, vox_node *x, vox_node *keep);

#endif
