/*
 * steps: fingerprint, plan and preprocess of one dataset below the roots, each with its
 * progress and its report; what the four commands share.
 */
#ifndef VOX_CLI_STEPS_H
#define VOX_CLI_STEPS_H

#include "base/opt.h"
#include "cli/cmd.h"
#include "data/store.h"

/**
 * The datasets a command is to work on, as names of folders.
 *
 * @param[out] out    appended to
 * @param      given  values of -d; `words` without an option count as well
 * @return VOX_OK; VOX_E_USAGE: none is named; errors of vox_dataset_resolve
 */
int vox_steps_datasets(vox_strs *out, const vox_strs *given, int n_words, char **words);

/** Worker threads: -np (if > 0), else nnUNet_def_n_proc, else --threads, else the allowed
 * cores. */
int vox_steps_workers(int np, const vox_common *common);

/** $nnssl_preprocessed/<dataset>/<name><ending>, appended to `out`. @return VOX_OK;
 * VOX_E_MISSING: the variable is not set */
int vox_steps_path(vox_buf *out, const char *dataset, const char *name, const char *ending);

/**
 * Read every image's header, write dataset_fingerprint.json; one that is there is kept
 * unless `clean`.
 * @return VOX_OK, also when some images were refused
 */
int vox_steps_fingerprint(const char *dataset, int workers, int clean,
                          const vox_common *common);

/** The planner of that name exists? @return VOX_OK; VOX_E_USAGE */
int vox_steps_planner(const char *name);

/** Write <plans>.json from the fingerprint; configurations people added are kept. */
int vox_steps_plan(const char *dataset, const char *plans, const vox_common *common);

/** How images are to be preprocessed. */
typedef struct vox_steps_preprocessing {
    const char *plans;                   /* name of the plan */
    const vox_strs *configurations, *np; /* as typed: -c, -np */
    int part, parts, again, nan_as_zero, dry_run;
    int64_t memory;      /* bytes; 0: what is free */
    vox_store_cfg store; /* codec and level */
} vox_steps_preprocessing;

/** The part that was typed: "2" of `total`, or "2/5". @return VOX_OK; VOX_E_USAGE */
int vox_steps_part(vox_steps_preprocessing *p, const char *part, int total);

/** An amount of memory as typed: "800M", "16G", "16GiB", bytes; NULL: 0. @return VOX_OK;
 * VOX_E_USAGE */
int vox_steps_memory(int64_t *out, const char *text);

/** Does -np hold one number for all configurations, or one each? @return VOX_OK;
 * VOX_E_USAGE */
int vox_steps_check(const vox_steps_preprocessing *p);

/**
 * Preprocess a dataset, one configuration after the other, and tell which images were
 * refused.
 * @return VOX_OK, also when some images were refused; VOX_E_FORMAT when all were;
 * VOX_E_STOP
 */
struct vox_preprocess_cfg;

/** Tell what a run would make and take, image by image and in sum. */
int vox_steps_forecast(const char *dataset, const struct vox_preprocess_cfg *cfg,
                       const vox_common *common);

int vox_steps_preprocess(const char *dataset, const vox_steps_preprocessing *p,
                         const vox_common *common);

#endif
