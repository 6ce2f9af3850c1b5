/* progress: how far a run is: all that a checkpoint holds beside tensors and settings. */
#ifndef VOX_TRAIN_PROGRESS_H
#define VOX_TRAIN_PROGRESS_H

#include <stdint.h>

/** What the peer's logging keeps of an epoch. Times are Unix seconds. */
typedef struct vox_epoch_record {
    double train_loss, val_loss, lr, start, end;
} vox_epoch_record;

typedef struct vox_progress {
    int64_t epoch; /* the one that runs, from 0; equals the run's epochs when it is done */
    int64_t step;  /* steps done in it, skipped ones included */
    int64_t total; /* steps done in the run */
    double loss_sum; /* of the epoch's steps so far */
    int64_t loss_count;
    int64_t nonfinite; /* of the epoch: steps skipped for a loss or gradient that is no
                          number */
    double start;      /* when the epoch began */
    double best;       /* lowest validation loss; +infinity before the first */
    vox_epoch_record *record; /* one per epoch done */
    int64_t cap;
} vox_progress;

/** A run that has not begun. */
void vox_progress_init(vox_progress *p);

/** The epoch is over: keep its record, begin the next. A loss that is no number counts as
 * +infinity for the best. @return VOX_OK; VOX_E_NOMEM */
int vox_progress_end_epoch(vox_progress *p, double val_loss, double lr, double now,
                           int *is_best);

/** Mean of the epoch's losses so far; NaN when there is none. */
double vox_progress_loss(const vox_progress *p);

void vox_progress_release(vox_progress *p);

#endif
