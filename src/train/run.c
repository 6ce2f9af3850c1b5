/* run: options become a resolved run, and back to JSON. */
#include "train/run.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"

/* A default below the range stands for "not given". */
#define COUNT(field, min, help) \
    VOX_OPT_INT(vox_run_args, field, (min)-1, min, 10000000, help)

const vox_opt vox_run_opts[] = {
    VOX_OPT_AS("-tr", vox_run_args, trainer, STR, 0, 0, 0, NULL,
               "trainer of the peer: fills method, net and hyper-parameters"),
    VOX_OPT_STR(vox_run_args, recipe, NULL, "a recipe file of your own, instead of -tr"),
    VOX_OPT_STR(vox_run_args, method, NULL, "pretext task (voxmind list methods)"),
    VOX_OPT_STR(vox_run_args, net, NULL, "net: a preset or a family (voxmind list nets)"),
    VOX_OPT_STR(vox_run_args, out, NULL, "run folder"),
    VOX_OPT_INTS(vox_run_args, patch, NULL, 1, 4096, "edge of a patch, or z,y,x"),
    COUNT(batch, 1, "samples per step"),
    COUNT(epochs, 1, "epochs"),
    COUNT(steps, 1, "steps per epoch"),
    COUNT(val_steps, 0, "validation steps per epoch"),
    COUNT(micro_batch, 1, "samples computed at once (default: what the memory holds)"),
    VOX_OPT_F64(vox_run_args, lr, -1, 0, 1e3, "largest learning rate"),
    VOX_OPT_AS("--weight-decay", vox_run_args, wd, F64, -1, 0, 1e3, NULL, "weight decay"),
    VOX_OPT_STR(vox_run_args, optimizer, NULL, "sgd or adamw"),
    COUNT(warmup, 0, "epochs of warm-up"),
    VOX_OPT_I64(vox_run_args, seed, -1, 0, 9e15, "everything random follows from it (1)"),
    VOX_OPT_AS("-device", vox_run_args, device, STR, 0, 0, 0, NULL,
               "cpu or fake (best there is)"),
    VOX_OPT_STR(
        vox_run_args, precision, NULL,
        "f32, or bf16: activations stored so, a third less memory, less exact (f32)"),
    COUNT(workers, 1, "threads that load samples (allowed cores)"),
    VOX_OPT_STR_ALONE(vox_run_args, recompute, NULL, "all",
                      "what backward makes again to save memory: none, cheap, all, or "
                      "scopes of the net (cheap; alone: all)"),
    COUNT(checkpoint_every, 0, "epochs between checkpoints, 0: only by the clock (1)"),
    VOX_OPT_F64(vox_run_args, checkpoint_minutes, -1, 0, 1e6,
                "minutes between checkpoints, 0: only by epochs (15)"),
    VOX_OPT_AS("--c", vox_run_args, resume, BOOL, 0, 0, 1, NULL,
               "continue from the newest sound checkpoint of the folder"),
    VOX_OPT_BOOL(vox_run_args, fresh, 0, "move the run in the folder aside and start"),
    VOX_OPT_STRS(vox_run_args, set, "key=value: an option of method, net, recipe"),
    VOX_OPT_STR(vox_run_args, compat, NULL, "quirks of the peer by name, or nnssl for all"),
    VOX_OPT_AS("-p", vox_run_args, plans, STR, 0, 0, 0, "nnsslPlans", "plans identifier"),
    VOX_OPT_AS("-num_gpus", vox_run_args, num_gpus, INT, 1, 1, 4096, NULL, "ranks"),
    VOX_OPT_BOOL(vox_run_args, npz, 0, "taken for the peer's sake, no effect"),
    VOX_OPT_BOOL(vox_run_args, val, 0, "only say what the finished run's validation gave"),
    VOX_OPT_BOOL(vox_run_args, val_best, 0, "as --val, of the best checkpoint"),
    VOX_OPT_BOOL(vox_run_args, disable_checkpointing, 0, "write no checkpoints"),
    VOX_OPT_AS("-pretrained_weights", vox_run_args, pretrained_weights, STR, 0, 0, 0, NULL,
               "start from the weights of a checkpoint"),
    VOX_OPT_END,
};

/* ---- the recipe: named, stored, or the default ---- */

static int set_text(char **field, const char *text)
{
    char *copy = vox_strdup(text);

    if (!copy)
        return VOX_E_NOMEM;
    vox_free(*field);
    *field = copy;
    return VOX_OK;
}

static int restore_recipe(vox_recipe *out, json_object *stored)
{
    json_object *fields, *options = vox_json_get(stored, "options");

    VOX_TRY(vox_json_object(&fields, stored, "recipe", "stored run"));
    VOX_TRY(vox_recipe_init(out));
    VOX_TRY(vox_opts_set_object(vox_recipe_opts, out, fields));
    out->options = json_object_get(options);
    return VOX_OK;
}

