/*
 * collection_read: pretrain_data.json to a collection, token by token (data.md 2.1, 2.2).
 *
 * Each kind of object is a table of fields. Arrays are gathered in the reader while their
 * parent is read and then copied to the arena in their exact size. Where a value stands is
 * a chain of nodes on the stack, which becomes text only in a message.
 */
#include <stdio.h>
#include <string.h>

#include "base/dict.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/collection.h"
#include "io/map.h"

struct reader;

typedef struct node {
    const struct node *up; /* NULL: the text itself */
    const char *member;
    vox_slice key; /* "" : the member; p is NULL: its item number n */
} node;

/* The children of one level that were read so far. Objects hold theirs in the same form. */
typedef struct list {
    void *v;
    int64_t count, cap;
} list;

struct level;

typedef struct field {
    const char *key;
    int (*read)(struct reader *r, void *o, const struct field *f, const node *at);
    size_t offset, is_int; /* of the member, and of the flag beside an index */
    int required;
    const struct level *level; /* of children */
} field;

/* A kind of object. */
typedef struct level {
    const field *fields;
    size_t size, id, extra; /* of the object, and offsets in it */
    size_t list;            /* offset in the reader */
    int is_array;           /* its objects have no keys */
    int (*finish)(struct reader *r, void *o, const node *at);
} level;

typedef struct reader {
    vox_json_pull p;
    vox_collection *c;
    vox_buf text;   /* scratch */
    vox_slice name; /* of the image that is being read */
    list images, sessions, subjects, datasets;
    const vox_map *map;  /* that the text is in, or NULL */
    const char *relaxed; /* text before it has left memory */
} reader;

static void put_place(char *out, size_t room, const node *at)
{
    size_t n;

    if (!at->up)
        return;
    put_place(out, room, at->up);
    n = strlen(out);
    out += n;
    room -= n;
    n = (size_t)snprintf(out, room, "%s%s", at->up->up ? "." : ": ", at->member);
    if (n >= room)
        return;
    if (!at->key.p)
        snprintf(out + n, room - n, "[%zu]", at->key.n);
    else if (at->key.n)
        snprintf(out + n, room - n, "[%.*s]", (int)(at->key.n < 200 ? at->key.n : 200),
                 at->key.p);
}

static int fail_at(const reader *r, const node *at, int code, const char *what)
{
    char place[768] = "";

    put_place(place, sizeof place, at);
    return vox_fail(code, "%s%s: %s", r->p.name, place, what);
}

/* The value is of another kind than wanted. What begins no value at all is not JSON. */
static int fail_kind(reader *r, const node *at, const char *key, const char *wanted)
{
    const vox_json_kind kind = vox_json_pull_kind(&r->p);
    char what[160];
    vox_slice unused;

    if (kind == VOX_JSON_NONE)
        return vox_json_pull_value(&r->p, &unused);
    if (key)
        snprintf(what, sizeof what, "\"%s\" is %s, wanted %s", key,
                 vox_json_kind_name(kind), wanted);
    else
        snprintf(what, sizeof what, "is %s, wanted %s", vox_json_kind_name(kind), wanted);
    return fail_at(r, at, VOX_E_FORMAT, what);
}

/* What a string as written stands for, into r->text. */
static int unescape(reader *r, vox_slice inside, const node *at)
{
    VOX_TRY(vox_buf_resize(&r->text, 0));
    VOX_TRY(vox_json_unescape(&r->text, inside));
    if (memchr(vox_buf_text(&r->text), 0, r->text.len))
        return fail_at(r, at, VOX_E_FORMAT, "a text with a zero in it");
    return VOX_OK;
}

static int keep_word(reader *r, const char **out)
{
    *out = vox_collection_word(r->c, vox_buf_text(&r->text), r->text.len);
    return *out ? VOX_OK : VOX_E_NOMEM;
}

static void put_pointer(void *o, size_t offset, const void *value)
{
    memcpy((char *)o + offset, &value, sizeof value);
}

static int read_inside(reader *r, vox_slice *inside, const field *f, const node *at)
{
    if (vox_json_pull_kind(&r->p) != VOX_JSON_STRING)
        return fail_kind(r, at, f->key, "string");
    return vox_json_pull_string(&r->p, inside);
}

