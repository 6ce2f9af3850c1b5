/* collection: the objects and their storage. Text is in collection_read.c and
 * collection_write.c, joining in collection_merge.c. */
#include "data/collection.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/roots.h"

int vox_collection_init(vox_collection *c, const char *name, int64_t index)
{
    *c = (vox_collection)VOX_COLLECTION_INIT;
    c->store = vox_zalloc(1, sizeof *c->store);
    if (!c->store)
        return VOX_E_NOMEM;
    c->name = vox_arena_strdup(&c->store->arena, name);
    c->index = vox_arena_printf(&c->store->arena, "%lld", (long long)index);
    c->index_is_int = 1;
    return c->name && c->index ? VOX_OK : VOX_E_NOMEM;
}

void vox_collection_release(vox_collection *c)
{
    if (c->store) {
        vox_intern_release(&c->store->words);
        vox_arena_release(&c->store->arena);
        vox_free(c->store);
    }
    *c = (vox_collection)VOX_COLLECTION_INIT;
}

const char *vox_collection_word(vox_collection *c, const char *text, size_t len)
{
    return vox_intern_text(&c->store->words, &c->store->arena, text, len);
}

static const char *word(vox_collection *c, const char *text)
{
    return vox_collection_word(c, text, strlen(text));
}

/* Room for one more element behind `count`; arrays of the arena are left behind when they
 * grow. */
static int grow(vox_collection *c, void *array, int64_t *cap, int64_t count, size_t size)
{
    const int64_t want = *cap ? 2 * *cap : 1;
    void *old, *more;

    if (count < *cap)
        return VOX_OK;
    more = vox_arena_alloc(&c->store->arena, (size_t)want, size);
    if (!more)
        return VOX_E_NOMEM;
    memcpy(&old, array, sizeof old);
    if (count)
        memcpy(more, old, (size_t)count * size);
    memcpy(array, &more, sizeof more);
    *cap = want;
    return VOX_OK;
}

vox_coll_dataset *vox_collection_add_dataset(vox_collection *c, const char *index)
{
    vox_coll_dataset d = {0};

    d.index = d.key = word(c, index);
    if (!d.index || grow(c, &c->dataset, &c->cap, c->count, sizeof d) != VOX_OK)
        return NULL;
    c->dataset[c->count] = d;
    return &c->dataset[c->count++];
}

vox_coll_subject *vox_collection_add_subject(vox_collection *c, vox_coll_dataset *d,
                                             const char *id)
{
    vox_coll_subject s = {0};

    s.id = word(c, id);
    if (!s.id || grow(c, &d->subject, &d->cap, d->count, sizeof s) != VOX_OK)
        return NULL;
    d->subject[d->count] = s;
    return &d->subject[d->count++];
}

vox_coll_session *vox_collection_add_session(vox_collection *c, vox_coll_subject *s,
                                             const char *id)
{
    vox_coll_session n = {0};

    n.id = word(c, id);
    if (!n.id || grow(c, &s->session, &s->cap, s->count, sizeof n) != VOX_OK)
        return NULL;
    s->session[s->count] = n;
    return &s->session[s->count++];
}

const char *vox_collection_name(vox_collection *c, const char *path, const char *name)
{
    const char *base = vox_path_base(path);

    return strcmp(base, name) == 0 ? base : vox_arena_strdup(&c->store->arena, name);
}

vox_coll_image *vox_collection_add_image(vox_collection *c, vox_coll_session *s,
                                         const char *name, const char *path,
                                         const char *modality)
{
    vox_coll_image n = {0};

    n.path = vox_arena_strdup(&c->store->arena, path);
    n.name = n.path ? vox_collection_name(c, n.path, name) : NULL;
    n.modality = word(c, modality);
    if (!n.name || !n.path || !n.modality ||
        grow(c, &s->image, &s->cap, s->count, sizeof n) != VOX_OK)
        return NULL;
    s->image[s->count] = n;
    return &s->image[s->count++];
}

vox_coll_dataset *vox_collection_find_dataset(const vox_collection *c, const char *index)
{
    for (int64_t i = 0; i < c->count; i++) {
        if (strcmp(c->dataset[i].index, index) == 0)
            return &c->dataset[i];
    }
    return NULL;
}

vox_coll_subject *vox_coll_find_subject(const vox_coll_dataset *d, const char *id)
{
    for (int64_t i = 0; i < d->count; i++) {
        if (strcmp(d->subject[i].id, id) == 0)
            return &d->subject[i];
    }
    return NULL;
}

