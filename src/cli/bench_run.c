/* bench_run: what the benches share: a run without its loader, the peak, the median. */
#include <stdlib.h>

#include "backend/cpu/peak.h"
#include "base/error.h"
#include "cli/bench.h"
#include "train/trainer.h"

int vox_bench_run_open(vox_bench_run *b, const vox_bench_cfg *cfg, const vox_common *common)
{
    vox_device_cfg dev;

    VOX_TRY(vox_run_resolve(&b->run, &cfg->run, common->threads, NULL));
    dev = vox_run_device(&b->run);
    return vox_device_open(&b->dev, &dev);
}

/* Samples are drawn one by one: there is no loader. */
static int64_t besides(const vox_run *run)
{
    vox_feed_cfg feed = vox_trainer_feed(run);

    feed.workers = 1;
    return vox_feed_memory(&feed);
}

int vox_bench_run_plan(vox_bench_run *b, int whole)
{
    vox_run *run = &b->run;
    int rc = vox_trainer_fit(run, b->dev, besides(run));
    vox_engine_cfg cfg;

    if (rc == VOX_E_NOMEM && !whole) {
        vox_error_clear();
        if (run->micro == 0)
            run->micro = run->setup.method->couples ? run->recipe.batch : 1;
        rc = VOX_OK;
    }
    VOX_TRY(rc);
    cfg = vox_trainer_engine(&b->run);
    return vox_engine_open(&b->engine, &cfg, b->dev);
}

void vox_bench_run_close(vox_bench_run *b)
{
    vox_engine_close(&b->engine);
    vox_device_close(b->dev);
    vox_run_release(&b->run);
    *b = (vox_bench_run){0};
}

void vox_bench_peak_again(double *peak, const vox_device *dev)
{
    const int plain = dev->path[0] == 'r'; /* the reference path has no vectors */
    const double now = vox_cpu_peak_gflops(plain ? "plain" : dev->path, dev->ctx.threads);

    *peak = now > *peak ? now : *peak;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double vox_bench_median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, compare);
    return (v[(n - 1) / 2] + v[n / 2]) / 2;
}
