/*
 * run: what a run is told, resolved.
 *
 * Defaults < recipe < environment < flags. A run that continues starts from what its
 * checkpoint holds instead of a recipe, and a flag may only repeat it, except for the
 * number of epochs, the micro-batch (which changes rounding only) and what changes no
 * result (what is recomputed, threads, workers, how often to save).
 */
#ifndef VOX_TRAIN_RUN_H
#define VOX_TRAIN_RUN_H

#include "train/recipe.h"

struct json_object;

/** The options of `pretrain` as typed; a number below its range, or NULL: not given. */
typedef struct vox_run_args {
    char *trainer, *recipe, *method, *net, *out;
    vox_ints patch;
    int batch, epochs, steps, val_steps, micro_batch;
    double lr, wd;
    char *optimizer;
    int warmup;
    int64_t seed;
    char *device, *precision;
    int workers;
    char *recompute;
    int checkpoint_every;
    double checkpoint_minutes;
    int resume, fresh;
    vox_strs set;
    char *compat, *plans;
    int num_gpus, npz, val, val_best, disable_checkpointing;
    char *pretrained_weights;
} vox_run_args;

/** Rows of vox_run_args, shared by pretrain, estimate and bench step. */
extern const vox_opt vox_run_opts[];

/** A resolved run. */
typedef struct vox_run {
    /* what is computed: equal on resume */
    vox_recipe recipe;
    vox_setup setup;
    int64_t seed;
    int compat;          /* the peer's quirks, all of them */
    vox_dtype precision; /* of activations in memory: VOX_F32, VOX_BF16 */
    /* how: free to change, but kept on resume where nothing else is said */
    int64_t micro;   /* 0: to be chosen by the memory. Another one rounds differently */
    char *recompute; /* as vox_plan_cfg's: changes no result */
    /* how: what the machine is like today */
    char *device;
    int threads, workers;
    int checkpoint_every;           /* epochs; 0: only by the clock */
    int every_given, minutes_given; /* the user's numbers: to be kept */
    double checkpoint_minutes;
    int checkpointing;
} vox_run;

#define VOX_RUN_INIT \
    {                \
        0            \
    }

/**
 * Resolve a run.
 *
 * @param[out] out    an _INIT value, owned by the caller (vox_run_release); stays one on
 * failure
 * @param      args   as typed
 * @param      threads  of --threads; 0: all allowed cores
 * @param      stored what vox_run_json gave when the run began (from its checkpoint), or
 * NULL
 * @return VOX_OK; VOX_E_USAGE with the option, found and wanted; VOX_E_NOMEM; errors of
 * --recipe
 *
 * Source  cli.md `voxmind pretrain`.  Tests  tests/unit/test_run.c
 */
int vox_run_resolve(vox_run *out, const vox_run_args *args, int threads,
                    struct json_object *stored);

void vox_run_release(vox_run *r);

/** The device the run computes on. */
vox_device_cfg vox_run_device(const vox_run *r);

/** The run as JSON, a new object: config.json, and the options stored with checkpoints. */
struct json_object *vox_run_json(const vox_run *r);

/** "<trainer>__<plans>__<configuration>", caller frees. */
char *vox_run_name(const vox_run *r, const char *plans, const char *configuration);

#endif
