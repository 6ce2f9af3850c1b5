/* obj: between trees of Python values and JSON. Plans travel in checkpoints so. */
#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <limits.h>
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "io/obj.h"

enum { DEPTH = 200, VALUES_MAX = 1 << 20 };

static vox_obj *from_json(vox_tree *t, json_object *v, int depth)
{
    vox_obj *o = NULL;

    if (depth > DEPTH) {
        t->status = t->status ? t->status : vox_fail(VOX_E_ARG, "JSON nested too deep");
        return NULL;
    }
    switch (json_object_get_type(v)) {
    case json_type_null:
        return vox_obj_none(t);
    case json_type_boolean:
        return vox_obj_bool(t, json_object_get_boolean(v));
    case json_type_int:
        return vox_obj_int(t, json_object_get_int64(v));
    case json_type_double:
        return vox_obj_float(t, json_object_get_double(v));
    case json_type_string:
        return vox_obj_text(t, VOX_OBJ_STR, json_object_get_string(v),
                            (size_t)json_object_get_string_len(v));
    case json_type_array:
        o = vox_obj_list(t);
        for (size_t i = 0; i < json_object_array_length(v); i++)
            vox_obj_append(t, o, from_json(t, json_object_array_get_idx(v, i), depth + 1));
        return o;
    case json_type_object:
        o = vox_obj_dict(t);
        for (struct lh_entry *e = lh_table_head(json_object_get_object(v)); e;
             e = lh_entry_next(e))
            vox_obj_set(t, o, lh_entry_k(e), from_json(t, lh_entry_v(e), depth + 1));
        return o;
    }
    return NULL;
}

vox_obj *vox_obj_from_json(vox_tree *t, json_object *value)
{
    return from_json(t, value, 0);
}

static int key_text(char buf[static 32], const char **out, const vox_obj *key)
{
    switch (key->kind) {
    case VOX_OBJ_STR:
        *out = key->str.text;
        return VOX_OK;
    case VOX_OBJ_INT:
        snprintf(buf, 32, "%lld", (long long)key->i);
        *out = buf;
        return VOX_OK;
    default:
        return vox_fail(VOX_E_ARG, "a %s cannot be a key of JSON",
                        vox_obj_kind_name(key->kind));
    }
}

/* Put a new member into an object or array; takes the reference. */
static int put(json_object *into, const char *key, json_object *value)
{
    const int bad =
        key ? json_object_object_add(into, key, value) : json_object_array_add(into, value);

    if (!bad)
        return VOX_OK;
    json_object_put(value);
    return vox_fail(VOX_E_NOMEM, "no memory for JSON");
}

static int value_to_json(json_object **out, const vox_obj *o)
{
    switch (o->kind) {
    case VOX_OBJ_NONE:
        *out = NULL;
        return VOX_OK;
    case VOX_OBJ_BOOL:
        *out = json_object_new_boolean((json_bool)o->i);
        break;
    case VOX_OBJ_INT:
        *out = json_object_new_int64(o->i);
        break;
    case VOX_OBJ_FLOAT:
        *out = json_object_new_double(o->f);
        break;
    case VOX_OBJ_STR:
    case VOX_OBJ_DEVICE:
    case VOX_OBJ_DTYPE:
        if (o->str.len > INT_MAX)
            return vox_fail(VOX_E_ARG, "a str of %zu bytes cannot be JSON", o->str.len);
        *out = json_object_new_string_len(o->str.text, (int)o->str.len);
        break;
    case VOX_OBJ_LIST:
    case VOX_OBJ_TUPLE:
        *out = json_object_new_array();
        break;
    case VOX_OBJ_DICT:
        *out = json_object_new_object();
        break;
    default:
        return vox_fail(VOX_E_ARG, "a %s cannot be JSON", vox_obj_kind_name(o->kind));
    }
    return *out ? VOX_OK : vox_fail(VOX_E_NOMEM, "no memory for JSON");
}

static int to_json(json_object **out, const vox_obj *o, int *left);

static int items_to_json(json_object *into, const vox_obj *o, int *left)
{
    const int dict = o->kind == VOX_OBJ_DICT;

    for (int64_t i = 0; i < o->list.count; i += 1 + dict) {
        json_object *value = NULL;
        const char *key = NULL;
        char buf[32];

        if (dict)
            VOX_TRY(key_text(buf, &key, o->list.item[i]));
        VOX_TRY(to_json(&value, o->list.item[i + dict], left));
        VOX_TRY(put(into, key, value));
    }
    return VOX_OK;
}

/* Shared parts are written out each time, so what is left to write is counted. */
static int to_json(json_object **out, const vox_obj *o, int *left)
{
    json_object *value = NULL;
    int rc;

    if (--*left < 0)
        return vox_fail(VOX_E_ARG, "more than %d values for JSON", VALUES_MAX);
    VOX_TRY(value_to_json(&value, o));
    rc = o->kind == VOX_OBJ_LIST || o->kind == VOX_OBJ_TUPLE || o->kind == VOX_OBJ_DICT
             ? items_to_json(value, o, left)
             : VOX_OK;
    if (rc == VOX_OK)
        *out = value;
    else
        json_object_put(value);
    return rc;
}

int vox_obj_to_json(json_object **out, const vox_obj *o)
{
    int left = VALUES_MAX;

    return to_json(out, o, &left);
}