/* "mae_resenc_xs", once method or net are named. */
static int name_by_parts(vox_recipe *r)
{
    char name[128];

    snprintf(name, sizeof name, "%s_%s", r->method, r->net);
    return set_text(&r->name, name);
}

static int begin_recipe(vox_recipe *out, const vox_run_args *args, json_object *stored)
{
    const int parts = args->method || args->net;

    if (args->trainer && args->recipe)
        return vox_fail(VOX_E_USAGE, "-tr %s and --recipe %s exclude each other",
                        args->trainer, args->recipe);
    if (stored)
        VOX_TRY(restore_recipe(out, stored));
    else if (args->recipe)
        VOX_TRY(vox_recipe_read(out, args->recipe));
    else
        VOX_TRY(vox_recipe_find(out, args->trainer ? args->trainer : "BaseMAETrainer"));
    if (args->method)
        VOX_TRY(set_text(&out->method, args->method));
    if (args->net)
        VOX_TRY(set_text(&out->net, args->net));
    if (stored && args->trainer && strcmp(args->trainer, out->name))
        return vox_fail(VOX_E_USAGE,
                        "-tr is %s, the run was started as %s; --fresh starts another",
                        args->trainer, out->name);
    return parts && !stored && !args->trainer && !args->recipe ? name_by_parts(out)
                                                               : VOX_OK;
}

/* ---- flags over the recipe ---- */

static int set_patch(vox_recipe *r, const vox_ints *patch)
{
    if (patch->count == 1)
        r->patch = (vox_ints){
            3, {patch->v[0], patch->v[0], patch->v[0]}
        };
    else if (patch->count == 3)
        r->patch = *patch;
    else if (patch->count)
        return vox_fail(VOX_E_USAGE, "--patch has %d values, wanted one edge or z,y,x",
                        patch->count);
    return VOX_OK;
}

static int apply_flags(vox_recipe *r, const vox_run_args *args)
{
    const int given[] = {args->batch, args->epochs, args->steps};
    int *const field[] = {&r->batch, &r->epochs, &r->steps};

    for (int i = 0; i < VOX_COUNT(given); i++)
        *field[i] = given[i] > 0 ? given[i] : *field[i];
    r->val_steps = args->val_steps >= 0 ? args->val_steps : r->val_steps;
    r->lr = args->lr >= 0 ? args->lr : r->lr;
    r->weight_decay = args->wd >= 0 ? args->wd : r->weight_decay;
    if (args->optimizer)
        VOX_TRY(set_text(&r->optimizer, args->optimizer));
    if (args->warmup >= 0) {
        r->warmup = args->warmup;
        VOX_TRY(set_text(&r->schedule, args->warmup ? "warmup_poly" : "poly"));
    }
    VOX_TRY(set_patch(r, &args->patch));
    for (int64_t i = 0; i < args->set.count; i++)
        VOX_TRY(vox_recipe_set_word(r, args->set.v[i]));
    return VOX_OK;
}

/* ---- what is not the recipe's ---- */

static int check_flags(const vox_run_args *args)
{
    if (args->resume && args->fresh)
        return vox_fail(VOX_E_USAGE, "--resume and --fresh exclude each other");
    if (args->resume && (args->val || args->val_best))
        return vox_fail(VOX_E_USAGE, "--c and --val exclude each other");
    if (args->resume && args->pretrained_weights)
        return vox_fail(VOX_E_USAGE, "--c and -pretrained_weights exclude each other");
    if (args->val_best && args->disable_checkpointing)
        return vox_fail(VOX_E_USAGE,
                        "--val_best and --disable_checkpointing exclude each other");
    if (args->num_gpus > 1)
        return vox_fail(VOX_E_USAGE,
                        "-num_gpus is %d, wanted 1: this build trains on one device",
                        args->num_gpus);
    if (args->compat && strcmp(args->compat, "nnssl"))
        return vox_fail(VOX_E_USAGE, "--compat is %s, wanted nnssl", args->compat);
    return VOX_OK;
}

static int workers_of(const vox_run_args *args)
{
    const char *env = getenv("nnUNet_n_proc_DA");
    const long n = env ? strtol(env, NULL, 10) : 0;

    if (args->workers > 0)
        return args->workers;
    return n > 0 && n <= 1024 ? (int)n : vox_cpu_cores();
}

static int set_precision(vox_run *r, const vox_run_args *args, json_object *stored)
{
    const char *then = json_object_get_string(vox_json_get(stored, "precision"));
    const char *word = args->precision ? args->precision : then ? then : "f32";

    r->precision = strcmp(word, "bf16") ? VOX_F32 : VOX_BF16;
    if (strcmp(word, vox_dtype_name(r->precision)))
        return vox_fail(VOX_E_USAGE, "--precision is %s, wanted f32 or bf16", word);
    return VOX_OK;
}

