/* openmind: rows to images, then the quality scores of each dataset. */
#include "data/openmind.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/gather.h"
#include "data/records.h"
#include "data/roots.h"
#include "data/table.h"
#include "data/walk.h"
#include "io/map.h"

enum { PATH, MODALITY, UNIQUE, DERIVED, SCORE, REQUIRED, ANON = REQUIRED, ANAT, COLUMNS };

static const char *const columns[COLUMNS] = {
    "image_path",          "modality",       "unique_id",     "derived_from",
    "image_quality_score", "anon_mask_path", "anat_mask_path"};

static const char *const subject_keys[] = {"age",    "sex", "handedness",    "race",
                                           "weight", "bmi", "health_status", NULL};
static const char *const image_keys[] = {"derived_from",
                                         "is_brain_extract",
                                         "manufacturer",
                                         "model_name",
                                         "phase_encoding_direction",
                                         "magnetic_field_strength",
                                         "repetition_time",
                                         "echo_time",
                                         NULL};

/* The score of (dataset, modality, derived_from). */
typedef struct score {
    const char *dataset, *modality, *derived; /* derived "": none, sorted last */
    const char *value;                        /* "" until a row has one */
} score;

typedef struct conversion {
    const char *file, *dir, *name;
    vox_rejects *skipped;
    vox_table t;
    int64_t column[COLUMNS];
    vox_gather g;
    vox_dict known; /* dataset, modality, derived_from: number of a score */
    score *score;
    int64_t count, cap;
    vox_buf info;
} conversion;

/* What pandas takes for no value. */
static int is_absent(const char *cell)
{
    static const char *const words[] = {"",     "nan",  "NaN",  "NA",   "N/A",
                                        "n/a",  "null", "NULL", "None", "<NA>",
                                        "#N/A", "-nan", "-NaN"};

    for (int i = 0; i < VOX_COUNT(words); i++) {
        if (strcmp(cell, words[i]) == 0)
            return 1;
    }
    return 0;
}

static const char *cell(const conversion *v, int64_t row, int k)
{
    const char *text = vox_table_cell(&v->t, row, v->column[k]);

    return is_absent(text) ? "" : text;
}

static int find_columns(conversion *v)
{
    for (int k = 0; k < COLUMNS; k++) {
        v->column[k] = vox_table_find(&v->t, columns[k]);
        if (v->column[k] < 0 && k < REQUIRED)
            return vox_fail(VOX_E_MISSING, "%s: has no column \"%s\"", v->file, columns[k]);
    }
    return VOX_OK;
}

/* A value as Python's json writes what pandas reads: numbers are floats, True is true. */
static int add_value(vox_buf *info, const char *key, const char *value)
{
    static const char *const words[] = {"True", "true", "False", "false"};
    char number[32], *end;
    const double d = strtod(value, &end);

    for (int i = 0; i < 4; i++) {
        if (strcmp(value, words[i]) == 0) {
            VOX_TRY(vox_buf_add(info, info->len ? "," : "{", 1));
            return vox_buf_printf(info, "\"%s\":%s", key, i < 2 ? "true" : "false");
        }
    }
    if (*end || end == value || strspn(value, "0123456789+-.eE") < strlen(value))
        return vox_info_add(info, key, value, 1);
    return vox_info_add(info, key, vox_json_double(d, number), 0);
}

static int add_info(conversion *v, int64_t row, const char *const *keys)
{
    VOX_TRY(vox_buf_resize(&v->info, 0));
    for (; *keys; keys++) {
        const char *value = vox_table_cell(&v->t, row, vox_table_find(&v->t, *keys));

        if (!is_absent(value))
            VOX_TRY(add_value(&v->info, *keys, value));
    }
    return vox_buf_add(&v->info, v->info.len ? "}" : "{}", v->info.len ? 1 : 2);
}

static const char *full_path(conversion *v, const char *path)
{
    return vox_arena_printf(&v->t.arena, "%s/OpenMind/%s", v->dir, path);
}

/* "ds1/sub-2[/ses-3]/.../name": the place. 0 when there are too few parts. */
static int split(conversion *v, vox_gather_image *im, const char *path)
{
    char *part[3], *p = vox_arena_strdup(&v->t.arena, path);

    for (int i = 0; i < 3; i++) {
        part[i] = p;
        p = p ? strchr(p, '/') : NULL;
        if (p)
            *p++ = '\0';
        else if (i < 2)
            return 0;
    }
    im->dataset = part[0];
    im->subject = part[1];
    im->session = strncmp(part[2], "ses-", 4) == 0 ? part[2] : "ses-DEFAULT";
    im->name = vox_path_base(path);
    return *im->dataset && *im->subject && *im->name && !vox_bad_name(path) &&
           !vox_bad_name(im->dataset) && !vox_bad_name(im->subject) &&
           !vox_bad_name(im->name);
}

