/*
 * collection_merge: joining two collections. Ids decide what is the same, of images the path:
 * one that has another name in the other collection is not a second image.
 */
#include <string.h>

#include "base/dict.h"
#include "base/error.h"
#include "data/collection.h"
#include "data/roots.h"

typedef struct merging {
    vox_collection *into;
    vox_coll_merged *done;
    int exact;             /* copy everything as it is */
    vox_dict paths, stems; /* of the images of the session under way */
    vox_arena arena;       /* of their keys */
    vox_buf full;
} merging;

/* Copies of texts that come again, such as infos. */
static int copy_word(vox_collection *c, const char **to, const char *from)
{
    *to = from ? vox_collection_word(c, from, strlen(from)) : NULL;
    return from && !*to ? VOX_E_NOMEM : VOX_OK;
}

static int copy_facts(vox_collection *c, const char **info, const char **extra,
                      const char *from_info, const char *from_extra)
{
    VOX_TRY(copy_word(c, info, from_info));
    return copy_word(c, extra, from_extra);
}

/* What is said already stays. */
static int fill_info(vox_collection *c, const char **info, const char *from)
{
    return *info ? VOX_OK : copy_word(c, info, from);
}

/* A path as it is compared: without its variable, where that is set. */
static const char *path_key(merging *m, const char *path)
{
    const int rc = vox_path_expand(&m->full, path);

    if (rc == VOX_E_NOMEM)
        return NULL;
    if (rc != VOX_OK)
        vox_error_clear();
    return vox_arena_strdup(&m->arena, rc == VOX_OK ? vox_buf_text(&m->full) : path);
}

static void forget_images(merging *m)
{
    vox_dict_release(&m->paths);
    vox_dict_release(&m->stems);
    vox_arena_release(&m->arena);
}

static int know_images(merging *m, const vox_coll_session *s)
{
    for (int64_t i = 0; i < s->count; i++) {
        const char *name = s->image[i].name, *path = path_key(m, s->image[i].path);
        const char *stem = vox_arena_text(&m->arena, name, vox_image_stem(name));

        if (!path || !stem)
            return VOX_E_NOMEM;
        VOX_TRY(vox_dict_set(&m->paths, path, 1, NULL));
        VOX_TRY(vox_dict_set(&m->stems, stem, 1, NULL));
    }
    return VOX_OK;
}

static int add_image(merging *m, vox_coll_session *into, const vox_coll_image *from,
                     const char *name)
{
    vox_collection *c = m->into;
    vox_coll_image *n = vox_collection_add_image(c, into, name, from->path, from->modality);

    if (!n)
        return VOX_E_NOMEM;
    VOX_TRY(vox_collection_set_masks(c, n, from->anon, from->anat));
    n->has_masks = from->has_masks;
    VOX_TRY(copy_word(c, &n->mask_extra, from->mask_extra));
    return copy_facts(c, &n->info, &n->extra, from->info, from->extra);
}

static int merge_image(merging *m, vox_coll_session *into, const vox_coll_image *from)
{
    const char *path = path_key(m, from->path), *name;
    int added;

    if (!path)
        return VOX_E_NOMEM;
    VOX_TRY(vox_dict_set(&m->paths, path, 1, &added));
    if (!added) {
        m->done->known++;
        return VOX_OK;
    }
    name = vox_free_name(&m->arena, &m->stems, "", from->name);
    if (!name)
        return VOX_E_NOMEM;
    m->done->added++;
    m->done->renamed += name != from->name;
    return add_image(m, into, from, name);
}

static int merge_images(merging *m, vox_coll_session *into, const vox_coll_session *from)
{
    int rc = m->exact ? VOX_OK : know_images(m, into);

    for (int64_t i = 0; i < from->count && rc == VOX_OK; i++)
        rc = m->exact ? add_image(m, into, &from->image[i], from->image[i].name)
                      : merge_image(m, into, &from->image[i]);
    forget_images(m);
    return rc;
}

