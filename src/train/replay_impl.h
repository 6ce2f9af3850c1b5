/* replay_impl: what replay's two files share. */
#ifndef VOX_TRAIN_REPLAY_IMPL_H
#define VOX_TRAIN_REPLAY_IMPL_H

#include "io/safetensors.h"
#include "train/engine.h"
#include "train/replay.h"

typedef struct vox_replay_run {
    const char *path; /* of the input bundle, for messages */
    vox_replay_spec spec;
    vox_tensors in, out;
    vox_setup setup;
    vox_device *dev;
    vox_engine engine;
    vox_optim *optim; /* NULL: no update */
    vox_batch batch;
    int64_t size, patch[3];                /* B and D, H, W of "x" */
    vox_strs names;                        /* outputs, then activations */
    const char *keep[VOX_ENGINE_KEEP + 1]; /* the same, for the engine */
    int n_out;                             /* how many of them are outputs */
    int step;                              /* being computed */
} vox_replay_run;

/** Do the bundle's tensors have the names, types and shapes that parameters and inputs
 * want?
 * @return VOX_OK; VOX_E_FORMAT listing all that do not */
int vox_replay_check(const vox_replay_run *r);

/** Set the parameters (allocated) from the bundle. @return VOX_OK; VOX_E_FORMAT listing
 * aliases that differ from their parameter */
int vox_replay_load(const vox_replay_run *r);

#endif
