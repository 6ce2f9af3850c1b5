/* gather: rows of a token sequence by index. */
#ifndef VOX_OPS_GATHER_H
#define VOX_OPS_GATHER_H

#include "graph/graph.h"

/** y[n, k, :] = x[n, index[n, k], :] for x [N, T, C], index [N, K] i64 in [0, T). An index
 * out of range is refused when the input is set, not here. Backward adds into the rows. */
vox_node *vox_gather(vox_graph *g, vox_node *x, vox_node *index);

#endif
