/* records: ids and output paths of all images of a collection. */
#include "data/records.h"

#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/roots.h"

/* What becomes a folder or file name must be one: nothing may leave the output folder. */
static int check_component(const char *what, const char *text, const char *where)
{
    if (*text && strcmp(text, ".") != 0 && strcmp(text, "..") != 0 && !strchr(text, '/'))
        return VOX_OK;
    return vox_fail(VOX_E_FORMAT, "%s \"%s\" of \"%s\" cannot be a file name", what, text,
                    where);
}

static int check_record(const vox_collection *c, const vox_record *r)
{
    VOX_TRY(check_component("collection name", c->name, r->image->path));
    VOX_TRY(check_component("dataset index", r->dataset->index, r->image->path));
    VOX_TRY(check_component("subject id", r->subject->id, r->image->path));
    VOX_TRY(check_component("session id", r->session->id, r->image->path));
    return check_component("image name", r->image->name, r->image->path);
}

/* Under construction: the subject's id is one text for all its images. */
typedef struct builder {
    vox_records *out;
    vox_arena arena;
} builder;

static int fill(builder *b, vox_record *r)
{
    const vox_collection *c = b->out->collection;
    const char *dataset = r->dataset->index, *subject = r->subject->id;
    const char *session = r->session->id, *name = r->image->name;

    VOX_TRY(check_record(c, r));
    r->id = vox_arena_printf(&b->arena, "%s__%s__%s", r->subject_id, session, name);
    r->out = vox_arena_printf(&b->arena, "%s/%s/%s/%s/%.*s", c->name, dataset, subject,
                              session, (int)vox_image_stem(name), name);
    return r->id && r->out ? VOX_OK : VOX_E_NOMEM;
}

static int fill_session(builder *b, const vox_record *parent)
{
    for (int64_t i = 0; i < parent->session->count; i++) {
        vox_record *r = &b->out->v[b->out->count++];

        *r = *parent;
        r->image = &r->session->image[i];
        VOX_TRY(fill(b, r));
    }
    return VOX_OK;
}

static int fill_all(builder *b)
{
    const vox_collection *c = b->out->collection;

    for (int64_t d = 0; d < c->count; d++) {
        for (int64_t i = 0; i < c->dataset[d].count; i++) {
            vox_record r = {.dataset = &c->dataset[d],
                            .subject = &c->dataset[d].subject[i]};

            r.subject_id = vox_arena_printf(&b->arena, "%s__%s__%s", c->name,
                                            r.dataset->index, r.subject->id);
            if (!r.subject_id)
                return VOX_E_NOMEM;
            for (int64_t j = 0; j < r.subject->count; j++) {
                r.session = &r.subject->session[j];
                VOX_TRY(fill_session(b, &r));
            }
        }
    }
    return VOX_OK;
}

static int fail_shared(const vox_record *a, const vox_record *b)
{
    return vox_fail(VOX_E_FORMAT,
                    "images \"%s\" (%s) and \"%s\" (%s) would share the output %s; names "
                    "must differ within a session",
                    a->id, a->image->path, b->id, b->image->path, b->out);
}

/* An image "scan__anon" would lie where the mask of "scan" does. */
static int check_masks(const vox_records *r, const vox_dict *outs)
{
    vox_buf stem = VOX_BUF_INIT;
    int rc = VOX_OK;

    for (int64_t i = 0; i < r->count && rc == VOX_OK; i++) {
        const char *out = r->v[i].out;
        int64_t other;

        if (!vox_ends_with(out, "__anon") && !vox_ends_with(out, "__anat"))
            continue;
        rc = vox_buf_resize(&stem, 0);
        if (rc == VOX_OK)
            rc = vox_buf_add(&stem, out, strlen(out) - strlen("__anon"));
        other = rc == VOX_OK ? vox_dict_get(outs, stem.data, -1) : -1;
        if (other >= 0)
            rc = fail_shared(&r->v[other], &r->v[i]);
    }
    vox_buf_release(&stem);
    return rc;
}

static int check_unique(const vox_records *r)
{
    vox_dict ids = VOX_DICT_INIT, outs = VOX_DICT_INIT;
    int rc = VOX_OK;

    for (int64_t i = 0; i < r->count && rc == VOX_OK; i++) {
        const int64_t a = vox_dict_get(&ids, r->v[i].id, -1);
        const int64_t b = a < 0 ? vox_dict_get(&outs, r->v[i].out, -1) : a;

        if (b >= 0)
            rc = fail_shared(&r->v[b], &r->v[i]);
        if (rc == VOX_OK)
            rc = vox_dict_set(&ids, r->v[i].id, i, NULL);
        if (rc == VOX_OK)
            rc = vox_dict_set(&outs, r->v[i].out, i, NULL);
    }
    if (rc == VOX_OK)
        rc = check_masks(r, &outs);
    vox_dict_release(&ids);
    vox_dict_release(&outs);
    return rc;
}

