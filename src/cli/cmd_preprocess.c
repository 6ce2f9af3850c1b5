/* voxmind preprocess: crop, normalise and resample a dataset into .b2nd files. */
#include "cli/cmd.h"
#include "cli/steps.h"

typedef struct preprocess_cfg {
    vox_strs d, c, np;
    char *plans_name, *part, *memory, *codec;
    int total_parts, level, again, nan_as_zero, dry_run;
} preprocess_cfg;

static const vox_opt opts[] = {
    VOX_OPT_AS("-d", preprocess_cfg, d, WORDS, 0, 0, 0, NULL, "datasets: numbers or names"),
    VOX_OPT_AS("-c", preprocess_cfg, c, WORDS, 0, 0, 0, NULL,
               "configurations: onemmiso (default), median, noresample"),
    VOX_OPT_AS("-plans_name", preprocess_cfg, plans_name, STR, 0, 0, 0, "nnsslPlans",
               "name of the plan"),
    VOX_OPT_AS("-part", preprocess_cfg, part, STR, 0, 0, 0, "0",
               "which part of the images, from 0; 2/5 is part 2 of 5"),
    VOX_OPT_AS("-total_parts", preprocess_cfg, total_parts, INT, 1, 1, 1000000, NULL,
               "parts the images are cut into"),
    VOX_OPT_AS("-np", preprocess_cfg, np, WORDS, 0, 0, 0, NULL,
               "images at a time, one number or one per configuration (default: "
               "nnUNet_def_n_proc or allowed cores)"),
    VOX_OPT_STR(preprocess_cfg, memory, NULL,
                "memory to use at most, as 800M or 16G (default: most of what is free)"),
    VOX_OPT_STR(preprocess_cfg, codec, "zstd",
                "compression: zstd, or lz4 (read 2-3 times faster, files 1.2-1.4 times "
                "larger)"),
    VOX_OPT_INT(preprocess_cfg, level, 0, 0, 9,
                "compression level; 0: the codec's own, 1 for zstd, 5 for lz4"),
    VOX_OPT_BOOL(preprocess_cfg, dry_run, 0,
                 "tell shapes, memory, disk and time from the headers, write nothing"),
    VOX_OPT_BOOL(preprocess_cfg, again, 0, "make images again that are finished"),
    VOX_OPT_BOOL(preprocess_cfg, nan_as_zero, 0,
                 "take voxels that are no numbers as 0 instead of refusing the image"),
    VOX_OPT_END,
};

static int run(const void *c, const vox_common *common, int argc, char **argv)
{
    const preprocess_cfg *cfg = c;
    vox_steps_preprocessing p = {.plans = cfg->plans_name,
                                 .configurations = &cfg->c,
                                 .np = &cfg->np,
                                 .store.level = cfg->level,
                                 .again = cfg->again,
                                 .nan_as_zero = cfg->nan_as_zero,
                                 .dry_run = cfg->dry_run};
    vox_strs datasets = {0};
    int rc = vox_steps_part(&p, cfg->part, cfg->total_parts);

    if (rc == VOX_OK)
        rc = vox_steps_memory(&p.memory, cfg->memory);
    if (rc == VOX_OK && vox_codec_find(&p.store.codec, cfg->codec) != VOX_OK)
        rc = VOX_E_USAGE;
    if (rc == VOX_OK)
        rc = vox_steps_check(&p);
    if (rc == VOX_OK)
        rc = vox_steps_datasets(&datasets, &cfg->d, argc, argv);
    for (int64_t i = 0; i < datasets.count && rc == VOX_OK; i++)
        rc = vox_steps_preprocess(datasets.v[i], &p, common);
    vox_strs_release(&datasets);
    return rc;
}

const vox_cmd vox_cmd_preprocess = {
    .name = "preprocess",
    .group = "data",
    .summary = "crop, normalise and resample a dataset into compressed blocks, .b2nd",
    .usage = "voxmind preprocess -d <dataset>... [-c <configuration>...] [-np N...] "
             "[-part I -total_parts N] [--dry-run]",
    .peer = "nnssl_preprocess",
    .cfg_size = sizeof(preprocess_cfg),
    .opts = opts,
    .run = run,
};
