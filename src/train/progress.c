/* progress: counters of a run. */
#include "train/progress.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"

void vox_progress_init(vox_progress *p)
{
    *p = (vox_progress){.best = HUGE_VAL};
}

double vox_progress_loss(const vox_progress *p)
{
    return p->loss_count ? p->loss_sum / (double)p->loss_count : (double)NAN;
}

int vox_progress_end_epoch(vox_progress *p, double val_loss, double lr, double now,
                           int *is_best)
{
    VOX_TRY(vox_grow(&p->record, &p->cap, p->epoch + 1, sizeof *p->record));
    p->record[p->epoch] =
        (vox_epoch_record){vox_progress_loss(p), val_loss, lr, p->start, now};
    *is_best = val_loss < p->best; /* false for NaN */
    if (*is_best)
        p->best = val_loss;
    p->epoch++;
    p->step = p->loss_count = p->nonfinite = 0;
    p->loss_sum = 0;
    return VOX_OK;
}

void vox_progress_release(vox_progress *p)
{
    vox_free(p->record);
    vox_progress_init(p);
}
