/* estimate: arithmetic over plans; their pace is measured (pace.h). */
#include "train/estimate.h"

#include <json-c/json_object.h>

#include "base/error.h"
#include "base/host.h"
#include "train/trainer.h"

static const double gib = 1024.0 * 1024.0 * 1024.0;

/* What a process takes on its way, beyond what its parts ask for: measured. Fonts and
 * surfaces of pictures, the store's library, stacks, pieces that the allocator keeps, for
 * the process and for each loader thread. */
enum { LATER = 9 << 20, LATER_EACH = 1 << 19 };

static int64_t later(const vox_run *run)
{
    return LATER + (int64_t)run->workers * LATER_EACH;
}

/* Loader threads of training stay while those of validation work. The picture of validation
 * is drawn from a whole batch, and two volumes made of it. */
static int64_t loading_of(const vox_run *run)
{
    const vox_recipe *r = &run->recipe;
    const vox_feed_cfg feed = vox_trainer_feed(run);
    const int64_t voxels = (int64_t)r->patch.v[0] * r->patch.v[1] * r->patch.v[2];
    const int64_t shown = r->batch * run->setup.model.out_channels + 2;
    vox_feed_cfg val = feed;

    if (r->val_steps == 0)
        return vox_feed_memory(&feed);
    val.steps = r->val_steps;
    return vox_feed_memory(&feed) + vox_feed_memory(&val) +
           shown * voxels * (int64_t)sizeof(float);
}

int64_t vox_estimate_besides(const vox_run *run)
{
    return loading_of(run) + later(run);
}

int64_t vox_estimate_memory(const vox_estimate *e)
{
    return e->activations + e->parameters + e->loading + e->process;
}

void vox_estimate_run(vox_estimate *out, const vox_run *run, const vox_engine *engine)
{
    const vox_recipe *r = &run->recipe;
    vox_optim_cfg optim = {0};
    int moments;

    if (vox_recipe_optim(&optim, r) != VOX_OK)
        vox_error_clear();
    moments = vox_optim_moments(optim.kind);
    *out = (vox_estimate){.steps = (int64_t)r->epochs * r->steps,
                          .validations = (int64_t)r->epochs * r->val_steps,
                          .micro = run->micro,
                          .gflop = vox_engine_flops(engine) / 1e9,
                          .activations = (int64_t)vox_engine_bytes(engine),
                          .loading = loading_of(run),
                          .process = vox_host_resident() + later(run),
                          .parameter_count = engine->params->count};
    out->parameters = vox_engine_need(engine, moments) - out->activations;
    out->checkpoint = engine->params->count * 4 * (1 + moments) + (1 << 18);
    out->disk = run->checkpointing ? 4 * out->checkpoint : 0;
    out->disk += 250 * out->steps; /* lines of metrics */
}

void vox_estimate_at(vox_estimate *e, const vox_pace *pace)
{
    const double all =
        (double)e->steps * pace->step + (double)e->validations * pace->forward;

    e->seconds = pace->step;
    e->hours = all / 3600;
}

/* ", each about 0.74 s, 12 min in all" */
static int add_times(vox_buf *out, const vox_estimate *e)
{
    const int is_short = e->seconds < 0.1;

    if (e->seconds <= 0)
        return VOX_OK;
    VOX_TRY(vox_buf_printf(out, ", each about %.*f %s", is_short ? 1 : 2,
                           is_short ? 1e3 * e->seconds : e->seconds,
                           is_short ? "ms" : "s"));
    if (e->hours >= 1)
        return vox_buf_printf(out, ", %.0f h in all", e->hours);
    return vox_buf_printf(out, ", %.0f min in all", e->hours * 60 + 0.5);
}

int vox_estimate_text(vox_buf *out, const vox_estimate *e)
{
    const double memory = (double)vox_estimate_memory(e) / gib;

    VOX_TRY(vox_buf_printf(out, "%lld steps of %.1f GFLOP", (long long)e->steps, e->gflop));
    VOX_TRY(add_times(out, e));
    return vox_buf_printf(
        out,
        "; memory %.2f GiB (%.2f activations, %.2f parameters, %.2f loading, %.2f program; "
        "micro-batch %lld); disk %.2f GB",
        memory, (double)e->activations / gib, (double)e->parameters / gib,
        (double)e->loading / gib, (double)e->process / gib, (long long)e->micro,
        (double)e->disk / 1e9);
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
    json_object_object_add(o, "seconds_per_step", json_object_new_double(e->seconds));
    json_object_object_add(o, "hours", json_object_new_double(e->hours));
    json_object_object_add(o, "activation_bytes", json_object_new_int64(e->activations));
    json_object_object_add(o, "parameter_bytes", json_object_new_int64(e->parameters));
    json_object_object_add(o, "loading_bytes", json_object_new_int64(e->loading));
    json_object_object_add(o, "process_bytes", json_object_new_int64(e->process));
    json_object_object_add(o, "memory_bytes",
                           json_object_new_int64(vox_estimate_memory(e)));
    json_object_object_add(o, "checkpoint_bytes", json_object_new_int64(e->checkpoint));
    json_object_object_add(o, "disk_bytes", json_object_new_int64(e->disk));
    return o;
}
