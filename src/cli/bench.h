/* bench: measurements of `voxmind bench`, each one JSON line on stdout per result. */
#ifndef VOX_CLI_BENCH_H
#define VOX_CLI_BENCH_H

#include "cli/cmd.h"
#include "train/engine.h"
#include "train/run.h"

typedef struct vox_bench_cfg {
    vox_run_args run; /* first: its rows are vox_run_opts */
    int repeat, profile;
} vox_bench_cfg;

/** What this CPU can do at most: multiply-adds on one and on all threads, memory. */
int vox_bench_peak(const vox_bench_cfg *cfg, const vox_common *common, int argc,
                   char **argv);

/**
 * Training steps of a run (forward, backward, clipping, update) on random weights and a
 * random sample, the loader left out.
 *
 * The share of peak is that of the measured multiply-add peak, the larger of one taken
 * before and one after the steps, in the same process.
 */
int vox_bench_step(const vox_bench_cfg *cfg, const vox_common *common, int argc,
                   char **argv);

/**
 * Calls of ops by themselves, pass by pass: every distinct problem of a net's training
 * graph where a net is named, else the problems of the ops' own tables; only those of op
 * argv[0] if there is one, only the texts argv[1..] if there are any.
 */
int vox_bench_ops(const vox_bench_cfg *cfg, const vox_common *common, int argc,
                  char **argv);

/**
 * Samples of a dataset, argv[0], in configuration argv[1], as a run would load them to
 * train on: how many per second, and what of the threads' time is reading and preparing.
 */
int vox_bench_loader(const vox_bench_cfg *cfg, const vox_common *common, int argc,
                     char **argv);

/**
 * Preprocessing of the images argv[..] to 1 mm, step by step on one thread, in CPU time;
 * writing and reading crops with both codecs, in a folder below TMPDIR that goes away.
 */
int vox_bench_preprocess(const vox_bench_cfg *cfg, const vox_common *common, int argc,
                         char **argv);

/* ---- what they share: bench_run.c ---- */

/** A run as pretrain would set it up. */
typedef struct vox_bench_run {
    vox_run run;
    vox_device *dev;
    vox_engine engine; /* after vox_bench_run_plan */
} vox_bench_run;

/** The run and its device, into a zeroed struct; close it after a failure too. */
int vox_bench_run_open(vox_bench_run *b, const vox_bench_cfg *cfg,
                       const vox_common *common);

/**
 * Its plans; no memory of tensors yet.
 *
 * @param whole  a whole step will be run: VOX_E_NOMEM where none fits. Otherwise the plans
 *               are then those of single samples
 */
int vox_bench_run_plan(vox_bench_run *b, int whole);

void vox_bench_run_close(vox_bench_run *b);

/** Measure the multiply-add peak of a device's path; *peak becomes it if it was smaller. */
void vox_bench_peak_again(double *peak, const vox_device *dev);

/** Sorts `v`: v[0] is then the smallest. */
double vox_bench_median(double *v, int n);

#endif
