/* recipe_setup: method and net by name, with options "<owner>.<option>" handed to their
 * owner. */
#include <json-c/json_object.h>
#include <json-c/json_util.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/recipe.h"

/* If the key is "<owner>.<option>": the option's name, else NULL. */
static const char *option_of(const char *key, const char *owner)
{
    const size_t n = strlen(owner);

    return strncmp(key, owner, n) == 0 && key[n] == '.' ? key + n + 1 : NULL;
}

static int set_option(vox_setup *s, const char *key, json_object *value)
{
    const char *of_net = option_of(key, s->model.net->name);
    const char *of_method = option_of(key, s->method->name);
    const char *of_cpu = option_of(key, "cpu");
    int rc;

    if (of_net) {
        s->model.arch_class_name = s->model.net->arch_class_name;
        rc = vox_opts_set_json(s->model.net->opts, s->model.cfg, of_net, value);
    } else if (of_method) {
        rc = vox_opts_set_json(s->method->opts, s->cfg, of_method, value);
    } else if (of_cpu) {
        rc = vox_opts_set_json(vox_cpu_opts, &s->cpu, of_cpu, value);
    } else {
        return vox_fail(VOX_E_USAGE,
                        "option %s belongs neither to method %s nor to net %s nor to cpu",
                        key, s->method->name, s->model.net->name);
    }
    return rc == VOX_OK ? rc : vox_fail_in(rc, "option %s", key);
}

static int set_options(vox_setup *s, json_object *options)
{
    if (!options)
        return VOX_OK;
    if (json_object_get_type(options) != json_type_object)
        return vox_fail(VOX_E_USAGE, "options are %s, wanted an object",
                        json_type_to_name(json_object_get_type(options)));
    json_object_object_foreach(options, key, value)
    {
        VOX_TRY(set_option(s, key, value));
    }
    return VOX_OK;
}

static int init(vox_setup *s, const char *method, const char *net, json_object *options)
{
    s->method = vox_method_find(method);
    if (!s->method)
        return VOX_E_USAGE;
    VOX_TRY(vox_model_init(&s->model, net));
    s->cfg = vox_zalloc(1, s->method->cfg_size);
    if (!s->cfg)
        return VOX_E_NOMEM;
    VOX_TRY(vox_opts_defaults(s->method->opts, s->cfg));
    VOX_TRY(vox_opts_defaults(vox_cpu_opts, &s->cpu));
    VOX_TRY(set_options(s, options));
    if (s->method->out_channels)
        s->model.out_channels = s->method->out_channels(s->cfg);
    return VOX_OK;
}

int vox_setup_init(vox_setup *out, const char *method, const char *net,
                   json_object *options)
{
    const int rc = init(out, method, net, options);

    if (rc != VOX_OK)
        vox_setup_release(out);
    return rc;
}

void vox_setup_release(vox_setup *s)
{
    if (s->cfg)
        vox_opts_release(s->method->opts, s->cfg);
    vox_free(s->cfg);
    vox_model_release(&s->model);
    *s = (vox_setup)VOX_SETUP_INIT;
}

vox_device_cfg vox_setup_device(const vox_setup *s, vox_device_cfg cfg)
{
    cfg.winograd = s->cpu.winograd ? VOX_WINOGRAD_AUTO : VOX_WINOGRAD_NEVER;
    return cfg;
}

vox_pretext vox_setup_pretext(const vox_setup *s, vox_phase phase, const int64_t patch[3],
                              int64_t batch)
{
    return (vox_pretext){
        .method = s->method,
        .cfg = s->cfg,
        .net = &s->model,
        .phase = phase,
        .patch = VOX_SHAPE(s->model.in_channels, patch[0], patch[1], patch[2]),
        .batch = batch,
    };
}
