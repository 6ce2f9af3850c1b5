/* bids: side-cars by folder, suffix and subject, tables by the folder that holds the subjects. */
#include "data/bids.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/table.h"

enum { CANDIDATES = 64, SIDECAR_MAX = 16 << 20 };

size_t vox_bids_root(const char *path)
{
    for (const char *p = path; p; p = strchr(p, '/')) {
        p += *p == '/';
        if (strncmp(p, "sub-", 4) == 0)
            return (size_t)(p - path);
    }
    return (size_t)(vox_path_base(path) - path);
}

/* Who somebody is does not go into a description that is passed on. */
static int is_private(vox_slice key)
{
    static const char *const keys[] = {"PatientName", "PatientID", "PatientBirthDate",
                                       "AccessionNumber"};

    for (int i = 0; i < VOX_COUNT(keys); i++) {
        if (vox_json_is(key, keys[i]))
            return 1;
    }
    return 0;
}

static int add_member(vox_buf *info, vox_slice key, vox_slice raw)
{
    VOX_TRY(vox_buf_add(info, info->len ? ",\"" : "{\"", 2));
    VOX_TRY(vox_buf_add(info, key.p, key.n));
    VOX_TRY(vox_buf_add(info, "\":", 2));
    return vox_buf_add(info, raw.p, raw.n);
}

static int parse_members(vox_buf *info, vox_json_pull *p)
{
    vox_slice key, raw;
    int more;

    VOX_TRY(vox_json_pull_open(p, VOX_JSON_OBJECT));
    while ((more = vox_json_pull_key(p, &key)) > 0) {
        const vox_json_kind kind = vox_json_pull_kind(p);

        VOX_TRY(vox_json_pull_value(p, &raw));
        if ((kind == VOX_JSON_STRING || kind == VOX_JSON_NUMBER ||
             kind == VOX_JSON_BOOLEAN) &&
            !is_private(key))
            VOX_TRY(add_member(info, key, raw));
    }
    VOX_TRY(more);
    return vox_json_pull_finish(p);
}

int vox_sidecar_parse(vox_buf *info, const char *text, size_t len, const char *name)
{
    const size_t had = info->len;
    vox_json_pull p;
    int rc;

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    vox_json_pull_init(&p, text, len, name);
    rc = parse_members(info, &p);
    if (rc != VOX_OK && info->len > had) {
        info->len = had; /* half of a side-car is none */
        info->data[had] = '\0';
    }
    return rc;
}

/* The side-cars of a walk, chained by folder, suffix and subject: in a folder that holds all
 * subjects an image looks at its own only. */
typedef struct sidecars {
    vox_walk *w;
    vox_rejects *skipped;
    vox_dict first; /* "<folder>\1<suffix>\1<subject>" and path: number of a file */
    int64_t *next;  /* of each file, or -1 */
    vox_buf info;   /* scratch */
} sidecars;

/* The first "sub-..." among the words of stem[0, n), "" when there is none. */
static vox_slice subject_of(const char *stem, size_t n)
{
    for (size_t at = 0; at < n;) {
        const char *end = memchr(stem + at, '_', n - at);
        const size_t k = end ? (size_t)(end - stem) - at : n - at;

        if (k > 4 && memcmp(stem + at, "sub-", 4) == 0)
            return (vox_slice){stem + at, k};
        at += k + 1;
    }
    return (vox_slice){"", 0};
}

/* "<folder>\1<last word of the name>\1<subject>"; the name's stem is stem[0, n). */
static const char *chain_key(vox_walk *w, const char *path, size_t folder, const char *stem,
                             size_t n, vox_slice subject)
{
    size_t at = n;

    while (at > 0 && stem[at - 1] != '_')
        at--;
    return vox_arena_printf(&w->arena, "%.*s\1%.*s\1%.*s", (int)folder, path, (int)(n - at),
                            stem + at, (int)subject.n, subject.p);
}

static size_t json_stem(const char *name)
{
    return strlen(name) - strlen(".json");
}

static int chain(sidecars *s, int64_t images)
{
    vox_walk *w = s->w;

    s->next = vox_alloc((size_t)w->count, sizeof *s->next);
    if (!s->next)
        return VOX_E_NOMEM;
    for (int64_t i = images; i < w->count; i++) {
        const char *path = w->v[i].path, *base = vox_path_base(path), *key;

        if (w->v[i].kind != VOX_FILE_JSON)
            continue;
        key = chain_key(w, path, (size_t)(base - path), base, json_stem(base),
                        subject_of(base, json_stem(base)));
        if (!key)
            return VOX_E_NOMEM;
        s->next[i] = vox_dict_get(&s->first, key, -1);
        VOX_TRY(vox_dict_set(&s->first, key, i, NULL));
        VOX_TRY(vox_dict_set(&s->first, path, i, NULL));
    }
    return VOX_OK;
}

