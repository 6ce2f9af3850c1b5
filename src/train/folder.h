/*
 * folder: a run's folder, its layout, and who may write into it.
 *
 *     <run>/config.json metrics.jsonl training_log_<date>.txt progress.png
 * reconstruction.png checkpoint_{latest,previous,best,final}.pth <top>/plans.json
 * adaptation_plan.json
 *
 * <top> is the parent of fold_all, or the run folder itself where the user names one.
 *
 * A kernel lock on <run>/.lock holds while the process lives, so a killed run leaves none;
 * the file's text says who holds it.
 */
#ifndef VOX_TRAIN_FOLDER_H
#define VOX_TRAIN_FOLDER_H

typedef enum vox_use {
    VOX_USE_NEW,    /* the folder must hold no run */
    VOX_USE_RESUME, /* continue the run it holds, if any */
    VOX_USE_FRESH   /* move the run it holds aside */
} vox_use;

typedef struct vox_folder {
    char *run, *top;
    int lock; /* file descriptor, -1 when not held */
} vox_folder;

#define VOX_FOLDER_INIT \
    {                   \
        .lock = -1      \
    }

/** Entries of a run folder that --fresh leaves where they are: derived from the scans, not
 * from the run. */
#define VOX_FOLDER_DATA "data"

/**
 * Make the folder, lock it, and apply the rule for a folder that holds a run.
 *
 * @param run  the run folder; @param top  where plans.json lies (may equal `run`)
 * @return VOX_OK; VOX_E_EXISTS: another process has it (naming who), or it holds a run and
 *         `use` is VOX_USE_NEW (naming --resume and --fresh); VOX_E_IO: cannot be written
 */
int vox_folder_open(vox_folder *f, const char *run, const char *top, vox_use use);

/** Give the lock back, release; legal on an _INIT value. */
void vox_folder_close(vox_folder *f);

/** Does the folder hold a run: a checkpoint of any state, or metrics? */
int vox_folder_holds_run(const char *run);

/** Path of `name` in the run folder, caller frees; NULL without memory. */
char *vox_folder_path(const vox_folder *f, const char *name);

#endif
