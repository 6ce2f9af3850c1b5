/* mask_blocks: set the voxels of hidden blocks to zero. */
#ifndef VOX_OPS_MASK_BLOCKS_H
#define VOX_OPS_MASK_BLOCKS_H

#include "graph/graph.h"

/** y = x * keep, keep [N, 1, d, h, w] u8 repeated over its block (extent / blocks per
 * axis). */
vox_node *vox_mask_blocks(vox_graph *g, vox_node *x, vox_node *keep);

#endif
