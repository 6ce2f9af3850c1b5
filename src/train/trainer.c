/* trainer: putting a run together. */
#include "train/trainer.h"

#include <inttypes.h>
#include <json-c/json_object.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/host.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "train/adaptation.h"

vox_engine_cfg vox_trainer_engine(const vox_run *run)
{
    const int *p = run->recipe.patch.v;

    return (vox_engine_cfg){
        .setup = &run->setup,
        .patch = {p[0], p[1], p[2]},
        .batch = run->recipe.batch,
        .micro = run->micro,
        .recompute = run->recompute,
        .store = run->precision
    };
}

vox_feed_cfg vox_trainer_feed(const vox_run *run)
{
    const vox_recipe *r = &run->recipe;
    const int *p = r->patch.v;

    return (vox_feed_cfg){
        .setup = &run->setup,
        .phase = VOX_TRAINING,
        .patch = {p[0], p[1], p[2]},
        .batch = r->batch,
        .steps = (int64_t)r->epochs * r->steps,
        .seed = (uint64_t)run->seed,
        .workers = run->workers,
        .sampling = strcmp(r->sampling, "anat") ? VOX_SAMPLE_UNIFORM : VOX_SAMPLE_ANAT
    };
}

/* ---- memory ---- */

int vox_trainer_fit(vox_run *run, vox_device *dev, int64_t other)
{
    vox_engine_cfg cfg = vox_trainer_engine(run);
    vox_room room = {.free = vox_host_memory(), .other = other};
    vox_optim_cfg optim;

    VOX_TRY(vox_recipe_optim(&optim, &run->recipe));
    room.moments = vox_optim_moments(optim.kind);
    if (run->micro > 0)
        return vox_engine_check(&cfg, dev, &room);
    VOX_TRY(vox_engine_fit(&run->micro, &cfg, dev, &room));
    if (run->micro < run->recipe.batch)
        vox_log(VOX_INFO, "train",
                "micro-batch %" PRId64 " of %d: the largest that fits into %.1f GiB",
                run->micro, run->recipe.batch, (double)room.free / (1 << 30));
    return VOX_OK;
}

int64_t vox_trainer_checkpoint_bytes(const vox_trainer *t)
{
    const int64_t blocks = 1 + vox_optim_moments(t->optim->cfg.kind);

    return t->engine.params->count * (int64_t)sizeof(float) * blocks + (1 << 18);
}

int vox_trainer_pace(vox_pace *out, const vox_run *run, const vox_engine *engine)
{
    vox_optim_cfg optim;

    VOX_TRY(vox_recipe_optim(&optim, &run->recipe));
    return vox_pace_measure(out, engine, &optim);
}

/* ---- the parts ---- */

/* Before the engine takes its memory, as timing takes some, too. No run ends because its
 * time cannot be told. */
static void make_estimate(vox_trainer *t)
{
    vox_pace pace;

    vox_estimate_run(&t->estimate, t->run, &t->engine);
    if (vox_trainer_pace(&pace, t->run, &t->engine) != VOX_OK) {
        vox_log(VOX_WARN, "train", "how long a step takes is not known: %s",
                vox_error_text());
        pace = (vox_pace){0};
    }
    vox_estimate_at(&t->estimate, &pace);
}

static int open_engine(vox_trainer *t, int quiet)
{
    const vox_device_cfg dev = vox_run_device(t->run);
    vox_engine_cfg cfg;
    vox_optim_cfg optim;

    VOX_TRY(vox_device_open(&t->dev, &dev));
    VOX_TRY(vox_trainer_fit(t->run, t->dev, vox_estimate_besides(t->run)));
    cfg = vox_trainer_engine(t->run);
    VOX_TRY(vox_engine_open(&t->engine, &cfg, t->dev));
    if (!quiet)
        make_estimate(t);
    VOX_TRY(vox_engine_start(&t->engine, (uint64_t)t->run->seed));
    VOX_TRY(vox_recipe_optim(&optim, &t->run->recipe));
    VOX_TRY(vox_recipe_schedule(&t->schedule, &t->run->recipe));
    return vox_optim_new(&t->optim, t->engine.params, &optim);
}

