/* collection_json: pretrain_data.json to a collection and back (data.md 2.1, 2.2). */
#include "data/collection.h"

#include <json-c/json_util.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

/* Where a value stands: "file: datasets[ds1].subjects[sub-01]", for messages. */
typedef struct place {
    char text[768];
} place;

static place below(const place *p, const char *member, const char *key)
{
    place out;
    const size_t n = strlen(p->text);

    memcpy(out.text, p->text, n + 1);
    snprintf(out.text + n, sizeof out.text - n, "%s%s[%s]",
             strchr(p->text, '[') ? "." : ": ", member, key);
    return out;
}

static int want_object(json_object *o, const place *at)
{
    if (json_object_get_type(o) == json_type_object)
        return VOX_OK;
    return vox_fail(VOX_E_FORMAT, "%s: is %s, wanted an object", at->text,
                    json_type_to_name(json_object_get_type(o)));
}

/* A required string. */
static int text_of(vox_collection *c, const char **out, json_object *o, const char *key,
                   const place *at)
{
    const char *text;

    VOX_TRY(vox_json_str(&text, o, key, at->text));
    *out = vox_arena_strdup(&c->arena, text);
    return *out ? VOX_OK : VOX_E_NOMEM;
}

/* A string that may be null or absent. */
static int maybe_text(vox_collection *c, const char **out, json_object *o, const char *key,
                      const place *at)
{
    *out = NULL;
    return vox_json_get(o, key) ? text_of(c, out, o, key, at) : VOX_OK;
}

/* "collection_index", "dataset_index": a string or an integer. */
static int index_of(vox_collection *c, const char **out, int *is_int, json_object *o,
                    const char *key, const place *at)
{
    int64_t v;

    *is_int = json_object_get_type(vox_json_get(o, key)) == json_type_int;
    if (!*is_int)
        return text_of(c, out, o, key, at);
    VOX_TRY(vox_json_i64(&v, o, key, at->text));
    *out = vox_arena_printf(&c->arena, "%lld", (long long)v);
    return *out ? VOX_OK : VOX_E_NOMEM;
}

static int is_known(const char *key, const char *const *known)
{
    while (*known && strcmp(key, *known) != 0)
        known++;
    return *known != NULL;
}

/* Keep the keys of `o` that are not in `known`. */
static int keep_extra(json_object **extra, json_object *o, const char *const *known)
{
    for (struct lh_entry *e = json_object_get_object(o)->head; e; e = e->next) {
        if (is_known(e->k, known))
            continue;
        if (!*extra && !(*extra = json_object_new_object()))
            return vox_fail(VOX_E_NOMEM, "no memory for a JSON object");
        if (json_object_object_add(*extra, e->k, json_object_get((json_object *)e->v)))
            return vox_fail(VOX_E_NOMEM, "no memory for a JSON object");
    }
    return VOX_OK;
}

static int read_masks(vox_collection *c, vox_coll_image *im, json_object *o,
                      const place *at)
{
    json_object *masks = vox_json_get(o, "associated_masks");
    place here;

    if (!masks)
        return VOX_OK;
    here = *at;
    snprintf(here.text + strlen(at->text), sizeof here.text - strlen(at->text),
             ".associated_masks");
    VOX_TRY(want_object(masks, &here));
    im->has_masks = 1;
    VOX_TRY(maybe_text(c, &im->anon, masks, "anonymization_mask", &here));
    return maybe_text(c, &im->anat, masks, "anatomy_mask", &here);
}

static int read_image(vox_collection *c, vox_coll_image *im, json_object *o,
                      const place *at)
{
    static const char *const known[] = {"name",       "image_path",       "modality",
                                        "image_info", "associated_masks", NULL};

    VOX_TRY(want_object(o, at));
    VOX_TRY(text_of(c, &im->name, o, "name", at));
    VOX_TRY(text_of(c, &im->path, o, "image_path", at));
    VOX_TRY(text_of(c, &im->modality, o, "modality", at));
    VOX_TRY(read_masks(c, im, o, at));
    im->info = json_object_get(vox_json_get(o, "image_info"));
    return keep_extra(&im->extra, o, known);
}