/* A derived image is named after the folder of its scan, too: "x__Data/FA.nii.gz" is
 * "x_FA.nii.gz". */
static int name_derived(conversion *v, vox_gather_image *im, const char *path)
{
    const char *end = im->name > path + 1 ? vox_path_base(path) - 1 : path, *from = end;

    while (from > path && from[-1] != '/')
        from--;
    if (end - from < 5)
        return VOX_OK;
    im->name =
        vox_arena_printf(&v->t.arena, "%.*s%s", (int)(end - from - 5), from, im->name);
    return im->name ? VOX_OK : VOX_E_NOMEM;
}

static int add_score(conversion *v, int64_t row)
{
    score s = {"", cell(v, row, MODALITY), cell(v, row, DERIVED), cell(v, row, SCORE)};
    const char *id = cell(v, row, UNIQUE), *key;
    int64_t at;

    s.dataset = vox_arena_text(&v->t.arena, id, strlen(id) < 8 ? strlen(id) : 8);
    key = vox_arena_printf(&v->t.arena, "%.8s\1%s\1%s", id, s.modality, s.derived);
    if (!s.dataset || !key)
        return VOX_E_NOMEM;
    at = vox_dict_get(&v->known, key, -1);
    if (at < 0) {
        VOX_TRY(vox_grow(&v->score, &v->cap, v->count + 1, sizeof s));
        v->score[v->count] = s;
        return vox_dict_set(&v->known, key, v->count++, NULL);
    }
    if (!*v->score[at].value)
        v->score[at].value = s.value;
    return VOX_OK;
}

static int add_row(conversion *v, int64_t row)
{
    const char *path = cell(v, row, PATH), *text;
    const char *anon = cell(v, row, ANON), *anat = cell(v, row, ANAT);
    vox_gather_image im = {.modality = cell(v, row, MODALITY)};
    vox_gathered at;

    if (!split(v, &im, path)) {
        text = vox_arena_printf(&v->t.arena,
                                "no <dataset>/<subject>/.../<image>: row %lld of %s",
                                (long long)row + 2, v->file);
        return text ? vox_rejects_add(v->skipped, path, "", text) : VOX_E_NOMEM;
    }
    if (*cell(v, row, DERIVED))
        VOX_TRY(name_derived(v, &im, path));
    im.path = full_path(v, path);
    im.anon = *anon ? full_path(v, anon) : NULL;
    im.anat = *anat ? full_path(v, anat) : NULL;
    if (!im.path || (*anon && !im.anon) || (*anat && !im.anat))
        return VOX_E_NOMEM;
    VOX_TRY(add_info(v, row, image_keys));
    im.info = v->info.data;
    VOX_TRY(vox_gather_add(&v->g, &at, &im));
    at.image->has_masks = 1;
    if (!at.new_subject)
        return VOX_OK;
    VOX_TRY(add_info(v, row, subject_keys));
    return vox_collection_set_info(v->g.c, &at.subject->info, v->info.data);
}

/* As pandas groups: by dataset, modality, derived_from, "no value" last. */
static int compare_scores(const void *a, const void *b)
{
    const score *x = a, *y = b;
    int c = strcmp(x->dataset, y->dataset);

    c = c ? c : strcmp(x->modality, y->modality);
    if (c || (*x->derived == '\0') != (*y->derived == '\0'))
        return c ? c : *x->derived ? -1 : 1;
    return strcmp(x->derived, y->derived);
}

static int put_score(vox_buf *out, const score *s)
{
    char number[32], *end;
    const double d = strtod(s->value, &end);

    VOX_TRY(vox_buf_printf(
        out, "%s{\"derived_from\":", out->data[out->len - 1] == '[' ? "" : ","));
    if (*s->derived)
        VOX_TRY(vox_json_add_string(out, s->derived, strlen(s->derived)));
    else
        VOX_TRY(vox_buf_printf(out, "null"));
    VOX_TRY(vox_buf_printf(out, ",\"image_quality_score\":%s,\"modality\":",
                           *s->value && !*end ? vox_json_double(d, number) : "NaN"));
    VOX_TRY(vox_json_add_string(out, s->modality, strlen(s->modality)));
    return vox_buf_add(out, "}", 1);
}

