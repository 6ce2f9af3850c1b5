/* splits: the peer's draw, seed 12345, over the sorted subject ids. */
#include "data/splits.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/mt19937.h"

enum { SEED = 12345 };

int64_t vox_splits_validation(int64_t n)
{
    int64_t k = n / 100 > 5 ? n / 100 : 5, few = n / 5 > 1 ? n / 5 : 1;

    k = k < 1000 ? k : 1000;
    return n < 6 && few < k ? few : k;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Distinct subject ids, sorted; borrowed from the records. */
static int subjects_of(const char ***out, int64_t *count, const vox_records *images)
{
    vox_dict seen = VOX_DICT_INIT;
    const char **v = vox_alloc((size_t)images->count, sizeof *v);
    int rc = v ? VOX_OK : VOX_E_NOMEM;

    *count = 0;
    for (int64_t i = 0; i < images->count && rc == VOX_OK; i++) {
        int added;

        rc = vox_dict_set(&seen, images->v[i].subject_id, 1, &added);
        if (rc == VOX_OK && added)
            v[(*count)++] = images->v[i].subject_id;
    }
    vox_dict_release(&seen);
    if (rc == VOX_OK && *count)
        qsort(v, (size_t)*count, sizeof *v, compare_text);
    *out = v;
    return rc;
}

static int fill(vox_splits *s, const char **subject, int64_t n, const uint32_t *pick,
                int64_t k)
{
    unsigned char *picked = vox_zalloc((size_t)n, 1);
    int rc = picked ? VOX_OK : VOX_E_NOMEM;

    for (int64_t i = 0; i < k && rc == VOX_OK; i++) {
        picked[pick[i]] = 1;
        rc = vox_strs_add(&s->val, subject[pick[i]]);
    }
    for (int64_t i = 0; i < n && rc == VOX_OK; i++) {
        if (!picked[i] || n == 1)
            rc = vox_strs_add(&s->train, subject[i]);
    }
    vox_free(picked);
    return rc;
}

static int draw(vox_splits *s, const char **subject, int64_t n)
{
    const int64_t k = vox_splits_validation(n);
    uint32_t *pick = vox_alloc((size_t)k, sizeof *pick);
    vox_mt19937 g;
    int rc = pick ? VOX_OK : VOX_E_NOMEM;

    if (n == 1)
        vox_log(VOX_WARN, "split", "there is one subject only: it trains and validates");
    vox_mt19937_seed(&g, SEED);
    if (rc == VOX_OK)
        rc = vox_mt19937_sample(&g, pick, (uint32_t)n, (uint32_t)k);
    if (rc == VOX_OK)
        rc = fill(s, subject, n, pick, k);
    vox_free(pick);
    return rc;
}

int vox_splits_make(vox_splits *out, const vox_records *images)
{
    const char **subject;
    int64_t n;
    int rc;

    *out = (vox_splits)VOX_SPLITS_INIT;
    if (images->count == 0)
        return vox_fail(VOX_E_MISSING, "collection %s has no images to split",
                        images->collection->name);
    rc = subjects_of(&subject, &n, images);
    if (rc == VOX_OK)
        rc = draw(out, subject, n);
    vox_free(subject);
    if (rc != VOX_OK)
        vox_splits_release(out);
    return rc;
}

static int read_side(vox_strs *out, json_object *o, const char *key, const char *name)
{
    json_object *list;

    VOX_TRY(vox_json_array(&list, o, key, name));
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *v = json_object_array_get_idx(list, i);

        if (json_object_get_type(v) != json_type_string)
            return vox_fail(VOX_E_FORMAT, "%s: %s[%zu] is not a subject id", name, key, i);
        VOX_TRY(vox_strs_add(out, json_object_get_string(v)));
    }
    return VOX_OK;
}

int vox_splits_parse(vox_splits *out, const char *text, size_t len, const char *name)
{
    json_object *o = NULL;
    int rc;

    *out = (vox_splits)VOX_SPLITS_INIT;
    VOX_TRY(vox_json_parse(&o, text, len, name));
    rc = read_side(&out->train, o, "train", name);
    if (rc == VOX_OK)
        rc = read_side(&out->val, o, "val", name);
    json_object_put(o);
    if (rc != VOX_OK)
        vox_splits_release(out);
    return rc;
}

int vox_splits_read(vox_splits *out, const char *path)
{
    vox_buf text = VOX_BUF_INIT;
    int rc = vox_file_read(&text, path);

    *out = (vox_splits)VOX_SPLITS_INIT;
    if (rc == VOX_OK)
        rc = vox_splits_parse(out, vox_buf_text(&text), text.len, path);
    vox_buf_release(&text);
    return rc;
}

static int add_side(json_object *o, const char *key, const vox_strs *side)
{
    json_object *list = json_object_new_array();
    int bad = !list || json_object_object_add(o, key, list);

    if (bad)
        json_object_put(list);
    for (int64_t i = 0; i < side->count && !bad; i++) {
        json_object *v = json_object_new_string(side->v[i]);

        bad = !v || json_object_array_add(list, v);
        if (bad)
            json_object_put(v);
    }
    return bad ? vox_fail(VOX_E_NOMEM, "no memory for a split") : VOX_OK;
}

int vox_splits_write(const vox_splits *s, const char *path)
{
    json_object *o = json_object_new_object();
    int rc =
        o ? add_side(o, "train", &s->train) : vox_fail(VOX_E_NOMEM, "%s: no memory", path);

    if (rc == VOX_OK)
        rc = add_side(o, "val", &s->val);
    if (rc == VOX_OK)
        rc = vox_json_write(path, o, 1);
    json_object_put(o);
    return rc;
}

void vox_splits_release(vox_splits *s)
{
    vox_strs_release(&s->train);
    vox_strs_release(&s->val);
}