/* Are all words of the side-car among the image's? Both without endings. */
static int inherits(const char *sidecar, size_t n, const char *image, size_t image_n)
{
    for (size_t at = 0; at < n;) {
        const char *end = memchr(sidecar + at, '_', n - at);
        const size_t k = end ? (size_t)(end - sidecar) - at : n - at;
        size_t i = 0;

        while (i < image_n) {
            const char *e = memchr(image + i, '_', image_n - i);
            const size_t m = e ? (size_t)(e - image) - i : image_n - i;

            if (m == k && memcmp(image + i, sidecar + at, k) == 0)
                break;
            i += m + 1;
        }
        if (i >= image_n)
            return 0;
        at += k + 1;
    }
    return 1;
}

/* Add a side-car to s->info; one that cannot be read is passed over. */
static int take(sidecars *s, vox_file *json)
{
    const char *full = vox_walk_full(s->w, json->path);
    vox_buf text = VOX_BUF_INIT;
    int rc;

    if (!full)
        return VOX_E_NOMEM;
    if (vox_file_size(full) > SIDECAR_MAX)
        rc = vox_fail(VOX_E_FORMAT, "%s: too large for a side-car", full);
    else
        rc = vox_file_read(&text, full);
    if (rc == VOX_OK)
        rc = vox_sidecar_parse(&s->info, vox_buf_text(&text), text.len, full);
    vox_buf_release(&text);
    if (rc != VOX_OK && rc != VOX_E_NOMEM && !json->used) {
        const char *message =
            vox_arena_printf(&s->w->arena, "a side-car that cannot be read%s",
                             vox_error_text() + strlen(full));

        rc = message ? vox_walk_skip(s->w, s->skipped, json->path, message) : VOX_E_NOMEM;
    }
    json->used = 1;
    return rc == VOX_E_NOMEM ? rc : VOX_OK;
}

static int compare_length(const void *a, const void *b)
{
    const vox_file *x = *(vox_file *const *)a, *y = *(vox_file *const *)b;
    const size_t n = strlen(x->path), m = strlen(y->path);

    return n != m ? (n < m ? -1 : 1) : strcmp(x->path, y->path);
}

/* Of the side-cars of a chain those that the image inherits, behind found[0, *count). */
static int find_inherited(sidecars *s, vox_file **found, int *count, const char *path,
                          size_t folder, vox_slice subject)
{
    const char *base = vox_path_base(path);
    const size_t n = vox_place_stem(base);
    const char *key = chain_key(s->w, path, folder, base, n, subject);

    if (!key)
        return VOX_E_NOMEM;
    for (int64_t i = vox_dict_get(&s->first, key, -1); i >= 0 && *count < CANDIDATES;
         i = s->next[i]) {
        const char *name = vox_path_base(s->w->v[i].path);

        if (inherits(name, json_stem(name), base, n))
            found[(*count)++] = &s->w->v[i];
    }
    return VOX_OK;
}

/* Side-cars of one folder: those with fewer entities first. */
static int take_folder(sidecars *s, const char *path, size_t folder)
{
    const char *base = vox_path_base(path);
    const vox_slice all = {"", 0}, subject = subject_of(base, vox_place_stem(base));
    vox_file *found[CANDIDATES];
    int count = 0;

    VOX_TRY(find_inherited(s, found, &count, path, folder, all));
    if (subject.n)
        VOX_TRY(find_inherited(s, found, &count, path, folder, subject));
    qsort(found, (size_t)count, sizeof *found, compare_length);
    for (int i = 0; i < count; i++)
        VOX_TRY(take(s, found[i]));
    return VOX_OK;
}

static int take_inherited(sidecars *s, const vox_file *image)
{
    const char *path = image->path;
    const size_t own = (size_t)(vox_path_base(path) - path);

    for (size_t folder = vox_bids_root(path);; folder++) {
        VOX_TRY(take_folder(s, path, folder));
        if (folder >= own)
            return VOX_OK;
        folder += strcspn(path + folder, "/");
    }
}

