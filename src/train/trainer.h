/*
 * trainer: everything a run holds while it goes, put together once; loop.c runs it.
 */
#ifndef VOX_TRAIN_TRAINER_H
#define VOX_TRAIN_TRAINER_H

#include "train/bar.h"
#include "train/engine.h"
#include "train/estimate.h"
#include "train/feed.h"
#include "train/metrics.h"
#include "train/peer_log.h"
#include "train/run.h"
#include "train/saver.h"

struct json_object;

/** Where a run's data come from, and what was planned for them. Borrowed. */
typedef struct vox_run_data {
    const char *dir;   /* folder of plans, pretrain_data__<configuration>.json, splits */
    const char *plans; /* "nnsslPlans" */
    const char *configuration; /* "onemmiso" */
    struct json_object *plan;  /* content of the plans file */
} vox_run_data;

typedef struct vox_trainer {
    vox_run *run;
    const vox_run_data *data;
    const vox_folder *folder;
    vox_device *dev;
    vox_engine engine;
    vox_estimate estimate; /* made before the engine took its memory; zero when quiet */
    vox_optim *optim;
    vox_schedule schedule;
    vox_progress at;
    vox_dataset *train, *val;
    vox_feed_cfg feed_cfg; /* of training */
    vox_feed feed;
    vox_metrics metrics;
    vox_peer_log log;
    vox_bar bar;
    vox_saver saver;
    vox_saving saving;
    double zero, mean; /* of the last validation: loss over the baselines' */
    int is_best;       /* the epoch done last had the lowest validation loss */
    struct json_object *settings, *plan, *adaptation;
} vox_trainer;

/**
 * Put a run together: device, plans of memory, parameters, data, files of the run folder.
 *
 * @param[out] t     filled; must not move while it is open. Released by vox_trainer_close,
 * after a failure too
 * @param      run   resolved; its micro-batch is chosen here when it is 0. Kept
 * @param      data, folder  kept
 * @param      saved NULL, or the checkpoint to continue from (only read here)
 * @param      weights  NULL, or a checkpoint whose weights the run starts from
 * @param      quiet no progress on stderr, no estimate
 * @return VOX_OK; VOX_E_USAGE, VOX_E_ARG: what cannot be trained; VOX_E_NOMEM, VOX_E_IO,
 * ...
 */
int vox_trainer_open(vox_trainer *t, vox_run *run, const vox_run_data *data,
                     const vox_folder *folder, const vox_saved *saved, const char *weights,
                     int quiet);

/** Train to the end. @return VOX_OK; VOX_E_STOP when a signal made it save and leave;
 * VOX_E_NUMERIC: too many steps without a finite loss; VOX_E_IO: the last checkpoint cannot
 * be written */
int vox_trainer_run(vox_trainer *t);

void vox_trainer_close(vox_trainer *t);

/**
 * Choose the largest micro-batch that fits, or see whether the run's does.
 *
 * @param other  bytes that are needed besides the engine: vox_estimate_besides for a run
 * @return VOX_OK; VOX_E_NOMEM naming what would help; errors of vox_engine_open
 */
int vox_trainer_fit(vox_run *run, vox_device *dev, int64_t other);

/** How fast steps of the run will be, of its engine. @return as vox_pace_measure */
int vox_trainer_pace(vox_pace *out, const vox_run *run, const vox_engine *engine);

/** The engine and the training feed of a run, its micro-batch chosen; no data yet. */
vox_engine_cfg vox_trainer_engine(const vox_run *run);
vox_feed_cfg vox_trainer_feed(const vox_run *run);

/** One side of a run's data: the images its recipe's filters keep. */
int vox_trainer_dataset(vox_dataset **out, const vox_run *run, const vox_run_data *data,
                        vox_split split);

/** Bytes of a checkpoint. */
int64_t vox_trainer_checkpoint_bytes(const vox_trainer *t);

#endif
