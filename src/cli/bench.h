/* bench: measurements of `voxmind bench`, each one JSON line on stdout per result. */
#ifndef VOX_CLI_BENCH_H
#define VOX_CLI_BENCH_H

#include "cli/cmd.h"
#include "train/run.h"

typedef struct vox_bench_cfg {
    vox_run_args run; /* first: its rows are vox_run_opts */
    int repeat, profile;
} vox_bench_cfg;

/** What this CPU can do at most: multiply-adds on one and on all threads, memory. */
int vox_bench_peak(const vox_bench_cfg *cfg, const vox_common *common);

/**
 * Training steps of a run (forward, backward, clipping, update) on random weights and a
 * random sample, the loader left out.
 *
 * The share of peak is that of the measured multiply-add peak, the larger of one taken
 * before and one after the steps, in the same process.
 */
int vox_bench_step(const vox_bench_cfg *cfg, const vox_common *common);

#endif
