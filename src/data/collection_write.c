/*
 * collection_write: a collection as the peer writes it (data.md 2.2): indent 4, keys sorted
 * on every level, those that we do not know among ours.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/collection.h"

enum { FLUSH = 1 << 20 };

typedef struct out {
    vox_buf text;
    FILE *f; /* takes the text whenever it grew long; or NULL */
    int depth;
} out;

/* A member of an object under way: how it is written, and of what. */
typedef struct part {
    const char *key;
    int (*put)(out *o, const void *v);
    const void *v;
    int64_t at;
} part;

typedef struct parts {
    part *v;
    int64_t count, cap;
    vox_arena arena; /* of unknown keys and their values */
} parts;

static int put_json(out *o, const void *v)
{
    if (!v)
        return vox_buf_add(&o->text, "null", 4);
    return vox_json_pretty(&o->text, vox_slice_of(v), o->depth, 1);
}

static int put_text(out *o, const void *v)
{
    return v ? vox_json_add_string(&o->text, v, strlen(v)) : put_json(o, v);
}

static int put_plain(out *o, const void *v)
{
    return vox_buf_add(&o->text, v, strlen(v));
}

static int add(parts *p, const char *key, int (*put)(out *o, const void *v), const void *v)
{
    VOX_TRY(vox_grow(&p->v, &p->cap, p->count + 1, sizeof *p->v));
    p->v[p->count] = (part){key, put, v, p->count};
    p->count++;
    return VOX_OK;
}

/* The members of an object of unknown keys. */
static int add_extra(parts *p, const char *extra)
{
    vox_buf text = VOX_BUF_INIT;
    vox_json_pull pull;
    vox_slice key, value;
    int more = 0, rc = VOX_OK;

    if (!extra)
        return VOX_OK;
    vox_json_pull_init(&pull, extra, strlen(extra), "extra");
    rc = vox_json_pull_open(&pull, VOX_JSON_OBJECT);
    while (rc == VOX_OK && (more = vox_json_pull_key(&pull, &key)) > 0) {
        const char *k, *v;

        rc = vox_json_pull_value(&pull, &value);
        if (rc == VOX_OK)
            rc = vox_buf_resize(&text, 0);
        if (rc == VOX_OK)
            rc = vox_json_unescape(&text, key);
        k = vox_arena_text(&p->arena, vox_buf_text(&text), text.len);
        v = vox_arena_text(&p->arena, value.p, value.n);
        if (rc == VOX_OK)
            rc = k && v ? add(p, k, put_json, v) : VOX_E_NOMEM;
    }
    vox_buf_release(&text);
    return rc == VOX_OK ? more : rc;
}

static int compare(const void *a, const void *b)
{
    const part *x = a, *y = b;
    const int c = strcmp(x->key, y->key);

    return c ? c : x->at < y->at ? -1 : 1;
}

static int flush(out *o)
{
    if (!o->f || o->text.len < FLUSH)
        return VOX_OK;
    if (fwrite(o->text.data, 1, o->text.len, o->f) != o->text.len)
        return vox_fail_errno(VOX_E_IO, "cannot write %zu bytes", o->text.len);
    return vox_buf_resize(&o->text, 0);
}

/* By key. Of several unknown members with one key the last is left, as Python does it;
 * subjects and sessions would be lost by that. */
static int arrange(parts *p)
{
    int64_t n = 0;

    if (p->count)
        qsort(p->v, (size_t)p->count, sizeof *p->v, compare);
    for (int64_t i = 0; i < p->count; i++) {
        const int again = i + 1 < p->count && strcmp(p->v[i].key, p->v[i + 1].key) == 0;

        if (again && p->v[i].put != put_json)
            return vox_fail(VOX_E_FORMAT, "the id \"%.100s\" stands twice, wanted once",
                            p->v[i].key);
        if (!again)
            p->v[n++] = p->v[i];
    }
    p->count = n;
    return VOX_OK;
}

static int put_parts(out *o, parts *p)
{
    if (p->count == 0)
        return vox_buf_add(&o->text, "{}", 2);
    VOX_TRY(arrange(p));
    o->depth++;
    for (int64_t i = 0; i < p->count; i++) {
        VOX_TRY(vox_json_line(&o->text, i ? "," : "{", o->depth));
        VOX_TRY(vox_json_add_string(&o->text, p->v[i].key, strlen(p->v[i].key)));
        VOX_TRY(vox_buf_add(&o->text, ": ", 2));
        VOX_TRY(p->v[i].put(o, p->v[i].v));
    }
    o->depth--;
    VOX_TRY(vox_json_line(&o->text, "", o->depth));
    VOX_TRY(vox_buf_add(&o->text, "}", 1));
    return flush(o);
}

static void release(parts *p)
{
    vox_free(p->v);
    vox_arena_release(&p->arena);
}

/* Write an object: `fill` says its members. */
static int put_object(out *o, int (*fill)(parts *p, const void *v), const char *extra,
                      const void *v)
{
    parts p = {0};
    int rc = fill(&p, v);

    if (rc == VOX_OK)
        rc = add_extra(&p, extra);
    if (rc == VOX_OK)
        rc = put_parts(o, &p);
    release(&p);
    return rc;
}

