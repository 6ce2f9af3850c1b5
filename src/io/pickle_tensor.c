/*
 * pickle, reading: persistent ids become storages, the rebuild functions tensors over them.
 * A tensor must lie inside its storage as declared; whether the file holds that much is
 * checked where the storage's entry is found (pth.c).
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/pickle_machine.h"

enum { KEY_MAX = 18 }; /* digits of a storage's key */

static int is_str(const vox_obj *o, const char *text)
{
    return o->kind == VOX_OBJ_STR && o->str.len == strlen(text) &&
           memcmp(o->str.text, text, o->str.len) == 0;
}

/* Digits without a leading zero: it is pasted into the name of an entry. */
static int is_key(const vox_obj *o)
{
    if (o->kind != VOX_OBJ_STR || o->str.len == 0 || o->str.len > KEY_MAX)
        return 0;
    return strspn(o->str.text, "0123456789") == o->str.len &&
           (o->str.text[0] != '0' || o->str.len == 1);
}

/* ('storage', <class>, <key>, <location>, <count>) */
int vox_pickle_storage(vox_machine *m, vox_obj *pid, vox_obj **out)
{
    vox_obj **v = pid->list.item;
    const inner_obj *cls;
    inner_obj *o;

    if (pid->kind != VOX_OBJ_TUPLE || pid->list.count != 5 || !is_str(v[0], "storage") ||
        (int)v[1]->kind != INNER_GLOBAL || v[3]->kind != VOX_OBJ_STR ||
        v[4]->kind != VOX_OBJ_INT || v[4]->i < 0 || v[4]->i > INT64_MAX / 16)
        return vox_machine_fail(m, "a persistent id is no storage");
    if (!is_key(v[2]))
        return vox_machine_fail(m, "the key of a storage is no number");
    cls = (const inner_obj *)v[1];
    if (cls->global.id != VOX_GLOBAL_STORAGE &&
        cls->global.id != VOX_GLOBAL_UNTYPED_STORAGE)
        return vox_machine_fail(m, "a storage of class '%s'", cls->global.name);
    o = vox_machine_inner(m, INNER_STORAGE);
    if (!o)
        return VOX_E_NOMEM;
    o->storage = (inner_storage){
        v[2]->str.text, cls->global.id == VOX_GLOBAL_STORAGE ? cls->global.dtype : -1,
        v[4]->i};
    *out = &o->obj;
    return VOX_OK;
}

/* The tree's storage of that key; all mentions must agree. */
static int resolve(vox_machine *m, const inner_storage *in, int untyped, vox_storage **out)
{
    const vox_dtype dtype = (vox_dtype)(in->dtype >= 0 ? in->dtype : untyped);
    const int64_t size = (int64_t)vox_dtype_size(dtype);
    const int64_t count = in->dtype >= 0 ? in->count : in->count / size;
    const int64_t i = vox_dict_get(&m->storage_index, in->key, -1);
    vox_storage *s;

    if (in->dtype < 0 && in->count % size)
        return vox_machine_fail(m, "storage %s of %lld bytes holds no whole %s", in->key,
                                (long long)in->count, vox_dtype_name(dtype));
    if (i >= 0) {
        *out = m->storage[i];
        if ((*out)->dtype != dtype || (*out)->count != count)
            return vox_machine_fail(m, "storage %s is declared twice, differently",
                                    in->key);
        return VOX_OK;
    }
    VOX_TRY(vox_grow(&m->storage, &m->cap_storage, m->n_storage + 1, sizeof *m->storage));
    s = vox_storage_new(m->tree, dtype, count, NULL);
    if (!s)
        return VOX_E_NOMEM;
    s->key = strtoll(in->key, NULL, 10);
    VOX_TRY(vox_dict_set(&m->storage_index, in->key, m->n_storage, NULL));
    m->storage[m->n_storage++] = s;
    *out = s;
    return VOX_OK;
}

/* Sizes or strides. */
static int extents(vox_machine *m, const vox_obj *tuple, int64_t out[VOX_MAX_RANK])
{
    if (tuple->list.count > VOX_MAX_RANK)
        return vox_machine_fail(m, "a tensor of rank %lld, at most %d",
                                (long long)tuple->list.count, VOX_MAX_RANK);
    for (int64_t i = 0; i < tuple->list.count; i++) {
        const vox_obj *o = tuple->list.item[i];

        if (o->kind != VOX_OBJ_INT || o->i < 0)
            return vox_machine_fail(m, "a size or stride is not a number >= 0");
        out[i] = o->i;
    }
    return VOX_OK;
}

/* offset + sum((n - 1) * stride) < count, without overflow. */
static int inside(const vox_view *v, int64_t offset, int64_t count)
{
    int64_t last = offset;

    if (offset > count)
        return 0;
    if (vox_shape_count(v->shape) == 0)
        return 1;
    for (int i = 0; i < v->shape.rank; i++) {
        const int64_t n = v->shape.n[i] - 1, stride = v->stride[i];

        if (n > 0 && stride > (count - last) / n)
            return 0;
        last += n * stride;
    }
    return last < count;
}

int vox_pickle_tensor(vox_machine *m, vox_obj *storage, vox_obj *offset, vox_obj *size,
                      vox_obj *stride, int dtype, vox_obj **out)
{
    const inner_storage *in = &((const inner_obj *)storage)->storage;
    vox_obj *o;
    vox_view *v;
    vox_storage *s = NULL;
    vox_shape shape = {.rank = (int)size->list.count};

    if ((int)storage->kind != INNER_STORAGE || (in->dtype < 0 && dtype < 0) ||
        (in->dtype >= 0 && dtype >= 0 && in->dtype != dtype))
        return vox_machine_fail(m, "a tensor without a storage of its type");
    if (size->list.count != stride->list.count)
        return vox_machine_fail(m, "a tensor with %lld sizes and %lld strides",
                                (long long)size->list.count, (long long)stride->list.count);
    VOX_TRY(extents(m, size, shape.n));
    VOX_TRY(resolve(m, in, dtype, &s));
    o = vox_obj_tensor(m->tree, s, 0, VOX_SHAPE(0));
    if (!o)
        return VOX_E_NOMEM;
    v = &o->tensor->view;
    v->shape = shape;
    VOX_TRY(extents(m, stride, v->stride));
    if (offset->i < 0 || vox_shape_count(shape) < 0 || vox_shape_count(shape) > s->count ||
        !inside(v, offset->i, s->count)) {
        char text[128];

        return vox_machine_fail(
            m, "a tensor of shape %s at %lld leaves its storage of %lld",
            vox_shape_text(shape, text), (long long)offset->i, (long long)s->count);
    }
    o->tensor->offset = offset->i;
    *out = o;
    return VOX_OK;
}
