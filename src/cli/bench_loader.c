/* bench loader: a run's samples without its steps, timed. */
#include <json-c/json_object.h>

#include "base/clock.h"
#include "base/host.h"
#include "cli/bench.h"
#include "cli/report.h"
#include "train/target.h"
#include "train/trainer.h"

enum { SAMPLES = 16 /* per repetition */ };

typedef struct bench {
    vox_run run;
    vox_target target;
    vox_dataset *data;
    vox_feed feed;
    double seconds;
} bench;

static void release(bench *b)
{
    vox_feed_close(&b->feed);
    vox_dataset_close(b->data);
    vox_target_release(&b->target);
    vox_run_release(&b->run);
}

/* What is to be loaded must be preprocessed: that is another measurement. */
static int find_data(bench *b, const char *plans, int argc, char **argv)
{
    if (argc > 2)
        return vox_fail(VOX_E_USAGE,
                        "\"%s\" is one word too many: bench loader <data> [configuration]",
                        argv[2]);
    VOX_TRY(vox_target_find(&b->target, argc > 0 ? argv[0] : NULL,
                            argc > 1 ? argv[1] : NULL, plans));
    if (b->target.scans)
        return vox_fail(VOX_E_USAGE,
                        "%s: is a folder of scans, wanted a preprocessed dataset",
                        b->target.scans);
    return VOX_OK;
}

/* One sample per step: what is measured does not depend on the batch. The first samples,
 * which make room, are not counted. */
static int measure(bench *b, int64_t samples)
{
    const vox_run_data data = {
        .dir = b->target.dir,
        .plans = b->target.plans,
        .configuration = b->target.configuration,
    };
    vox_feed_cfg cfg = vox_trainer_feed(&b->run);
    const int64_t first = 2 * (int64_t)cfg.workers;
    double start = 0;

    VOX_TRY(vox_trainer_dataset(&b->data, &b->run, &data, VOX_SPLIT_TRAIN));
    cfg.data = b->data;
    cfg.batch = 1;
    cfg.steps = first + samples;
    VOX_TRY(vox_feed_open(&b->feed, &cfg));
    for (int64_t i = 0; i < cfg.steps; i++) {
        if (i == first)
            start = vox_clock();
        VOX_TRY(vox_feed_next(&b->feed, NULL));
    }
    b->seconds = vox_clock() - start;
    return VOX_OK;
}

static int tell(const bench *b, int64_t samples)
{
    const vox_recipe *r = &b->run.recipe;
    const int64_t patch[3] = {r->patch.v[0], r->patch.v[1], r->patch.v[2]};
    const vox_shape crop = vox_feed_extent(&b->feed);
    const double all = (double)(samples + 2 * (int64_t)b->run.workers);
    double reading, preparing;
    json_object *o = json_object_new_object();

    vox_loader_spent(b->feed.loader, &reading, &preparing);
    vox_report_text(o, "bench", "loader");
    vox_report_text(o, "method", r->method);
    vox_report_ints(o, "patch", patch, 3);
    vox_report_ints(o, "crop", crop.n + 1, 3);
    vox_report_int(o, "workers", b->run.workers);
    vox_report_int(o, "images", vox_dataset_count(b->data));
    vox_report_int(o, "bad", vox_loader_bad(b->feed.loader));
    vox_report_int(o, "samples", samples);
    vox_report_round(o, "samples_per_s", (double)samples / b->seconds, 2);
    vox_report_round(o, "ms_read", 1e3 * reading / all, 3);
    vox_report_round(o, "ms_prepare", 1e3 * preparing / all, 3);
    vox_report_round(o, "rss_mib", (double)vox_host_peak() / (1 << 20), 1);
    return vox_report_json(o);
}

int vox_bench_loader(const vox_bench_cfg *cfg, const vox_common *common, int argc,
                     char **argv)
{
    const int64_t samples = (int64_t)cfg->repeat * SAMPLES;
    bench b = {0};
    int rc = vox_run_resolve(&b.run, &cfg->run, common->threads, NULL);

    if (rc == VOX_OK)
        rc = find_data(&b, cfg->run.plans, argc, argv);
    if (rc == VOX_OK)
        rc = measure(&b, samples);
    if (rc == VOX_OK)
        rc = tell(&b, samples);
    release(&b);
    return rc;
}
