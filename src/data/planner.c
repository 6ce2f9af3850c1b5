/* planner: plans from fingerprints, and reading plans. One parser serves both. */
#include "data/planner.h"

#include <json-c/json_util.h>
#include <json-c/linkhash.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

static const char *const norm_names[] = {
    [VOX_NORM_ZSCORE] = "ZScoreNormalization",
    [VOX_NORM_NONE] = "NoNormalization",
    [VOX_NORM_RESCALE] = "RescaleTo01Normalization",
    [VOX_NORM_RGB] = "RGBTo01Normalization",
};

static int three_numbers(double out[3], json_object *list, const char *key,
                         const char *where)
{
    const int is_array = json_object_get_type(list) == json_type_array;

    if (!is_array || json_object_array_length(list) != 3)
        return vox_fail(VOX_E_FORMAT, "%s: \"%s\" is not three numbers", where, key);
    for (size_t i = 0; i < 3; i++)
        out[i] = json_object_get_double(json_object_array_get_idx(list, i));
    return VOX_OK;
}

/* A permutation of 0, 1, 2. */
static int read_transpose(int out[3], json_object *o, const char *key, const char *where)
{
    json_object *list;
    double v[3];
    int seen = 0;

    VOX_TRY(vox_json_array(&list, o, key, where));
    VOX_TRY(three_numbers(v, list, key, where));
    for (int i = 0; i < 3; i++) {
        out[i] = v[i] >= 0 && v[i] <= 2 ? (int)v[i] : 3;
        seen |= 1 << out[i];
    }
    if (seen != 7)
        return vox_fail(VOX_E_FORMAT,
                        "%s: \"%s\" is [%g, %g, %g], wanted 0, 1, 2 in some order", where,
                        key, v[0], v[1], v[2]);
    return VOX_OK;
}

static int read_norm(vox_configuration *c, const char *where)
{
    json_object *list, *masks;
    const char *text;

    VOX_TRY(vox_json_array(&list, c->json, "normalization_schemes", where));
    VOX_TRY(vox_json_array(&masks, c->json, "use_mask_for_norm", where));
    text = json_object_get_string(json_object_array_get_idx(list, 0));
    c->use_mask_for_norm = json_object_get_boolean(json_object_array_get_idx(masks, 0));
    for (int i = 0; i < VOX_COUNT(norm_names); i++) {
        if (text && strcmp(text, norm_names[i]) == 0) {
            c->norm = (vox_norm)i;
            return VOX_OK;
        }
    }
    return vox_fail(VOX_E_FORMAT, "%s: normalisation \"%s\" is not known", where,
                    text ? text : "null");
}

static int read_spacing(vox_configuration *c, const char *where)
{
    const char *style = c->spacing_style;

    c->resample = strcmp(style, "noresample") != 0;
    if (!c->resample)
        return VOX_OK;
    if (strcmp(style, "onemmiso") != 0 && strcmp(style, "median") != 0)
        return vox_fail(
            VOX_E_FORMAT,
            "%s: spacing_style is \"%s\", wanted onemmiso, median or noresample", where,
            style);
    VOX_TRY(three_numbers(c->spacing, vox_json_get(c->json, "spacing"), "spacing", where));
    for (int i = 0; i < 3; i++) {
        if (!isfinite(c->spacing[i]) || c->spacing[i] <= 0)
            return vox_fail(VOX_E_FORMAT, "%s: spacing[%d] is %g, wanted > 0", where, i,
                            c->spacing[i]);
    }
    return VOX_OK;
}

