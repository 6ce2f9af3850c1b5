/* recipe: the table of trainers, and recipes from JSON. Source: methods.md 4, trainers.csv.
 */
#include "train/recipe.h"

#include <json-c/json_object.h>
#include <json-c/json_util.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

const vox_opt vox_recipe_opts[] = {
    VOX_OPT_STR(vox_recipe, name, NULL, "name in paths and checkpoints"),
    VOX_OPT_STR(vox_recipe, method, "mae", "pretext task"),
    VOX_OPT_STR(vox_recipe, net, "resenc_l", "net: a preset or a family"),
    VOX_OPT_INT(vox_recipe, batch, 2, 1, 65536, "samples per step"),
    VOX_OPT_INT(vox_recipe, epochs, 1000, 1, 10000000, "epochs"),
    VOX_OPT_INT(vox_recipe, steps, 250, 1, 10000000, "steps per epoch"),
    VOX_OPT_INT(vox_recipe, val_steps, 50, 0, 10000000, "validation steps per epoch"),
    VOX_OPT_INTS(vox_recipe, patch, "[160,160,160]", 1, 4096, "patch, one edge or z,y,x"),
    VOX_OPT_STR(vox_recipe, optimizer, "sgd", "sgd or adamw"),
    VOX_OPT_F64(vox_recipe, lr, 1e-2, 0, 1e3, "largest learning rate"),
    VOX_OPT_F64(vox_recipe, weight_decay, 3e-5, 0, 1e3, "weight decay"),
    VOX_OPT_F64(vox_recipe, momentum, 0.99, 0, 1, "momentum of sgd"),
    VOX_OPT_BOOL(vox_recipe, nesterov, 1, "Nesterov momentum of sgd"),
    VOX_OPT_F64(vox_recipe, beta1, 0.9, 0, 1, "first decay of adamw"),
    VOX_OPT_F64(vox_recipe, beta2, 0.98, 0, 1, "second decay of adamw"),
    VOX_OPT_F64(vox_recipe, eps, 1e-8, 0, 1, "epsilon of adamw"),
    VOX_OPT_F64(vox_recipe, clip, 12, 0, 1e30, "largest norm of the gradient, 0: any"),
    VOX_OPT_STR(vox_recipe, schedule, "poly", "poly, warmup_poly or constant"),
    VOX_OPT_INT(vox_recipe, warmup, 50, 0, 10000000, "epochs of warm-up"),
    VOX_OPT_STR(vox_recipe, sampling, "uniform", "crops: uniform, or anat (on anatomy)"),
    VOX_OPT_F64(vox_recipe, iqs_max, 0, 0, 1e9, "largest image-quality score kept, 0: any"),
    VOX_OPT_STRS(vox_recipe, modalities, "modalities kept; none: all"),
    VOX_OPT_F64(vox_recipe, train_fraction, 1, 1e-9, 1,
                "share of the training images used"),
    VOX_OPT_STR(vox_recipe, note, NULL, "logged when the recipe is used"),
    VOX_OPT_END,
};

typedef struct row {
    const char *name, *base, *json;
} row;

/* The JSON is written without quotes around it; the preprocessor makes it text. */
static const row rows[] = {
#define VOX_RECIPE(name, base, ...) {#name, #base, #__VA_ARGS__},
#include "train/recipes.def"
#undef VOX_RECIPE
};

const char *vox_recipe_name(int i)
{
    return i >= 0 && i < VOX_COUNT(rows) ? rows[i].name : NULL;
}

static const char *candidate(int i, void *arg)
{
    (void)arg;
    return vox_recipe_name(i);
}

int vox_recipe_init(vox_recipe *r)
{
    int rc;

    *r = (vox_recipe)VOX_RECIPE_INIT;
    rc = vox_opts_defaults(vox_recipe_opts, r);
    if (rc != VOX_OK)
        vox_recipe_release(r);
    return rc;
}

void vox_recipe_release(vox_recipe *r)
{
    json_object_put(r->options);
    vox_opts_release(vox_recipe_opts, r);
    *r = (vox_recipe)VOX_RECIPE_INIT;
}

/* One edge stands for three. */
static int set_patch(vox_recipe *r, json_object *value)
{
    vox_ints *p = &r->patch;

    VOX_TRY(vox_opts_set_json(vox_recipe_opts, r, "patch", value));
    if (p->count == 1)
        *p = (vox_ints){
            3, {p->v[0], p->v[0], p->v[0]}
        };
    if (p->count != 3)
        return vox_fail(VOX_E_USAGE, "patch has %d values, wanted one edge or z,y,x",
                        p->count);
    return VOX_OK;
}

static int set_option(vox_recipe *r, const char *key, json_object *value)
{
    if (!r->options)
        r->options = json_object_new_object();
    if (!r->options || json_object_object_add(r->options, key, json_object_get(value)) != 0)
        return vox_fail(VOX_E_NOMEM, "no memory for option %s", key);
    return VOX_OK;
}

int vox_recipe_set(vox_recipe *r, const char *key, json_object *value)
{
    if (strchr(key, '.'))
        return set_option(r, key, value);
    if (strcmp(key, "patch") == 0)
        return set_patch(r, value);
    return vox_opts_set_json(vox_recipe_opts, r, key, value);
}

