/* add: elementwise sum of two tensors of one shape. */
#ifndef VOX_OPS_ADD_H
#define VOX_OPS_ADD_H

#include "graph/graph.h"

vox_node *vox_add(vox_graph *g, vox_node *a, vox_node *b);

#endif