static int set_machine(vox_run *r, const vox_run_args *args, json_object *stored,
                       int threads)
{
    VOX_TRY(set_precision(r, args, stored));
    VOX_TRY(set_text(&r->device, args->device ? args->device : "cpu"));
    r->threads = threads > 0 ? threads : vox_cpu_cores();
    r->workers = workers_of(args);
    r->every_given = args->checkpoint_every >= 0;
    r->checkpoint_every = r->every_given ? args->checkpoint_every : 1;
    r->minutes_given = args->checkpoint_minutes >= 0;
    r->checkpoint_minutes = r->minutes_given ? args->checkpoint_minutes : 15;
    r->checkpointing = !args->disable_checkpointing;
    return VOX_OK;
}

/* Free to change, as no result does; but kept when nothing is said. */
static int set_recompute(vox_run *r, const vox_run_args *args, json_object *stored)
{
    json_object *was = vox_json_get(stored, "recompute");
    const char *text = args->recompute ? args->recompute : "cheap";

    if (!args->recompute && json_object_is_type(was, json_type_string))
        text = json_object_get_string(was);
    return set_text(&r->recompute, text);
}

static void set_numbers(vox_run *r, const vox_run_args *args, json_object *stored)
{
    json_object *seed = vox_json_get(stored, "seed"),
                *micro = vox_json_get(stored, "micro_batch");
    r->seed = args->seed >= 0 ? args->seed : seed ? json_object_get_int64(seed) : 1;
    r->micro = args->micro_batch > 0 ? args->micro_batch
               : micro               ? json_object_get_int64(micro)
                                     : 0;
    r->compat = args->compat || json_object_get_boolean(vox_json_get(stored, "compat"));
    if (r->micro > r->recipe.batch)
        r->micro = r->recipe.batch;
}

/* ---- a run that continues ---- */

/* The first key of both whose value differs, or NULL. An option that a run was started
 * without, by an older version, takes its default. */
static const char *first_difference(json_object *a, json_object *b)
{
    json_object_object_foreach(a, key, value)
    {
        if (!json_object_object_get_ex(b, key, NULL))
            vox_log(VOX_WARN, "train", "the run was started without %s; it goes on with %s",
                    key, json_object_get_string(value));
        else if (!json_object_equal(value, vox_json_get(b, key)))
            return key;
    }
    return NULL;
}

static int fail_differs(const char *key, json_object *now, json_object *then)
{
    vox_buf a = VOX_BUF_INIT, b = VOX_BUF_INIT;
    int rc = vox_json_text(&a, now, 0);

    if (rc == VOX_OK)
        rc = vox_json_text(&b, then, 0);
    if (rc == VOX_OK)
        rc = vox_fail(VOX_E_USAGE,
                      "%s is %s, the run was started with %s; leave it as it was, or start "
                      "another with --fresh",
                      key, vox_buf_text(&a), vox_buf_text(&b));
    vox_buf_release(&a);
    vox_buf_release(&b);
    return rc;
}

static int compare_part(json_object *now, json_object *then, const char *key)
{
    json_object *a = vox_json_get(now, key), *b = vox_json_get(then, key);
    const char *inner = NULL;

    if (json_object_equal(a, b))
        return VOX_OK;
    if (json_object_get_type(a) != json_type_object ||
        json_object_get_type(b) != json_type_object)
        return fail_differs(key, a, b);
    inner = first_difference(a, b);
    return inner ? fail_differs(inner, vox_json_get(a, inner), vox_json_get(b, inner))
                 : VOX_OK;
}

/* Everything that shapes the numbers must be as it was, except the number of epochs. */
static int check_continues(const vox_run *r, json_object *stored)
{
    static const char *const parts[] = {"recipe", "resolved", "seed", "compat",
                                        "precision"};
    json_object *now = vox_run_json(r), *fields = vox_json_get(now, "recipe");
    json_object *epochs = vox_json_get(vox_json_get(stored, "recipe"), "epochs");
    int rc = now ? VOX_OK : VOX_E_NOMEM;

    if (rc == VOX_OK && epochs && json_object_get_int64(epochs) != r->recipe.epochs) {
        vox_log(VOX_WARN, "train",
                "epochs: %d, the run was started with %s; the schedule changes",
                r->recipe.epochs, json_object_get_string(epochs));
        json_object_object_add(fields, "epochs", json_object_get(epochs));
    }
    for (int i = 0; rc == VOX_OK && i < VOX_COUNT(parts); i++)
        rc = compare_part(now, stored, parts[i]);
    json_object_put(now);
    return rc;
}

/* ---- all of it ---- */

