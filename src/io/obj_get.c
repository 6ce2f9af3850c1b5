/* obj: reading trees of Python values, with messages that name the key. */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/obj.h"

const char *vox_obj_kind_name(vox_obj_kind kind)
{
    static const char *const name[] = {
        [VOX_OBJ_NONE] = "None",
        [VOX_OBJ_BOOL] = "bool",
        [VOX_OBJ_INT] = "int",
        [VOX_OBJ_FLOAT] = "float",
        [VOX_OBJ_STR] = "str",
        [VOX_OBJ_BYTES] = "bytes",
        [VOX_OBJ_LIST] = "list",
        [VOX_OBJ_TUPLE] = "tuple",
        [VOX_OBJ_DICT] = "dict",
        [VOX_OBJ_TENSOR] = "tensor",
        [VOX_OBJ_DEVICE] = "device",
        [VOX_OBJ_DTYPE] = "dtype",
        [VOX_OBJ_OPAQUE] = "unknown object",
    };

    return kind < VOX_OBJ_INNER ? name[kind] : "class";
}

static int is_text(const vox_obj *o, const char *text, size_t len)
{
    return o->kind == VOX_OBJ_STR && o->str.len == len &&
           memcmp(o->str.text, text, len) == 0;
}

vox_obj *vox_obj_get(const vox_obj *dict, const char *key)
{
    const size_t len = strlen(key);

    if (!dict || dict->kind != VOX_OBJ_DICT)
        return NULL;
    for (int64_t i = dict->list.count - 2; i >= 0; i -= 2) {
        if (is_text(dict->list.item[i], key, len))
            return dict->list.item[i + 1];
    }
    return NULL;
}

vox_obj *vox_obj_get_int(const vox_obj *dict, int64_t key)
{
    if (!dict || dict->kind != VOX_OBJ_DICT)
        return NULL;
    for (int64_t i = dict->list.count - 2; i >= 0; i -= 2) {
        const vox_obj *k = dict->list.item[i];

        if (k->kind == VOX_OBJ_INT && k->i == key)
            return dict->list.item[i + 1];
    }
    return NULL;
}

/* The member, whose kind is one bit of `kinds`. */
static int need(vox_obj **out, const vox_obj *dict, const char *key, const char *where,
                unsigned kinds, const char *wanted)
{
    vox_obj *o = vox_obj_get(dict, key);

    if (!o)
        return vox_fail(VOX_E_MISSING, "%s: no key \"%s\"", where, key);
    if (o->kind >= VOX_OBJ_INNER || !(kinds >> o->kind & 1u))
        return vox_fail(VOX_E_FORMAT, "%s: \"%s\" is a %s, wanted a %s", where, key,
                        vox_obj_kind_name(o->kind), wanted);
    *out = o;
    return VOX_OK;
}

int vox_obj_need_dict(vox_obj **out, const vox_obj *dict, const char *key,
                      const char *where)
{
    return need(out, dict, key, where, 1u << VOX_OBJ_DICT, "dict");
}

int vox_obj_need_list(vox_obj **out, const vox_obj *dict, const char *key,
                      const char *where)
{
    return need(out, dict, key, where, 1u << VOX_OBJ_LIST | 1u << VOX_OBJ_TUPLE, "list");
}

int vox_obj_need_str(const char **out, const vox_obj *dict, const char *key,
                     const char *where)
{
    vox_obj *o = NULL;

    VOX_TRY(need(&o, dict, key, where, 1u << VOX_OBJ_STR, "str"));
    if (memchr(o->str.text, 0, o->str.len))
        return vox_fail(VOX_E_FORMAT, "%s: \"%s\" holds a zero byte", where, key);
    *out = o->str.text;
    return VOX_OK;
}

int vox_obj_need_int(int64_t *out, const vox_obj *dict, const char *key, const char *where)
{
    vox_obj *o = NULL;

    VOX_TRY(need(&o, dict, key, where, 1u << VOX_OBJ_INT, "int"));
    *out = o->i;
    return VOX_OK;
}

