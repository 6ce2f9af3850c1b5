/* pace: how long a step takes, from timing what it is made of. */
#ifndef VOX_TRAIN_PACE_H
#define VOX_TRAIN_PACE_H

#include "train/engine.h"
#include "train/optim.h"

typedef struct vox_pace {
    double step;    /* seconds of a training step, without its loader; 0: unknown */
    double forward; /* of a validation step */
} vox_pace;

/**
 * Time the problems of a training step one by one, and the optimizer: a second or so, as
 * problems are cut down to what takes some milliseconds. By the ops' own functions, which
 * deep layers keep busy at any size, it is some twentieth of a step.
 *
 * @param engine  opened, not started
 * @return VOX_OK; VOX_E_NOMEM
 *
 * Memory  about what the largest problem takes, at most some 100 MiB
 * Threads a few hundred runs of the device's team
 */
int vox_pace_measure(vox_pace *out, const vox_engine *engine, const vox_optim_cfg *optim);

#endif
