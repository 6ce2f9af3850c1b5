/*
 * engine: what a run computes with: a device, the model's parameters, and plans for the
 * pieces a batch is computed in.
 *
 * A batch of B samples runs as pieces of `micro` samples and one rest. Each piece's loss is
 * a mean over its own denominator, so pieces are weighted by theirs: the sum is the whole
 * batch's loss, and its gradient the whole batch's gradient, up to rounding.
 */
#ifndef VOX_TRAIN_ENGINE_H
#define VOX_TRAIN_ENGINE_H

#include "graph/plan.h"
#include "train/batch.h"
#include "train/recipe.h"

enum { VOX_ENGINE_KEEP = 62 }; /* names in `keep` at most */

struct vox_pass;

/** What to train. The setup is kept: it must outlive the engine. */
typedef struct vox_engine_cfg {
    const vox_setup *setup;
    int64_t patch[3]; /* D, H, W */
    int64_t batch, micro;
    const char *recompute;   /* as vox_plan_cfg's; kept */
    vox_dtype store;         /* of activations: VOX_F32, VOX_BF16 */
    const char *const *keep; /* values of a training piece to be fetched, NULL-terminated */
    /** Called after backward of each training piece [first, first + count) of the batch, to
     * fetch what was kept. NULL: nobody looks. */
    int (*look)(void *arg, const struct vox_pass *p, int64_t first, int64_t count);
    void *look_arg;
} vox_engine_cfg;

/** The graph and plan of one piece size. */
typedef struct vox_pass {
    vox_pretext pretext;
    vox_plan *plan;
} vox_pass;

typedef struct vox_engine {
    vox_engine_cfg cfg;
    vox_device *dev;
    vox_params *params;
    vox_block block;
    vox_pass pass[2][2]; /* [phase][whole piece, rest]; no plan where there is none */
    int checked[2];      /* a batch of the phase has filled every input */
} vox_engine;

#define VOX_ENGINE_INIT \
    {                   \
        0               \
    }

/**
 * Declare the parameters and build the plans; no memory of tensors yet.
 *
 * @return VOX_OK; VOX_E_USAGE or VOX_E_ARG for an impossible pair or patch; VOX_E_NOMEM
 */
int vox_engine_open(vox_engine *e, const vox_engine_cfg *cfg, vox_device *dev);

/** Allocate and draw the parameters, allocate the plans' memory. */
int vox_engine_start(vox_engine *e, uint64_t seed);

/** Bytes of activations and workspace, and floating point operations of a training step. */
size_t vox_engine_bytes(const vox_engine *e);
double vox_engine_flops(const vox_engine *e);

/** The plan that computes a whole piece of the training batch. */
vox_plan *vox_engine_plan(const vox_engine *e);

/**
 * Forward and backward of a batch: gradients of the parameters and the loss.
 *
 * @param[out] loss  of the batch; when it is not finite the gradients are not to be used
 * @return VOX_OK; VOX_E_MISSING, VOX_E_ARG when the batch is not what the graph takes
 */
int vox_engine_gradient(vox_engine *e, const vox_batch *b, double *loss);

/** Does the validation graph keep an output of that name? */
int vox_engine_has(const vox_engine *e, const char *name);

/** Forward of a validation batch. @param y  NULL, or the output "y" of the whole batch,
 * plain */
int vox_engine_evaluate(vox_engine *e, const vox_batch *b, double *loss, float *y);

/** Release; legal on an _INIT value. The device stays. */
void vox_engine_close(vox_engine *e);

/** What there is to fit into. */
typedef struct vox_room {
    int64_t free;  /* bytes that could still be had */
    int64_t other; /* of which the run needs so many besides its engine */
    int moments;   /* blocks of the optimizer */
} vox_room;

/** Bytes of the engine: activations and workspace, parameters, gradients, moments. */
int64_t vox_engine_need(const vox_engine *e, int moments);

/**
 * Do steps of cfg->micro samples fit?
 *
 * @return VOX_OK; VOX_E_NOMEM naming what is needed and free, and what --micro-batch 1 and
 * --recompute would need; errors of vox_engine_open
 */
int vox_engine_check(const vox_engine_cfg *cfg, vox_device *dev, const vox_room *room);

/** The largest micro-batch whose step fits into nine tenths of the room; the least there is
 * where only that fits. @return as vox_engine_check */
int vox_engine_fit(int64_t *micro, const vox_engine_cfg *cfg, vox_device *dev,
                   const vox_room *room);

#endif