int vox_obj_need_float(double *out, const vox_obj *dict, const char *key, const char *where)
{
    vox_obj *o = NULL;

    VOX_TRY(need(&o, dict, key, where, 1u << VOX_OBJ_FLOAT | 1u << VOX_OBJ_INT, "float"));
    *out = o->kind == VOX_OBJ_INT ? (double)o->i : o->f;
    return VOX_OK;
}

int vox_obj_need_tensor(const vox_view **out, const vox_obj *dict, const char *key,
                        const char *where)
{
    vox_obj *o = NULL;

    VOX_TRY(need(&o, dict, key, where, 1u << VOX_OBJ_TENSOR, "tensor"));
    *out = &o->tensor->view;
    return VOX_OK;
}

/* The first tensor that begins at some element of some storage. */
typedef struct seen {
    const vox_storage *storage;
    int64_t offset, index;
} seen;

/* Index of an earlier tensor that begins where v does, or -1. */
static int64_t first_at(seen *table, int64_t cap, const vox_obj_view *v, int64_t index)
{
    const uint64_t hash =
        ((uintptr_t)v->storage / sizeof(vox_storage) + (uint64_t)v->offset) *
        0x9e3779b97f4a7c15u;
    int64_t i = (int64_t)(hash % (uint64_t)cap);

    if (vox_shape_count(v->view.shape) == 0)
        return -1;
    while (table[i].storage &&
           (table[i].storage != v->storage || table[i].offset != v->offset))
        i = i + 1 < cap ? i + 1 : 0;
    if (table[i].storage)
        return table[i].index;
    table[i] = (seen){v->storage, v->offset, index};
    return -1;
}

static int add_pair(vox_tensors *out, const vox_obj *key, const vox_obj *value,
                    const char *where)
{
    const vox_view *v;

    if (key->kind != VOX_OBJ_STR || memchr(key->str.text, 0, key->str.len))
        return vox_fail(VOX_E_FORMAT, "%s: a key is a %s, wanted a str", where,
                        vox_obj_kind_name(key->kind));
    if (value->kind != VOX_OBJ_TENSOR)
        return vox_fail(VOX_E_FORMAT, "%s: \"%s\" is a %s, wanted a tensor", where,
                        key->str.text, vox_obj_kind_name(value->kind));
    v = &value->tensor->view;
    VOX_TRY(vox_tensors_add(out, key->str.text, v->dtype, v->shape, v->data));
    memcpy(out->item[out->count - 1].stride, v->stride, sizeof v->stride);
    return VOX_OK;
}

int vox_obj_tensors(vox_tensors *out, const vox_obj *dict, const char *where)
{
    const int64_t n = dict && dict->kind == VOX_OBJ_DICT ? dict->list.count / 2 : -1;
    const int64_t cap = 2 * n + 1;
    seen *table = n < 0 ? NULL : vox_zalloc((size_t)cap, sizeof *table);
    int rc = table ? VOX_OK : VOX_E_NOMEM;

    *out = (vox_tensors)VOX_TENSORS_INIT;
    if (n < 0)
        return vox_fail(VOX_E_FORMAT, "%s: wanted a dict of tensors", where);
    for (int64_t i = 0; rc == VOX_OK && i < n; i++) {
        const vox_obj *value = dict->list.item[2 * i + 1];

        rc = add_pair(out, dict->list.item[2 * i], value, where);
        if (rc == VOX_OK)
            out->item[i].alias = first_at(table, cap, value->tensor, i);
    }
    vox_free(table);
    if (rc == VOX_OK) {
        out->source = vox_arena_strdup(&out->arena, where);
        rc = out->source ? VOX_OK : VOX_E_NOMEM;
    }
    if (rc != VOX_OK)
        vox_tensors_release(out);
    return rc;
}
