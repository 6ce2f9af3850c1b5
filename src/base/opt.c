/* opt: option tables, text and JSON to fields and back. */
#include "base/opt.h"

#include <json-c/json_object.h>
#include <json-c/json_util.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

static void *field(const vox_opt *o, void *cfg)
{
    return (char *)cfg + o->offset;
}

static const void *const_field(const vox_opt *o, const void *cfg)
{
    return (const char *)cfg + o->offset;
}

int vox_strs_add(vox_strs *list, const char *text)
{
    char *copy = vox_strdup(text);

    if (!copy)
        return VOX_E_NOMEM;
    if (vox_grow(&list->v, &list->cap, list->count + 1, sizeof *list->v) != VOX_OK) {
        vox_free(copy);
        return VOX_E_NOMEM;
    }
    list->v[list->count++] = copy;
    return VOX_OK;
}

void vox_strs_release(vox_strs *list)
{
    for (int64_t i = 0; i < list->count; i++)
        vox_free(list->v[i]);
    vox_free(list->v);
    *list = (vox_strs){0};
}

static void put_number(const vox_opt *o, void *cfg, double v)
{
    void *p = field(o, cfg);

    switch (o->kind) {
    case VOX_OPT_KIND_F32:
        *(float *)p = (float)v;
        break;
    case VOX_OPT_KIND_F64:
        *(double *)p = v;
        break;
    case VOX_OPT_KIND_I64:
        *(int64_t *)p = (int64_t)v;
        break;
    default:
        *(int *)p = (int)v;
        break;
    }
}

static size_t field_size(vox_opt_kind kind)
{
    switch (kind) {
    case VOX_OPT_KIND_I64:
    case VOX_OPT_KIND_F64:
        return 8;
    case VOX_OPT_KIND_STR:
        return sizeof(char *);
    case VOX_OPT_KIND_INTS:
        return sizeof(vox_ints);
    case VOX_OPT_KIND_STRS:
    case VOX_OPT_KIND_WORDS:
        return sizeof(vox_strs);
    default:
        return 4;
    }
}

int vox_opts_defaults(const vox_opt *opts, void *cfg)
{
    for (const vox_opt *o = opts; o->name; o++)
        memset(field(o, cfg), 0, field_size(o->kind));
    for (const vox_opt *o = opts; o->name; o++) {
        if (o->def_text)
            VOX_TRY(vox_opts_set(opts, cfg, o->name, o->def_text));
        else if (o->kind <= VOX_OPT_KIND_F64)
            put_number(o, cfg, o->def);
    }
    return VOX_OK;
}

void vox_opts_release(const vox_opt *opts, void *cfg)
{
    for (const vox_opt *o = opts; o->name; o++) {
        if (o->kind == VOX_OPT_KIND_STR)
            vox_free(*(char **)field(o, cfg));
        else if (o->kind == VOX_OPT_KIND_STRS || o->kind == VOX_OPT_KIND_WORDS)
            vox_strs_release(field(o, cfg));
        memset(field(o, cfg), 0, field_size(o->kind));
    }
}

const vox_opt *vox_opts_find(const vox_opt *opts, const char *name)
{
    for (const vox_opt *o = opts; o->name; o++) {
        if (strcmp(o->name, name) == 0)
            return o;
    }
    return NULL;
}

/* Levenshtein distance, both words cut to 63 characters. */
static int edit_distance(const char *a, const char *b)
{
    int row[64], m = (int)strlen(b);

    if (m > 63)
        m = 63;
    for (int j = 0; j <= m; j++)
        row[j] = j;
    for (int i = 1; a[i - 1] && i < 64; i++) {
        int corner = row[0];

        row[0] = i;
        for (int j = 1; j <= m; j++) {
            const int change = corner + (a[i - 1] != b[j - 1]);
            const int edit = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

            corner = row[j];
            row[j] = change < edit ? change : edit;
        }
    }
    return row[m];
}

int vox_suggest_index(const char *word, const char *(*name)(int i, void *arg), void *arg)
{
    const char *candidate;
    int best = -1, best_distance = 3;

    for (int i = 0; (candidate = name(i, arg)) != NULL; i++) {
        int d = edit_distance(word, candidate);

        if (strlen(word) >= 3 && strncmp(word, candidate, strlen(word)) == 0 && d > 2)
            d = 2;
        if (d < best_distance) {
            best_distance = d;
            best = i;
        }
    }
    return best;
}

const char *vox_suggest(const char *word, const char *(*name)(int i, void *arg), void *arg)
{
    const int i = vox_suggest_index(word, name, arg);

    return i < 0 ? NULL : name(i, arg);
}

static const char *row_name(int i, void *arg)
{
    return ((const vox_opt *)arg)[i].name;
}

