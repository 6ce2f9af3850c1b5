/*
 * bar: how a run goes, for a person: a line that redraws itself on a terminal, one line per
 * epoch elsewhere and in batch jobs (SLURM_JOB_ID, LSF_JOBID).
 */
#ifndef VOX_TRAIN_BAR_H
#define VOX_TRAIN_BAR_H

#include <stdint.h>

typedef struct vox_bar {
    int live;             /* redraw one line */
    int quiet;            /* nothing at all */
    double drawn, step_s; /* time of the last drawing; smoothed seconds per step */
    int width;            /* characters of the last drawing */
} vox_bar;

/** What there is to tell after a step. */
typedef struct vox_bar_step {
    int64_t epoch, epochs; /* from 0, of */
    int64_t step, steps;   /* done in this epoch, of */
    double loss, seconds;  /* of this step */
} vox_bar_step;

/** What there is to tell after an epoch; NaN where there is nothing. */
typedef struct vox_bar_epoch {
    int64_t epoch, epochs;
    double train_loss, val_loss, ratio_zero, ratio_mean, lr, seconds;
    int best;
} vox_bar_epoch;

/** Decide how to tell: by stderr, environment, and whether the user wants quiet. */
void vox_bar_init(vox_bar *bar, int quiet);

/** After a step: redraws at most ten times a second. */
void vox_bar_after_step(vox_bar *bar, const vox_bar_step *s);

/** After an epoch: one line that stays. */
void vox_bar_after_epoch(vox_bar *bar, const vox_bar_epoch *e);

/** Leave the terminal's line clean for other output. */
void vox_bar_clear(vox_bar *bar);

/** "12:34:56", or "2d 03:04:05". Returns buf. */
const char *vox_bar_duration(double seconds, char buf[static 32]);

#endif
