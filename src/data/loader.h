/*
 * loader: samples from a dataset, made by threads, delivered in order of their global
 * number.
 *
 * A sample is a pure function of (seed, global sample number): which item, which box, which
 * draws. The global number is step * global batch + slot, so ranks, workers and
 * micro-batches never enter a key. Threads fill a bounded ring. A corrupt file is named
 * once, counted, replaced by a deterministic other item; above a small share the loader
 * fails.
 */
#ifndef VOX_DATA_LOADER_H
#define VOX_DATA_LOADER_H

#include "data/dataset.h"

/** Cases to a finished sample; called in loader threads, re-entrant. */
typedef int (*vox_prepare_fn)(vox_sample *out, const vox_cases *cases, void *arg,
                              vox_rng rng);

typedef enum vox_sampling {
    VOX_SAMPLE_UNIFORM, /* plain box draw (augmentation.md 2.2) */
    VOX_SAMPLE_ANAT,    /* centred on a voxel of the anatomy mask (2.3) */
    VOX_SAMPLE_CENTRE   /* the middle of the image (2.4) */
} vox_sampling;

typedef struct vox_loader_cfg {
    vox_dataset *data;
    uint64_t seed;
    const char *stream; /* "train" or "val": separates their draws */
    int64_t first,
        count; /* global sample numbers [first, first + count) this rank asks for */
    int64_t stride, run; /* of each `stride` numbers the first `run` are ours; 0: all */
    int cases_per_sample;
    vox_grouping grouping;       /* what the cases of a sample have in common */
    int64_t extent[3], patch[3]; /* crop to read, patch it is for (box rule 2.2) */
    vox_sampling sampling;
    int workers, ring;    /* threads; samples kept ready (0: 2 per worker) */
    double max_bad_share; /* fail above this share of bad reads (default 0.05) */
    vox_prepare_fn prepare;
    void *arg;
} vox_loader_cfg;

typedef struct vox_loader vox_loader;

int vox_loader_open(vox_loader **out, const vox_loader_cfg *cfg);

/** Stop the threads, release. NULL is legal. */
void vox_loader_close(vox_loader *l);

/** The next sample in order; waits. Borrowed until the next call or close.
 * @return VOX_OK; the failure of the thread that met it; VOX_E_MISSING after the last */
int vox_loader_next(vox_loader *l, const vox_sample **out);

/** Seconds spent waiting in vox_loader_next. */
double vox_loader_waited(const vox_loader *l);

/** Seconds the threads, together, spent reading crops and in `prepare`; of samples taken. */
void vox_loader_spent(const vox_loader *l, double *reading, double *preparing);

/** Images that were found unreadable in samples taken so far, each counted once. */
int64_t vox_loader_bad(const vox_loader *l);

#endif
