/*
 * build: from any folder of scans to a data folder that vox_dataset_open takes; the four
 * steps of a dataset in one call.
 *
 *     <dir>/pretrain_data.json  dataset_fingerprint.json  <plans>.json  index_report.json
 *     <dir>/...                 what preprocessing leaves (preprocess.h)
 *
 * Everything that is there and still fits the scans is used again.
 */
#ifndef VOX_DATA_BUILD_H
#define VOX_DATA_BUILD_H

#include "data/preprocess.h"

/** What a build found and did. */
typedef struct vox_data_build_result {
    int64_t images, subjects; /* indexed */
    int64_t made, kept;       /* preprocessed now, and by an earlier build */
    int64_t rejected; /* listed with reasons in the data folder's reject_report.json */
    int64_t skipped;  /* files that are no scans, listed in index_report.json */
} vox_data_build_result;

typedef struct vox_data_build_cfg {
    const char *scans, *dir;           /* from, to */
    const char *plans, *configuration; /* "nnsslPlans", "onemmiso" */
    int threads;
    int keep; /* 1: a finished build is taken as it is, the scans are not looked at (resume)
               */
    vox_progress_fn progress; /* or NULL */
    void *arg;
    vox_data_build_result *result; /* or NULL */
} vox_data_build_cfg;

/**
 * Index, fingerprint, plan, preprocess.
 *
 * Scans that were added or taken away since the last build make a new index, plan and
 * split; images that did not change are not preprocessed again. Scans inside `dir` are not
 * seen.
 *
 * @return VOX_OK, also when some images were left out (warned about); VOX_E_MISSING: no
 * such folder, or no image in it; VOX_E_FORMAT: not one image is usable; VOX_E_IO;
 * VOX_E_STOP
 */
int vox_data_build(const vox_data_build_cfg *cfg);

#endif
