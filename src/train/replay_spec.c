/* replay_spec: the JSON of a replay bundle. Source: replay.md. */
#include <json-c/json_object.h>
#include <json-c/json_util.h>
#include <json-c/linkhash.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "train/replay.h"

enum { MAX_STEPS = 100000 };

static const char *const fields[] = {"version",   "trainer", "method", "net",    "options",
                                     "optimizer", "steps",   "lr",     "compat", "want"};

static const char *field_at(int i, void *arg)
{
    (void)arg;
    return i < VOX_COUNT(fields) ? fields[i] : NULL;
}

static int check_fields(json_object *o)
{
    json_object_object_foreach(o, key, value)
    {
        const char *guess;
        int known = 0;

        (void)value;
        for (int i = 0; i < VOX_COUNT(fields); i++)
            known |= strcmp(fields[i], key) == 0;
        if (known)
            continue;
        guess = vox_suggest(key, field_at, NULL);
        return vox_fail(VOX_E_USAGE, "unknown field \"%s\"%s%s%s", key,
                        guess ? "; did you mean \"" : "", guess ? guess : "",
                        guess ? "\"?" : "");
    }
    return VOX_OK;
}

static int check_version(json_object *o)
{
    json_object *v = vox_json_get(o, "version");

    if (json_object_get_type(v) != json_type_int || json_object_get_int64(v) != 1)
        return vox_fail(VOX_E_USAGE, "version is %s, wanted 1",
                        v ? json_object_get_string(v) : "missing");
    return VOX_OK;
}

/* The optimizer's fields by the names of the recipe's. */
static int set_optimizer_field(vox_recipe *r, const char *key, json_object *value)
{
    static const char *const plain[] = {"lr",           "momentum", "nesterov",
                                        "weight_decay", "clip",     "eps"};
    json_object *b0, *b1;

    if (strcmp(key, "name") == 0)
        return vox_recipe_set(r, "optimizer", value);
    for (int i = 0; i < VOX_COUNT(plain); i++) {
        if (strcmp(plain[i], key) == 0)
            return vox_recipe_set(r, key, value);
    }
    if (strcmp(key, "betas") != 0)
        return vox_fail(VOX_E_USAGE,
                        "optimizer has no \"%s\", but name, lr, momentum, nesterov, "
                        "weight_decay, clip, betas, eps",
                        key);
    if (json_object_get_type(value) != json_type_array ||
        json_object_array_length(value) != 2)
        return vox_fail(VOX_E_USAGE, "betas is %s, wanted two numbers",
                        json_object_get_string(value));
    b0 = json_object_array_get_idx(value, 0);
    b1 = json_object_array_get_idx(value, 1);
    VOX_TRY(vox_recipe_set(r, "beta1", b0));
    return vox_recipe_set(r, "beta2", b1);
}

/* An absent optimizer is the trainer's, null is none, an object changes the trainer's. */
static int parse_optimizer(vox_replay_spec *s, json_object *o)
{
    vox_optim_cfg cfg;
    json_object *value = NULL;

    s->update = 1;
    if (!json_object_object_get_ex(o, "optimizer", &value))
        return VOX_OK;
    s->update = value != NULL;
    if (!value)
        return VOX_OK;
    if (json_object_get_type(value) != json_type_object)
        return vox_fail(VOX_E_USAGE, "optimizer is %s, wanted an object or null",
                        json_object_get_string(value));
    json_object_object_foreach(value, key, item)
    {
        VOX_TRY(set_optimizer_field(&s->recipe, key, item));
    }
    if (!s->recipe.optimizer)
        return vox_fail(VOX_E_USAGE, "the optimizer's name is null");
    return vox_recipe_optim(&cfg, &s->recipe); /* is the name known? */
}

static int parse_steps(vox_replay_spec *s, json_object *o)
{
    json_object *steps = vox_json_get(o, "steps"), *lr = vox_json_get(o, "lr");

    s->steps = steps ? json_object_get_int(steps) : 1;
    if (steps && (json_object_get_type(steps) != json_type_int || s->steps < 1 ||
                  s->steps > MAX_STEPS))
        return vox_fail(VOX_E_USAGE, "steps is %s, wanted 1 to %d",
                        json_object_get_string(steps), MAX_STEPS);
    if (!lr)
        return VOX_OK;
    if (json_object_get_type(lr) != json_type_array ||
        json_object_array_length(lr) != (size_t)s->steps)
        return vox_fail(VOX_E_USAGE,
                        "lr is %s, wanted an array of %d numbers, one per step",
                        json_object_get_string(lr), s->steps);
    s->lr = vox_alloc((size_t)s->steps, sizeof *s->lr);
    if (!s->lr)
        return VOX_E_NOMEM;
    for (int i = 0; i < s->steps; i++) {
        json_object *item = json_object_array_get_idx(lr, (size_t)i);

        s->lr[i] = json_object_get_double(item);
        if (!json_object_is_type(item, json_type_double) &&
            !json_object_is_type(item, json_type_int))
            return vox_fail(VOX_E_USAGE, "lr holds %s, wanted numbers",
                            item ? json_object_get_string(item) : "null");
    }
    return VOX_OK;
}