static int copy_progress(vox_progress *to, const vox_progress *from)
{
    *to = *from;
    to->record = NULL;
    to->cap = 0;
    VOX_TRY(vox_grow(&to->record, &to->cap, from->epoch + 1, sizeof *to->record));
    if (from->epoch)
        memcpy(to->record, from->record, (size_t)from->epoch * sizeof *to->record);
    return VOX_OK;
}

/* Other data are allowed, as folders may move, but not in silence. */
static void compare_data(const vox_run_data *now, const vox_saved *saved)
{
    const char *const key[] = {"dir", "plans", "configuration"};
    const char *const is[] = {now->dir, now->plans, now->configuration};
    json_object *then = vox_json_get(saved->settings, "data");

    for (int i = 0; i < VOX_COUNT(key); i++) {
        const char *was = json_object_get_string(vox_json_get(then, key[i]));

        if (was && strcmp(was, is[i]))
            vox_log(VOX_WARN, "train",
                    "data: %s is %s, the run was started with %s: it continues exactly "
                    "only on the same images",
                    key[i], is[i], was);
    }
}

static int restore(vox_trainer *t, const vox_saved *saved, const char *weights)
{
    const char *path;

    if (weights)
        return vox_checkpoint_weights(t->engine.params, weights);
    if (!saved)
        return VOX_OK;
    compare_data(t->data, saved);
    VOX_TRY(copy_progress(&t->at, &saved->at));
    VOX_TRY(vox_saved_restore(saved, t->engine.params, t->optim));
    path = vox_saved_kernels(saved);
    if (path && strcmp(path, t->dev->path))
        vox_log(VOX_WARN, "train",
                "the run was computed with %s kernels, now with %s: rounding will differ",
                path, t->dev->path);
    return VOX_OK;
}

/* Text of the modalities as the dataset wants it; NULL for all. */
static int join(vox_buf *out, const vox_strs *list)
{
    for (int64_t i = 0; i < list->count; i++)
        VOX_TRY(vox_buf_printf(out, "%s%s", i ? "," : "", list->v[i]));
    return VOX_OK;
}

int vox_trainer_dataset(vox_dataset **out, const vox_run *run, const vox_run_data *data,
                        vox_split split)
{
    vox_buf modalities = VOX_BUF_INIT;
    vox_dataset_cfg cfg = {.dir = data->dir,
                           .plans = data->plans,
                           .configuration = data->configuration,
                           .split = split,
                           .max_iqs = run->recipe.iqs_max};
    int rc = join(&modalities, &run->recipe.modalities);

    cfg.modalities = modalities.data;
    if (rc == VOX_OK)
        rc = vox_dataset_open(out, &cfg);
    vox_buf_release(&modalities);
    return rc;
}

static int open_data(vox_trainer *t)
{
    VOX_TRY(vox_trainer_dataset(&t->train, t->run, t->data, VOX_SPLIT_TRAIN));
    VOX_TRY(vox_trainer_dataset(&t->val, t->run, t->data, VOX_SPLIT_VAL));
    vox_log(VOX_INFO, "train", "%" PRId64 " images to train on, %" PRId64 " to validate on",
            vox_dataset_count(t->train), vox_dataset_count(t->val));
    t->feed_cfg = vox_trainer_feed(t->run);
    t->feed_cfg.data = t->train;
    t->feed_cfg.first = t->at.total;
    return vox_feed_open(&t->feed, &t->feed_cfg);
}

/* ---- files ---- */

static int write_json(const char *dir, const char *name, json_object *value, int sorted)
{
    char *path = vox_path_join(dir, name);
    int rc = path ? vox_json_write(path, value, sorted) : VOX_E_NOMEM;

    vox_free(path);
    return rc;
}

static json_object *data_json(const vox_run_data *data)
{
    json_object *o = json_object_new_object();

    json_object_object_add(o, "dir", json_object_new_string(data->dir));
    json_object_object_add(o, "plans", json_object_new_string(data->plans));
    json_object_object_add(o, "configuration", json_object_new_string(data->configuration));
    return o;
}