static int read_configuration(vox_configuration *c, const char *name, json_object *o,
                              const char *file)
{
    char where[512];
    const char *preprocessor;

    snprintf(where, sizeof where, "%s: configurations[%s]", file, name);
    c->name = name;
    c->json = o;
    VOX_TRY(vox_json_str(&c->data_identifier, o, "data_identifier", where));
    VOX_TRY(vox_json_str(&preprocessor, o, "preprocessor_name", where));
    VOX_TRY(vox_json_str(&c->spacing_style, o, "spacing_style", where));
    if (strcmp(preprocessor, "DefaultPreprocessor") != 0)
        return vox_fail(VOX_E_FORMAT,
                        "%s: preprocessor \"%s\" is not known, wanted "
                        "DefaultPreprocessor",
                        where, preprocessor);
    if (!*c->data_identifier || strchr(c->data_identifier, '/') ||
        c->data_identifier[0] == '.')
        return vox_fail(VOX_E_FORMAT,
                        "%s: data_identifier \"%s\" cannot be a folder's name", where,
                        c->data_identifier);
    VOX_TRY(read_norm(c, where));
    return read_spacing(c, where);
}

static int read_configurations(vox_plans *p, const char *name)
{
    json_object *all;

    VOX_TRY(vox_json_object(&all, p->json, "configurations", name));
    p->configuration =
        vox_zalloc((size_t)json_object_object_length(all), sizeof *p->configuration);
    if (!p->configuration)
        return VOX_E_NOMEM;
    for (struct lh_entry *e = json_object_get_object(all)->head; e; e = e->next) {
        VOX_TRY(read_configuration(&p->configuration[p->count], e->k, (json_object *)e->v,
                                   name));
        p->count++;
    }
    return VOX_OK;
}

static int read_plans(vox_plans *p, const char *name)
{
    json_object *median;

    VOX_TRY(vox_json_str(&p->dataset_name, p->json, "dataset_name", name));
    VOX_TRY(vox_json_str(&p->plans_name, p->json, "plans_name", name));
    VOX_TRY(vox_json_str(&p->reader, p->json, "image_reader_writer", name));
    VOX_TRY(vox_json_array(&median, p->json, "original_median_spacing_after_transp", name));
    VOX_TRY(three_numbers(p->median, median, "original_median_spacing_after_transp", name));
    VOX_TRY(read_transpose(p->forward, p->json, "transpose_forward", name));
    VOX_TRY(read_transpose(p->backward, p->json, "transpose_backward", name));
    return read_configurations(p, name);
}

/* Takes the reference of `json`. */
static int from_json(vox_plans *out, json_object *json, const char *name)
{
    int rc;

    *out = (vox_plans){.json = json};
    rc = read_plans(out, name);
    if (rc != VOX_OK)
        vox_plans_release(out);
    return rc;
}

int vox_plans_parse(vox_plans *out, const char *text, size_t len, const char *name)
{
    json_object *o = NULL;

    *out = (vox_plans)VOX_PLANS_INIT;
    VOX_TRY(vox_json_parse(&o, text, len, name));
    return from_json(out, o, name);
}

int vox_plans_read(vox_plans *out, const char *path)
{
    vox_buf text = VOX_BUF_INIT;
    int rc = vox_file_read(&text, path);

    *out = (vox_plans)VOX_PLANS_INIT;
    if (rc == VOX_OK)
        rc = vox_plans_parse(out, vox_buf_text(&text), text.len, path);
    vox_buf_release(&text);
    return rc;
}

int vox_plans_write(const vox_plans *p, const char *path)
{
    return vox_json_write(path, p->json, 0);
}

const vox_configuration *vox_plans_find(const vox_plans *p, const char *name)
{
    char names[256] = "";

    for (int64_t i = 0; i < p->count; i++) {
        const size_t n = strlen(names);

        if (strcmp(p->configuration[i].name, name) == 0)
            return &p->configuration[i];
        snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "",
                 p->configuration[i].name);
    }
    vox_fail(VOX_E_MISSING, "plan %s of %s has no configuration \"%s\", it has %s",
             p->plans_name, p->dataset_name, name, *names ? names : "none");
    return NULL;
}