/* A word: one of few. */
static int read_word(reader *r, void *o, const field *f, const node *at)
{
    const char *word;
    vox_slice inside;

    VOX_TRY(read_inside(r, &inside, f, at));
    VOX_TRY(unescape(r, inside, at));
    VOX_TRY(keep_word(r, &word));
    put_pointer(o, f->offset, word);
    return VOX_OK;
}

/* A text that hardly comes twice. */
static int read_text(reader *r, void *o, const field *f, const node *at)
{
    const char *copy;
    vox_slice inside;

    VOX_TRY(read_inside(r, &inside, f, at));
    VOX_TRY(unescape(r, inside, at));
    copy = vox_arena_text(&r->c->store->arena, vox_buf_text(&r->text), r->text.len);
    put_pointer(o, f->offset, copy);
    return copy ? VOX_OK : VOX_E_NOMEM;
}

static int read_null(reader *r, void *o, const field *f)
{
    vox_slice unused;

    put_pointer(o, f->offset, NULL);
    return vox_json_pull_value(&r->p, &unused);
}

static int read_maybe(reader *r, void *o, const field *f, const node *at)
{
    if (vox_json_pull_kind(&r->p) == VOX_JSON_NULL)
        return read_null(r, o, f);
    return read_text(r, o, f, at);
}

/* The name waits for the path, whose tail it mostly is. */
static int read_name(reader *r, void *o, const field *f, const node *at)
{
    (void)o;
    return read_inside(r, &r->name, f, at);
}

static int fail_number(const reader *r, const node *at, const char *key, vox_slice raw)
{
    char what[160];

    snprintf(what, sizeof what, "\"%s\" is %.*s, wanted an integer or a string", key,
             (int)(raw.n < 40 ? raw.n : 40), raw.p);
    return fail_at(r, at, VOX_E_FORMAT, what);
}

/* "collection_index", "dataset_index": a string or an integer. */
static int read_index(reader *r, void *o, const field *f, const node *at)
{
    const char *word;
    vox_slice raw;
    int is_int;

    if (vox_json_pull_kind(&r->p) != VOX_JSON_NUMBER) {
        is_int = 0;
        memcpy((char *)o + f->is_int, &is_int, sizeof is_int);
        return read_word(r, o, f, at);
    }
    VOX_TRY(vox_json_pull_value(&r->p, &raw));
    for (size_t i = 0; i < raw.n; i++) {
        if (!strchr("-0123456789", raw.p[i]))
            return fail_number(r, at, f->key, raw);
    }
    VOX_TRY(vox_buf_resize(&r->text, 0));
    VOX_TRY(vox_buf_add(&r->text, raw.p, raw.n));
    is_int = 1;
    memcpy((char *)o + f->is_int, &is_int, sizeof is_int);
    VOX_TRY(keep_word(r, &word));
    put_pointer(o, f->offset, word);
    return VOX_OK;
}

static int read_info(reader *r, void *o, const field *f, const node *at)
{
    const char *word;
    vox_slice raw;

    (void)at;
    if (vox_json_pull_kind(&r->p) == VOX_JSON_NULL)
        return read_null(r, o, f);
    VOX_TRY(vox_json_pull_value(&r->p, &raw));
    VOX_TRY(vox_buf_resize(&r->text, 0));
    VOX_TRY(vox_json_compact(&r->text, raw));
    VOX_TRY(keep_word(r, &word));
    put_pointer(o, f->offset, word);
    return VOX_OK;
}

/* The key of the object says it, too. */
static int read_unused(reader *r, void *o, const field *f, const node *at)
{
    vox_slice unused;

    (void)o;
    (void)f;
    (void)at;
    return vox_json_pull_value(&r->p, &unused);
}

static int add_extra(reader *r, vox_buf *extra, vox_slice key)
{
    vox_slice raw;

    VOX_TRY(vox_json_pull_value(&r->p, &raw));
    VOX_TRY(vox_buf_add(extra, extra->len ? ",\"" : "{\"", 2));
    VOX_TRY(vox_buf_add(extra, key.p, key.n));
    VOX_TRY(vox_buf_add(extra, "\":", 2));
    return vox_json_compact(extra, raw);
}

