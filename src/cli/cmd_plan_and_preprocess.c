/* voxmind plan-and-preprocess: fingerprint, plan and preprocess, one after the other. */
#include "cli/cmd.h"
#include "cli/steps.h"

typedef struct all_cfg {
    vox_strs d, c, np;
    char *pl;
    int npfp, no_pp, clean;
} all_cfg;

static const vox_opt opts[] = {
    VOX_OPT_AS("-d", all_cfg, d, WORDS, 0, 0, 0, NULL, "datasets: numbers or names"),
    VOX_OPT_AS("-c", all_cfg, c, WORDS, 0, 0, 0, NULL,
               "configurations: onemmiso (default), median, noresample"),
    VOX_OPT_AS("-npfp", all_cfg, npfp, INT, 0, 1, 1024, NULL,
               "threads that read headers (default: nnUNet_def_n_proc or allowed cores)"),
    VOX_OPT_AS("-np", all_cfg, np, WORDS, 0, 0, 0, NULL,
               "images at a time, one number or one per configuration (default: "
               "nnUNet_def_n_proc or allowed cores)"),
    VOX_OPT_AS("-no_pp", all_cfg, no_pp, BOOL, 0, 0, 1, NULL, "stop after planning"),
    VOX_OPT_BOOL(all_cfg, clean, 0, "make the fingerprint anew where it exists"),
    VOX_OPT_AS("-pl", all_cfg, pl, STR, 0, 0, 0, "ExperimentPlanner", "planner"),
    VOX_OPT_END,
};

static int all_steps(const char *dataset, const all_cfg *cfg,
                     const vox_steps_preprocessing *p, const vox_common *common)
{
    const int workers = vox_steps_workers(cfg->npfp, common);

    VOX_TRY(vox_steps_fingerprint(dataset, workers, cfg->clean, common));
    VOX_TRY(vox_steps_plan(dataset, p->plans, common));
    return cfg->no_pp ? VOX_OK : vox_steps_preprocess(dataset, p, common);
}

static int run(const void *c, const vox_common *common, int argc, char **argv)
{
    const all_cfg *cfg = c;
    const vox_steps_preprocessing p = {
        .plans = "nnsslPlans", .configurations = &cfg->c, .np = &cfg->np, .parts = 1};
    vox_strs datasets = {0};
    int rc = vox_steps_check(&p);

    if (rc == VOX_OK)
        rc = vox_steps_planner(cfg->pl);
    if (rc == VOX_OK)
        rc = vox_steps_datasets(&datasets, &cfg->d, argc, argv);
    for (int64_t i = 0; i < datasets.count && rc == VOX_OK; i++)
        rc = all_steps(datasets.v[i], cfg, &p, common);
    vox_strs_release(&datasets);
    return rc;
}

const vox_cmd vox_cmd_plan_and_preprocess = {
    .name = "plan-and-preprocess",
    .group = "data",
    .summary = "fingerprint, plan and preprocess, one after the other",
    .usage = "voxmind plan-and-preprocess -d <dataset>... [-c <configuration>...] "
             "[-np N...] [--no-pp]",
    .peer = "nnssl_plan_and_preprocess",
    .cfg_size = sizeof(all_cfg),
    .opts = opts,
    .run = run,
};