/* The settings every known plan has; the resampling code knows no others. */
static int check_resampling(json_object *o, const char *fn_key, const char *kwargs_key,
                            int64_t order, const char *name)
{
    json_object *kwargs = vox_json_get(o, kwargs_key);
    const char *fn = json_object_get_string(vox_json_get(o, fn_key));

    if (!fn || strncmp(fn, "resample_data_or_seg_to_s", 25) != 0)
        return vox_fail(VOX_E_ARG,
                        "configuration %s: %s is \"%s\", wanted "
                        "resample_data_or_seg_to_shape",
                        name, fn_key, fn ? fn : "null");
    if (json_object_get_int64(vox_json_get(kwargs, "order")) != order ||
        json_object_get_int64(vox_json_get(kwargs, "order_z")) != 0 ||
        vox_json_get(kwargs, "force_separate_z"))
        return vox_fail(VOX_E_ARG,
                        "configuration %s: %s is %s, wanted order %d, order_z 0, "
                        "force_separate_z null",
                        name, kwargs_key, json_object_to_json_string(kwargs), (int)order);
    return VOX_OK;
}

int vox_plans_prepare(vox_prepare_cfg *out, const vox_plans *p, const vox_configuration *c)
{
    if (strcmp(p->reader, "SimpleITKIO") != 0)
        return vox_fail(VOX_E_ARG,
                        "plan %s: image_reader_writer is \"%s\", wanted SimpleITKIO",
                        p->plans_name, p->reader);
    VOX_TRY(check_resampling(c->json, "resampling_fn_data", "resampling_fn_data_kwargs", 3,
                             c->name));
    VOX_TRY(check_resampling(c->json, "resampling_fn_mask", "resampling_fn_mask_kwargs", 1,
                             c->name));
    *out = (vox_prepare_cfg){.norm = c->norm, .norm_in_mask = c->use_mask_for_norm};
    memcpy(out->transpose, p->forward, sizeof out->transpose);
    memcpy(out->target, c->spacing, sizeof out->target);
    return VOX_OK;
}

void vox_plans_release(vox_plans *p)
{
    vox_free(p->configuration);
    json_object_put(p->json);
    *p = (vox_plans)VOX_PLANS_INIT;
}

/* Making one: its text is printed, then read back. */

static int add_configuration(vox_buf *text, const char *plans_name, const char *style,
                             const char *spacing)
{
    VOX_TRY(
        vox_buf_printf(text,
                       "\"%s\": {\"data_identifier\": \"%s_%s\", \"preprocessor_name\": "
                       "\"DefaultPreprocessor\", \"spacing_style\": \"%s\", "
                       "\"normalization_schemes\": [\"ZScoreNormalization\"], "
                       "\"use_mask_for_norm\": [false], ",
                       style, plans_name, style, style));
    VOX_TRY(vox_buf_printf(
        text, "\"resampling_fn_data\": \"resample_data_or_seg_to_shape\", "
              "\"resampling_fn_data_kwargs\": {\"is_seg\": false, \"order\": 3, "
              "\"order_z\": 0, \"force_separate_z\": null}, "
              "\"resampling_fn_mask\": \"resample_data_or_seg_to_shape\", "
              "\"resampling_fn_mask_kwargs\": {\"is_seg\": true, \"order\": 1, "
              "\"order_z\": 0, \"force_separate_z\": null}, "));
    return vox_buf_printf(text, "\"spacing\": %s, \"patch_size\": null}", spacing);
}

static void print_doubles(char out[128], const double v[3])
{
    char n[3][32];

    snprintf(out, 128, "[%s, %s, %s]", vox_json_double(v[0], n[0]),
             vox_json_double(v[1], n[1]), vox_json_double(v[2], n[2]));
}

/* The coarsest axis first, the others in their order. */
static void choose_transpose(int forward[3], int backward[3], const double target[3])
{
    int coarsest = 0, at = 1;

    for (int i = 1; i < 3; i++)
        coarsest = target[i] > target[coarsest] ? i : coarsest;
    forward[0] = coarsest;
    for (int i = 0; i < 3; i++) {
        if (i != coarsest)
            forward[at++] = i;
    }
    for (int i = 0; i < 3; i++)
        backward[forward[i]] = i;
}

