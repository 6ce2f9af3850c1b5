/*
 * metrics: metrics.jsonl, one JSON object per line, one per step and one per epoch.
 *
 *     {"step": 17, "epoch": 0, "loss": 0.81, "grad_norm": 2.5, "lr": 0.01, "ms": 812.4,
 * ...}
 *     {"epoch_done": 0, "train_loss": 0.93, "val_loss": 0.88, ...}
 *
 * `step` counts the run's steps from 1, epochs count from 0. Numbers are written so that
 * they read back as the same bits; ms, ms_data, voxels_per_s and seconds are the only
 * fields that differ between two runs of the same seed. Lines that the disk has no room for
 * are kept and written when there is.
 */
#ifndef VOX_TRAIN_METRICS_H
#define VOX_TRAIN_METRICS_H

#include "base/buf.h"

typedef struct vox_metrics {
    int fd;
    char *path;
    vox_buf pending; /* complete lines not yet written, or the rest of one */
    int warned;
} vox_metrics;

#define VOX_METRICS_INIT \
    {                    \
        .fd = -1         \
    }

/**
 * Open `path` to append, after cutting what a checkpoint does not know of: lines of a step
 * above `steps` or of an epoch not below `epochs`, and torn or foreign lines.
 *
 * @param[out] last  the highest step found before cutting, 0 when none; may be NULL
 * @return VOX_OK; VOX_E_IO
 */
int vox_metrics_open(vox_metrics *m, const char *path, int64_t steps, int64_t epochs,
                     int64_t *last);

/** Begin a line. */
int vox_metrics_begin(vox_metrics *m);

/** Add a field to the line. A value that is not finite is written as null. */
int vox_metrics_int(vox_metrics *m, const char *key, int64_t v);
int vox_metrics_num(vox_metrics *m, const char *key, double v);

/** End the line and write what is pending. A disk without room is no failure: it warns,
 * once.
 * @return VOX_OK; VOX_E_NOMEM */
int vox_metrics_end(vox_metrics *m);

/** Make everything written durable, before a checkpoint that counts on it. Best effort. */
void vox_metrics_sync(vox_metrics *m);

/** Close; legal on an _INIT value. */
void vox_metrics_close(vox_metrics *m);

#endif
