/*
 * loop: a run, epoch by epoch, step by step. Everything it uses stands in trainer.h.
 *
 *     epoch   steps, then validation, records, a checkpoint
 *     step    a batch from the feed, its gradient in pieces, clip and update, a line of
 * metrics
 *
 * A run can be left after any step: a checkpoint holds the counters of train/progress.h,
 * and sample numbers follow from them. Source: methods.md 1.4, 1.8; cli.md.
 */
#include <inttypes.h>
#include <json-c/json_object.h>
#include <math.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "train/picture.h"
#include "train/trainer.h"
#include "train/validate.h"

/* Steps of an epoch that may have no finite loss or gradient before the run gives up. */
enum { NONFINITE_MAX = 20 };

static double rate(const vox_trainer *t)
{
    return vox_schedule_lr(&t->schedule, t->at.epoch);
}

/* ---- a step ---- */

/* What a step has to tell. */
typedef struct step_result {
    double loss, norm, waited, seconds;
    int skipped; /* no finite loss or gradient: nothing was updated */
} step_result;

static int update(vox_trainer *t, step_result *r)
{
    int rc;

    r->norm = (double)NAN;
    r->skipped = !isfinite(r->loss);
    if (r->skipped)
        return VOX_OK;
    rc = vox_optim_step(t->optim, rate(t), &r->norm);
    if (rc != VOX_E_NUMERIC)
        return rc;
    vox_error_clear();
    r->skipped = 1;
    return VOX_OK;
}

static int count(vox_progress *at, const step_result *r)
{
    at->step++;
    at->total++;
    if (!r->skipped) {
        at->loss_sum += r->loss;
        at->loss_count++;
        return VOX_OK;
    }
    at->nonfinite++;
    vox_log(VOX_WARN, "train", "step %" PRId64 ": loss %g, gradient norm %g: skipped",
            at->total, r->loss, r->norm);
    if (at->nonfinite <= NONFINITE_MAX)
        return VOX_OK;
    return vox_fail(
        VOX_E_NUMERIC,
        "%d steps of epoch %" PRId64 " had no finite loss or gradient, the last is "
        "step %" PRId64 "; the checkpoints before are intact, a smaller --lr may help",
        NONFINITE_MAX + 1, at->epoch, at->total);
}

static int record_step(vox_trainer *t, const step_result *r)
{
    const int64_t *patch = t->engine.cfg.patch;
    const double voxels = (double)(t->engine.cfg.batch * patch[0] * patch[1] * patch[2]);
    vox_metrics *m = &t->metrics;

    VOX_TRY(vox_metrics_begin(m));
    VOX_TRY(vox_metrics_int(m, "step", t->at.total));
    VOX_TRY(vox_metrics_int(m, "epoch", t->at.epoch));
    VOX_TRY(vox_metrics_num(m, "loss", r->loss));
    VOX_TRY(vox_metrics_num(m, "grad_norm", r->norm));
    VOX_TRY(vox_metrics_num(m, "lr", rate(t)));
    if (r->skipped)
        VOX_TRY(vox_metrics_int(m, "skipped", 1));
    VOX_TRY(vox_metrics_num(m, "ms", 1e3 * r->seconds));
    VOX_TRY(vox_metrics_num(m, "ms_data", 1e3 * r->waited));
    VOX_TRY(vox_metrics_num(m, "voxels_per_s", voxels / r->seconds));
    return vox_metrics_end(m);
}

static int train_step(vox_trainer *t)
{
    const vox_recipe *recipe = &t->run->recipe;
    const double start = vox_clock();
    step_result r;

    VOX_TRY(vox_feed_next(&t->feed, &r.waited));
    VOX_TRY(vox_engine_gradient(&t->engine, &t->feed.batch, &r.loss));
    VOX_TRY(update(t, &r));
    r.seconds = vox_clock() - start;
    VOX_TRY(count(&t->at, &r));
    VOX_TRY(record_step(t, &r));
    vox_bar_after_step(&t->bar, &(vox_bar_step){t->at.epoch, recipe->epochs, t->at.step,
                                                recipe->steps, r.loss, r.seconds});
    return VOX_OK;
}

/* ---- saving and leaving ---- */

/* Metrics first: a checkpoint counts on the lines before it. */
static int save(vox_trainer *t, vox_occasion occasion, int is_best)
{
    vox_metrics_sync(&t->metrics);
    return vox_saver_save(&t->saver, &t->saving, occasion, is_best);
}

/* A signal asked: save where we are and leave. */
static int leave(vox_trainer *t)
{
    const char *name = vox_stop_name();

    vox_bar_clear(&t->bar);
    vox_peer_log_line(&t->log, "Received %s, saving and leaving.", name);
    VOX_TRY(save(t, VOX_ON_LEAVING, 0));
    vox_log(VOX_INFO, "train", "%s: saved at step %" PRId64 "; --resume continues", name,
            t->at.total);
    return vox_fail(VOX_E_STOP, "%s", name);
}

/* ---- an epoch ---- */