static int write_settings(vox_trainer *t)
{
    t->settings = vox_run_json(t->run);
    if (!t->settings)
        return VOX_E_NOMEM;
    json_object_object_add(t->settings, "data", data_json(t->data));
    VOX_TRY(
        vox_run_plan(&t->plan, t->data->plan, t->data->configuration, t->engine.cfg.patch));
    VOX_TRY(vox_adaptation_plan(&t->adaptation, &t->run->setup.model, t->plan,
                                t->engine.cfg.patch));
    VOX_TRY(write_json(t->folder->run, "config.json", t->settings, 0));
    VOX_TRY(write_json(t->folder->top, "plans.json", t->plan, 0));
    return write_json(t->folder->top, "adaptation_plan.json", t->adaptation, 1);
}

static void set_saver(vox_trainer *t)
{
    const vox_run *run = t->run;

    t->saver = (vox_saver){.folder = t->folder,
                           .off = !run->checkpointing,
                           .every = run->checkpoint_every,
                           .minutes = run->checkpoint_minutes,
                           .keep_every = run->every_given,
                           .keep_minutes = run->minutes_given,
                           .last = vox_clock()};
    t->saving = (vox_saving){.params = t->engine.params,
                             .optim = t->optim,
                             .at = &t->at,
                             .trainer = run->recipe.name,
                             .configuration = t->data->configuration,
                             .settings = t->settings,
                             .plan = t->plan,
                             .adaptation = t->adaptation};
}

/* Lines of steps that the checkpoint does not know of are cut; they are computed again. */
static int open_metrics(vox_trainer *t)
{
    char *path = vox_folder_path(t->folder, "metrics.jsonl");
    int64_t last = 0;
    int rc = path ? VOX_OK : VOX_E_NOMEM;

    if (rc == VOX_OK)
        rc = vox_metrics_open(&t->metrics, path, t->at.total, t->at.epoch, &last);
    if (rc == VOX_OK && t->at.total)
        vox_log(VOX_INFO, "train",
                "continues at epoch %" PRId64 ", step %" PRId64 " of the run; %" PRId64
                " steps are repeated",
                t->at.epoch, t->at.total, last > t->at.total ? last - t->at.total : 0);
    vox_free(path);
    return rc;
}

static int open_files(vox_trainer *t)
{
    if (t->run->checkpointing)
        VOX_TRY(vox_saver_check_room(t->folder, vox_trainer_checkpoint_bytes(t)));
    VOX_TRY(write_settings(t));
    set_saver(t);
    VOX_TRY(open_metrics(t));
    return vox_peer_log_open(&t->log, t->folder->run);
}

/* ---- all of it ---- */

static int check_recipe(const vox_recipe *r)
{
    if (r->train_fraction < 1)
        return vox_fail(VOX_E_USAGE,
                        "train_fraction is %g: this build trains on all images",
                        r->train_fraction);
    if (r->note)
        vox_log(VOX_INFO, "train", "%s: %s", r->name, r->note);
    return VOX_OK;
}

int vox_trainer_open(vox_trainer *t, vox_run *run, const vox_run_data *data,
                     const vox_folder *folder, const vox_saved *saved, const char *weights,
                     int quiet)
{
    *t = (vox_trainer){
        .run = run, .data = data, .folder = folder, .metrics = VOX_METRICS_INIT};
    vox_progress_init(&t->at);
    vox_bar_init(&t->bar, quiet);
    VOX_TRY(check_recipe(&run->recipe));
    VOX_TRY(open_engine(t, quiet));
    VOX_TRY(restore(t, saved, weights));
    VOX_TRY(open_files(t));
    return open_data(t);
}

void vox_trainer_close(vox_trainer *t)
{
    vox_feed_close(&t->feed);
    vox_dataset_close(t->train);
    vox_dataset_close(t->val);
    vox_peer_log_close(&t->log);
    vox_metrics_close(&t->metrics);
    vox_progress_release(&t->at);
    vox_optim_free(t->optim);
    vox_engine_close(&t->engine);
    vox_device_close(t->dev);
    json_object_put(t->settings);
    json_object_put(t->plan);
    json_object_put(t->adaptation);
    *t = (vox_trainer){.metrics = VOX_METRICS_INIT};
}