/* The scores of one dataset, [from, to) of the sorted ones, into its info. */
static int put_scores(conversion *v, vox_coll_dataset *d)
{
    VOX_TRY(vox_buf_resize(&v->info, 0));
    VOX_TRY(vox_buf_printf(&v->info, "{\"image_quality_score\":["));
    for (int64_t i = vox_dict_get(&v->known, d->index, v->count);
         i < v->count && strcmp(v->score[i].dataset, d->index) == 0; i++)
        VOX_TRY(put_score(&v->info, &v->score[i]));
    VOX_TRY(vox_buf_add(&v->info, "]}", 2));
    return vox_collection_set_info(v->g.c, &d->info, v->info.data);
}

static int put_all_scores(conversion *v)
{
    if (v->count)
        qsort(v->score, (size_t)v->count, sizeof *v->score, compare_scores);
    vox_dict_release(&v->known); /* from now on: dataset to its first score */
    for (int64_t i = v->count - 1; i >= 0; i--)
        VOX_TRY(vox_dict_set(&v->known, v->score[i].dataset, i, NULL));
    for (int64_t i = 0; i < v->g.c->count; i++)
        VOX_TRY(put_scores(v, &v->g.c->dataset[i]));
    return VOX_OK;
}

static int convert(conversion *v, vox_collection *c, const char *text, size_t len)
{
    VOX_TRY(vox_table_parse(&v->t, text, len, ',', v->file));
    VOX_TRY(find_columns(v));
    VOX_TRY(vox_collection_init(c, v->name, 1));
    vox_gather_init(&v->g, c);
    for (int64_t i = 0; i < v->t.rows; i++) {
        VOX_TRY(add_row(v, i));
        VOX_TRY(add_score(v, i));
    }
    VOX_TRY(put_all_scores(v));
    if (vox_collection_images(c) == 0)
        return vox_fail(VOX_E_MISSING, "%s: lists no image", v->file);
    return vox_collection_relative_paths(c);
}

int vox_openmind_parse(vox_collection *out, const char *text, size_t len, const char *file,
                       const char *dir, const char *name, vox_rejects *skipped)
{
    vox_collection c = VOX_COLLECTION_INIT;
    conversion v = {.file = file, .dir = dir, .name = name, .skipped = skipped};
    int rc = convert(&v, &c, text, len);

    *out = (vox_collection)VOX_COLLECTION_INIT;
    if (rc == VOX_OK)
        *out = c;
    else
        vox_collection_release(&c);
    vox_table_release(&v.t);
    vox_gather_release(&v.g);
    vox_dict_release(&v.known);
    vox_free(v.score);
    vox_buf_release(&v.info);
    return rc;
}

/* Images whose file is not there. */
static int count_absent(int64_t *absent, const vox_collection *c)
{
    vox_records r = VOX_RECORDS_INIT;
    vox_buf full = VOX_BUF_INIT;
    int rc = vox_records_make(&r, c);

    *absent = 0;
    for (int64_t i = 0; i < r.count && rc == VOX_OK; i++) {
        rc = vox_path_expand(&full, r.v[i].image->path);
        *absent += rc == VOX_OK && !vox_file_exists(vox_buf_text(&full));
    }
    vox_buf_release(&full);
    vox_records_release(&r);
    return rc;
}

static int read_file(vox_collection *out, const char *dir, const char *file,
                     const char *name, vox_rejects *skipped)
{
    vox_map text = VOX_MAP_INIT;
    int rc = vox_map_open(&text, file);

    if (rc == VOX_OK)
        rc = vox_openmind_parse(out, text.data ? (const char *)text.data : "", text.len,
                                file, dir, name, skipped);
    vox_map_close(&text);
    return rc;
}

int vox_openmind_read(vox_collection *out, const char *dir, const char *name,
                      vox_rejects *skipped, int64_t *absent)
{
    char *root = realpath(dir, NULL);
    vox_buf file = VOX_BUF_INIT;
    int rc;

    *out = (vox_collection)VOX_COLLECTION_INIT;
    if (!root)
        return vox_fail(VOX_E_MISSING, "%s: no such folder", dir);
    rc = vox_buf_printf(&file, "%s/openneuro_metadata.csv", root);
    if (rc == VOX_OK)
        rc = read_file(out, root, vox_buf_text(&file), name, skipped);
    if (rc == VOX_OK) {
        rc = count_absent(absent, out);
        if (rc != VOX_OK)
            vox_collection_release(out);
    }
    vox_buf_release(&file);
    free(root);
    return rc;
}
