/* bench step: a run's step without its loader, timed. */
#include <json-c/json_object.h>
#include <math.h>

#include "base/clock.h"
#include "base/host.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/bench.h"
#include "cli/progress.h"
#include "cli/report.h"

/* Everything a step needs. */
typedef struct bench {
    vox_bench_run own;
    vox_optim *optim;
    vox_batch batch;
    double peak;
    double *ms, *update; /* of a step, of its last part; one per repetition */
} bench;

static void release(bench *b)
{
    vox_free(b->ms);
    vox_free(b->update);
    vox_batch_release(&b->batch);
    vox_optim_free(b->optim);
    vox_bench_run_close(&b->own);
}

/* ---- setting up ---- */

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
    const vox_engine_cfg *cfg = &b->own.engine.cfg;
    const vox_pretext p =
        vox_setup_pretext(cfg->setup, VOX_TRAINING, cfg->patch, cfg->micro);
    const uint32_t stream = VOX_STREAM("bench");
    vox_sample sample = VOX_SAMPLE_INIT;
    int rc = vox_batch_init(&b->batch, cfg->batch);

    for (int64_t i = 0; i < cfg->batch && rc == VOX_OK; i++) {
        vox_sample_clear(&sample);
        rc = draw_sample(&sample, &p,
                         vox_rng_at((uint64_t)b->own.run.seed, stream, (uint64_t)i));
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

    VOX_TRY(vox_bench_run_open(&b->own, cfg, common));
    VOX_TRY(vox_bench_run_plan(&b->own, 1));
    VOX_TRY(vox_recipe_optim(&optim, &b->own.run.recipe));
    VOX_TRY(vox_engine_start(&b->own.engine, (uint64_t)b->own.run.seed));
    VOX_TRY(vox_optim_new(&b->optim, b->own.engine.params, &optim));
    VOX_TRY(fill_batch(b));
    b->ms = vox_alloc((size_t)cfg->repeat, sizeof *b->ms);
    b->update = vox_alloc((size_t)cfg->repeat, sizeof *b->update);
    return b->ms && b->update ? VOX_OK : VOX_E_NOMEM;
}

/* ---- measuring ---- */

static int step(bench *b, double *ms, double *update)
{
    const double start = vox_clock();
    double loss, between;

    VOX_TRY(vox_engine_gradient(&b->own.engine, &b->batch, &loss));
    vox_device_sync(b->own.dev);
    between = vox_clock();
    VOX_TRY(vox_optim_step(b->optim, b->own.run.recipe.lr, NULL));
    vox_device_sync(b->own.dev);
    *ms = round(1e6 * (vox_clock() - start)) / 1e3; /* whole microseconds */
    *update = 1e3 * (vox_clock() - between);
    vox_log(VOX_DEBUG, "bench", "%.1f ms, loss %.6f", *ms, loss);
    return VOX_OK;
}

/* The first step, which touches the memory and packs, is not counted. */
static int measure(bench *b, const vox_bench_cfg *cfg, int quiet)
{
    vox_plan *plan = vox_engine_plan(&b->own.engine);
    vox_progress_line line;
    double ms, update;
    int rc;

    vox_bench_peak_again(&b->peak, b->own.dev);
    vox_progress_line_init(&line, quiet);
    rc = step(b, &ms, &update);
    vox_plan_profile(plan, cfg->profile);
    for (int i = 0; i < cfg->repeat && rc == VOX_OK; i++) {
        rc = step(b, &b->ms[i], &b->update[i]);
        vox_progress_line_show(&line, "steps", i + 1, cfg->repeat);
    }
    vox_progress_line_end(&line);
    vox_bench_peak_again(&b->peak, b->own.dev);
    if (rc == VOX_OK && cfg->profile)
        vox_plan_print_profile(plan, stderr);
    return rc;
}

static int tell(const bench *b, int repeat)
{
    double median;
    const double gflop = 1e-9 * vox_engine_flops(&b->own.engine);
    json_object *o = json_object_new_object();

    vox_report_text(o, "bench", "step");
    vox_report_text(o, "method", b->own.run.recipe.method);
    vox_report_text(o, "net", b->own.run.recipe.net);
    vox_report_ints(o, "patch", b->own.engine.cfg.patch, 3);
    vox_report_int(o, "batch", b->own.engine.cfg.batch);
    vox_report_int(o, "threads", b->own.run.threads);
    vox_report_text(o, "cpu", b->own.dev->path);
    vox_report_nums(o, "ms", b->ms, repeat);
    median = vox_bench_median(b->ms, repeat);
    vox_report_round(o, "ms_median", median, 3);
    vox_report_round(o, "ms_min", b->ms[0], 3);
    vox_report_round(o, "ms_update", vox_bench_median(b->update, repeat), 3);
    vox_report_round(o, "gflop", gflop, 3);
    vox_report_round(o, "peak_gflops", b->peak, 1);
    vox_report_round(o, "share_of_peak", gflop / (1e-3 * median) / b->peak, 4);
    vox_report_round(o, "rss_mib", (double)vox_host_peak() / (1 << 20), 1);
    return vox_report_json(o);
}

int vox_bench_step(const vox_bench_cfg *cfg, const vox_common *common, int argc,
                   char **argv)
{
    bench b = {0};
    int rc;

    if (argc)
        return vox_fail(VOX_E_USAGE, "bench step takes no words, found \"%s\"", argv[0]);
    rc = set_up(&b, cfg, common);
    if (rc == VOX_OK)
        rc = measure(&b, cfg, common->quiet);
    if (rc == VOX_OK)
        rc = tell(&b, cfg->repeat);
    release(&b);
    return rc;
}
