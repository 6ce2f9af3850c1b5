/* voxmind fingerprint: the spacing of every image of a dataset. */
#include "cli/cmd.h"
#include "cli/steps.h"

typedef struct fingerprint_cfg {
    vox_strs d;
    int np, clean;
} fingerprint_cfg;

static const vox_opt opts[] = {
    VOX_OPT_AS("-d", fingerprint_cfg, d, WORDS, 0, 0, 0, NULL,
               "datasets: numbers or names"),
    VOX_OPT_AS("-np", fingerprint_cfg, np, INT, 0, 1, 1024, NULL,
               "threads that read headers (default: nnUNet_def_n_proc or allowed cores)"),
    VOX_OPT_BOOL(fingerprint_cfg, clean, 0, "make it anew where it exists"),
    VOX_OPT_END,
};

static int run(const void *c, const vox_common *common, int argc, char **argv)
{
    const fingerprint_cfg *cfg = c;
    const int workers = vox_steps_workers(cfg->np, common);
    vox_strs datasets = {0};
    int rc = vox_steps_datasets(&datasets, &cfg->d, argc, argv);

    for (int64_t i = 0; i < datasets.count && rc == VOX_OK; i++)
        rc = vox_steps_fingerprint(datasets.v[i], workers, cfg->clean, common);
    vox_strs_release(&datasets);
    return rc;
}

const vox_cmd vox_cmd_fingerprint = {
    .name = "fingerprint",
    .group = "data",
    .summary = "read the headers of a dataset's images: spacings, and which are unusable",
    .usage = "voxmind fingerprint -d <dataset>... [-np N] [--clean]",
    .peer = "nnssl_extract_fingerprint",
    .cfg_size = sizeof(fingerprint_cfg),
    .opts = opts,
    .run = run,
};
