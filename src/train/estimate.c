/*
 * estimate: arithmetic over plans.
 *
 * The rate is a share of the peak of multiply-adds. The share is what whole steps of
 * residual U-Nets reach on our kernels (bench step says what a machine really does); the
 * reference path has no vectors and reaches far less.
 */
#include "train/estimate.h"

#include <json-c/json_object.h>
#include <string.h>

#include "backend/cpu/peak.h"
#include "base/error.h"

static const double gib = 1024.0 * 1024.0 * 1024.0;

double vox_estimate_rate(const vox_device *dev)
{
    const int reference = strcmp(dev->path, "reference") == 0;
    const double peak =
        vox_cpu_peak_gflops(reference ? "plain" : dev->path, dev->ctx.threads);

    return peak * (reference ? 0.01 : 0.35);
}

void vox_estimate_run(vox_estimate *out, const vox_run *run, const vox_engine *engine,
                      double gflops)
{
    const vox_recipe *r = &run->recipe;
    const vox_feed_cfg feed = vox_trainer_feed(run);
    const double step = vox_engine_flops(engine) / 1e9;
    const double all = (double)r->epochs * (r->steps + r->val_steps / 3.0) * step;
    vox_optim_cfg optim = {0};
    int moments;

    if (vox_recipe_optim(&optim, r) != VOX_OK)
        vox_error_clear();
    moments = vox_optim_moments(optim.kind);
    *out = (vox_estimate){.steps = (int64_t)r->epochs * r->steps,
                          .micro = run->micro,
                          .gflop = step,
                          .gflops = gflops,
                          .hours = gflops > 0 ? all / gflops / 3600 : 0,
                          .activations = (int64_t)vox_engine_bytes(engine),
                          .parameters = engine->params->count * 4 * (2 + moments),
                          .loading = vox_feed_memory(&feed),
                          .parameter_count = engine->params->count};
    out->checkpoint = engine->params->count * 4 * (1 + moments) + (1 << 18);
    out->disk = run->checkpointing ? 4 * out->checkpoint : 0;
    out->disk += 250 * out->steps; /* lines of metrics */
}

int vox_estimate_text(vox_buf *out, const vox_estimate *e)
{
    const double memory = (double)(e->activations + e->parameters + e->loading) / gib;

    VOX_TRY(vox_buf_printf(out, "%lld steps of %.1f GFLOP", (long long)e->steps, e->gflop));
    if (e->hours >= 1)
        VOX_TRY(vox_buf_printf(out, ", about %.0f h", e->hours));
    else if (e->hours > 0)
        VOX_TRY(vox_buf_printf(out, ", about %.0f min", e->hours * 60 + 0.5));
    return vox_buf_printf(
        out,
        "; memory %.2f GiB (%.2f activations, %.2f parameters, %.2f loading; "
        "micro-batch %lld); disk %.2f GB",
        memory, (double)e->activations / gib, (double)e->parameters / gib,
        (double)e->loading / gib, (long long)e->micro, (double)e->disk / 1e9);
}

json_object *vox_estimate_json(const vox_estimate *e)
{
    json_object *o = json_object_new_object();

    if (!o)
        return NULL;
    json_object_object_add(o, "steps", json_object_new_int64(e->steps));
    json_object_object_add(o, "micro_batch", json_object_new_int64(e->micro));
    json_object_object_add(o, "parameters", json_object_new_int64(e->parameter_count));
    json_object_object_add(o, "gflop_per_step", json_object_new_double(e->gflop));
    json_object_object_add(o, "gflops", json_object_new_double(e->gflops));
    json_object_object_add(o, "hours", json_object_new_double(e->hours));
    json_object_object_add(o, "activation_bytes", json_object_new_int64(e->activations));
    json_object_object_add(o, "parameter_bytes", json_object_new_int64(e->parameters));
    json_object_object_add(o, "loading_bytes", json_object_new_int64(e->loading));
    json_object_object_add(o, "checkpoint_bytes", json_object_new_int64(e->checkpoint));
    json_object_object_add(o, "disk_bytes", json_object_new_int64(e->disk));
    return o;
}
