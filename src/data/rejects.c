/* rejects: a list of texts. */
#include "data/rejects.h"

#include <json-c/json_object.h>

#include "base/error.h"
#include "base/mem.h"

static int add(vox_rejects *r, const vox_reject *from)
{
    const vox_reject n = {
        vox_arena_strdup(&r->arena, from->path), vox_arena_strdup(&r->arena, from->id),
        vox_arena_strdup(&r->arena, from->reason), vox_arena_strdup(&r->arena, from->cure)};

    if (!n.path || !n.id || !n.reason || !n.cure)
        return VOX_E_NOMEM;
    VOX_TRY(vox_grow(&r->v, &r->cap, r->count + 1, sizeof n));
    r->v[r->count++] = n;
    return VOX_OK;
}

int vox_rejects_add(vox_rejects *r, const char *path, const char *id, const char *reason)
{
    return add(r, &(vox_reject){path, id, reason, ""});
}

static const char *usual_cure(int rc)
{
    switch (rc) {
    case VOX_E_MISSING:
        return "put the file back, or index the scans again";
    case VOX_E_IO:
        return "check the file's permissions and its disk, then run again";
    case VOX_E_NOMEM:
        return "free memory, or raise --memory, then run again";
    default:
        return "copy or export it again from its source (voxmind inspect looks at it)";
    }
}

int vox_rejects_add_failure(vox_rejects *r, const char *path, const char *id, int rc)
{
    const char *cure = *vox_error_cure() ? vox_error_cure() : usual_cure(rc);

    return add(r, &(vox_reject){path, id, vox_error_text(), cure});
}

int vox_rejects_add_all(vox_rejects *r, const vox_rejects *from)
{
    for (int64_t i = 0; i < from->count; i++)
        VOX_TRY(add(r, &from->v[i]));
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
               add_text(o, "reason", r->v[i].reason) &&
               (!*r->v[i].cure || add_text(o, "cure", r->v[i].cure));
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
