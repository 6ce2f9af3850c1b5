/* voxmind plan: from a fingerprint, how images are to be preprocessed. */
#include "cli/cmd.h"
#include "cli/steps.h"

typedef struct plan_cfg {
    vox_strs d;
    char *pl, *plans_name;
} plan_cfg;

static const vox_opt opts[] = {
    VOX_OPT_AS("-d", plan_cfg, d, WORDS, 0, 0, 0, NULL, "datasets: numbers or names"),
    VOX_OPT_AS("-pl", plan_cfg, pl, STR, 0, 0, 0, "ExperimentPlanner", "planner"),
    VOX_OPT_AS("-plans_name", plan_cfg, plans_name, STR, 0, 0, 0, "nnsslPlans",
               "name of the plan"),
    VOX_OPT_END,
};

static int run(const void *c, const vox_common *common, int argc, char **argv)
{
    const plan_cfg *cfg = c;
    vox_strs datasets = {0};
    int rc = vox_steps_planner(cfg->pl);

    if (rc == VOX_OK)
        rc = vox_steps_datasets(&datasets, &cfg->d, argc, argv);
    for (int64_t i = 0; i < datasets.count && rc == VOX_OK; i++)
        rc = vox_steps_plan(datasets.v[i], cfg->plans_name, common);
    vox_strs_release(&datasets);
    return rc;
}

const vox_cmd vox_cmd_plan = {
    .name = "plan",
    .group = "data",
    .summary = "choose spacing and order of axes from the fingerprint",
    .usage = "voxmind plan -d <dataset>... [-pl ExperimentPlanner] [-plans_name NAME]",
    .peer = "nnssl_plan_experiment",
    .cfg_size = sizeof(plan_cfg),
    .opts = opts,
    .run = run,
};
