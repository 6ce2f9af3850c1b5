/* norm_act: instance norm, optional residual, leaky ReLU: one op, as the hardware likes it.
 */
#ifndef VOX_OPS_NORM_ACT_H
#define VOX_OPS_NORM_ACT_H

#include "graph/graph.h"

typedef struct vox_norm_act_attr {
    float eps;
    float slope; /* of the leaky ReLU; 1 = no activation */
} vox_norm_act_attr;

/* GAMMA and BETA [C] come together or not at all. RESIDUAL has x's shape. ACTIVE [N, 1, d,
 * h, w] u8: statistics over active voxels only, the output is zero elsewhere. */
enum {
    VOX_NORM_ACT_X,
    VOX_NORM_ACT_GAMMA,
    VOX_NORM_ACT_BETA,
    VOX_NORM_ACT_RESIDUAL,
    VOX_NORM_ACT_ACTIVE,
    VOX_NORM_ACT_N
};

/** y = act((x - mean) / sqrt(var + eps) * gamma + beta + residual), mean and biased
 * variance per (sample, channel). saved: mean and 1/sqrt(var + eps), 2 f32 per (sample,
 * channel), [N, C, 2]. Source: networks.md 1 (InstanceNorm3d, LeakyReLU). */
vox_node *vox_norm_act(vox_graph *g, vox_node *x, vox_node *gamma, vox_node *beta,
                       vox_node *residual, vox_node *active, float eps, float slope);

#endif
