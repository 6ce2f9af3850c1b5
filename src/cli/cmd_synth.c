/* voxmind synth: made-up head scans, for tests and trials. */
#include <json-c/json_object.h>
#include <stdio.h>

#include "base/cpu.h"
#include "cli/cmd.h"
#include "cli/progress.h"
#include "data/synth.h"

typedef struct synth_cfg {
    char *out;
    int64_t count, seed;
    double size;
} synth_cfg;

static const vox_opt opts[] = {
    VOX_OPT_STR(synth_cfg, out, NULL, "folder to write head001.nii.gz, ... to"),
    VOX_OPT_I64(synth_cfg, count, 4, 1, 1000000, "volumes to make"),
    VOX_OPT_I64(synth_cfg, seed, 1, 0, 2147483647, "what they look like follows from it"),
    VOX_OPT_F64(synth_cfg, size, 1, 0.05, 4, "extent, 1 for a head of life size"),
    VOX_OPT_END,
};

static void print_json(const synth_cfg *cfg)
{
    json_object *o = json_object_new_object();

    json_object_object_add(o, "folder", json_object_new_string(cfg->out));
    json_object_object_add(o, "volumes", json_object_new_int64(cfg->count));
    printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    json_object_put(o);
}

static int run(const void *c, const vox_common *common, int argc, char **argv)
{
    const synth_cfg *cfg = c;
    vox_progress_line line;
    vox_synth_cfg how = {.count = cfg->count,
                         .seed = (uint64_t)cfg->seed,
                         .size = cfg->size,
                         .threads = common->threads ? common->threads : vox_cpu_cores(),
                         .progress = vox_progress_line_show,
                         .arg = &line};
    int rc;

    if (argc > 0)
        return vox_fail(VOX_E_USAGE, "synth does not take \"%s\"; --out names the folder",
                        argv[0]);
    if (!cfg->out)
        return vox_fail(VOX_E_USAGE, "synth needs --out, a folder to write to");
    vox_progress_line_init(&line, common->quiet);
    rc = vox_synth(cfg->out, &how);
    vox_progress_line_end(&line);
    if (rc == VOX_OK && common->json)
        print_json(cfg);
    else if (rc == VOX_OK)
        printf("%lld volumes: %s\n", (long long)cfg->count, cfg->out);
    return rc;
}

const vox_cmd vox_cmd_synth = {
    .name = "synth",
    .group = "data",
    .summary = "made-up volumes for tests and trials",
    .usage = "voxmind synth --out DIR [--count N] [--seed S] [--size F]",
    .cfg_size = sizeof(synth_cfg),
    .opts = opts,
    .run = run,
};