static int fail_unknown(const vox_opt *opts, const char *name)
{
    const char *near = vox_suggest(name, row_name, (void *)(uintptr_t)opts);

    return near ? vox_fail(VOX_E_USAGE, "unknown option \"%s\", did you mean \"%s\"?", name,
                           near)
                : vox_fail(VOX_E_USAGE, "unknown option \"%s\"", name);
}

static int fail_value(const vox_opt *o, const char *found)
{
    found = found ? found : "null";
    switch (o->kind) {
    case VOX_OPT_KIND_BOOL:
        return vox_fail(VOX_E_USAGE, "%s is %s, wanted true or false", o->name, found);
    case VOX_OPT_KIND_INT:
    case VOX_OPT_KIND_I64:
        return vox_fail(VOX_E_USAGE, "%s is %s, wanted a whole number from %.17g to %.17g",
                        o->name, found, o->min, o->max);
    case VOX_OPT_KIND_F32:
    case VOX_OPT_KIND_F64:
        return vox_fail(VOX_E_USAGE, "%s is %s, wanted a number from %.17g to %.17g",
                        o->name, found, o->min, o->max);
    case VOX_OPT_KIND_INTS:
        return vox_fail(VOX_E_USAGE,
                        "%s is %s, wanted at most %d whole numbers from %.17g to %.17g, "
                        "as [16,32]",
                        o->name, found, VOX_INTS_MAX, o->min, o->max);
    default:
        return vox_fail(VOX_E_USAGE, "%s is %s, wanted text", o->name, found);
    }
}

static int set_number(const vox_opt *o, void *cfg, json_object *v)
{
    const int whole = o->kind == VOX_OPT_KIND_INT || o->kind == VOX_OPT_KIND_I64;
    const json_type type = json_object_get_type(v);
    const double d = json_object_get_double(v);

    if (o->kind == VOX_OPT_KIND_BOOL) {
        if (type != json_type_boolean && !(type == json_type_int && (d == 0 || d == 1)))
            return fail_value(o, json_object_get_string(v));
        put_number(o, cfg, json_object_get_boolean(v));
        return VOX_OK;
    }
    if (type != json_type_int && (whole || type != json_type_double))
        return fail_value(o, json_object_get_string(v));
    if (!(d >= o->min && d <= o->max))
        return fail_value(o, json_object_get_string(v));
    if (o->kind == VOX_OPT_KIND_I64)
        *(int64_t *)field(o, cfg) = json_object_get_int64(v);
    else
        put_number(o, cfg, d);
    return VOX_OK;
}

static int set_ints(const vox_opt *o, void *cfg, json_object *v)
{
    const int many = json_object_get_type(v) == json_type_array;
    const size_t n = many ? json_object_array_length(v) : 1;
    vox_ints list = {0};

    if (n > VOX_INTS_MAX)
        return fail_value(o, json_object_get_string(v));
    for (size_t i = 0; i < n; i++) {
        json_object *item = many ? json_object_array_get_idx(v, i) : v;
        const int64_t value = json_object_get_int64(item);

        if (json_object_get_type(item) != json_type_int || (double)value < o->min ||
            (double)value > o->max)
            return fail_value(o, json_object_get_string(v));
        list.v[list.count++] = (int)value;
    }
    *(vox_ints *)field(o, cfg) = list;
    return VOX_OK;
}

static int set_text(const vox_opt *o, void *cfg, const char *text)
{
    char *copy;

    if (o->kind == VOX_OPT_KIND_STRS || o->kind == VOX_OPT_KIND_WORDS)
        return vox_strs_add(field(o, cfg), text);
    copy = vox_strdup(text);
    if (!copy)
        return VOX_E_NOMEM;
    vox_free(*(char **)field(o, cfg));
    *(char **)field(o, cfg) = copy;
    return VOX_OK;
}

static int set_texts(const vox_opt *o, void *cfg, json_object *v)
{
    if (!v)
        return fail_value(o, NULL);
    if (json_object_get_type(v) != json_type_array)
        return set_text(o, cfg, json_object_get_string(v));
    for (size_t i = 0; i < json_object_array_length(v); i++) {
        if (!json_object_array_get_idx(v, i))
            return fail_value(o, json_object_get_string(v));
    }
    vox_strs_release(field(o, cfg));
    for (size_t i = 0; i < json_object_array_length(v); i++)
        VOX_TRY(set_text(o, cfg, json_object_get_string(json_object_array_get_idx(v, i))));
    return VOX_OK;
}

int vox_opts_set_json(const vox_opt *opts, void *cfg, const char *name, json_object *value)
{
    const vox_opt *o = vox_opts_find(opts, name);

    if (!o)
        return fail_unknown(opts, name);
    switch (o->kind) {
    case VOX_OPT_KIND_STR:
        if (value)
            return set_text(o, cfg, json_object_get_string(value));
        vox_free(*(char **)field(o, cfg));
        *(char **)field(o, cfg) = NULL;
        return VOX_OK;
    case VOX_OPT_KIND_STRS:
    case VOX_OPT_KIND_WORDS:
        return set_texts(o, cfg, value);
    case VOX_OPT_KIND_INTS:
        return set_ints(o, cfg, value);
    default:
        return set_number(o, cfg, value);
    }
}