int vox_records_make(vox_records *out, const vox_collection *c)
{
    vox_records r = {.collection = c};
    builder b = {&r, VOX_ARENA_INIT};
    const int64_t count = vox_collection_images(c);
    int rc;

    *out = (vox_records)VOX_RECORDS_INIT;
    r.v = vox_zalloc((size_t)count, sizeof *r.v);
    if (!r.v)
        return VOX_E_NOMEM;
    rc = fill_all(&b);
    r.texts = b.arena.chunk;
    if (rc == VOX_OK)
        rc = check_unique(&r);
    if (rc == VOX_OK)
        *out = r;
    else
        vox_records_release(&r);
    return rc;
}

void vox_records_release(vox_records *r)
{
    vox_arena texts = {r->texts};

    vox_free(r->v);
    vox_arena_release(&texts);
    *r = (vox_records)VOX_RECORDS_INIT;
}

static int add(json_object *o, const char *key, json_object *v)
{
    if (json_object_object_add(o, key, v) == 0)
        return VOX_OK;
    json_object_put(v);
    return vox_fail(VOX_E_NOMEM, "no memory for a JSON object");
}

static int add_text(json_object *o, const char *key, const char *text)
{
    json_object *v = text ? json_object_new_string(text) : NULL;

    if (text && !v)
        return vox_fail(VOX_E_NOMEM, "no memory for a JSON string");
    return add(o, key, v);
}

static int add_index(json_object *o, const char *key, const char *text, int is_int)
{
    if (!is_int)
        return add_text(o, key, text);
    return add(o, key, json_object_new_int64(strtoll(text, NULL, 10)));
}

static int add_path(json_object *o, const char *key, const char *path)
{
    vox_buf full = VOX_BUF_INIT;
    int rc = path ? vox_path_expand(&full, path) : VOX_OK;

    if (rc == VOX_OK)
        rc = add_text(o, key, path ? vox_buf_text(&full) : NULL);
    vox_buf_release(&full);
    return rc;
}

static int add_masks(json_object *o, const vox_coll_image *im)
{
    json_object *masks = json_object_new_object();

    if (!masks)
        return vox_fail(VOX_E_NOMEM, "no memory for a JSON object");
    VOX_TRY(add(o, "associated_masks", masks));
    VOX_TRY(add_path(masks, "anonymization_mask", im->anon));
    return add_path(masks, "anatomy_mask", im->anat);
}

/* Metadata, checked JSON text; null where there is none. */
static int add_info(json_object *o, const char *key, const char *info)
{
    json_object *v = NULL;

    if (info)
        VOX_TRY(vox_json_parse(&v, info, strlen(info), key));
    return add(o, key, v);
}

static int add_members(json_object *o, const vox_collection *c, const vox_record *r)
{
    VOX_TRY(add_index(o, "collection_index", c->index, c->index_is_int));
    VOX_TRY(add_text(o, "collection_name", c->name));
    VOX_TRY(add_index(o, "dataset_index", r->dataset->index, r->dataset->index_is_int));
    VOX_TRY(add_text(o, "dataset_name", r->dataset->name));
    VOX_TRY(add_text(o, "session_id", r->session->id));
    VOX_TRY(add_text(o, "subject_id", r->subject->id));
    VOX_TRY(add_text(o, "image_name", r->image->name));
    VOX_TRY(add_path(o, "image_path", r->image->path));
    VOX_TRY(add_text(o, "image_modality", r->image->modality));
    VOX_TRY(add_masks(o, r->image));
    VOX_TRY(add_info(o, "dataset_info", r->dataset->info));
    VOX_TRY(add_info(o, "subject_info", r->subject->info));
    VOX_TRY(add_info(o, "session_info", r->session->info));
    return add_info(o, "image_info", r->image->info);
}

json_object *vox_record_json(const vox_records *r, const vox_record *image)
{
    json_object *o = json_object_new_object();

    if (o && add_members(o, r->collection, image) == VOX_OK)
        return o;
    json_object_put(o);
    return NULL;
}
