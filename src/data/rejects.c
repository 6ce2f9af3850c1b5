/* rejects: a list of texts. */
#include "data/rejects.h"

#include <json-c/json_object.h>

#include "base/error.h"
#include "base/mem.h"

int vox_rejects_add(vox_rejects *r, const char *path, const char *id, const char *reason)
{
    const vox_reject n = {vox_arena_strdup(&r->arena, path),
                          vox_arena_strdup(&r->arena, id),
                          vox_arena_strdup(&r->arena, reason)};

    if (!n.path || !n.id || !n.reason)
        return VOX_E_NOMEM;
    VOX_TRY(vox_grow(&r->v, &r->cap, r->count + 1, sizeof n));
    r->v[r->count++] = n;
    return VOX_OK;
}

int vox_rejects_add_all(vox_rejects *r, const vox_rejects *from)
{
    for (int64_t i = 0; i < from->count; i++)
        VOX_TRY(vox_rejects_add(r, from->v[i].path, from->v[i].id, from->v[i].reason));
    return VOX_OK;
}

static int add_text(json_object *o, const char *key, const char *text)
{
    json_object *v = json_object_new_string(text);

    if (v && json_object_object_add(o, key, v) == 0)
        return 1;
    json_object_put(v);
    return 0;
}

json_object *vox_rejects_json(const vox_rejects *r)
{
    json_object *list = json_object_new_array();
    int good = list != NULL;

    for (int64_t i = 0; i < r->count && good; i++) {
        json_object *o = json_object_new_object();

        good = o && add_text(o, "id", r->v[i].id) && add_text(o, "path", r->v[i].path) &&
               add_text(o, "reason", r->v[i].reason);
        if (!good || json_object_array_add(list, o)) {
            json_object_put(o);
            good = 0;
        }
    }
    if (good)
        return list;
    json_object_put(list);
    vox_fail(VOX_E_NOMEM, "no memory for the report of %lld rejected images",
             (long long)r->count);
    return NULL;
}

void vox_rejects_release(vox_rejects *r)
{
    vox_free(r->v);
    vox_arena_release(&r->arena);
    *r = (vox_rejects)VOX_REJECTS_INIT;
}
