/* adaptation: JSON from the model and the data's plan. */
#include "train/adaptation.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

static int fail_memory(void)
{
    return vox_fail(VOX_E_NOMEM, "no memory for the adaptation plan");
}

static json_object *list3(const int64_t n[3])
{
    json_object *a = json_object_new_array();

    for (int k = 0; a && k < 3; k++)
        json_object_array_add(a, json_object_new_int64(n[k]));
    return a;
}

/* A copy in which doubles of integral value are integers, as the peer's serialiser has it.
 */
static json_object *tidy(json_object *v)
{
    json_object *copy;

    switch (json_object_get_type(v)) {
    case json_type_object:
        copy = json_object_new_object();
        json_object_object_foreach(v, key, item)
        {
            json_object_object_add(copy, key, tidy(item));
        }
        return copy;
    case json_type_array:
        copy = json_object_new_array();
        for (size_t i = 0; i < json_object_array_length(v); i++)
            json_object_array_add(copy, tidy(json_object_array_get_idx(v, i)));
        return copy;
    case json_type_double: {
        const double d = json_object_get_double(v);

        if (rint(d) == d && fabs(d) < 9e15)
            return json_object_new_int64((int64_t)d);
        return json_object_new_double(d);
    }
    default:
        return json_object_get(v);
    }
}

static int one_configuration(json_object **out, json_object *plans, const char *name,
                             const int64_t patch[3])
{
    json_object *all, *chosen, *copy;

    VOX_TRY(vox_json_object(&all, plans, "configurations", "plans"));
    VOX_TRY(vox_json_object(&chosen, all, name, "plans: configurations"));
    copy = tidy(chosen);
    json_object_object_add(copy, "patch_size", list3(patch));
    *out = json_object_new_object();
    json_object_object_add(*out, name, copy);
    return VOX_OK;
}

int vox_run_plan(json_object **out, json_object *plans, const char *configuration,
                 const int64_t patch[3])
{
    static const char *const keys[] = {"dataset_name",
                                       "plans_name",
                                       "original_median_spacing_after_transp",
                                       "image_reader_writer",
                                       "transpose_forward",
                                       "transpose_backward",
                                       "configurations",
                                       "experiment_planner_used"};
    json_object *plan = json_object_new_object();
    int rc = plan ? VOX_OK : fail_memory();

    for (int i = 0; rc == VOX_OK && i < VOX_COUNT(keys); i++) {
        json_object *value = vox_json_get(plans, keys[i]);

        if (!value)
            rc = vox_fail(VOX_E_MISSING, "plans: has no \"%s\"", keys[i]);
        else if (strcmp(keys[i], "configurations") == 0)
            rc = one_configuration(&value, plans, configuration, patch);
        else
            value = tidy(value);
        if (rc == VOX_OK)
            json_object_object_add(plan, keys[i], value);
    }
    if (rc != VOX_OK) {
        json_object_put(plan);
        return rc;
    }
    *out = plan;
    return VOX_OK;
}

/* Classes the peer builds by their name alone. */
static int needs_kwargs(const char *class_name)
{
    return strcmp(class_name, "ResidualEncoderUNet") == 0 ||
           strcmp(class_name, "PlainConvUNet") == 0;
}

/* Keyword arguments that name a class. */
static json_object *requiring_import(json_object *kwargs)
{
    static const char *const ops[] = {"conv_op", "norm_op", "dropout_op", "nonlin"};
    json_object *list = json_object_new_array();

    for (int i = 0; i < VOX_COUNT(ops); i++) {
        if (vox_json_get(kwargs, ops[i]))
            json_object_array_add(list, json_object_new_string(ops[i]));
    }
    return list;
}

static json_object *architecture(const vox_model *model)
{
    const char *class_name = model->arch_class_name;
    json_object *a = json_object_new_object(), *kwargs = NULL;

    if (needs_kwargs(class_name) && model->net->arch_kwargs)
        kwargs = model->net->arch_kwargs(model);
    json_object_object_add(a, "arch_class_name", json_object_new_string(class_name));
    json_object_object_add(a, "arch_kwargs", kwargs);
    json_object_object_add(a, "arch_kwargs_requiring_import",
                           kwargs ? requiring_import(kwargs) : NULL);
    return a;
}

static json_object *text_or_null(const char *text)
{
    return text ? json_object_new_string(text) : NULL;
}

int vox_adaptation_plan(json_object **out, const vox_model *model, json_object *plan,
                        const int64_t patch[3])
{
    const vox_net_adaptation *keys = &model->net->adaptation;
    json_object *o = json_object_new_object(), *in_proj = json_object_new_array();

    if (!o || !in_proj) {
        json_object_put(o);
        json_object_put(in_proj);
        return fail_memory();
    }
    for (int i = 0; i < VOX_COUNT(keys->keys_to_in_proj) && keys->keys_to_in_proj[i]; i++)
        json_object_array_add(in_proj, json_object_new_string(keys->keys_to_in_proj[i]));
    json_object_object_add(o, "architecture_plans", architecture(model));
    json_object_object_add(o, "pretrain_plan", json_object_get(plan));
    json_object_object_add(o, "pretrain_num_input_channels",
                           json_object_new_int(model->in_channels));
    json_object_object_add(o, "recommended_downstream_patchsize", list3(patch));
    json_object_object_add(o, "key_to_encoder", text_or_null(keys->key_to_encoder));
    json_object_object_add(o, "key_to_stem", text_or_null(keys->key_to_stem));
    json_object_object_add(o, "keys_to_in_proj", in_proj);
    json_object_object_add(o, "key_to_lpe", text_or_null(keys->key_to_lpe));
    *out = o;
    return VOX_OK;
}
