/* report_collection: what commands say of a collection, and of files that are not in it. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "base/error.h"
#include "base/mem.h"
#include "cli/report.h"

typedef struct counts {
    int64_t subjects, sessions, images, anon, anat;
    vox_dict modalities;
} counts;

static int count_session(counts *n, const vox_coll_session *s)
{
    for (int64_t i = 0; i < s->count; i++) {
        const vox_coll_image *im = &s->image[i];

        n->images++;
        n->anon += im->anon != NULL;
        n->anat += im->anat != NULL;
        VOX_TRY(vox_dict_set(&n->modalities, im->modality,
                             vox_dict_get(&n->modalities, im->modality, 0) + 1, NULL));
    }
    return VOX_OK;
}

static int count_dataset(counts *n, const vox_coll_dataset *d)
{
    n->subjects += d->count;
    for (int64_t i = 0; i < d->count; i++) {
        n->sessions += d->subject[i].count;
        for (int64_t j = 0; j < d->subject[i].count; j++)
            VOX_TRY(count_session(n, &d->subject[i].session[j]));
    }
    return VOX_OK;
}

static int compare_slots(const void *a, const void *b)
{
    const vox_dict_slot *x = a, *y = b;

    if (!x->key || !y->key)
        return !x->key - !y->key;
    return strcmp(x->key, y->key);
}

/* The dictionary is sorted in place: it is of no other use any more. */
static json_object *modalities_json(vox_dict *d)
{
    json_object *list = json_object_new_object();

    if (d->cap)
        qsort(d->slot, (size_t)d->cap, sizeof *d->slot, compare_slots);
    for (int64_t i = 0; list && i < d->count; i++)
        vox_report_int(list, d->slot[i].key, d->slot[i].value);
    return list;
}

int vox_report_collection(json_object *o, const vox_collection *c)
{
    counts n = {0};
    int rc = VOX_OK;

    for (int64_t i = 0; i < c->count && rc == VOX_OK; i++)
        rc = count_dataset(&n, &c->dataset[i]);
    vox_report_text(o, "collection", c->name);
    vox_report_int(o, "datasets", c->count);
    vox_report_int(o, "subjects", n.subjects);
    vox_report_int(o, "sessions", n.sessions);
    vox_report_int(o, "images", n.images);
    json_object_object_add(o, "modalities", modalities_json(&n.modalities));
    vox_report_int(o, "anonymization_masks", n.anon);
    vox_report_int(o, "anatomy_masks", n.anat);
    vox_dict_release(&n.modalities);
    return rc;
}

/* Reasons of one kind differ behind a ":" only. */
static size_t kind_length(const char *reason)
{
    const char *end = strstr(reason, ": ");

    return end ? (size_t)(end - reason) : strlen(reason);
}

static int compare_reasons(const void *a, const void *b)
{
    const char *x = (*(const vox_reject *const *)a)->reason;
    const char *y = (*(const vox_reject *const *)b)->reason;
    const size_t n = kind_length(x), m = kind_length(y);
    const int c = strncmp(x, y, n < m ? n : m);

    return c ? c : (n > m) - (n < m);
}

static void print_counts(const vox_reject **v, int64_t count)
{
    for (int64_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && compare_reasons(&v[i], &v[end]) == 0;)
            end++;
        printf("%8lld skipped: %.*s\n", (long long)(end - i),
               (int)kind_length(v[i]->reason), v[i]->reason);
    }
}

void vox_report_skipped(const vox_rejects *r, int each)
{
    const vox_reject **v = vox_alloc((size_t)r->count + 1, sizeof *v);

    for (int64_t i = 0; i < r->count && each; i++)
        printf("skipped %s: %s\n", r->v[i].path, r->v[i].reason);
    for (int64_t i = 0; v && i < r->count; i++)
        v[i] = &r->v[i];
    if (v) {
        qsort(v, (size_t)r->count, sizeof *v, compare_reasons);
        print_counts(v, r->count);
    }
    vox_free(v);
}
