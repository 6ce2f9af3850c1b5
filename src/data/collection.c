/* collection: the objects, and joining two collections. Text is in collection_json.c. */
#include "data/collection.h"

#include <stdio.h>
#include <string.h>

#include "base/dict.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

int vox_collection_init(vox_collection *c, const char *name, int64_t index)
{
    *c = (vox_collection)VOX_COLLECTION_INIT;
    c->name = vox_arena_strdup(&c->arena, name);
    c->index = vox_arena_printf(&c->arena, "%lld", (long long)index);
    c->index_is_int = 1;
    return c->name && c->index ? VOX_OK : VOX_E_NOMEM;
}

static void release_session(vox_coll_session *s)
{
    for (int64_t i = 0; i < s->count; i++) {
        json_object_put(s->image[i].info);
        json_object_put(s->image[i].extra);
    }
    json_object_put(s->info);
    json_object_put(s->extra);
    vox_free(s->image);
}

static void release_subject(vox_coll_subject *s)
{
    for (int64_t i = 0; i < s->count; i++)
        release_session(&s->session[i]);
    json_object_put(s->info);
    json_object_put(s->extra);
    vox_free(s->session);
}

void vox_collection_release(vox_collection *c)
{
    for (int64_t d = 0; d < c->count; d++) {
        for (int64_t i = 0; i < c->dataset[d].count; i++)
            release_subject(&c->dataset[d].subject[i]);
        json_object_put(c->dataset[d].info);
        json_object_put(c->dataset[d].extra);
        vox_free(c->dataset[d].subject);
    }
    json_object_put(c->extra);
    vox_free(c->dataset);
    vox_arena_release(&c->arena);
    *c = (vox_collection)VOX_COLLECTION_INIT;
}

vox_coll_dataset *vox_collection_add_dataset(vox_collection *c, const char *index)
{
    vox_coll_dataset d = {0};

    d.index = d.key = vox_arena_strdup(&c->arena, index);
    if (!d.index || vox_grow(&c->dataset, &c->cap, c->count + 1, sizeof d) != VOX_OK)
        return NULL;
    c->dataset[c->count] = d;
    return &c->dataset[c->count++];
}

vox_coll_subject *vox_collection_add_subject(vox_collection *c, vox_coll_dataset *d,
                                             const char *id)
{
    vox_coll_subject s = {0};

    s.id = vox_arena_strdup(&c->arena, id);
    if (!s.id || vox_grow(&d->subject, &d->cap, d->count + 1, sizeof s) != VOX_OK)
        return NULL;
    d->subject[d->count] = s;
    return &d->subject[d->count++];
}

vox_coll_session *vox_collection_add_session(vox_collection *c, vox_coll_subject *s,
                                             const char *id)
{
    vox_coll_session n = {0};

    n.id = vox_arena_strdup(&c->arena, id);
    if (!n.id || vox_grow(&s->session, &s->cap, s->count + 1, sizeof n) != VOX_OK)
        return NULL;
    s->session[s->count] = n;
    return &s->session[s->count++];
}

vox_coll_image *vox_collection_add_image(vox_collection *c, vox_coll_session *s,
                                         const char *name, const char *path,
                                         const char *modality)
{
    vox_coll_image n = {0};

    n.name = vox_arena_strdup(&c->arena, name);
    n.path = vox_arena_strdup(&c->arena, path);
    n.modality = vox_arena_strdup(&c->arena, modality);
    if (!n.name || !n.path || !n.modality ||
        vox_grow(&s->image, &s->cap, s->count + 1, sizeof n) != VOX_OK)
        return NULL;
    s->image[s->count] = n;
    return &s->image[s->count++];
}

int64_t vox_collection_images(const vox_collection *c)
{
    int64_t n = 0;

    for (int64_t d = 0; d < c->count; d++) {
        for (int64_t i = 0; i < c->dataset[d].count; i++) {
            for (int64_t j = 0; j < c->dataset[d].subject[i].count; j++)
                n += c->dataset[d].subject[i].session[j].count;
        }
    }
    return n;
}

size_t vox_image_stem(const char *name)
{
    static const char *const endings[] = {".nii.gz", ".nii", ".nrrd"};

    for (int i = 0; i < VOX_COUNT(endings); i++) {
        if (vox_ends_with(name, endings[i]))
            return strlen(name) - strlen(endings[i]);
    }
    return strlen(name);
}

const char *vox_free_name(vox_arena *a, const char *name,
                          int (*taken)(const char *name, void *arg), void *arg)
{
    const size_t stem = vox_image_stem(name);
    const char *try = name;

    for (int k = 2; try && taken(try, arg); k++)
        try = vox_arena_printf(a, "%.*s_%d%s", (int)stem, name, k, name + stem);
    return try;
}