static int parse_want(vox_replay_spec *s, const char *name)
{
    static const char *const names[] = {"loss", "out", "grad", "param", "final"};

    for (int i = 0; i < VOX_COUNT(names); i++) {
        if (strcmp(names[i], name) == 0) {
            s->want |= 1u << i;
            return VOX_OK;
        }
    }
    if (strncmp(name, "activation:", 11) == 0 && name[11])
        return vox_strs_add(&s->activations, name + 11);
    return vox_fail(VOX_E_USAGE,
                    "want holds \"%s\", wanted loss, out, grad, param, final or "
                    "activation:<name>",
                    name);
}

static int parse_wants(vox_replay_spec *s, json_object *o)
{
    json_object *want = vox_json_get(o, "want");

    if (!want)
        s->want = VOX_WANT_LOSS | VOX_WANT_OUT | VOX_WANT_GRAD;
    if (want && json_object_get_type(want) != json_type_array)
        return vox_fail(VOX_E_USAGE, "want is %s, wanted an array",
                        json_object_get_string(want));
    for (size_t i = 0; want && i < json_object_array_length(want); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(want, i));

        VOX_TRY(parse_want(s, name ? name : "null"));
    }
    return VOX_OK;
}

/* No quirk of the peer touches what can be replayed today; all of them together is fine. */
static int parse_compat(json_object *o)
{
    json_object *compat = vox_json_get(o, "compat");

    if (compat && json_object_get_type(compat) != json_type_array)
        return vox_fail(VOX_E_USAGE, "compat is %s, wanted an array",
                        json_object_get_string(compat));
    for (size_t i = 0; compat && i < json_object_array_length(compat); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(compat, i));

        if (!name || strcmp(name, "nnssl") != 0)
            return vox_fail(VOX_E_USAGE, "compat holds \"%s\", wanted \"nnssl\"",
                            name ? name : "null");
    }
    return VOX_OK;
}

static int set_text(vox_recipe *r, json_object *o, const char *key)
{
    json_object *value = vox_json_get(o, key);

    if (!value)
        return VOX_OK;
    if (json_object_get_type(value) != json_type_string)
        return vox_fail(VOX_E_USAGE, "%s is %s, wanted text", key,
                        json_object_get_string(value));
    return vox_recipe_set(r, key, value);
}

static int parse_recipe(vox_replay_spec *s, json_object *o)
{
    json_object *options = vox_json_get(o, "options");
    json_object *trainer = vox_json_get(o, "trainer");

    if (trainer)
        VOX_TRY(vox_recipe_find(&s->recipe, json_object_get_string(trainer)));
    else if (!vox_json_get(o, "method") || !vox_json_get(o, "net"))
        return vox_fail(VOX_E_USAGE, "there is neither a trainer nor a method with a net");
    else
        VOX_TRY(vox_recipe_init(&s->recipe));
    VOX_TRY(set_text(&s->recipe, o, "method"));
    VOX_TRY(set_text(&s->recipe, o, "net"));
    if (options && json_object_get_type(options) != json_type_object)
        return vox_fail(VOX_E_USAGE, "options is %s, wanted an object",
                        json_object_get_string(options));
    if (!options)
        return VOX_OK;
    json_object_object_foreach(options, key, value)
    {
        if (!strchr(key, '.'))
            return vox_fail(VOX_E_USAGE, "option \"%s\" has no owner, wanted \"mae.block\"",
                            key);
        VOX_TRY(vox_recipe_set(&s->recipe, key, value));
    }
    return VOX_OK;
}

static int parse(vox_replay_spec *s, json_object *o)
{
    if (json_object_get_type(o) != json_type_object)
        return vox_fail(VOX_E_USAGE, "it is %s, wanted an object",
                        json_type_to_name(json_object_get_type(o)));
    VOX_TRY(check_fields(o));
    VOX_TRY(check_version(o));
    VOX_TRY(parse_recipe(s, o));
    VOX_TRY(parse_optimizer(s, o));
    VOX_TRY(parse_steps(s, o));
    VOX_TRY(parse_compat(o));
    return parse_wants(s, o);
}

int vox_replay_spec_parse(vox_replay_spec *out, const char *text, size_t len)
{
    json_object *o = NULL;
    int rc = vox_json_parse(&o, text, len, "voxmind.replay");

    if (rc != VOX_OK)
        return rc;
    rc = parse(out, o);
    json_object_put(o);
    if (rc != VOX_OK) {
        vox_replay_spec_release(out);
        return vox_fail_in(rc, "in voxmind.replay");
    }
    return VOX_OK;
}

void vox_replay_spec_release(vox_replay_spec *s)
{
    vox_recipe_release(&s->recipe);
    vox_strs_release(&s->activations);
    vox_free(s->lr);
    *s = (vox_replay_spec)VOX_REPLAY_SPEC_INIT;
}