static void begin_epoch(vox_trainer *t)
{
    vox_peer_log_line(&t->log, "%s", "");
    vox_peer_log_line(&t->log, "Epoch %" PRId64, t->at.epoch);
    vox_peer_log_value(&t->log, "Current learning rate:", rate(t), 5);
    if (t->at.step == 0)
        t->at.start = vox_clock_wall();
}

static int train_epoch(vox_trainer *t)
{
    begin_epoch(t);
    while (t->at.step < t->run->recipe.steps) {
        VOX_TRY(train_step(t));
        if (vox_stop_asked())
            return leave(t);
        if (vox_saver_due(&t->saver, VOX_AFTER_STEP, t->at.epoch))
            VOX_TRY(save(t, VOX_AFTER_STEP, 0));
    }
    return VOX_OK;
}

static int validate(vox_trainer *t, vox_validation *v)
{
    const vox_recipe *r = &t->run->recipe;
    char *png = vox_folder_path(t->folder, "reconstruction.png");
    vox_feed_cfg cfg = t->feed_cfg;
    int rc;

    if (!png)
        return VOX_E_NOMEM;
    cfg.data = t->val;
    cfg.phase = VOX_VALIDATION;
    cfg.first = 0;
    cfg.steps = r->val_steps;
    rc = vox_validate(v, &t->engine, &cfg, png);
    vox_free(png);
    return rc == VOX_E_STOP ? leave(t) : rc;
}

static int record_epoch(vox_trainer *t, const vox_validation *v, int is_best)
{
    const vox_epoch_record *e = &t->at.record[t->at.epoch - 1];
    vox_metrics *m = &t->metrics;

    VOX_TRY(vox_metrics_begin(m));
    VOX_TRY(vox_metrics_int(m, "epoch_done", t->at.epoch - 1));
    VOX_TRY(vox_metrics_num(m, "train_loss", e->train_loss));
    VOX_TRY(vox_metrics_num(m, "val_loss", e->val_loss));
    VOX_TRY(vox_metrics_num(m, "val_loss_zero", v->zero));
    VOX_TRY(vox_metrics_num(m, "val_loss_mean", v->mean));
    VOX_TRY(vox_metrics_num(m, "lr", e->lr));
    VOX_TRY(vox_metrics_int(m, "best", is_best));
    VOX_TRY(vox_metrics_num(m, "seconds", e->end - e->start));
    return vox_metrics_end(m);
}

/* The same for people: the peer's log, and the line of the epoch. */
static void tell_epoch(vox_trainer *t, const vox_validation *v, int is_best)
{
    const vox_epoch_record *e = &t->at.record[t->at.epoch - 1];

    t->zero = v->loss / v->zero;
    t->mean = v->loss / v->mean;
    vox_peer_log_value(&t->log, "train_loss", e->train_loss, 4);
    vox_peer_log_value(&t->log, "val_loss", e->val_loss, 4);
    vox_peer_log_line(&t->log, "Epoch time: %.2f s", e->end - e->start);
    if (is_best)
        vox_peer_log_value(&t->log, "Yayy! New best val loss:", e->val_loss, 4);
    vox_bar_after_epoch(&t->bar,
                        &(vox_bar_epoch){t->at.epoch - 1, t->run->recipe.epochs,
                                         e->train_loss, e->val_loss, t->zero, t->mean,
                                         e->lr, e->end - e->start, is_best});
}

static void draw_progress(vox_trainer *t)
{
    char *path = vox_folder_path(t->folder, "progress.png");

    if (path && vox_picture_progress(path, &t->at) != VOX_OK)
        vox_log(VOX_WARN, "train", "%s", vox_error_text());
    vox_free(path);
}

/* The last epoch's checkpoint is final. */
static int save_epoch(vox_trainer *t)
{
    if (t->saver.off)
        vox_peer_log_line(&t->log, "No checkpoint written, checkpointing is disabled");
    if (t->at.epoch == t->run->recipe.epochs)
        return VOX_OK;
    if (vox_saver_due(&t->saver, VOX_AFTER_EPOCH, t->at.epoch))
        return save(t, VOX_AFTER_EPOCH, t->is_best);
    return t->is_best ? vox_saver_best(&t->saver, &t->saving) : VOX_OK;
}

static int end_epoch(vox_trainer *t)
{
    vox_validation v;

    VOX_TRY(validate(t, &v));
    VOX_TRY(vox_progress_end_epoch(&t->at, v.loss, rate(t), vox_clock_wall(), &t->is_best));
    VOX_TRY(record_epoch(t, &v, t->is_best));
    tell_epoch(t, &v, t->is_best);
    draw_progress(t);
    return save_epoch(t);
}

int vox_trainer_run(vox_trainer *t)
{
    while (t->at.epoch < t->run->recipe.epochs) {
        VOX_TRY(train_epoch(t));
        VOX_TRY(end_epoch(t));
    }
    vox_metrics_sync(&t->metrics);
    VOX_TRY(vox_saver_finish(&t->saver, &t->saving, t->is_best));
    vox_peer_log_line(&t->log, "Training done.");
    return VOX_OK;
}
