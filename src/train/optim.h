/*
 * optim: SGD with Nesterov momentum and AdamW over the parameter block, clipped by the
 * global norm.
 *
 * One group, every parameter in it: nothing is excluded from weight decay. Parameters that
 * no gradient reached in this step (param.touched == 0) are skipped as in PyTorch: no
 * decay, no momentum, no state.
 */
#ifndef VOX_TRAIN_OPTIM_H
#define VOX_TRAIN_OPTIM_H

#include "graph/params.h"

typedef enum vox_optim_kind { VOX_OPTIM_SGD, VOX_OPTIM_ADAMW } vox_optim_kind;

typedef struct vox_optim_cfg {
    vox_optim_kind kind;
    double weight_decay;
    double momentum; /* SGD */
    int nesterov;
    double beta[2], eps; /* AdamW */
    double clip;         /* largest global norm; 0: no clipping */
} vox_optim_cfg;

/* As the peer's trainers have them. */
#define VOX_OPTIM_SGD_INIT                                  \
    {                                                       \
        VOX_OPTIM_SGD, 3e-5, 0.99, 1, {0.9, 0.98}, 1e-8, 12 \
    }
#define VOX_OPTIM_ADAMW_INIT                                 \
    {                                                        \
        VOX_OPTIM_ADAMW, 5e-2, 0.99, 1, {0.9, 0.98}, 1e-8, 1 \
    }

typedef struct vox_optim {
    vox_optim_cfg cfg;
    vox_params *params;
    int64_t *age; /* per parameter: steps taken; 0 = it has no state */
} vox_optim;

/** The kind named "sgd" or "adamw". @return VOX_OK; VOX_E_USAGE */
int vox_optim_kind_find(vox_optim_kind *out, const char *name);

/** Moment buffers a kind keeps: 1 (momentum) or 2. */
int vox_optim_moments(vox_optim_kind kind);

/** An optimizer for `params` (kept, sealed); allocates the moments. @return VOX_OK;
 * VOX_E_NOMEM */
int vox_optim_new(vox_optim **out, vox_params *params, const vox_optim_cfg *cfg);
void vox_optim_free(vox_optim *o);

/**
 * Clip the step's gradients and apply them.
 *
 * @param      lr    the step's rate
 * @param[out] norm  global L2 norm before clipping, or NULL
 * @return VOX_OK; VOX_E_NUMERIC when the norm is not finite: nothing has changed, *norm is
 * set
 *
 * Units    clip factor = min(1, clip / (norm + 1e-6)), applied inside the step: the
 *          gradient block itself stays as it was.
 * Threads  same bits for any thread count of the device.
 * Source   methods.md 1.6, 1.8.  Tests  tests/unit/test_optim.c (values of methods.md 10.5)
 */
int vox_optim_step(vox_optim *o, double lr, double *norm);

#endif
