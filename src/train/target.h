/*
 * target: what the user points a run at: a dataset below the nnssl_* roots, or any folder
 * of scans; and where its run folder is.
 */
#ifndef VOX_TRAIN_TARGET_H
#define VOX_TRAIN_TARGET_H

#include "base/buf.h"

struct json_object;

typedef struct vox_target {
    char *scans;   /* folder of scans, NULL for a dataset */
    char *dataset; /* "Dataset005_X", NULL for a folder */
    char *plans, *configuration;
    char *dir;       /* preprocessed data; for a folder set by vox_target_place */
    char *run, *top; /* run folder, folder of plans.json; set by vox_target_place */
    struct json_object *plan; /* content of the plans file; set by vox_target_read_plan */
} vox_target;

#define VOX_TARGET_INIT \
    {                   \
        0               \
    }

/**
 * Find what is meant.
 *
 * @param[out] out   an _INIT value, owned by the caller; stays one on failure
 * @param      data  id, name or folder; NULL: the only dataset preprocessed for these plans
 * @param      configuration  NULL: the only one preprocessed; onemmiso for a folder
 * @param      plans "nnsslPlans"
 * @return VOX_OK; VOX_E_MISSING: not there, or not preprocessed, naming the command that
 * does it; VOX_E_USAGE: several could be meant (they are listed), unknown configuration
 */
int vox_target_find(vox_target *out, const char *data, const char *configuration,
                    const char *plans);

/**
 * Where the run goes: `out` if given, else $nnssl_results/<dataset>/<name>/fold_all, or
 * ./voxmind_run for a folder of scans.
 *
 * @param name  vox_run_name()
 * @return VOX_OK; VOX_E_MISSING: nnssl_results is not set; VOX_E_NOMEM
 */
int vox_target_place(vox_target *t, const char *out, const char *name);

/** Read the plans file of t->dir. @return VOX_OK; VOX_E_MISSING, VOX_E_FORMAT, VOX_E_IO */
int vox_target_read_plan(vox_target *t);

void vox_target_release(vox_target *t);

#endif
