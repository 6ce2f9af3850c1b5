/*
 * validate: a fixed, seeded list of crops and masks, the same every epoch, so that epochs
 * can be compared; and the losses of two predictors that have learned nothing
 * (train/baseline.h).
 */
#ifndef VOX_TRAIN_VALIDATE_H
#define VOX_TRAIN_VALIDATE_H

#include "train/engine.h"
#include "train/feed.h"

typedef struct vox_validation {
    double loss;       /* mean over the batches; NaN without any */
    double zero, mean; /* of predicting zero, and each crop's visible mean; NaN where the
                          method is no reconstruction of hidden blocks */
} vox_validation;

/**
 * Run the validation.
 *
 * @param cfg   of the feed: phase VOX_VALIDATION, first 0, steps of the validation
 * @param png   where a picture of one reconstruction goes, or NULL
 * @return VOX_OK; VOX_E_STOP when a signal asks to leave (nothing is lost); errors of the
 * feed
 */
int vox_validate(vox_validation *out, vox_engine *e, const vox_feed_cfg *cfg,
                 const char *png);

#endif
