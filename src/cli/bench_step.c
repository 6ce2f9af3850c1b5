/* bench step: a run's step without its loader, timed. */
#include <json-c/json_object.h>
#include <stdlib.h>

#include "backend/cpu/peak.h"
#include "base/clock.h"
#include "base/host.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/bench.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "train/engine.h"

/* Everything a step needs. */
typedef struct bench {
    vox_run run;
    vox_device *dev;
    vox_engine engine;
    vox_optim *optim;
    vox_batch batch;
    double peak;
    double *ms; /* one per repetition */
} bench;

static void release(bench *b)
{
    vox_free(b->ms);
    vox_batch_release(&b->batch);
    vox_optim_free(b->optim);
    vox_engine_close(&b->engine);
    vox_device_close(b->dev);
    vox_run_release(&b->run);
}

/* ---- setting up ---- */

static int open_engine(bench *b, const vox_optim_cfg *optim)
{
    const vox_recipe *r = &b->run.recipe;
    vox_engine_cfg cfg = {.setup = &b->run.setup,
                          .batch = r->batch,
                          .micro = b->run.micro,
                          .recompute = b->run.recompute};

    for (int i = 0; i < 3; i++)
        cfg.patch[i] = r->patch.v[i];
    if (cfg.micro == 0)
        VOX_TRY(vox_engine_fit(&cfg.micro, &cfg, b->dev, vox_host_memory(),
                               vox_optim_moments(optim->kind)));
    VOX_TRY(vox_engine_open(&b->engine, &cfg, b->dev));
    return vox_engine_start(&b->engine, (uint64_t)b->run.seed);
}

/* A sample of white noise. */
static int draw_sample(vox_sample *out, const vox_pretext *p, vox_rng rng)
{
    const vox_shape extent = p->method->extent ? p->method->extent(p) : p->patch;
    const int64_t n = vox_shape_count(extent);
    float *noise = vox_alloc((size_t)n, sizeof *noise);
    vox_cases cases = {.count = p->method->cases_per_sample};
    int rc;

    if (!noise)
        return VOX_E_NOMEM;
    for (int64_t i = 0; i < n; i++)
        noise[i] = (float)vox_rng_normal(&rng);
    for (int i = 0; i < cases.count; i++)
        cases.item[i] = (vox_case){
            .id = "noise", .image = noise, .shape = extent, .spacing = {1, 1, 1}
        };
    rc = p->method->prepare(out, &cases, p, vox_rng_stream(rng, VOX_STREAM("prepare"), 0));
    vox_free(noise);
    return rc;
}

static int fill_batch(bench *b)
{
    const vox_pretext p = vox_setup_pretext(&b->run.setup, VOX_TRAINING,
                                            b->engine.cfg.patch, b->engine.cfg.micro);
    const uint32_t stream = VOX_STREAM("bench");
    vox_sample sample = VOX_SAMPLE_INIT;
    int rc = vox_batch_init(&b->batch, b->engine.cfg.batch);

    for (int64_t i = 0; i < b->engine.cfg.batch && rc == VOX_OK; i++) {
        vox_sample_clear(&sample);
        rc = draw_sample(&sample, &p,
                         vox_rng_at((uint64_t)b->run.seed, stream, (uint64_t)i));
        if (rc == VOX_OK)
            rc = vox_batch_put(&b->batch, i, &sample,
                               p.method->weight ? p.method->weight(&sample, &p) : 1);
    }
    vox_sample_release(&sample);
    return rc;
}

static int set_up(bench *b, const vox_bench_cfg *cfg, const vox_common *common)
{
    vox_optim_cfg optim;
    vox_device_cfg dev;

    VOX_TRY(vox_run_resolve(&b->run, &cfg->run, common->threads, NULL));
    VOX_TRY(vox_recipe_optim(&optim, &b->run.recipe));
    dev = vox_run_device(&b->run);
    VOX_TRY(vox_device_open(&b->dev, &dev));
    VOX_TRY(open_engine(b, &optim));
    VOX_TRY(vox_optim_new(&b->optim, b->engine.params, &optim));
    VOX_TRY(fill_batch(b));
    b->ms = vox_alloc((size_t)cfg->repeat, sizeof *b->ms);
    return b->ms ? VOX_OK : VOX_E_NOMEM;
}

/* ---- measuring ---- */

static int step(bench *b, double *ms)
{
    const double start = vox_clock();
    double loss;

    VOX_TRY(vox_engine_gradient(&b->engine, &b->batch, &loss));
    VOX_TRY(vox_optim_step(b->optim, b->run.recipe.lr, NULL));
    vox_device_sync(b->dev);
    *ms = 1e3 * (vox_clock() - start);
    vox_log(VOX_DEBUG, "bench", "%.1f ms, loss %.6f", *ms, loss);
    return VOX_OK;
}

/* The larger of the peak so far and the peak now. */
static void measure_peak(bench *b)
{
    const int plain = b->dev->path[0] == 'r'; /* the reference path has no vectors */
    const double now = vox_cpu_peak_gflops(plain ? "plain" : b->dev->path, b->run.threads);

    b->peak = now > b->peak ? now : b->peak;
}

/* The first step, which touches the memory and packs, is not counted. */
static int measure(bench *b, const vox_bench_cfg *cfg, int quiet)
{
    vox_plan *plan = vox_engine_plan(&b->engine);
    vox_progress_line line;
    double ms;
    int rc;

    measure_peak(b);
    vox_progress_line_init(&line, quiet);
    rc = step(b, &ms);
    vox_plan_profile(plan, cfg->profile);
    for (int i = 0; i < cfg->repeat && rc == VOX_OK; i++) {
        rc = step(b, &b->ms[i]);
        vox_progress_line_show(&line, "steps", i + 1, cfg->repeat);
    }
    vox_progress_line_end(&line);
    measure_peak(b);
    if (rc == VOX_OK && cfg->profile)
        vox_plan_print_profile(plan, stderr);
    return rc;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int tell(const bench *b, int repeat)
{
    const double median = (b->ms[(repeat - 1) / 2] + b->ms[repeat / 2]) / 2;
    const double gflop = 1e-9 * vox_engine_flops(&b->engine);
    json_object *o = json_object_new_object();

    vox_report_text(o, "bench", "step");
    vox_report_text(o, "method", b->run.recipe.method);
    vox_report_text(o, "net", b->run.recipe.net);
    vox_report_ints(o, "patch", b->engine.cfg.patch, 3);
    vox_report_int(o, "batch", b->engine.cfg.batch);
    vox_report_int(o, "threads", b->run.threads);
    vox_report_text(o, "cpu", b->dev->path);
    vox_report_round(o, "ms_median", median, 3);
    vox_report_round(o, "ms_min", b->ms[0], 3);
    vox_report_round(o, "gflop", gflop, 3);
    vox_report_round(o, "peak_gflops", b->peak, 1);
    vox_report_round(o, "share_of_peak", gflop / (1e-3 * median) / b->peak, 4);
    vox_report_round(o, "rss_mib", (double)vox_host_peak() / (1 << 20), 1);
    return vox_report_json(o);
}

int vox_bench_step(const vox_bench_cfg *cfg, const vox_common *common)
{
    bench b = {0};
    int rc = set_up(&b, cfg, common);

    if (rc == VOX_OK)
        rc = measure(&b, cfg, common->quiet);
    if (rc == VOX_OK) {
        qsort(b.ms, (size_t)cfg->repeat, sizeof *b.ms, compare);
        rc = tell(&b, cfg->repeat);
    }
    release(&b);
    return rc;
}
