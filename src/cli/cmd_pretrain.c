/*
 * voxmind pretrain: from a dataset or a folder of scans to a checkpoint.
 *
 * Flags become a run, the data become a target, both become a trainer. A run that continues
 * takes its settings from its checkpoint.
 */
#include <inttypes.h>
#include <json-c/json_object.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/host.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "cli/cmd.h"
#include "cli/progress.h"
#include "data/build.h"
#include "train/estimate.h"
#include "train/target.h"
#include "train/trainer.h"

/* What a run goes through, released in one place. */
typedef struct job {
    const vox_run_args *args;
    const vox_common *common;
    vox_run run;
    vox_target target;
    vox_folder folder;
    vox_saved saved;
    vox_trainer trainer;
} job;

static void release(job *j)
{
    vox_trainer_close(&j->trainer);
    vox_saved_close(&j->saved);
    vox_folder_close(&j->folder);
    vox_target_release(&j->target);
    vox_run_release(&j->run);
}

/* ---- data ---- */

static int find_data(job *j, int argc, char **argv)
{
    const vox_run_args *args = j->args;
    char *name;
    int rc;

    if (argc > 2)
        return vox_fail(VOX_E_USAGE,
                        "\"%s\" is one word too many: pretrain <data> [configuration]",
                        argv[2]);
    VOX_TRY(vox_target_find(&j->target, argc > 0 ? argv[0] : NULL,
                            argc > 1 ? argv[1] : NULL, args->plans));
    name = vox_run_name(&j->run, args->plans, j->target.configuration);
    rc = name ? vox_target_place(&j->target, args->out, name) : VOX_E_NOMEM;
    vox_free(name);
    return rc;
}

/* ---- the run folder ---- */

/* Take the folder; when continuing, resolve again from what the checkpoint holds. */
static int take_folder(job *j)
{
    const vox_run_args *args = j->args;
    const vox_use use = args->resume  ? VOX_USE_RESUME
                        : args->fresh ? VOX_USE_FRESH
                                      : VOX_USE_NEW;
    int rc;

    VOX_TRY(vox_folder_open(&j->folder, j->target.run, j->target.top, use));
    if (use != VOX_USE_RESUME)
        return VOX_OK;
    rc = vox_saver_newest(&j->saved, &j->folder);
    if (rc == VOX_E_MISSING) {
        vox_log(VOX_INFO, "pretrain", "%s: no checkpoint yet, starts", j->folder.run);
        return VOX_OK;
    }
    VOX_TRY(rc);
    vox_run_release(&j->run);
    return vox_run_resolve(&j->run, args, j->common->threads, j->saved.settings);
}

static int is_done(const job *j)
{
    return j->saved.path && j->saved.at.epoch >= j->run.recipe.epochs;
}

/* ---- results ---- */

static void print_json(const job *j, int64_t epochs, double val, double zero, double mean)
{
    json_object *o = json_object_new_object();
    const char *const names[] = {"val_loss", "vs_zero", "vs_visible_mean"};
    const double v[] = {val, zero, mean};

    json_object_object_add(o, "run", json_object_new_string(j->folder.run));
    json_object_object_add(o, "epochs", json_object_new_int64(epochs));
    for (int i = 0; i < 3; i++)
        json_object_object_add(o, names[i],
                               isfinite(v[i]) ? json_object_new_double(v[i]) : NULL);
    printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    json_object_put(o);
}

static void print_result(const job *j)
{
    const vox_progress *at = &j->trainer.at;
    const double val = at->epoch ? at->record[at->epoch - 1].val_loss : (double)NAN;
    const double zero = j->trainer.zero, mean = j->trainer.mean;

    if (j->common->json) {
        print_json(j, at->epoch, val, zero, mean);
        return;
    }
    printf("run folder       %s\n", j->folder.run);
    if (isfinite(val))
        printf("validation loss  %.4f\n", val);
    if (isfinite(zero) && isfinite(mean))
        printf("                 %.3f of predicting zero\n"
               "                 %.3f of predicting each crop's visible mean\n",
               zero, mean);
}

static int print_done(const job *j)
{
    const vox_progress *at = &j->saved.at;

    if (j->common->json)
        print_json(j, at->epoch, at->record[at->epoch - 1].val_loss, (double)NAN,
                   (double)NAN);
    else
        printf("run folder       %s\nall %" PRId64
               " epochs are done; more with --epochs N\n",
               j->folder.run, at->epoch);
    return VOX_OK;
}