static int read_session(vox_collection *c, vox_coll_subject *parent, const char *id,
                        json_object *o, const place *at)
{
    static const char *const known[] = {"session_id", "session_info", "images", NULL};
    vox_coll_session *s;
    json_object *images;

    VOX_TRY(want_object(o, at));
    VOX_TRY(vox_json_array(&images, o, "images", at->text));
    s = vox_collection_add_session(c, parent, id);
    if (!s)
        return VOX_E_NOMEM;
    s->info = json_object_get(vox_json_get(o, "session_info"));
    VOX_TRY(keep_extra(&s->extra, o, known));
    VOX_TRY(vox_grow(&s->image, &s->cap, (int64_t)json_object_array_length(images),
                     sizeof *s->image));
    for (size_t i = 0; i < json_object_array_length(images); i++) {
        char key[24];
        place here;

        snprintf(key, sizeof key, "%zu", i);
        here = below(at, "images", key);
        s->image[s->count] = (vox_coll_image){0};
        s->count++;
        VOX_TRY(read_image(c, &s->image[s->count - 1], json_object_array_get_idx(images, i),
                           &here));
    }
    return VOX_OK;
}

static int read_subject(vox_collection *c, vox_coll_dataset *parent, const char *id,
                        json_object *o, const place *at)
{
    static const char *const known[] = {"subject_id", "subject_info", "sessions", NULL};
    vox_coll_subject *s;
    json_object *sessions;

    VOX_TRY(want_object(o, at));
    VOX_TRY(vox_json_object(&sessions, o, "sessions", at->text));
    s = vox_collection_add_subject(c, parent, id);
    if (!s)
        return VOX_E_NOMEM;
    s->info = json_object_get(vox_json_get(o, "subject_info"));
    VOX_TRY(keep_extra(&s->extra, o, known));
    for (struct lh_entry *e = json_object_get_object(sessions)->head; e; e = e->next) {
        const place here = below(at, "sessions", e->k);

        VOX_TRY(read_session(c, s, e->k, (json_object *)e->v, &here));
    }
    return VOX_OK;
}

/* Output folders are named by the index: it must be one dataset's. */
static int check_index(const vox_collection *c, const place *at)
{
    const char *last = c->dataset[c->count - 1].index;

    for (int64_t i = 0; i < c->count - 1; i++) {
        if (strcmp(c->dataset[i].index, last) == 0)
            return vox_fail(VOX_E_FORMAT,
                            "%s: dataset_index \"%s\" is datasets[%s]'s already", at->text,
                            last, c->dataset[i].key);
    }
    return VOX_OK;
}

static int read_dataset(vox_collection *c, const char *key, json_object *o, const place *at)
{
    static const char *const known[] = {"dataset_index", "dataset_info", "name", "subjects",
                                        NULL};
    vox_coll_dataset *d;
    json_object *subjects;

    VOX_TRY(want_object(o, at));
    VOX_TRY(vox_json_object(&subjects, o, "subjects", at->text));
    d = vox_collection_add_dataset(c, key);
    if (!d)
        return VOX_E_NOMEM;
    VOX_TRY(index_of(c, &d->index, &d->index_is_int, o, "dataset_index", at));
    VOX_TRY(check_index(c, at));
    VOX_TRY(maybe_text(c, &d->name, o, "name", at));
    d->info = json_object_get(vox_json_get(o, "dataset_info"));
    VOX_TRY(keep_extra(&d->extra, o, known));
    for (struct lh_entry *e = json_object_get_object(subjects)->head; e; e = e->next) {
        const place here = below(at, "subjects", e->k);

        VOX_TRY(read_subject(c, d, e->k, (json_object *)e->v, &here));
    }
    return VOX_OK;
}

static int read_collection(vox_collection *c, json_object *o, const place *at)
{
    static const char *const known[] = {"collection_index", "collection_name", "datasets",
                                        NULL};
    json_object *datasets;

    VOX_TRY(want_object(o, at));
    VOX_TRY(index_of(c, &c->index, &c->index_is_int, o, "collection_index", at));
    VOX_TRY(text_of(c, &c->name, o, "collection_name", at));
    VOX_TRY(vox_json_object(&datasets, o, "datasets", at->text));
    VOX_TRY(keep_extra(&c->extra, o, known));
    for (struct lh_entry *e = json_object_get_object(datasets)->head; e; e = e->next) {
        const place here = below(at, "datasets", e->k);

        VOX_TRY(read_dataset(c, e->k, (json_object *)e->v, &here));
    }
    return VOX_OK;
}

int vox_collection_parse(vox_collection *out, const char *text, size_t len,
                         const char *name)
{
    vox_collection c = VOX_COLLECTION_INIT;
    json_object *o = NULL;
    place at;
    int rc;

    *out = c;
    snprintf(at.text, sizeof at.text, "%s", name);
    VOX_TRY(vox_json_parse(&o, text, len, name));
    rc = read_collection(&c, o, &at);
    json_object_put(o);
    if (rc == VOX_OK)
        *out = c;
    else
        vox_collection_release(&c);
    return rc;
}

