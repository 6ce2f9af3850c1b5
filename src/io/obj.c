/* obj: building trees of Python values. */
#include "io/obj.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

int vox_tree_status(const vox_tree *t)
{
    return t->status;
}

void vox_tree_release(vox_tree *t)
{
    vox_arena_release(&t->arena);
    *t = (vox_tree)VOX_TREE_INIT;
}

static void *take(vox_tree *t, size_t n, size_t size)
{
    void *p = vox_arena_alloc(&t->arena, n, size);

    if (!p && t->status == VOX_OK)
        t->status = VOX_E_NOMEM;
    return p;
}

static vox_obj *new_obj(vox_tree *t, vox_obj_kind kind)
{
    vox_obj *o = take(t, 1, sizeof *o);

    if (o)
        o->kind = kind;
    return o;
}

vox_obj *vox_obj_none(vox_tree *t)
{
    return new_obj(t, VOX_OBJ_NONE);
}

vox_obj *vox_obj_bool(vox_tree *t, int v)
{
    vox_obj *o = new_obj(t, VOX_OBJ_BOOL);

    if (o)
        o->i = v != 0;
    return o;
}

vox_obj *vox_obj_int(vox_tree *t, int64_t v)
{
    vox_obj *o = new_obj(t, VOX_OBJ_INT);

    if (o)
        o->i = v;
    return o;
}

vox_obj *vox_obj_float(vox_tree *t, double v)
{
    vox_obj *o = new_obj(t, VOX_OBJ_FLOAT);

    if (o)
        o->f = v;
    return o;
}

vox_obj *vox_obj_text(vox_tree *t, vox_obj_kind kind, const char *text, size_t len)
{
    vox_obj *o = new_obj(t, kind);
    char *copy = take(t, len + 1, 1);

    if (!o || !copy)
        return NULL;
    if (len)
        memcpy(copy, text, len);
    o->str.text = copy;
    o->str.len = len;
    return o;
}

vox_obj *vox_obj_str(vox_tree *t, const char *text)
{
    return vox_obj_text(t, VOX_OBJ_STR, text, strlen(text));
}

vox_obj *vox_obj_device(vox_tree *t, const char *text)
{
    return vox_obj_text(t, VOX_OBJ_DEVICE, text, strlen(text));
}

vox_obj *vox_obj_list(vox_tree *t)
{
    return new_obj(t, VOX_OBJ_LIST);
}

vox_obj *vox_obj_tuple(vox_tree *t)
{
    return new_obj(t, VOX_OBJ_TUPLE);
}

vox_obj *vox_obj_dict(vox_tree *t)
{
    return new_obj(t, VOX_OBJ_DICT);
}

/* Room for n more items. */
static int reserve(vox_tree *t, vox_obj *o, int64_t n)
{
    const int64_t want = o->list.count + n;
    const int64_t cap = want > 2 * o->list.cap ? want : 2 * o->list.cap;
    vox_obj **item;

    if (want <= o->list.cap)
        return VOX_OK;
    item = take(t, (size_t)cap, sizeof *item);
    if (!item)
        return VOX_E_NOMEM;
    if (o->list.count)
        memcpy(item, o->list.item, (size_t)o->list.count * sizeof *item);
    o->list.item = item;
    o->list.cap = cap;
    return VOX_OK;
}

void vox_obj_append(vox_tree *t, vox_obj *list, vox_obj *item)
{
    VOX_ASSERT(!list || list->kind == VOX_OBJ_LIST || list->kind == VOX_OBJ_TUPLE);
    if (list && item && reserve(t, list, 1) == VOX_OK)
        list->list.item[list->list.count++] = item;
}

void vox_obj_set_obj(vox_tree *t, vox_obj *dict, vox_obj *key, vox_obj *value)
{
    VOX_ASSERT(!dict || dict->kind == VOX_OBJ_DICT);
    if (!dict || !key || !value || reserve(t, dict, 2) != VOX_OK)
        return;
    dict->list.item[dict->list.count++] = key;
    dict->list.item[dict->list.count++] = value;
}

void vox_obj_set(vox_tree *t, vox_obj *dict, const char *key, vox_obj *value)
{
    vox_obj_set_obj(t, dict, vox_obj_str(t, key), value);
}

vox_storage *vox_storage_new(vox_tree *t, vox_dtype dtype, int64_t count, const void *data)
{
    vox_storage *s = take(t, 1, sizeof *s);

    if (!s)
        return NULL;
    *s = (vox_storage){-1, dtype, count, data, NULL, NULL, t->storages};
    t->storages = s;
    return s;
}

vox_storage *vox_storage_fetched(vox_tree *t, vox_dtype dtype, int64_t count,
                                 vox_fetch_fn fetch, void *arg)
{
    vox_storage *s = vox_storage_new(t, dtype, count, NULL);

    if (s) {
        s->fetch = fetch;
        s->arg = arg;
    }
    return s;
}

vox_obj *vox_obj_tensor(vox_tree *t, vox_storage *s, int64_t offset, vox_shape shape)
{
    vox_obj *o = new_obj(t, VOX_OBJ_TENSOR);
    vox_obj_view *v = take(t, 1, sizeof *v);
    const int64_t count = vox_shape_count(shape);

    if (!o || !v || !s)
        return NULL;
    VOX_ASSERT(offset >= 0 && count >= 0 && offset <= s->count &&
               count <= s->count - offset);
    v->storage = s;
    v->offset = offset;
    v->view = vox_view_of(s->dtype, shape, NULL);
    if (s->data)
        v->view.data = (const char *)s->data + (size_t)offset * vox_dtype_size(s->dtype);
    v->next = t->views;
    t->views = v;
    o->tensor = v;
    return o;
}