int vox_recipe_set_word(vox_recipe *r, const char *word)
{
    const char *equals = strchr(word, '=');
    json_object *value = NULL;
    char key[96];
    int rc;

    if (!equals || equals == word || equals - word >= (long)sizeof key)
        return vox_fail(VOX_E_USAGE, "--set %s: wanted key=value", word);
    snprintf(key, sizeof key, "%.*s", (int)(equals - word), word);
    if (vox_json_parse(&value, equals + 1, strlen(equals + 1), key) != VOX_OK)
        value = json_object_new_string(equals + 1); /* a bare word is text */
    vox_error_clear();
    rc = value ? vox_recipe_set(r, key, value)
               : vox_fail(VOX_E_USAGE, "null, wanted a value");
    json_object_put(value);
    return rc == VOX_OK ? rc : vox_fail_in(rc, "--set %s", word);
}

static int set_all(vox_recipe *r, json_object *object)
{
    json_object_object_foreach(object, key, value)
    {
        if (strcmp(key, "base") != 0)
            VOX_TRY(vox_recipe_set(r, key, value));
    }
    return VOX_OK;
}

static const row *find_row(const char *name)
{
    for (int i = 0; i < VOX_COUNT(rows); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

/* The base's settings first, then the row's own. */
static int apply_row(vox_recipe *r, const row *at)
{
    json_object *object = NULL;
    const row *base = find_row(at->base);
    int rc;

    if (base)
        VOX_TRY(apply_row(r, base));
    VOX_TRY(vox_json_parse(&object, at->json, strlen(at->json), at->name));
    rc = set_all(r, object);
    json_object_put(object);
    return rc;
}

int vox_recipe_find(vox_recipe *out, const char *name)
{
    const row *at = find_row(name);
    int rc;

    if (!at) {
        const char *guess = vox_suggest(name, candidate, NULL);

        return vox_fail(VOX_E_USAGE, "there is no trainer \"%s\"%s%s%s", name,
                        guess ? "; did you mean \"" : "", guess ? guess : "",
                        guess ? "\"?" : "");
    }
    VOX_TRY(vox_recipe_init(out));
    rc = apply_row(out, at);
    if (rc == VOX_OK)
        rc = vox_opts_set(vox_recipe_opts, out, "name", name);
    if (rc != VOX_OK)
        vox_recipe_release(out);
    return rc;
}

/* "dir/mine.json" names the recipe "mine". */
static int name_after(vox_recipe *r, const char *where)
{
    const char *base = vox_path_base(where);
    const size_t len = strlen(base) - (vox_ends_with(base, ".json") ? 5 : 0);
    char name[128];

    snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1),
             base);
    return vox_opts_set(vox_recipe_opts, r, "name", name);
}

/* A null in the file takes a text away; these must be there. */
static int complete(const vox_recipe *r)
{
    static const char *const wanted[] = {"name",      "method",   "net",
                                         "optimizer", "schedule", "sampling"};
    const char *const found[] = {r->name,      r->method,   r->net,
                                 r->optimizer, r->schedule, r->sampling};

    for (int i = 0; i < VOX_COUNT(wanted); i++) {
        if (!found[i])
            return vox_fail(VOX_E_USAGE, "%s is null, wanted text", wanted[i]);
    }
    return VOX_OK;
}

static int parse_object(vox_recipe *out, json_object *object, const char *where)
{
    json_object *base = vox_json_get(object, "base");

    if (json_object_get_type(object) != json_type_object)
        return vox_fail(VOX_E_USAGE, "a recipe is %s, wanted an object",
                        json_type_to_name(json_object_get_type(object)));
    if (base)
        VOX_TRY(vox_recipe_find(out, json_object_get_string(base)));
    else
        VOX_TRY(vox_recipe_init(out));
    VOX_TRY(name_after(out, where));
    VOX_TRY(set_all(out, object));
    return complete(out);
}

int vox_recipe_parse(vox_recipe *out, const char *text, size_t len, const char *where)
{
    json_object *object = NULL;
    int rc;

    VOX_TRY(vox_json_parse(&object, text, len, where));
    rc = parse_object(out, object, where);
    json_object_put(object);
    if (rc != VOX_OK) {
        vox_recipe_release(out);
        return vox_fail_in(rc, "in %s", where);
    }
    return VOX_OK;
}

int vox_recipe_read(vox_recipe *out, const char *path)
{
    vox_buf text = VOX_BUF_INIT;
    int rc;

    VOX_TRY(vox_file_read(&text, path));
    rc = vox_recipe_parse(out, text.data, text.len, path);
    vox_buf_release(&text);
    return rc;
}

int vox_recipe_optim(vox_optim_cfg *out, const vox_recipe *r)
{
    *out = (vox_optim_cfg){
        .weight_decay = r->weight_decay,
        .momentum = r->momentum,
        .nesterov = r->nesterov,
        .beta = {r->beta1, r->beta2},
        .eps = r->eps,
        .clip = r->clip
    };
    return vox_optim_kind_find(&out->kind, r->optimizer);
}

int vox_recipe_schedule(vox_schedule *out, const vox_recipe *r)
{
    *out = (vox_schedule){.lr = r->lr, .epochs = r->epochs, .warmup = r->warmup};
    return vox_schedule_kind_find(&out->kind, r->schedule);
}