static int check_required(const reader *r, const field *fields, unsigned seen,
                          const node *at)
{
    char what[80];

    for (int i = 0; fields[i].key; i++) {
        if (fields[i].required && !(seen & 1u << i)) {
            snprintf(what, sizeof what, "has no \"%s\"", fields[i].key);
            return fail_at(r, at, VOX_E_MISSING, what);
        }
    }
    return VOX_OK;
}

static int read_members(reader *r, void *o, const field *fields, vox_buf *extra,
                        const node *at)
{
    unsigned seen = 0;
    vox_slice key;
    int more;

    while ((more = vox_json_pull_key(&r->p, &key)) > 0) {
        int i = 0;

        while (fields[i].key && !vox_json_is(key, fields[i].key))
            i++;
        seen |= 1u << i;
        if (fields[i].key)
            VOX_TRY(fields[i].read(r, o, &fields[i], at));
        else
            VOX_TRY(add_extra(r, extra, key));
    }
    VOX_TRY(more);
    return check_required(r, fields, seen, at);
}

/* An object; what no field takes goes to the member at `extra`. */
static int read_object(reader *r, void *o, const field *fields, size_t extra,
                       const node *at)
{
    vox_buf more = VOX_BUF_INIT;
    int rc;

    if (vox_json_pull_kind(&r->p) != VOX_JSON_OBJECT)
        return fail_kind(r, at, NULL, "an object");
    VOX_TRY(vox_json_pull_open(&r->p, VOX_JSON_OBJECT));
    rc = read_members(r, o, fields, &more, at);
    if (rc == VOX_OK && more.len) {
        const char *word = NULL;

        rc = vox_buf_add(&more, "}", 1);
        if (rc == VOX_OK)
            word = vox_collection_word(r->c, more.data, more.len);
        put_pointer(o, extra, word);
        rc = word ? VOX_OK : VOX_E_NOMEM;
    }
    vox_buf_release(&more);
    return rc;
}

/* Two children of one key would hide each other. Keys are words: the same text is the same
 * pointer. */
static int check_keys(const reader *r, const list *l, const level *lv, const char *member,
                      const node *at)
{
    vox_dict seen = VOX_DICT_INIT;
    int rc = VOX_OK, added = 1;
    char what[256];

    for (int64_t i = 0; i < l->count && l->count > 1 && rc == VOX_OK; i++) {
        const char *id;

        memcpy(&id, (const char *)l->v + i * (int64_t)lv->size + lv->id, sizeof id);
        rc = vox_dict_set(&seen, id, 1, &added);
        if (rc == VOX_OK && !added) {
            snprintf(what, sizeof what, "\"%s\" holds \"%.100s\" twice", member, id);
            rc = fail_at(r, at, VOX_E_FORMAT, what);
        }
    }
    vox_dict_release(&seen);
    return rc;
}

/* A large file is read once: what was read need not stay in memory beside what it says. */
static void relax(reader *r)
{
    enum { STEP = 8 << 20 };

    if (!r->map || r->p.at - r->relaxed < STEP)
        return;
    vox_map_relax(r->map);
    r->relaxed = r->p.at;
}

static int read_child(reader *r, list *l, const level *lv, vox_slice key, const node *at)
{
    union {
        vox_coll_image image;
        vox_coll_session session;
        vox_coll_subject subject;
        vox_coll_dataset dataset;
    } o;
    const char *id;

    memset(&o, 0, sizeof o);
    if (!lv->is_array) {
        VOX_TRY(unescape(r, key, at));
        VOX_TRY(keep_word(r, &id));
        put_pointer(&o, lv->id, id);
    }
    VOX_TRY(read_object(r, &o, lv->fields, lv->extra, at));
    if (lv->finish)
        VOX_TRY(lv->finish(r, &o, at));
    VOX_TRY(vox_grow(&l->v, &l->cap, l->count + 1, lv->size));
    memcpy((char *)l->v + l->count++ * (int64_t)lv->size, &o, lv->size);
    return VOX_OK;
}

