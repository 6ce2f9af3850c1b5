/* norm_act: what the kernels of norm_act share: a block's constants, and the gradient in
 * front of the activation. Included by files of one path. */
#ifndef VOX_BACKEND_CPU_NORM_ACT_H
#define VOX_BACKEND_CPU_NORM_ACT_H

#include "backend/cpu/tiles.h"
#include "ops/norm_act.h"

/** A block's constants. Lanes above the channels are zero in all of them, so y stays zero
 * there. */
typedef struct vox_norm_affine {
    vec mean, rstd, gamma, beta;
} vox_norm_affine;

/** Of block `block` of image n, from what is saved and the parameters. */
static inline vox_norm_affine vox_norm_affine_of(const vox_call *c, const vox_blocked *t,
                                                 int64_t n, int64_t block)
{
    const int64_t first = block * VOX_LANES;
    const float *saved = (const float *)c->saved + (n * t->channels + first) * 2;
    const float *gamma = vox_call_in(c, VOX_NORM_ACT_GAMMA);
    const float *beta = vox_call_in(c, VOX_NORM_ACT_BETA);
    const int lanes = vox_blocked_lanes(t, block);
    float mean[VOX_LANES] = {0}, rstd[VOX_LANES] = {0}, one[VOX_LANES] = {0};

    for (int i = 0; i < lanes; i++) {
        mean[i] = saved[2 * i];
        rstd[i] = saved[2 * i + 1];
        one[i] = 1.0f;
    }
    return (vox_norm_affine){vec_load(mean), vec_load(rstd),
                             gamma ? vec_load_part(gamma + first, lanes) : vec_load(one),
                             beta ? vec_load_part(beta + first, lanes) : vec_zero()};
}

/** Gradient before the activation; y tells its side. */
VOX_INLINE vec vox_norm_before_activation(vec y, vec dy, vec slope)
{
    return vec_select(vec_gt(y, vec_zero()), dy, vec_mul(dy, slope));
}

/** Do all tensors lie in this path's blocks? */
static inline int vox_norm_fits(const vox_problem *q)
{
    if (!vox_is_blocked(&q->in[VOX_NORM_ACT_X]) || !vox_is_blocked(&q->out[0]))
        return 0;
    return !vox_problem_has(q, VOX_NORM_ACT_RESIDUAL) ||
           vox_is_blocked(&q->in[VOX_NORM_ACT_RESIDUAL]);
}

/** Gradients of a block's gamma and beta, where they are wanted, and their squares. */
static inline void vox_norm_put_params(const vox_call *c, int64_t block, int lanes,
                                       const double *gamma, const double *beta)
{
    const int64_t first = block * VOX_LANES;

    vox_grad_put_sums(vox_call_din(c, VOX_NORM_ACT_GAMMA), first, lanes, gamma, block);
    vox_grad_put_sums(vox_call_din(c, VOX_NORM_ACT_BETA), first, lanes, beta, block);
}

#endif
