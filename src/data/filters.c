/* filters: by modality, and by the quality scores in each dataset's info (data.md 2.7). */
#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/records.h"

typedef struct scores {
    vox_dict at; /* "dataset|modality|derived_from" to an index into score */
    double *score;
    int64_t count, cap;
    vox_arena arena; /* of the keys */
    vox_buf key;     /* scratch */
} scores;

/* dataset|modality|derived_from, into s->key. `info` may say the last. */
static int make_key(scores *s, const char *dataset, const char *modality, const char *info)
{
    VOX_TRY(vox_buf_resize(&s->key, 0));
    VOX_TRY(vox_buf_printf(&s->key, "%s|%s|", dataset, modality));
    return vox_info_text(&s->key, info, "derived_from") < 0 ? VOX_E_NOMEM : VOX_OK;
}

/* The number of a score; 0 when it is none. NaN is a number that does not pass. */
static int number_of(double *out, vox_slice v)
{
    char text[64];

    if (v.n == 0 || v.n >= sizeof text || !strchr("-0123456789NI", *v.p))
        return 0;
    memcpy(text, v.p, v.n);
    text[v.n] = '\0';
    *out = strtod(text, NULL);
    return 1;
}

static int add_score(scores *s, const char *dataset, const char *entry)
{
    vox_buf modality = VOX_BUF_INIT;
    vox_slice v;
    double score;
    const char *key;
    int rc = vox_info_text(&modality, entry, "modality");

    if (rc >= 0)
        rc = make_key(s, dataset, vox_buf_text(&modality), entry);
    vox_buf_release(&modality);
    VOX_TRY(rc);
    if (!vox_json_find(vox_slice_of(entry), "image_quality_score", &v) ||
        !number_of(&score, v))
        return VOX_OK;
    key = vox_arena_text(&s->arena, vox_buf_text(&s->key), s->key.len);
    if (!key)
        return VOX_E_NOMEM;
    VOX_TRY(vox_grow(&s->score, &s->cap, s->count + 1, sizeof *s->score));
    s->score[s->count] = score;
    return vox_dict_set(&s->at, key, s->count++, NULL);
}

static int add_scores(scores *s, const vox_coll_dataset *d)
{
    vox_json_pull p;
    vox_slice list, entry;
    int more;

    if (!vox_json_find(vox_slice_of(d->info), "image_quality_score", &list) ||
        *list.p != '[')
        return VOX_OK;
    vox_json_pull_init(&p, list.p, list.n, "image_quality_score");
    VOX_TRY(vox_json_pull_open(&p, VOX_JSON_ARRAY));
    while ((more = vox_json_pull_item(&p)) > 0) {
        const char *text;

        VOX_TRY(vox_json_pull_value(&p, &entry));
        text = vox_arena_text(&s->arena, entry.p, entry.n);
        if (!text)
            return VOX_E_NOMEM;
        VOX_TRY(add_score(s, d->index, text));
    }
    return more;
}

static int in_list(const char *list, const char *word)
{
    const size_t n = strlen(word);

    for (const char *p = list; p; p = strchr(p, ',')) {
        size_t k;

        p += *p == ',';
        k = strcspn(p, ",");
        if (k == n && strncmp(p, word, n) == 0)
            return 1;
    }
    return 0;
}

static int pass_score(scores *s, const vox_record *r, double max, int64_t *unscored)
{
    int64_t at;

    if (make_key(s, r->dataset->index, r->image->modality, r->image->info) != VOX_OK)
        return VOX_E_NOMEM;
    at = vox_dict_get(&s->at, vox_buf_text(&s->key), -1);
    *unscored += at < 0;
    return at >= 0 && s->score[at] <= max; /* a NaN does not pass */
}

/* 1 or 0 into keep[i] for every image. */
static int choose(unsigned char *keep, scores *s, const vox_records *r,
                  const vox_filter *filter, int64_t *unscored)
{
    for (int64_t d = 0; d < r->collection->count && filter->max_iqs > 0; d++)
        VOX_TRY(add_scores(s, &r->collection->dataset[d]));
    for (int64_t i = 0; i < r->count; i++) {
        int pass =
            !filter->modalities || in_list(filter->modalities, r->v[i].image->modality);

        if (pass && filter->max_iqs > 0)
            pass = pass_score(s, &r->v[i], filter->max_iqs, unscored);
        if (pass < 0)
            return pass;
        keep[i] = (unsigned char)pass;
    }
    return VOX_OK;
}

int vox_records_filter(vox_records *r, const vox_filter *filter, int64_t *unscored)
{
    unsigned char *keep = vox_alloc((size_t)r->count, 1);
    scores s = {0};
    int64_t none = 0, n = 0;
    int rc = keep ? choose(keep, &s, r, filter, &none) : VOX_E_NOMEM;

    for (int64_t i = 0; rc == VOX_OK && i < r->count; i++) {
        if (keep[i])
            r->v[n++] = r->v[i];
    }
    if (rc == VOX_OK)
        r->count = n;
    if (unscored)
        *unscored = none;
    vox_dict_release(&s.at);
    vox_free(s.score);
    vox_arena_release(&s.arena);
    vox_buf_release(&s.key);
    vox_free(keep);
    return rc;
}