/* Two images of a session whose names have one stem would share an output file. */
static int same_stem(const char *a, const char *b)
{
    const size_t n = vox_image_stem(a);

    return n == vox_image_stem(b) && strncmp(a, b, n) == 0;
}

static int taken_in_session(const char *name, void *arg)
{
    const vox_coll_session *s = arg;

    for (int64_t i = 0; i < s->count; i++) {
        if (same_stem(s->image[i].name, name))
            return 1;
    }
    return 0;
}

static int merge_image(vox_collection *c, vox_coll_session *into,
                       const vox_coll_image *from, int64_t *added)
{
    const char *name;
    vox_coll_image *n;

    for (int64_t i = 0; i < into->count; i++) {
        if (strcmp(into->image[i].name, from->name) == 0 &&
            strcmp(into->image[i].path, from->path) == 0)
            return VOX_OK;
    }
    name = vox_free_name(&c->arena, from->name, taken_in_session, into);
    n = name ? vox_collection_add_image(c, into, name, from->path, from->modality) : NULL;
    if (!n)
        return VOX_E_NOMEM;
    n->has_masks = from->has_masks;
    n->info = json_object_get(from->info);
    n->extra = json_object_get(from->extra);
    if (from->anon && !(n->anon = vox_arena_strdup(&c->arena, from->anon)))
        return VOX_E_NOMEM;
    if (from->anat && !(n->anat = vox_arena_strdup(&c->arena, from->anat)))
        return VOX_E_NOMEM;
    *added += 1;
    return VOX_OK;
}

static int merge_session(vox_collection *c, vox_coll_subject *into,
                         const vox_coll_session *from, int64_t *added)
{
    vox_coll_session *to = NULL;

    for (int64_t i = 0; i < into->count && !to; i++)
        to = strcmp(into->session[i].id, from->id) == 0 ? &into->session[i] : NULL;
    if (!to) {
        to = vox_collection_add_session(c, into, from->id);
        if (!to)
            return VOX_E_NOMEM;
        to->info = json_object_get(from->info);
        to->extra = json_object_get(from->extra);
    }
    for (int64_t i = 0; i < from->count; i++)
        VOX_TRY(merge_image(c, to, &from->image[i], added));
    return VOX_OK;
}

static int merge_subject(vox_collection *c, vox_coll_dataset *into, int64_t at,
                         const vox_coll_subject *from, int64_t *added)
{
    vox_coll_subject *to = at >= 0 ? &into->subject[at] : NULL;

    if (!to) {
        to = vox_collection_add_subject(c, into, from->id);
        if (!to)
            return VOX_E_NOMEM;
        to->info = json_object_get(from->info);
        to->extra = json_object_get(from->extra);
    }
    for (int64_t i = 0; i < from->count; i++)
        VOX_TRY(merge_session(c, to, &from->session[i], added));
    return VOX_OK;
}

static vox_coll_dataset *same_dataset(vox_collection *into, const vox_coll_dataset *from)
{
    vox_coll_dataset *to;

    for (int64_t i = 0; i < into->count; i++) {
        if (strcmp(into->dataset[i].index, from->index) == 0)
            return &into->dataset[i];
    }
    to = vox_collection_add_dataset(into, from->index);
    if (!to)
        return NULL;
    to->index_is_int = from->index_is_int;
    to->name = from->name ? vox_arena_strdup(&into->arena, from->name) : NULL;
    to->info = json_object_get(from->info);
    to->extra = json_object_get(from->extra);
    return to;
}

static int merge_dataset(vox_collection *into, const vox_coll_dataset *from, int64_t *added)
{
    vox_coll_dataset *to = same_dataset(into, from);
    vox_dict known = VOX_DICT_INIT;
    int rc = to ? VOX_OK : VOX_E_NOMEM;

    for (int64_t i = 0; rc == VOX_OK && i < to->count; i++)
        rc = vox_dict_set(&known, to->subject[i].id, i, NULL);
    for (int64_t i = 0; i < from->count && rc == VOX_OK; i++) {
        const int64_t at = vox_dict_get(&known, from->subject[i].id, -1);

        rc = merge_subject(into, to, at, &from->subject[i], added);
    }
    vox_dict_release(&known);
    return rc;
}

int vox_collection_merge(vox_collection *into, const vox_collection *from, int64_t *added)
{
    int64_t n = 0;

    for (int64_t i = 0; i < from->count; i++)
        VOX_TRY(merge_dataset(into, &from->dataset[i], &n));
    if (added)
        *added = n;
    return VOX_OK;
}