static int read_children_of(reader *r, list *l, const field *f, const node *at)
{
    const level *lv = f->level;
    int more;

    for (;;) {
        node here = {
            at, f->key, {NULL, (size_t)l->count}
        };

        more =
            lv->is_array ? vox_json_pull_item(&r->p) : vox_json_pull_key(&r->p, &here.key);
        if (more != 1)
            return more;
        VOX_TRY(read_child(r, l, lv, here.key, &here));
        relax(r);
    }
}

/* The children of an object, gathered in the reader, then in their exact size in the arena.
 */
static int read_children(reader *r, void *o, const field *f, const node *at)
{
    const level *lv = f->level;
    const vox_json_kind kind = lv->is_array ? VOX_JSON_ARRAY : VOX_JSON_OBJECT;
    list *l = (list *)((char *)r + lv->list);
    list kept;

    if (vox_json_pull_kind(&r->p) != kind)
        return fail_kind(r, at, f->key, vox_json_kind_name(kind));
    VOX_TRY(vox_json_pull_open(&r->p, kind));
    l->count = 0;
    VOX_TRY(read_children_of(r, l, f, at));
    if (!lv->is_array)
        VOX_TRY(check_keys(r, l, lv, f->key, at));
    kept = (list){NULL, l->count, l->count};
    kept.v = vox_arena_alloc(&r->c->store->arena, (size_t)l->count, lv->size);
    if (!kept.v)
        return VOX_E_NOMEM;
    if (l->count)
        memcpy(kept.v, l->v, (size_t)l->count * lv->size);
    memcpy((char *)o + f->offset, &kept, sizeof kept);
    return VOX_OK;
}

static int read_masks(reader *r, void *o, const field *f, const node *at)
{
    static const field fields[] = {
        {.key = "anonymization_mask",
         .read = read_maybe,
         .offset = offsetof(vox_coll_image, anon)},
        {.key = "anatomy_mask",
         .read = read_maybe,
         .offset = offsetof(vox_coll_image, anat)},
        {.key = NULL                                }
    };
    const node here = {
        at, f->key, {"", 0}
    };
    vox_coll_image *image = o;
    vox_slice unused;

    image->has_masks = vox_json_pull_kind(&r->p) != VOX_JSON_NULL;
    if (!image->has_masks)
        return vox_json_pull_value(&r->p, &unused);
    return read_object(r, image, fields, offsetof(vox_coll_image, mask_extra), &here);
}

static int finish_image(reader *r, void *o, const node *at)
{
    vox_coll_image *image = o;

    VOX_TRY(unescape(r, r->name, at));
    image->name = vox_collection_name(r->c, image->path, vox_buf_text(&r->text));
    return image->name ? VOX_OK : VOX_E_NOMEM;
}

#define FIELD(type, name, reader, member, must)                                         \
    {                                                                                   \
        .key = name, .read = reader, .offset = offsetof(type, member), .required = must \
    }
#define INDEX(type, name)                                                 \
    {                                                                     \
        .key = name, .read = read_index, .offset = offsetof(type, index), \
        .is_int = offsetof(type, index_is_int), .required = 1             \
    }
#define CHILDREN(type, name, member, kind)                                    \
    {                                                                         \
        .key = name, .read = read_children, .offset = offsetof(type, member), \
        .required = 1, .level = &kind                                         \
    }
#define UNUSED(name)                     \
    {                                    \
        .key = name, .read = read_unused \
    }
#define END         \
    {               \
        .key = NULL \
    }

static const field image_fields[] = {
    FIELD(vox_coll_image, "name", read_name, name, 1),
    FIELD(vox_coll_image, "image_path", read_text, path, 1),
    FIELD(vox_coll_image, "modality", read_word, modality, 1),
    FIELD(vox_coll_image, "image_info", read_info, info, 0),
    FIELD(vox_coll_image, "associated_masks", read_masks, anon, 0),
    END};
static const level image_level = {.fields = image_fields,
                                  .size = sizeof(vox_coll_image),
                                  .extra = offsetof(vox_coll_image, extra),
                                  .list = offsetof(reader, images),
                                  .is_array = 1,
                                  .finish = finish_image};

static const field session_fields[] = {
    UNUSED("session_id"), FIELD(vox_coll_session, "session_info", read_info, info, 0),
    CHILDREN(vox_coll_session, "images", image, image_level), END};