/* "16,32" and "16x32" are taken as lists too. */
static int set_ints_text(const vox_opt *o, void *cfg, const char *text)
{
    vox_ints list = {0};
    const char *p = text + (*text == '[');

    for (;;) {
        char *end;
        const long v = strtol(p, &end, 10);

        if (end == p || (double)v < o->min || (double)v > o->max ||
            list.count == VOX_INTS_MAX)
            return fail_value(o, text);
        list.v[list.count++] = (int)v;
        p = end + strspn(end, " ");
        if (*p == '\0' || (p[0] == ']' && p[1] == '\0'))
            break;
        if (*p != ',' && *p != 'x')
            return fail_value(o, text);
        p++;
    }
    *(vox_ints *)field(o, cfg) = list;
    return VOX_OK;
}

int vox_opts_set(const vox_opt *opts, void *cfg, const char *name, const char *text)
{
    const vox_opt *o = vox_opts_find(opts, name);
    json_object *value = NULL;
    int rc;

    if (!o)
        return fail_unknown(opts, name);
    if (o->kind == VOX_OPT_KIND_STR || o->kind == VOX_OPT_KIND_STRS ||
        o->kind == VOX_OPT_KIND_WORDS)
        return set_text(o, cfg, text);
    if (o->kind == VOX_OPT_KIND_INTS)
        return set_ints_text(o, cfg, text);
    if (vox_json_parse(&value, text, strlen(text), name) != VOX_OK)
        return fail_value(o, text);
    rc = vox_opts_set_json(opts, cfg, name, value);
    json_object_put(value);
    return rc;
}

int vox_opts_set_object(const vox_opt *opts, void *cfg, json_object *object)
{
    if (json_object_get_type(object) != json_type_object)
        return vox_fail(VOX_E_USAGE, "options are %s, wanted an object",
                        json_type_to_name(json_object_get_type(object)));
    json_object_object_foreach(object, key, value)
    {
        VOX_TRY(vox_opts_set_json(opts, cfg, key, value));
    }
    return VOX_OK;
}

/* The double of the shortest decimal that is this float: 0.3, not 0.30000001192092896. */
static double shortest(float v)
{
    char text[32];
    int digits = 6;

    do {
        snprintf(text, sizeof text, "%.*g", digits, (double)v);
    } while ((float)strtod(text, NULL) != v && digits++ < 9);
    return strtod(text, NULL);
}

/* NULL is JSON's null: a text that is not set. */
static json_object *field_json(const vox_opt *o, const void *cfg)
{
    const void *p = const_field(o, cfg);
    json_object *list;

    switch (o->kind) {
    case VOX_OPT_KIND_BOOL:
        return json_object_new_boolean(*(const int *)p);
    case VOX_OPT_KIND_INT:
        return json_object_new_int(*(const int *)p);
    case VOX_OPT_KIND_I64:
        return json_object_new_int64(*(const int64_t *)p);
    case VOX_OPT_KIND_F32:
        return json_object_new_double(shortest(*(const float *)p));
    case VOX_OPT_KIND_F64:
        return json_object_new_double(*(const double *)p);
    case VOX_OPT_KIND_STR:
        return *(char *const *)p ? json_object_new_string(*(char *const *)p) : NULL;
    case VOX_OPT_KIND_INTS:
        list = json_object_new_array();
        for (int i = 0; i < ((const vox_ints *)p)->count; i++)
            json_object_array_add(list, json_object_new_int(((const vox_ints *)p)->v[i]));
        return list;
    default:
        list = json_object_new_array();
        for (int64_t i = 0; i < ((const vox_strs *)p)->count; i++)
            json_object_array_add(list,
                                  json_object_new_string(((const vox_strs *)p)->v[i]));
        return list;
    }
}

json_object *vox_opts_json(const vox_opt *opts, const void *cfg)
{
    json_object *object = json_object_new_object();

    for (const vox_opt *o = opts; object && o->name; o++)
        json_object_object_add(object, o->name, field_json(o, cfg));
    return object;
}

int vox_opt_text(vox_buf *out, const vox_opt *o, const void *cfg)
{
    json_object *value = field_json(o, cfg);
    const int many = json_object_get_type(value) == json_type_array;
    int rc = VOX_OK;

    if (value && !many) /* a text that is not set has none */
        rc = vox_buf_printf(out, "%s", json_object_get_string(value));
    for (size_t i = 0; many && i < json_object_array_length(value) && rc == VOX_OK; i++)
        rc = vox_buf_printf(out, "%s%s", i ? "," : "",
                            json_object_get_string(json_object_array_get_idx(value, i)));
    json_object_put(value);
    return rc;
}