static int take_own(sidecars *s, const vox_file *image)
{
    const char *base = vox_path_base(image->path);
    const char *own =
        vox_arena_printf(&s->w->arena, "%.*s%.*s.json", (int)(base - image->path),
                         image->path, (int)vox_place_stem(base), base);
    const int64_t at = own ? vox_dict_get(&s->first, own, -1) : -1;

    if (!own)
        return VOX_E_NOMEM;
    return at < 0 ? VOX_OK : take(s, &s->w->v[at]);
}

static int add_info(sidecars *s, vox_file *image)
{
    VOX_TRY(vox_buf_resize(&s->info, 0));
    if (image->info) /* what a pattern said */
        VOX_TRY(vox_buf_add(&s->info, image->info, strlen(image->info) - 1));
    if (vox_place_is_bids(image->path))
        VOX_TRY(take_inherited(s, image));
    else
        VOX_TRY(take_own(s, image));
    if (s->info.len == 0)
        return VOX_OK;
    VOX_TRY(vox_buf_add(&s->info, "}", 1));
    image->info = vox_arena_strdup(&s->w->arena, s->info.data);
    return image->info ? VOX_OK : VOX_E_NOMEM;
}

int vox_bids_sidecars(vox_walk *w, int64_t images, vox_rejects *skipped)
{
    sidecars s = {.w = w, .skipped = skipped};
    int rc = chain(&s, images);

    for (int64_t i = 0; i < images && rc == VOX_OK; i++)
        rc = add_info(&s, &w->v[i]);
    vox_dict_release(&s.first);
    vox_free(s.next);
    vox_buf_release(&s.info);
    return rc;
}

/* What a row says besides its id. */
static int row_info(vox_buf *info, const vox_table *t, int64_t row, int64_t id)
{
    VOX_TRY(vox_buf_resize(info, 0));
    for (int64_t k = 0; k < t->columns; k++) {
        const char *cell = vox_table_cell(t, row, k);

        if (k != id && strcmp(cell, "n/a") != 0)
            VOX_TRY(vox_info_add(info, t->column[k], cell, 0));
    }
    return info->len ? vox_buf_add(info, "}", 1) : VOX_OK;
}

/* "01" and "sub-01" are one id. */
static const char *full_id(vox_arena *a, const char *prefix, const char *id)
{
    if (strncmp(id, prefix, strlen(prefix)) == 0)
        return id;
    return vox_arena_printf(a, "%s%s", prefix, id);
}

static int set_info(vox_collection *c, const char **field, const vox_buf *info)
{
    return info->len ? vox_collection_set_info(c, field, info->data) : VOX_OK;
}

/* Where what a table says goes. */
typedef struct tables {
    vox_collection *c;
    vox_walk *w;
    const char *dataset; /* of images whose path names none */
    vox_dict roots;      /* folder that holds subjects: an image below it */
    vox_dict subjects;   /* "<dataset>\1<subject>": number in its dataset */
} tables;

/* NULL when there is none; *rc is VOX_E_NOMEM without memory. */
static vox_coll_subject *find_subject(const tables *t, vox_coll_dataset *d, const char *id,
                                      int *rc)
{
    const char *key = vox_arena_printf(&t->w->arena, "%s\1%s", d->index, id);
    const int64_t at = key ? vox_dict_get(&t->subjects, key, -1) : -1;

    *rc = key ? VOX_OK : VOX_E_NOMEM;
    return at < 0 ? NULL : &d->subject[at];
}

static int index_subjects(tables *t)
{
    for (int64_t i = 0; i < t->c->count; i++) {
        const vox_coll_dataset *d = &t->c->dataset[i];

        for (int64_t k = 0; k < d->count; k++) {
            const char *key =
                vox_arena_printf(&t->w->arena, "%s\1%s", d->index, d->subject[k].id);

            if (!key)
                return VOX_E_NOMEM;
            VOX_TRY(vox_dict_set(&t->subjects, key, k, NULL));
        }
    }
    return VOX_OK;
}

/* One row: of a subject, or of a session of `subject`. */
static int take_row(const tables *to, vox_coll_dataset *d, vox_coll_subject *subject,
                    vox_table *t, int64_t row, int64_t id, vox_buf *info)
{
    const char *cell = vox_table_cell(t, row, id);
    const char *name = full_id(&t->arena, subject ? "ses-" : "sub-", cell);
    int rc;

    if (!name)
        return VOX_E_NOMEM;
    VOX_TRY(row_info(info, t, row, id));
    if (subject) {
        vox_coll_session *s = vox_coll_find_session(subject, name);

        return s ? set_info(to->c, &s->info, info) : VOX_OK;
    }
    subject = find_subject(to, d, name, &rc);
    return subject ? set_info(to->c, &subject->info, info) : rc;
}