/* A patch or pair that cannot be is the command line's fault, whoever finds it. */
static int check_pair(const vox_run *r)
{
    const int *v = r->recipe.patch.v;
    const int64_t patch[3] = {v[0], v[1], v[2]};
    const vox_pretext p =
        vox_setup_pretext(&r->setup, VOX_TRAINING, patch, r->recipe.batch);
    const int rc = vox_pretext_check(&p);

    return rc == VOX_E_ARG ? VOX_E_USAGE : rc;
}

static int resolve(vox_run *r, const vox_run_args *args, int threads, json_object *stored)
{
    vox_optim_cfg optim;
    vox_schedule schedule;

    VOX_TRY(check_flags(args));
    VOX_TRY(begin_recipe(&r->recipe, args, stored));
    VOX_TRY(apply_flags(&r->recipe, args));
    VOX_TRY(vox_recipe_optim(&optim, &r->recipe));
    VOX_TRY(vox_recipe_schedule(&schedule, &r->recipe));
    VOX_TRY(vox_setup_init(&r->setup, r->recipe.method, r->recipe.net, r->recipe.options));
    VOX_TRY(check_pair(r));
    set_numbers(r, args, stored);
    VOX_TRY(set_recompute(r, args, stored));
    VOX_TRY(set_machine(r, args, stored, threads));
    return stored ? check_continues(r, stored) : VOX_OK;
}

int vox_run_resolve(vox_run *out, const vox_run_args *args, int threads,
                    json_object *stored)
{
    const int rc = resolve(out, args, threads, stored);

    if (rc != VOX_OK)
        vox_run_release(out);
    return rc;
}

vox_device_cfg vox_run_device(const vox_run *r)
{
    return vox_setup_device(&r->setup,
                            (vox_device_cfg){.name = r->device, .threads = r->threads});
}

void vox_run_release(vox_run *r)
{
    vox_recipe_release(&r->recipe);
    vox_setup_release(&r->setup);
    vox_free(r->recompute);
    vox_free(r->device);
    *r = (vox_run)VOX_RUN_INIT;
}

/* {"mae.hidden": 0.75, ..., "resenc_unet.features": [...]} */
static void add_options(json_object *out, const char *owner, const vox_opt *opts,
                        const void *cfg)
{
    json_object *values = vox_opts_json(opts, cfg);

    json_object_object_foreach(values, key, value)
    {
        char name[128];

        snprintf(name, sizeof name, "%s.%s", owner, key);
        json_object_object_add(out, name, json_object_get(value));
    }
    json_object_put(values);
}

static json_object *machine_json(const vox_run *r)
{
    json_object *o = json_object_new_object();

    json_object_object_add(o, "device", json_object_new_string(r->device));
    json_object_object_add(o, "threads", json_object_new_int(r->threads));
    json_object_object_add(o, "workers", json_object_new_int(r->workers));
    json_object_object_add(o, "checkpoint_every", json_object_new_int(r->checkpoint_every));
    json_object_object_add(o, "checkpoint_minutes",
                           json_object_new_double(r->checkpoint_minutes));
    return o;
}

json_object *vox_run_json(const vox_run *r)
{
    json_object *o = json_object_new_object(), *resolved = json_object_new_object();

    if (!o || !resolved) {
        json_object_put(o);
        json_object_put(resolved);
        vox_fail(VOX_E_NOMEM, "no memory for the run's settings");
        return NULL;
    }
    add_options(resolved, r->setup.method->name, r->setup.method->opts, r->setup.cfg);
    add_options(resolved, r->setup.model.net->name, r->setup.model.net->opts,
                r->setup.model.cfg);
    add_options(resolved, "cpu", vox_cpu_opts, &r->setup.cpu);
    json_object_object_add(o, "voxmind", json_object_new_string(vox_version()));
    json_object_object_add(o, "commit", json_object_new_string(vox_commit()));
    json_object_object_add(o, "recipe", vox_opts_json(vox_recipe_opts, &r->recipe));
    json_object_object_add(o, "options", json_object_get(r->recipe.options));
    json_object_object_add(o, "resolved", resolved);
    json_object_object_add(o, "seed", json_object_new_int64(r->seed));
    json_object_object_add(o, "micro_batch", json_object_new_int64(r->micro));
    json_object_object_add(o, "recompute", json_object_new_string(r->recompute));
    json_object_object_add(o, "compat", json_object_new_boolean(r->compat));
    json_object_object_add(o, "precision",
                           json_object_new_string(vox_dtype_name(r->precision)));
    json_object_object_add(o, "machine", machine_json(r));
    return o;
}

char *vox_run_name(const vox_run *r, const char *plans, const char *configuration)
{
    const size_t n = strlen(r->recipe.name) + strlen(plans) + strlen(configuration) + 5;
    char *name = vox_alloc(n, 1);

    if (name)
        snprintf(name, n, "%s__%s__%s", r->recipe.name, plans, configuration);
    return name;
}
