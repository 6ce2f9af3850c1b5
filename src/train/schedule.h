/* schedule: the learning rate of an epoch. It changes once per epoch, from the epoch's
 * number. */
#ifndef VOX_TRAIN_SCHEDULE_H
#define VOX_TRAIN_SCHEDULE_H

#include <stdint.h>

typedef enum vox_schedule_kind {
    VOX_SCHEDULE_CONSTANT, /* lr */
    VOX_SCHEDULE_POLY,     /* lr (1 - e/E)^0.9 */
    VOX_SCHEDULE_WARMUP /* lr (1 + e)/W below epoch W, then poly from there: the "poly with
                           offset" of transformers. A run of E <= W epochs never leaves the
                           warm-up */
} vox_schedule_kind;

typedef struct vox_schedule {
    vox_schedule_kind kind;
    double lr;      /* the largest rate */
    int64_t epochs; /* E */
    int64_t warmup; /* W, WARMUP only */
} vox_schedule;

/** The kind named "constant", "poly" or "warmup_poly".
 * @return VOX_OK; VOX_E_USAGE naming what was found and what is wanted */
int vox_schedule_kind_find(vox_schedule_kind *out, const char *name);

/**
 * The rate of an epoch.
 *
 * @param epoch  0-based; past the end poly schedules give 0
 *
 * Source  methods.md 1.7.  Tests  tests/unit/test_schedule.c (values of methods.md 10.4)
 */
double vox_schedule_lr(const vox_schedule *s, int64_t epoch);

#endif