static int fill_masks(parts *p, const void *v)
{
    const vox_coll_image *im = v;

    VOX_TRY(add(p, "anatomy_mask", put_text, im->anat));
    return add(p, "anonymization_mask", put_text, im->anon);
}

static int put_masks(out *o, const void *v)
{
    const vox_coll_image *im = v;

    if (!im->has_masks)
        return put_json(o, NULL);
    return put_object(o, fill_masks, im->mask_extra, im);
}

static int fill_image(parts *p, const void *v)
{
    const vox_coll_image *im = v;

    VOX_TRY(add(p, "associated_masks", put_masks, im));
    VOX_TRY(add(p, "image_info", put_json, im->info));
    VOX_TRY(add(p, "image_path", put_text, im->path));
    VOX_TRY(add(p, "modality", put_text, im->modality));
    return add(p, "name", put_text, im->name);
}

static int put_images(out *o, const void *v)
{
    const vox_coll_session *s = v;

    if (s->count == 0)
        return vox_buf_add(&o->text, "[]", 2);
    o->depth++;
    for (int64_t i = 0; i < s->count; i++) {
        VOX_TRY(vox_json_line(&o->text, i ? "," : "[", o->depth));
        VOX_TRY(put_object(o, fill_image, s->image[i].extra, &s->image[i]));
    }
    o->depth--;
    VOX_TRY(vox_json_line(&o->text, "", o->depth));
    return vox_buf_add(&o->text, "]", 1);
}

static int fill_session(parts *p, const void *v)
{
    const vox_coll_session *s = v;

    VOX_TRY(add(p, "images", put_images, s));
    VOX_TRY(add(p, "session_id", put_text, s->id));
    return add(p, "session_info", put_json, s->info);
}

static int put_session(out *o, const void *v)
{
    return put_object(o, fill_session, ((const vox_coll_session *)v)->extra, v);
}

static int fill_sessions(parts *p, const void *v)
{
    const vox_coll_subject *s = v;

    for (int64_t i = 0; i < s->count; i++)
        VOX_TRY(add(p, s->session[i].id, put_session, &s->session[i]));
    return VOX_OK;
}

static int put_sessions(out *o, const void *v)
{
    return put_object(o, fill_sessions, NULL, v);
}

static int fill_subject(parts *p, const void *v)
{
    const vox_coll_subject *s = v;

    VOX_TRY(add(p, "sessions", put_sessions, s));
    VOX_TRY(add(p, "subject_id", put_text, s->id));
    return add(p, "subject_info", put_json, s->info);
}

static int put_subject(out *o, const void *v)
{
    return put_object(o, fill_subject, ((const vox_coll_subject *)v)->extra, v);
}

static int fill_subjects(parts *p, const void *v)
{
    const vox_coll_dataset *d = v;

    for (int64_t i = 0; i < d->count; i++)
        VOX_TRY(add(p, d->subject[i].id, put_subject, &d->subject[i]));
    return VOX_OK;
}

static int put_subjects(out *o, const void *v)
{
    return put_object(o, fill_subjects, NULL, v);
}

static int fill_dataset(parts *p, const void *v)
{
    const vox_coll_dataset *d = v;

    VOX_TRY(add(p, "dataset_index", d->index_is_int ? put_plain : put_text, d->index));
    VOX_TRY(add(p, "dataset_info", put_json, d->info));
    VOX_TRY(add(p, "name", put_text, d->name));
    return add(p, "subjects", put_subjects, d);
}

static int put_dataset(out *o, const void *v)
{
    return put_object(o, fill_dataset, ((const vox_coll_dataset *)v)->extra, v);
}

/* The key is the index: what the peer looks the dataset up by. */
static int fill_datasets(parts *p, const void *v)
{
    const vox_collection *c = v;

    for (int64_t i = 0; i < c->count; i++)
        VOX_TRY(add(p, c->dataset[i].index, put_dataset, &c->dataset[i]));
    return VOX_OK;
}

static int put_datasets(out *o, const void *v)
{
    return put_object(o, fill_datasets, NULL, v);
}

static int fill_collection(parts *p, const void *v)
{
    const vox_collection *c = v;

    VOX_TRY(add(p, "collection_index", c->index_is_int ? put_plain : put_text, c->index));
    VOX_TRY(add(p, "collection_name", put_text, c->name));
    return add(p, "datasets", put_datasets, c);
}

int vox_collection_text(vox_buf *text, const vox_collection *c)
{
    out o = {.text = *text};
    const int rc = put_object(&o, fill_collection, c->extra, c);

    *text = o.text;
    return rc;
}

static int write_all(out *o, const vox_collection *c)
{
    VOX_TRY(put_object(o, fill_collection, c->extra, c));
    if (fwrite(o->text.data, 1, o->text.len, o->f) != o->text.len)
        return vox_fail_errno(VOX_E_IO, "cannot write %zu bytes", o->text.len);
    return VOX_OK;
}

int vox_collection_write(const vox_collection *c, const char *path)
{
    vox_writer w;
    out o = {0};
    int rc;

    VOX_TRY(vox_writer_open(&w, path));
    o.f = w.f;
    rc = write_all(&o, c);
    vox_buf_release(&o.text);
    if (rc == VOX_OK)
        return vox_writer_commit(&w);
    vox_writer_abort(&w);
    return vox_fail_in(rc, "%s", path);
}
