/* collection_merge: joining two collections. Ids decide what is the same. */
#include <string.h>

#include "base/dict.h"
#include "base/error.h"
#include "data/collection.h"

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

static int is_known(const vox_coll_session *s, const vox_coll_image *image)
{
    for (int64_t i = 0; i < s->count; i++) {
        if (strcmp(s->image[i].name, image->name) == 0 &&
            strcmp(s->image[i].path, image->path) == 0)
            return 1;
    }
    return 0;
}

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

static int merge_image(vox_collection *c, vox_coll_session *into,
                       const vox_coll_image *from, vox_coll_merged *done)
{
    const char *name;
    vox_coll_image *n;

    if (is_known(into, from)) {
        done->known++;
        return VOX_OK;
    }
    name = vox_free_name(&c->store->arena, from->name, taken_in_session, into);
    n = name ? vox_collection_add_image(c, into, name, from->path, from->modality) : NULL;
    if (!n)
        return VOX_E_NOMEM;
    done->added++;
    done->renamed += name != from->name;
    VOX_TRY(vox_collection_set_masks(c, n, from->anon, from->anat));
    n->has_masks = from->has_masks;
    VOX_TRY(copy_word(c, &n->mask_extra, from->mask_extra));
    return copy_facts(c, &n->info, &n->extra, from->info, from->extra);
}

static int merge_session(vox_collection *c, vox_coll_subject *into,
                         const vox_coll_session *from, vox_coll_merged *done)
{
    vox_coll_session *to = vox_coll_find_session(into, from->id);

    if (!to) {
        to = vox_collection_add_session(c, into, from->id);
        if (!to)
            return VOX_E_NOMEM;
        VOX_TRY(copy_facts(c, &to->info, &to->extra, from->info, from->extra));
    }
    for (int64_t i = 0; i < from->count; i++)
        VOX_TRY(merge_image(c, to, &from->image[i], done));
    return VOX_OK;
}

static int merge_subject(vox_collection *c, vox_coll_dataset *into, int64_t at,
                         const vox_coll_subject *from, vox_coll_merged *done)
{
    vox_coll_subject *to = at >= 0 ? &into->subject[at] : NULL;

    done->joined += at >= 0;
    if (!to) {
        to = vox_collection_add_subject(c, into, from->id);
        if (!to)
            return VOX_E_NOMEM;
        VOX_TRY(copy_facts(c, &to->info, &to->extra, from->info, from->extra));
    } else if (!to->info) {
        VOX_TRY(copy_word(c, &to->info, from->info));
    }
    for (int64_t i = 0; i < from->count; i++)
        VOX_TRY(merge_session(c, to, &from->session[i], done));
    return VOX_OK;
}

static vox_coll_dataset *same_dataset(vox_collection *into, const vox_coll_dataset *from)
{
    vox_coll_dataset *to = vox_collection_find_dataset(into, from->index);

    if (to)
        return to;
    to = vox_collection_add_dataset(into, from->index);
    if (!to)
        return NULL;
    to->index_is_int = from->index_is_int;
    if (vox_collection_set(into, &to->name, from->name) != VOX_OK ||
        copy_facts(into, &to->info, &to->extra, from->info, from->extra) != VOX_OK)
        return NULL;
    return to;
}

static int merge_dataset(vox_collection *into, const vox_coll_dataset *from,
                         vox_coll_merged *done)
{
    vox_coll_dataset *to = same_dataset(into, from);
    vox_dict known = VOX_DICT_INIT;
    int rc = to ? VOX_OK : VOX_E_NOMEM;

    for (int64_t i = 0; rc == VOX_OK && i < to->count; i++)
        rc = vox_dict_set(&known, to->subject[i].id, i, NULL);
    for (int64_t i = 0; i < from->count && rc == VOX_OK; i++) {
        const int64_t at = vox_dict_get(&known, from->subject[i].id, -1);

        rc = merge_subject(into, to, at, &from->subject[i], done);
    }
    vox_dict_release(&known);
    return rc;
}

int vox_collection_merge(vox_collection *into, const vox_collection *from,
                         vox_coll_merged *done)
{
    vox_coll_merged unwanted;

    if (!done)
        done = &unwanted;
    *done = (vox_coll_merged){0};
    for (int64_t i = 0; i < from->count; i++)
        VOX_TRY(merge_dataset(into, &from->dataset[i], done));
    return VOX_OK;
}

static int copy(vox_collection *out, const vox_collection *from)
{
    VOX_TRY(vox_collection_init(out, from->name, 0));
    VOX_TRY(vox_collection_set(out, &out->index, from->index));
    VOX_TRY(vox_collection_set(out, &out->extra, from->extra));
    out->index_is_int = from->index_is_int;
    return vox_collection_merge(out, from, NULL);
}

int vox_collection_copy(vox_collection *out, const vox_collection *from)
{
    const int rc = copy(out, from);

    if (rc != VOX_OK)
        vox_collection_release(out);
    return rc;
}
