/* filters: by modality, and by the quality scores in each dataset's dataset_info. */
#include "data/filters.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

static const char *text_or_empty(json_object *o, const char *key)
{
    json_object *v = vox_json_get(o, key);

    return json_object_get_type(v) == json_type_string ? json_object_get_string(v) : "";
}

static int add_score(vox_filters *f, const char *dataset, json_object *entry)
{
    json_object *v = vox_json_get(entry, "image_quality_score");
    const char *key =
        vox_arena_printf(&f->arena, "%s|%s|%s", dataset, text_or_empty(entry, "modality"),
                         text_or_empty(entry, "derived_from"));

    if (!key)
        return VOX_E_NOMEM;
    if (!v)
        return VOX_OK;
    VOX_TRY(vox_grow(&f->score, &f->cap, f->count + 1, sizeof *f->score));
    f->score[f->count] = json_object_get_double(v);
    return vox_dict_set(&f->scores, key, f->count++, NULL);
}

int vox_filters_init(vox_filters *f, const vox_collection *c, const char *modalities,
                     double max_iqs)
{
    *f = (vox_filters){.modalities = modalities, .max_iqs = max_iqs};
    for (int64_t d = 0; d < c->count && max_iqs > 0; d++) {
        json_object *list = vox_json_get(c->dataset[d].info, "image_quality_score");

        if (json_object_get_type(list) != json_type_array)
            continue;
        for (size_t i = 0; i < json_object_array_length(list); i++)
            VOX_TRY(add_score(f, c->dataset[d].index, json_object_array_get_idx(list, i)));
    }
    return VOX_OK;
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

static int pass_score(vox_filters *f, const vox_record *r)
{
    char key[512];
    int64_t at;

    snprintf(key, sizeof key, "%s|%s|%s", r->dataset->index, r->image->modality,
             text_or_empty(r->image->info, "derived_from"));
    at = vox_dict_get(&f->scores, key, -1);
    f->unscored += at < 0;
    return at >= 0 && f->score[at] <= f->max_iqs; /* a NaN does not pass */
}

int vox_filters_pass(vox_filters *f, const vox_record *image)
{
    if (f->modalities && !in_list(f->modalities, image->image->modality))
        return 0;
    return f->max_iqs <= 0 || pass_score(f, image);
}

void vox_filters_release(vox_filters *f)
{
    vox_dict_release(&f->scores);
    vox_free(f->score);
    vox_arena_release(&f->arena);
    *f = (vox_filters){0};
}
