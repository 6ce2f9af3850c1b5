/* voxmind synth: made-up head scans, for tests and trials without data. */
#include <json-c/json_object.h>
#include <stdio.h>

#include "base/stop.h"
#include "cli/cmd.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/steps.h"
#include "data/synth.h"

typedef struct synth_cfg {
    char *out;
    int64_t count, seed;
    double size;
} synth_cfg;

static const vox_opt opts[] = {
    VOX_OPT_AS("-o", synth_cfg, out, STR, 0, 0, 0, NULL, "folder to write into"),
    VOX_OPT_I64(synth_cfg, count, 4, 1, 1000000, "scans"),
    VOX_OPT_I64(synth_cfg, seed, 1, 0, 9e15, "everything follows from it"),
    VOX_OPT_F64(synth_cfg, size, 1, 0.05, 4, "extent relative to a head of 180 mm"),
    VOX_OPT_END,
};

static int tell(const synth_cfg *cfg, int json)
{
    if (json) {
        json_object *o = json_object_new_object();

        vox_report_text(o, "folder", cfg->out);
        vox_report_int(o, "count", cfg->count);
        vox_report_int(o, "seed", cfg->seed);
        return vox_report_json(o);
    }
    printf("%lld scans of seed %lld written to %s\n", (long long)cfg->count,
           (long long)cfg->seed, cfg->out);
    return VOX_OK;
}

static int run(const void *c, const vox_common *common, int argc, char **argv)
{
    const synth_cfg *cfg = c;
    vox_progress_line line;
    const vox_synth_cfg how = {.count = cfg->count,
                               .seed = (uint64_t)cfg->seed,
                               .size = cfg->size,
                               .threads = vox_steps_workers(0, common),
                               .progress = vox_progress_line_show,
                               .arg = &line};
    int rc;

    if (argc)
        return vox_fail(VOX_E_USAGE,
                        "synth takes no word, found \"%s\"; --out names the "
                        "folder",
                        argv[0]);
    if (!cfg->out)
        return vox_fail(VOX_E_USAGE, "synth needs --out and a folder");
    vox_stop_install();
    vox_progress_line_init(&line, common->quiet);
    rc = vox_synth(cfg->out, &how);
    vox_progress_line_end(&line);
    return rc == VOX_OK ? tell(cfg, common->json) : rc;
}

const vox_cmd vox_cmd_synth = {
    .name = "synth",
    .group = "data",
    .summary = "made-up head scans, for tests and trials",
    .usage = "voxmind synth --out DIR [--count N] [--seed S] [--size X]",
    .cfg_size = sizeof(synth_cfg),
    .opts = opts,
    .run = run,
};