vox_coll_session *vox_coll_find_session(const vox_coll_subject *s, const char *id)
{
    for (int64_t i = 0; i < s->count; i++) {
        if (strcmp(s->session[i].id, id) == 0)
            return &s->session[i];
    }
    return NULL;
}

vox_coll_image *vox_coll_find_image(const vox_coll_session *s, const char *name)
{
    for (int64_t i = 0; i < s->count; i++) {
        if (strcmp(s->image[i].name, name) == 0)
            return &s->image[i];
    }
    return NULL;
}

int vox_collection_set(vox_collection *c, const char **field, const char *text)
{
    const char *copy = text ? vox_arena_strdup(&c->store->arena, text) : NULL;

    if (text && !copy)
        return VOX_E_NOMEM;
    *field = copy;
    return VOX_OK;
}

int vox_collection_set_masks(vox_collection *c, vox_coll_image *image, const char *anon,
                             const char *anat)
{
    VOX_TRY(vox_collection_set(c, &image->anon, anon));
    VOX_TRY(vox_collection_set(c, &image->anat, anat));
    image->has_masks = anon || anat;
    return VOX_OK;
}

int vox_collection_set_info(vox_collection *c, const char **field, const char *json)
{
    vox_buf text = VOX_BUF_INIT;
    vox_json_pull p;
    vox_slice raw;
    const char *kept = NULL;
    int rc;

    vox_json_pull_init(&p, json, strlen(json), "info");
    rc = vox_json_pull_value(&p, &raw);
    if (rc == VOX_OK)
        rc = vox_json_pull_finish(&p);
    if (rc == VOX_OK)
        rc = vox_json_compact(&text, raw);
    if (rc == VOX_OK)
        kept = vox_collection_word(c, vox_buf_text(&text), text.len);
    vox_buf_release(&text);
    if (rc != VOX_OK)
        return rc;
    if (!kept)
        return VOX_E_NOMEM;
    *field = strcmp(kept, "null") == 0 ? NULL : kept;
    return VOX_OK;
}

static int contract(vox_collection *c, const char **path, vox_buf *text)
{
    if (!*path)
        return VOX_OK;
    VOX_TRY(vox_path_contract(text, *path));
    if (strcmp(vox_buf_text(text), *path) == 0)
        return VOX_OK;
    return vox_collection_set(c, path, vox_buf_text(text));
}

static int contract_session(vox_collection *c, vox_coll_session *s, vox_buf *text)
{
    for (int64_t i = 0; i < s->count; i++) {
        VOX_TRY(contract(c, &s->image[i].path, text));
        VOX_TRY(contract(c, &s->image[i].anon, text));
        VOX_TRY(contract(c, &s->image[i].anat, text));
    }
    return VOX_OK;
}

int vox_collection_relative_paths(vox_collection *c)
{
    vox_buf text = VOX_BUF_INIT;
    int rc = VOX_OK;

    for (int64_t d = 0; d < c->count; d++) {
        for (int64_t i = 0; i < c->dataset[d].count; i++) {
            vox_coll_subject *s = &c->dataset[d].subject[i];

            for (int64_t j = 0; j < s->count && rc == VOX_OK; j++)
                rc = contract_session(c, &s->session[j], &text);
        }
    }
    vox_buf_release(&text);
    return rc;
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

const char *vox_free_name(vox_arena *a, vox_dict *stems, const char *scope,
                          const char *name)
{
    const size_t n = vox_image_stem(name);
    const char *first = vox_arena_printf(a, "%s%.*s", scope, (int)n, name), *key = first;
    int64_t k = first ? vox_dict_get(stems, first, 0) : 0;

    if (!first)
        return NULL;
    if (k == 0)
        return vox_dict_set(stems, first, 1, NULL) == VOX_OK ? name : NULL;
    while (key && vox_dict_get(stems, key, 0))
        key = vox_arena_printf(a, "%s_%lld", first, (long long)++k);
    if (!key || vox_dict_set(stems, first, k, NULL) != VOX_OK ||
        vox_dict_set(stems, key, 1, NULL) != VOX_OK)
        return NULL;
    return vox_arena_printf(a, "%s%s", key + strlen(scope), name + n);
}

vox_slice vox_slice_of(const char *text)
{
    return (vox_slice){text, text ? strlen(text) : 0};
}

int vox_info_text(vox_buf *out, const char *info, const char *key)
{
    vox_slice v;

    if (!vox_json_find(vox_slice_of(info), key, &v) || v.n < 2 || *v.p != '"')
        return 0;
    VOX_TRY(vox_json_unescape(out, (vox_slice){v.p + 1, v.n - 2}));
    return 1;
}
