/*
 * saver: when checkpoints are written, under which names, and what a full disk means.
 *
 * latest is written at epochs' ends and by the clock; the one before it stays as previous
 * until the new one is durable: it is written as checkpoint_next.pth, then both are
 * renamed. best is a second name of latest, or a file of its own. final ends the run, then
 * latest and previous go.
 *
 * A checkpoint that cannot be written is a warning while the run goes on: it is tried again
 * at the next occasion. Only the last one fails the run.
 */
#ifndef VOX_TRAIN_SAVER_H
#define VOX_TRAIN_SAVER_H

#include "train/checkpoint.h"
#include "train/folder.h"

typedef struct vox_saver {
    const vox_folder *folder;     /* kept */
    int off;                      /* write nothing */
    int every;                    /* epochs; 0: only by the clock */
    double minutes;               /* 0: only by epochs */
    int keep_every, keep_minutes; /* the user's numbers: not to be stretched */
    double last, cost; /* when the last one was written (or tried), seconds it took */
    int failed, told;
} vox_saver;

/** The occasions to save. */
typedef enum vox_occasion {
    VOX_AFTER_STEP,  /* by the clock */
    VOX_AFTER_EPOCH, /* by the number of epochs */
    VOX_ON_LEAVING   /* a signal: always */
} vox_occasion;

/** Names of checkpoints in a run folder. */
#define VOX_CHECKPOINT_LATEST   "checkpoint_latest.pth"
#define VOX_CHECKPOINT_PREVIOUS "checkpoint_previous.pth"
#define VOX_CHECKPOINT_NEXT     "checkpoint_next.pth"
#define VOX_CHECKPOINT_BEST     "checkpoint_best.pth"
#define VOX_CHECKPOINT_FINAL    "checkpoint_final.pth"

/** Can a checkpoint of that size be written? Reserves the room and gives it back.
 * @return VOX_OK; VOX_E_IO naming folder, need and room */
int vox_saver_check_room(const vox_folder *folder, int64_t bytes);

/** Is it time? */
int vox_saver_due(vox_saver *s, vox_occasion occasion, int64_t epochs_done);

/** Write latest (and best, when `is_best`). @return VOX_OK also when the disk is full: it
 * warns; VOX_E_IO on leaving; VOX_E_NOMEM */
int vox_saver_save(vox_saver *s, const vox_saving *what, vox_occasion occasion,
                   int is_best);

/** Write best alone, when it is not time for latest. @return as vox_saver_save */
int vox_saver_best(vox_saver *s, const vox_saving *what);

/** Write final (and best, when the last epoch was), remove latest and previous.
 * @return VOX_OK; VOX_E_IO naming the file */
int vox_saver_finish(vox_saver *s, const vox_saving *what, int is_best);

/**
 * The newest sound checkpoint of a folder; damaged ones met on the way are renamed
 * "<name>.damaged" and named.
 *
 * @param[out] out    an _INIT value; stays one when there is none
 * @return VOX_OK; VOX_E_MISSING: no checkpoint at all (no message); VOX_E_FORMAT: none is
 * sound
 */
int vox_saver_newest(vox_saved *out, const vox_folder *folder);

#endif