static int print_plans(vox_buf *text, const vox_fingerprint *f, const char *plans_name)
{
    double target[3], median[3], target_t[3], median_t[3];
    int fw[3], bw[3];
    char target_text[128], median_text[128];

    VOX_TRY(vox_fingerprint_middle(f, target, median));
    choose_transpose(fw, bw, target);
    for (int i = 0; i < 3; i++) {
        target_t[i] = target[fw[i]];
        median_t[i] = median[fw[i]];
    }
    print_doubles(target_text, target_t);
    print_doubles(median_text, median_t);
    VOX_TRY(vox_buf_printf(text,
                           "{\"dataset_name\": null, \"plans_name\": null, "
                           "\"original_median_spacing_after_transp\": %s, "
                           "\"image_reader_writer\": \"SimpleITKIO\", "
                           "\"transpose_forward\": [%d, %d, %d], "
                           "\"transpose_backward\": [%d, %d, %d], \"configurations\": {",
                           median_text, fw[0], fw[1], fw[2], bw[0], bw[1], bw[2]));
    VOX_TRY(add_configuration(text, plans_name, "median", target_text));
    VOX_TRY(vox_buf_add(text, ", ", 2));
    VOX_TRY(add_configuration(text, plans_name, "onemmiso", "[1, 1, 1]"));
    VOX_TRY(vox_buf_add(text, ", ", 2));
    VOX_TRY(add_configuration(text, plans_name, "noresample", "null"));
    return vox_buf_printf(text, "}, \"experiment_planner_used\": \"ExperimentPlanner\"}");
}

/* Replaces a key in place: the order stays. */
static int set_text(json_object *o, const char *key, const char *text)
{
    json_object *v = json_object_new_string(text);

    if (v && json_object_object_add(o, key, v) == 0)
        return VOX_OK;
    json_object_put(v);
    return vox_fail(VOX_E_NOMEM, "no memory for a plan");
}

static int keep_custom(json_object *plan, const vox_plans *old, const int forward[3])
{
    json_object *all = vox_json_get(plan, "configurations");

    for (int64_t i = 0; i < old->count; i++) {
        const vox_configuration *c = &old->configuration[i];

        if (json_object_object_get_ex(all, c->name, NULL))
            continue;
        if (c->resample && memcmp(old->forward, forward, sizeof old->forward) != 0)
            vox_log(VOX_WARN, "plan",
                    "configuration %s is kept, but the order of axes changed: "
                    "check its spacing",
                    c->name);
        if (json_object_object_add(all, c->name, json_object_get(c->json)))
            return vox_fail(VOX_E_NOMEM, "no memory for a plan");
    }
    return VOX_OK;
}

static int make_json(json_object **out, const vox_fingerprint *f, const char *dataset_name,
                     const char *plans_name, const vox_plans *old)
{
    vox_buf text = VOX_BUF_INIT;
    vox_plans p = VOX_PLANS_INIT;
    int rc = print_plans(&text, f, plans_name);

    if (rc == VOX_OK)
        rc = vox_json_parse(out, text.data, text.len, "plan");
    vox_buf_release(&text);
    if (rc == VOX_OK)
        rc = set_text(*out, "dataset_name", dataset_name);
    if (rc == VOX_OK)
        rc = set_text(*out, "plans_name", plans_name);
    if (rc == VOX_OK && old) {
        rc = read_transpose(p.forward, *out, "transpose_forward", "plan");
        if (rc == VOX_OK)
            rc = keep_custom(*out, old, p.forward);
    }
    return rc;
}

int vox_plans_make(vox_plans *out, const vox_fingerprint *f, const char *dataset_name,
                   const char *plans_name, const vox_plans *old)
{
    json_object *json = NULL;
    int rc;

    *out = (vox_plans)VOX_PLANS_INIT;
    if (f->count == 0)
        return vox_fail(VOX_E_ARG, "%s: the fingerprint is empty, nothing to plan from",
                        dataset_name);
    if (!*plans_name || strpbrk(plans_name, "\"\\/"))
        return vox_fail(VOX_E_ARG, "\"%s\" cannot be the name of a plan", plans_name);
    rc = make_json(&json, f, dataset_name, plans_name, old);
    if (rc == VOX_OK)
        return from_json(out, json, "plan");
    json_object_put(json);
    return rc;
}
