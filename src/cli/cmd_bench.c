/* voxmind bench: how fast this machine is, and what of it a training step uses. */
#include <json-c/json_object.h>
#include <string.h>

#include "backend/cpu/peak.h"
#include "base/cpu.h"
#include "base/version.h"
#include "cli/bench.h"
#include "cli/report.h"
#include "graph/device.h"

static const vox_opt opts[] = {
    VOX_OPT_INT(vox_bench_cfg, repeat, 5, 1, 1000000,
                "measurements of which the median is told"),
    VOX_OPT_BOOL(vox_bench_cfg, profile, 0,
                 "a table of times per op and kernel, on stderr"),
    VOX_OPT_END,
};

int vox_bench_peak(const vox_bench_cfg *cfg, const vox_common *common, int argc,
                   char **argv)
{
    const int threads = common->threads > 0 ? common->threads : vox_cpu_cores();
    const vox_cpu_path *path;
    json_object *o;
    char model[128];

    (void)cfg;
    if (argc)
        return vox_fail(VOX_E_USAGE, "bench peak takes no words, found \"%s\"", argv[0]);
    VOX_TRY(vox_cpu_path_find(&path, NULL));
    o = json_object_new_object();
    vox_report_text(o, "bench", "peak");
    vox_report_text(o, "machine", vox_cpu_model(model));
    vox_report_text(o, "commit", vox_commit());
    vox_report_text(o, "cpu", path->name);
    vox_report_int(o, "threads", threads);
    vox_report_round(o, "gflops_one", vox_cpu_peak_gflops(NULL, 1), 1);
    vox_report_round(o, "gflops_all", vox_cpu_peak_gflops(NULL, threads), 1);
    vox_report_round(o, "gbytes_one", vox_cpu_peak_bandwidth(1), 1);
    vox_report_round(o, "gbytes_all", vox_cpu_peak_bandwidth(threads), 1);
    return vox_report_json(o);
}

static const struct {
    const char *name;
    int (*run)(const vox_bench_cfg *cfg, const vox_common *common, int argc, char **argv);
} benches[] = {
    {"peak",       vox_bench_peak      },
    {"step",       vox_bench_step      },
    {"ops",        vox_bench_ops       },
    {"loader",     vox_bench_loader    },
    {"preprocess", vox_bench_preprocess},
};

static const char *bench_name(int i, void *arg)
{
    (void)arg;
    return i < VOX_COUNT(benches) ? benches[i].name : NULL;
}

static int run(const void *cfg, const vox_common *common, int argc, char **argv)
{
    const char *word = argc ? argv[0] : "peak", *near;

    argc -= argc > 0;
    for (int i = 0; i < VOX_COUNT(benches); i++) {
        if (strcmp(benches[i].name, word) == 0)
            return benches[i].run(cfg, common, argc, argv + 1);
    }
    near = vox_suggest(word, bench_name, NULL);
    return near ? vox_fail(VOX_E_USAGE, "no bench is called \"%s\", did you mean \"%s\"?",
                           word, near)
                : vox_fail(VOX_E_USAGE,
                           "no bench is called \"%s\", wanted peak, step, ops, loader or "
                           "preprocess",
                           word);
}

const vox_cmd vox_cmd_bench = {
    .name = "bench",
    .group = "look",
    .summary =
        "measure this machine, a training step, ops, loading, preprocessing: one JSON "
        "line per result",
    .usage =
        "voxmind bench peak | step [options of pretrain] [--repeat R] [--profile]\n"
        "       voxmind bench ops [op [problem]...] [options of pretrain] [--repeat R]\n"
        "       voxmind bench loader <data> [configuration] [options of pretrain] "
        "[--repeat R]\n"
        "       voxmind bench preprocess <image>... [--repeat R]",
    .cfg_size = sizeof(vox_bench_cfg),
    .opts = opts,
    .shared = vox_run_opts,
    .run = run,
    .words = "peak step ops loader preprocess",
};
