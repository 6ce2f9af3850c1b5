/* leaky_relu: y = x where x > 0, slope * x elsewhere. */
#ifndef VOX_OPS_LEAKY_RELU_H
#define VOX_OPS_LEAKY_RELU_H

#include "graph/graph.h"

typedef struct vox_leaky_relu_attr {
    float slope;
} vox_leaky_relu_attr;

vox_node *vox_leaky_relu(vox_graph *g, vox_node *x, float slope);

#endif