int vox_collection_read(vox_collection *out, const char *path)
{
    vox_buf text = VOX_BUF_INIT;
    int rc = vox_file_read(&text, path);

    if (rc == VOX_OK)
        rc = vox_collection_parse(out, vox_buf_text(&text), text.len, path);
    vox_buf_release(&text);
    return rc;
}

/* Writing. A JSON object under construction: the first failed step makes the rest no-ops.
 */
typedef struct maker {
    json_object *o;
    int bad;
} maker;

static maker make(json_object *extra)
{
    maker m = {json_object_new_object(), 0};

    m.bad = !m.o;
    if (extra && !m.bad) {
        for (struct lh_entry *e = json_object_get_object(extra)->head; e; e = e->next)
            m.bad |=
                json_object_object_add(m.o, e->k, json_object_get((json_object *)e->v));
    }
    return m;
}

/* Takes the reference of `v`; `may_be_null`: a NULL is JSON's null, not a lack of memory.
 */
static void put(maker *m, const char *key, json_object *v, int may_be_null)
{
    if (m->bad || (!v && !may_be_null) || json_object_object_add(m->o, key, v)) {
        m->bad = 1;
        json_object_put(v);
    }
}

static void put_text(maker *m, const char *key, const char *text)
{
    put(m, key, text ? json_object_new_string(text) : NULL, !text);
}

static void put_index(maker *m, const char *key, const char *index, int is_int)
{
    if (is_int)
        put(m, key, json_object_new_int64(strtoll(index, NULL, 10)), 0);
    else
        put_text(m, key, index);
}

static json_object *made(maker *m)
{
    if (!m->bad)
        return m->o;
    json_object_put(m->o);
    return NULL;
}

static json_object *image_json(const vox_coll_image *im)
{
    maker m = make(im->extra), masks = {NULL, 0};

    put_text(&m, "name", im->name);
    put_text(&m, "image_path", im->path);
    put_text(&m, "modality", im->modality);
    put(&m, "image_info", json_object_get(im->info), 1);
    if (im->has_masks) {
        masks = make(NULL);
        put_text(&masks, "anatomy_mask", im->anat);
        put_text(&masks, "anonymization_mask", im->anon);
    }
    put(&m, "associated_masks", im->has_masks ? made(&masks) : NULL, !im->has_masks);
    return made(&m);
}

static json_object *session_json(const vox_coll_session *s)
{
    maker m = make(s->extra);
    json_object *images = json_object_new_array();

    for (int64_t i = 0; i < s->count && images; i++) {
        json_object *im = image_json(&s->image[i]);

        if (!im || json_object_array_add(images, im)) {
            json_object_put(im);
            json_object_put(images);
            images = NULL;
        }
    }
    put_text(&m, "session_id", s->id);
    put(&m, "session_info", json_object_get(s->info), 1);
    put(&m, "images", images, 0);
    return made(&m);
}

static json_object *subject_json(const vox_coll_subject *s)
{
    maker m = make(s->extra), sessions = make(NULL);

    for (int64_t i = 0; i < s->count; i++)
        put(&sessions, s->session[i].id, session_json(&s->session[i]), 0);
    put_text(&m, "subject_id", s->id);
    put(&m, "subject_info", json_object_get(s->info), 1);
    put(&m, "sessions", made(&sessions), 0);
    return made(&m);
}

static json_object *dataset_json(const vox_coll_dataset *d)
{
    maker m = make(d->extra), subjects = make(NULL);

    for (int64_t i = 0; i < d->count; i++)
        put(&subjects, d->subject[i].id, subject_json(&d->subject[i]), 0);
    put_index(&m, "dataset_index", d->index, d->index_is_int);
    put(&m, "dataset_info", json_object_get(d->info), 1);
    put_text(&m, "name", d->name);
    put(&m, "subjects", made(&subjects), 0);
    return made(&m);
}

json_object *vox_collection_json(const vox_collection *c)
{
    maker m = make(c->extra), datasets = make(NULL);
    json_object *o;

    /* the key is the index: what the peer looks the dataset up by */
    for (int64_t i = 0; i < c->count; i++)
        put(&datasets, c->dataset[i].index, dataset_json(&c->dataset[i]), 0);
    put_index(&m, "collection_index", c->index, c->index_is_int);
    put_text(&m, "collection_name", c->name);
    put(&m, "datasets", made(&datasets), 0);
    o = made(&m);
    if (!o)
        vox_fail(VOX_E_NOMEM, "no memory for the JSON of %lld images",
                 (long long)vox_collection_images(c));
    return o;
}

int vox_collection_write(const vox_collection *c, const char *path)
{
    json_object *o = vox_collection_json(c);
    int rc = o ? vox_json_write(path, o, 1) : VOX_E_NOMEM;

    json_object_put(o);
    return rc;
}