static void tell_estimate(job *j)
{
    vox_trainer *t = &j->trainer;
    vox_buf text = VOX_BUF_INIT;

    if (vox_estimate_text(&text, &t->estimate) == VOX_OK)
        vox_log(VOX_INFO, "pretrain", "%s", vox_buf_text(&text));
    vox_buf_release(&text);
}

/* ---- the command ---- */

/* The peer's --val only says that validation is not implemented; ours says what it was. */
static int say_validation(job *j)
{
    const char *name = j->args->val_best ? VOX_CHECKPOINT_BEST : VOX_CHECKPOINT_FINAL;
    char *path = vox_path_join(j->target.run, name);
    int rc = path ? vox_saved_open(&j->saved, path) : VOX_E_NOMEM;

    vox_free(path);
    if (rc == VOX_OK && j->saved.at.epoch > 0)
        printf("validation loss  %.4f\n",
               j->saved.at.record[j->saved.at.epoch - 1].val_loss);
    return rc;
}

static int train(job *j)
{
    const vox_run_data data = {j->target.dir, j->target.plans, j->target.configuration,
                               j->target.plan};
    int rc = vox_trainer_open(&j->trainer, &j->run, &data, &j->folder,
                              j->saved.path ? &j->saved : NULL, j->args->pretrained_weights,
                              j->common->quiet);

    if (rc == VOX_OK) {
        vox_saved_close(&j->saved); /* its tensors are in the parameters now */
        if (!j->common->quiet)
            tell_estimate(j);
        rc = vox_trainer_run(&j->trainer);
    }
    if (rc == VOX_OK) {
        vox_log(VOX_INFO, "pretrain", "memory at most %.2f GiB",
                (double)vox_host_peak() / (1 << 30));
        print_result(j);
    }
    vox_trainer_close(&j->trainer); /* before `data` goes */
    return rc;
}

/* A run that continues keeps the data it began with. */
static int build_data(job *j)
{
    vox_progress_line line;
    const vox_data_build_cfg cfg = {.scans = j->target.scans,
                                    .dir = j->target.dir,
                                    .plans = j->target.plans,
                                    .configuration = j->target.configuration,
                                    .threads = j->run.threads,
                                    .keep = j->saved.path != NULL,
                                    .progress = vox_progress_line_show,
                                    .arg = &line};
    int rc = VOX_OK;

    if (j->target.scans) {
        vox_progress_line_init(&line, j->common->quiet);
        rc = vox_data_build(&cfg);
        vox_progress_line_end(&line);
    }
    return rc == VOX_OK ? vox_target_read_plan(&j->target) : rc;
}

/* Too little memory is said before hours of preprocessing, and before an old run is moved
 * aside for nothing. */
static int check_memory(job *j)
{
    const vox_device_cfg cfg = vox_run_device(&j->run);
    vox_device *dev;
    int rc;

    VOX_TRY(vox_device_open(&dev, &cfg));
    rc = vox_trainer_fit(&j->run, dev, vox_estimate_besides(&j->run));
    vox_device_close(dev);
    return rc;
}

static int go(job *j, int argc, char **argv)
{
    VOX_TRY(vox_run_resolve(&j->run, j->args, j->common->threads, NULL));
    VOX_TRY(find_data(j, argc, argv));
    if (j->args->val || j->args->val_best)
        return say_validation(j);
    if (!j->args->resume)
        VOX_TRY(check_memory(j));
    VOX_TRY(take_folder(j));
    if (is_done(j))
        return print_done(j);
    if (j->args->resume) /* only now it is known what continues */
        VOX_TRY(check_memory(j));
    vox_stop_install();
    VOX_TRY(build_data(j));
    return train(j);
}

static int run(const void *cfg, const vox_common *common, int argc, char **argv)
{
    job j = {.args = cfg,
             .common = common,
             .folder = VOX_FOLDER_INIT,
             .trainer = {.metrics = VOX_METRICS_INIT}};
    int rc;

    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is a failed write, with a message */
    rc = go(&j, argc, argv);
    release(&j);
    return rc;
}

const vox_cmd vox_cmd_pretrain = {
    .name = "pretrain",
    .group = "train",
    .summary = "pre-train a network on a dataset or any folder of scans",
    .usage = "voxmind pretrain <data> [configuration] [options]",
    .peer = "nnssl_train",
    .cfg_size = sizeof(vox_run_args),
    .opts = vox_run_opts,
    .run = run,
};