static const level session_level = {.fields = session_fields,
                                    .size = sizeof(vox_coll_session),
                                    .id = offsetof(vox_coll_session, id),
                                    .extra = offsetof(vox_coll_session, extra),
                                    .list = offsetof(reader, sessions)};

static const field subject_fields[] = {
    UNUSED("subject_id"), FIELD(vox_coll_subject, "subject_info", read_info, info, 0),
    CHILDREN(vox_coll_subject, "sessions", session, session_level), END};
static const level subject_level = {.fields = subject_fields,
                                    .size = sizeof(vox_coll_subject),
                                    .id = offsetof(vox_coll_subject, id),
                                    .extra = offsetof(vox_coll_subject, extra),
                                    .list = offsetof(reader, subjects)};

static const field dataset_fields[] = {
    INDEX(vox_coll_dataset, "dataset_index"),
    FIELD(vox_coll_dataset, "name", read_maybe, name, 0),
    FIELD(vox_coll_dataset, "dataset_info", read_info, info, 0),
    CHILDREN(vox_coll_dataset, "subjects", subject, subject_level), END};
static const level dataset_level = {.fields = dataset_fields,
                                    .size = sizeof(vox_coll_dataset),
                                    .id = offsetof(vox_coll_dataset, key),
                                    .extra = offsetof(vox_coll_dataset, extra),
                                    .list = offsetof(reader, datasets)};

static const field collection_fields[] = {
    INDEX(vox_collection, "collection_index"),
    FIELD(vox_collection, "collection_name", read_word, name, 1),
    CHILDREN(vox_collection, "datasets", dataset, dataset_level), END};

/* Output folders are named by the index: it must be one dataset's. */
static int check_indices(const reader *r)
{
    const vox_collection *c = r->c;
    vox_dict seen = VOX_DICT_INIT;
    int rc = VOX_OK;

    for (int64_t i = 0; i < c->count && rc == VOX_OK; i++) {
        const int64_t was = vox_dict_get(&seen, c->dataset[i].index, -1);

        if (was >= 0)
            rc = vox_fail(VOX_E_FORMAT,
                          "%s: datasets[%s]: dataset_index \"%s\" is datasets[%s]'s "
                          "already",
                          r->p.name, c->dataset[i].key, c->dataset[i].index,
                          c->dataset[was].key);
        else
            rc = vox_dict_set(&seen, c->dataset[i].index, i, NULL);
    }
    vox_dict_release(&seen);
    return rc;
}

static int read_all(reader *r)
{
    const node top = {
        NULL, "", {"", 0}
    };

    VOX_TRY(read_object(r, r->c, collection_fields, offsetof(vox_collection, extra), &top));
    VOX_TRY(vox_json_pull_finish(&r->p));
    return check_indices(r);
}

static int parse(vox_collection *out, const char *text, size_t len, const char *name,
                 const vox_map *map)
{
    vox_collection c = VOX_COLLECTION_INIT;
    reader r = {.c = &c, .map = map, .relaxed = text};
    int rc;

    *out = c;
    c.store = vox_zalloc(1, sizeof *c.store);
    if (!c.store)
        return VOX_E_NOMEM;
    vox_json_pull_init(&r.p, text, len, name);
    rc = read_all(&r);
    vox_buf_release(&r.text);
    vox_free(r.images.v);
    vox_free(r.sessions.v);
    vox_free(r.subjects.v);
    vox_free(r.datasets.v);
    if (rc == VOX_OK)
        *out = c;
    else
        vox_collection_release(&c);
    return rc;
}

int vox_collection_parse(vox_collection *out, const char *text, size_t len,
                         const char *name)
{
    return parse(out, text, len, name, NULL);
}

int vox_collection_read(vox_collection *out, const char *path)
{
    vox_map map = VOX_MAP_INIT;
    int rc = vox_map_open(&map, path);

    *out = (vox_collection)VOX_COLLECTION_INIT;
    if (rc == VOX_OK)
        rc = parse(out, map.data ? (const char *)map.data : "", map.len, path, &map);
    vox_map_close(&map);
    return rc;
}