static int take_table(const tables *to, vox_coll_dataset *d, vox_coll_subject *subject,
                      const char *path)
{
    const char *column = subject ? "session_id" : "participant_id";
    vox_table t = VOX_TABLE_INIT;
    vox_buf info = VOX_BUF_INIT;
    int64_t id;
    int rc = vox_table_read(&t, path, '\t');

    id = vox_table_find(&t, column);
    if (rc == VOX_OK && id < 0)
        rc = vox_fail(VOX_E_FORMAT, "%s: has no column %s", path, column);
    for (int64_t i = 0; i < t.rows && rc == VOX_OK; i++)
        rc = take_row(to, d, subject, &t, i, id, &info);
    vox_buf_release(&info);
    vox_table_release(&t);
    return rc;
}

/* An image below each folder that holds subjects. */
static int index_roots(tables *t, int64_t images)
{
    const vox_file *v = t->w->v;

    for (int64_t i = 0; i < images; i++) {
        const size_t n = vox_bids_root(v[i].path);
        const char *key;

        if (i && n == vox_bids_root(v[i - 1].path) &&
            strncmp(v[i].path, v[i - 1].path, n) == 0)
            continue;
        key = vox_arena_text(&t->w->arena, v[i].path, n);
        if (!key)
            return VOX_E_NOMEM;
        VOX_TRY(vox_dict_set(&t->roots, key, i, NULL));
    }
    return VOX_OK;
}

/* The dataset whose subjects are in the table's root; NULL when it has no images. */
static int dataset_at(vox_coll_dataset **out, const tables *t, const char *path)
{
    const char *key = vox_arena_text(&t->w->arena, path, vox_bids_root(path));
    int64_t at;

    *out = NULL;
    if (!key)
        return VOX_E_NOMEM;
    at = vox_dict_get(&t->roots, key, -1);
    if (at >= 0) {
        const char *name = t->w->v[at].place.dataset;

        *out = vox_collection_find_dataset(t->c, *name ? name : t->dataset);
    }
    return VOX_OK;
}

/* A table: which dataset and, of sessions, which subject. */
static int use_table(const tables *t, vox_file *table)
{
    const char *base = vox_path_base(table->path), *full, *id;
    const int sessions = strcmp(base, "participants.tsv") != 0;
    vox_coll_dataset *d;
    vox_coll_subject *s = NULL;
    int rc;

    VOX_TRY(dataset_at(&d, t, table->path));
    if (!d)
        return VOX_OK;
    full = vox_walk_full(t->w, table->path);
    id = vox_arena_text(&t->w->arena, base,
                        strlen(base) - strlen(sessions ? "_sessions.tsv" : ""));
    if (!full || !id)
        return VOX_E_NOMEM;
    if (sessions && !(s = find_subject(t, d, id, &rc)))
        return rc;
    table->used = 1;
    return take_table(t, d, s, full);
}

/* Use one, or say why not. */
static int try_table(const tables *t, vox_file *table, vox_rejects *skipped)
{
    const int rc = use_table(t, table);
    const char *why = "a table of no subject here";

    if (rc == VOX_E_NOMEM || (rc == VOX_OK && table->used))
        return rc;
    if (rc != VOX_OK)
        why = vox_arena_printf(&t->w->arena, "a table that cannot be read: %s",
                               vox_error_text());
    return why ? vox_walk_skip(t->w, skipped, table->path, why) : VOX_E_NOMEM;
}

int vox_bids_tables(vox_collection *c, vox_walk *w, int64_t images, const char *dataset,
                    vox_rejects *skipped)
{
    tables t = {.c = c, .w = w, .dataset = dataset};
    int rc;

    if (w->kinds[VOX_FILE_TABLE] == 0)
        return VOX_OK;
    rc = index_roots(&t, images);
    if (rc == VOX_OK)
        rc = index_subjects(&t);
    for (int64_t i = images; i < w->count && rc == VOX_OK; i++) {
        if (w->v[i].kind == VOX_FILE_TABLE)
            rc = try_table(&t, &w->v[i], skipped);
    }
    vox_dict_release(&t.roots);
    vox_dict_release(&t.subjects);
    return rc;
}