static int merge_session(merging *m, vox_coll_subject *into, int64_t at,
                         const vox_coll_session *from)
{
    vox_coll_session *to = at >= 0 ? &into->session[at] : NULL;

    if (to) {
        VOX_TRY(fill_info(m->into, &to->info, from->info));
    } else {
        to = vox_collection_add_session(m->into, into, from->id);
        if (!to)
            return VOX_E_NOMEM;
        VOX_TRY(copy_facts(m->into, &to->info, &to->extra, from->info, from->extra));
    }
    return merge_images(m, to, from);
}

static int merge_sessions(merging *m, vox_coll_subject *into, const vox_coll_subject *from)
{
    vox_dict known = VOX_DICT_INIT;
    int rc = VOX_OK;

    for (int64_t i = 0; rc == VOX_OK && i < into->count; i++)
        rc = vox_dict_set(&known, into->session[i].id, i, NULL);
    for (int64_t i = 0; i < from->count && rc == VOX_OK; i++) {
        const int64_t at = vox_dict_get(&known, from->session[i].id, -1);

        rc = merge_session(m, into, at, &from->session[i]);
    }
    vox_dict_release(&known);
    return rc;
}

static int merge_subject(merging *m, vox_coll_dataset *into, int64_t at,
                         const vox_coll_subject *from)
{
    vox_coll_subject *to = at >= 0 ? &into->subject[at] : NULL;

    m->done->joined += at >= 0;
    if (to) {
        VOX_TRY(fill_info(m->into, &to->info, from->info));
    } else {
        to = vox_collection_add_subject(m->into, into, from->id);
        if (!to)
            return VOX_E_NOMEM;
        VOX_TRY(copy_facts(m->into, &to->info, &to->extra, from->info, from->extra));
    }
    return merge_sessions(m, to, from);
}

static vox_coll_dataset *same_dataset(merging *m, const vox_coll_dataset *from)
{
    vox_collection *c = m->into;
    vox_coll_dataset *to = vox_collection_find_dataset(c, from->index);

    if (to)
        return fill_info(c, &to->info, from->info) == VOX_OK ? to : NULL;
    to = vox_collection_add_dataset(c, from->index);
    if (!to)
        return NULL;
    to->index_is_int = from->index_is_int;
    if (vox_collection_set(c, &to->name, from->name) != VOX_OK ||
        copy_facts(c, &to->info, &to->extra, from->info, from->extra) != VOX_OK)
        return NULL;
    return to;
}

static int merge_dataset(merging *m, const vox_coll_dataset *from)
{
    vox_coll_dataset *to = same_dataset(m, from);
    vox_dict known = VOX_DICT_INIT;
    int rc = to ? VOX_OK : VOX_E_NOMEM;

    for (int64_t i = 0; rc == VOX_OK && i < to->count; i++)
        rc = vox_dict_set(&known, to->subject[i].id, i, NULL);
    for (int64_t i = 0; i < from->count && rc == VOX_OK; i++) {
        const int64_t at = vox_dict_get(&known, from->subject[i].id, -1);

        rc = merge_subject(m, to, at, &from->subject[i]);
    }
    vox_dict_release(&known);
    return rc;
}

static int merge(vox_collection *into, const vox_collection *from, vox_coll_merged *done,
                 int exact)
{
    merging m = {.into = into, .done = done, .exact = exact};
    int rc = VOX_OK;

    *done = (vox_coll_merged){0};
    for (int64_t i = 0; i < from->count && rc == VOX_OK; i++)
        rc = merge_dataset(&m, &from->dataset[i]);
    vox_buf_release(&m.full);
    return rc;
}

int vox_collection_merge(vox_collection *into, const vox_collection *from,
                         vox_coll_merged *done)
{
    vox_coll_merged unwanted;

    return merge(into, from, done ? done : &unwanted, 0);
}

static int copy(vox_collection *out, const vox_collection *from)
{
    vox_coll_merged unwanted;

    VOX_TRY(vox_collection_init(out, from->name, 0));
    VOX_TRY(vox_collection_set(out, &out->index, from->index));
    VOX_TRY(vox_collection_set(out, &out->extra, from->extra));
    out->index_is_int = from->index_is_int;
    return merge(out, from, &unwanted, 1);
}

int vox_collection_copy(vox_collection *out, const vox_collection *from)
{
    const int rc = copy(out, from);

    if (rc != VOX_OK)
        vox_collection_release(out);
    return rc;
}
