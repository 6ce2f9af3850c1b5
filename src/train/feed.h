/*
 * feed: batches of a phase, from loader threads.
 *
 * Sample numbers follow from step and slot, so a feed that begins at step k delivers what a
 * feed from the start delivers there.
 */
#ifndef VOX_TRAIN_FEED_H
#define VOX_TRAIN_FEED_H

#include "data/loader.h"
#include "train/batch.h"
#include "train/recipe.h"

typedef struct vox_feed {
    vox_pretext pretext; /* what loader threads see */
    vox_loader *loader;
    vox_batch batch; /* the one delivered last */
    double waited;
} vox_feed;

#define VOX_FEED_INIT \
    {                 \
        0             \
    }

typedef struct vox_feed_cfg {
    const vox_setup *setup; /* kept */
    vox_dataset *data;      /* kept */
    vox_phase phase;
    int64_t patch[3], batch;
    int64_t first, steps; /* the step to begin with, and how many there are in all */
    uint64_t seed;
    int workers;
    vox_sampling sampling;
} vox_feed_cfg;

/** Start the threads. The feed must not move while it is open.
 * @return VOX_OK; VOX_E_NOMEM; errors of the loader */
int vox_feed_open(vox_feed *f, const vox_feed_cfg *cfg);

/** The next batch, in f->batch until the next call. @param wait  seconds it was waited for;
 * may be NULL. @return VOX_OK; what a loader thread met */
int vox_feed_next(vox_feed *f, double *wait);

/** The crop [C, D, H, W] that is read for a sample. */
vox_shape vox_feed_extent(const vox_feed *f);

/** Stop the threads, release; legal on an _INIT value. */
void vox_feed_close(vox_feed *f);

/** Bytes of memory the threads and the batch will hold, roughly. */
int64_t vox_feed_memory(const vox_feed_cfg *cfg);

#endif
