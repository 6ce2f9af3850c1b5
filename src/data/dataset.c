/*
 * dataset: opening. Members are found once: the collection's images, less those that were
 * not preprocessed, less those the filters refuse, then one side of the split. Crops:
 * crop.c.
 */
#include "data/dataset.h"

#include <stdio.h>
#include <string.h>

#include "base/dict.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/dataset_state.h"
#include "data/present.h"
#include "data/properties.h"
#include "data/splits.h"

/* The plan says which folder, and the spacing of what is in it. */
static int find_folder(vox_dataset *d, const vox_dataset_cfg *cfg)
{
    const vox_configuration *c;
    vox_buf path = VOX_BUF_INIT;
    vox_plans plans = VOX_PLANS_INIT;
    int rc = vox_buf_printf(&path, "%s/%s.json", cfg->dir, cfg->plans);

    if (rc == VOX_OK)
        rc = vox_plans_read(&plans, path.data);
    c = rc == VOX_OK ? vox_plans_find(&plans, cfg->configuration) : NULL;
    if (rc == VOX_OK && !c)
        rc = VOX_E_MISSING;
    if (rc == VOX_OK)
        rc = vox_buf_printf(&d->folder, "%s/%s", cfg->dir, c->data_identifier);
    for (int i = 0; i < 3 && rc == VOX_OK; i++)
        d->spacing[i] = c->spacing[i];
    if (rc == VOX_OK && !vox_is_dir(d->folder.data))
        rc = vox_fail(VOX_E_MISSING,
                      "%s: no such folder; preprocess the configuration %s first",
                      d->folder.data, cfg->configuration);
    vox_plans_release(&plans);
    vox_buf_release(&path);
    return rc;
}

/* A folder without our stamp was made by the peer: both masks stand for each other. */
static int find_stamp(vox_dataset *d)
{
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_buf_printf(&path, "%s/voxmind.json", d->folder.data);

    d->swapped = rc == VOX_OK && !vox_file_exists(path.data);
    vox_buf_release(&path);
    return rc;
}

static int read_collection(vox_dataset *d, const vox_dataset_cfg *cfg)
{
    vox_buf path = VOX_BUF_INIT;
    int rc =
        vox_buf_printf(&path, "%s/pretrain_data__%s.json", cfg->dir, cfg->configuration);

    if (rc == VOX_OK)
        rc = vox_collection_read(&d->collection, path.data);
    if (rc == VOX_E_MISSING)
        rc = vox_fail_in(rc, "the data is not preprocessed");
    if (rc == VOX_OK)
        rc = vox_records_make(&d->records, &d->collection);
    vox_buf_release(&path);
    return rc;
}

/* Keep the records `keep` says; the list shrinks in place. */
static void keep_records(vox_records *r, const unsigned char *keep)
{
    int64_t n = 0;

    for (int64_t i = 0; i < r->count; i++) {
        if (keep[i])
            r->v[n++] = r->v[i];
    }
    r->count = n;
}

/* Both sides of a split are opened; what concerns both is told by one. */
static int tells(const vox_dataset_cfg *cfg)
{
    return cfg->split == VOX_SPLIT_TRAIN;
}

static int look_around(vox_present *p, const vox_dataset *d, const vox_dataset_cfg *cfg)
{
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_buf_printf(&path, "%s/valid_imgs__%s.json", cfg->dir, cfg->configuration);

    if (rc == VOX_OK)
        rc = vox_present_list(p, path.data);
    if (rc == VOX_OK)
        rc = vox_present_walk(p, d->folder.data);
    vox_buf_release(&path);
    return rc;
}

/* Drop what was not preprocessed, with one line about it. */
static int keep_preprocessed(vox_dataset *d, const vox_dataset_cfg *cfg,
                             unsigned char *keep)
{
    vox_present p = VOX_PRESENT_INIT;
    const int64_t had = d->records.count;
    int64_t unlisted = 0, absent = 0;
    int rc = look_around(&p, d, cfg);

    for (int64_t i = 0; i < had && rc == VOX_OK; i++) {
        const vox_record *r = &d->records.v[i];
        const int listed = !p.has_list || vox_dict_get(&p.valid, r->id, 0);
        const int there = vox_dict_get(&p.files, r->out, 0) != 0;

        unlisted += !listed;
        absent += listed && !there;
        keep[i] = listed && there;
    }
    vox_present_release(&p);
    if (rc != VOX_OK)
        return rc;
    keep_records(&d->records, keep);
    if (d->records.count < had && tells(cfg))
        vox_log(
            VOX_INFO, "dataset",
            "%lld of %lld images were not preprocessed: left out (%lld not in the list of "
            "valid images, %lld listed but without their file)",
            (long long)(had - d->records.count), (long long)had, (long long)unlisted,
            (long long)absent);
    return VOX_OK;
}

static int keep_filtered(vox_dataset *d, const vox_dataset_cfg *cfg)
{
    const vox_filter filter = {cfg->modalities, cfg->max_iqs};
    int64_t unscored;

    VOX_TRY(vox_records_filter(&d->records, &filter, &unscored));
    if (unscored && tells(cfg))
        vox_log(VOX_WARN, "dataset", "%lld images have no quality score: left out",
                (long long)unscored);
    return VOX_OK;
}

/* Read the split, or make and save it. It is over all subjects of the collection. */
static int find_split(vox_splits *s, const vox_dataset *d, const vox_dataset_cfg *cfg)
{
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_buf_printf(&path, "%s/splits_final.json", cfg->dir);

    *s = (vox_splits)VOX_SPLITS_INIT;
    if (rc == VOX_OK && vox_file_exists(path.data)) {
        rc = vox_splits_read(s, path.data);
    } else if (rc == VOX_OK) {
        rc = vox_splits_make(s, &d->records);
        if (rc == VOX_OK)
            rc = vox_splits_write(s, path.data);
    }
    vox_buf_release(&path);
    return rc;
}

enum { SIDE_TRAIN = 1, SIDE_VAL = 2 }; /* bits */

static int sides_of(vox_dict *sides, const vox_splits *s)
{
    int rc = VOX_OK;

    for (int64_t i = 0; i < s->train.count && rc == VOX_OK; i++)
        rc = vox_dict_set(sides, s->train.v[i], SIDE_TRAIN, NULL);
    for (int64_t i = 0; i < s->val.count && rc == VOX_OK; i++) {
        const int64_t was = vox_dict_get(sides, s->val.v[i], 0);

        rc = vox_dict_set(sides, s->val.v[i], was | SIDE_VAL, NULL);
    }
    return rc;
}

/* Mark the members of this side; how many images each side has. */
static int mark_side(const vox_dataset *d, const vox_splits *s, vox_split split,
                     unsigned char *keep, int64_t count[2])
{
    vox_dict sides = VOX_DICT_INIT;
    int rc = sides_of(&sides, s);

    count[0] = count[1] = 0;
    for (int64_t i = 0; i < d->records.count && rc == VOX_OK; i++) {
        const int64_t side = vox_dict_get(&sides, d->records.v[i].subject_id, 0);

        keep[i] = (side & (split == VOX_SPLIT_TRAIN ? SIDE_TRAIN : SIDE_VAL)) != 0;
        count[0] += (side & SIDE_TRAIN) != 0;
        count[1] += (side & SIDE_VAL) != 0;
    }
    vox_dict_release(&sides);
    return rc;
}

/* One side of the split. When filters or bad images emptied a side, the images that are
 * left are split anew, for this run only. */
static int keep_side(vox_dataset *d, const vox_splits *s, vox_split split,
                     unsigned char *keep)
{
    vox_splits fresh = VOX_SPLITS_INIT;
    int64_t count[2];
    int rc = mark_side(d, s, split, keep, count);

    if (rc == VOX_OK && (count[0] == 0 || count[1] == 0)) {
        vox_log(VOX_WARN, "dataset",
                "splits_final.json leaves no image to %s: the %lld images "
                "are split anew for this run",
                count[0] == 0 ? "train on" : "validate on", (long long)d->records.count);
        rc = vox_splits_make(&fresh, &d->records);
        if (rc == VOX_OK)
            rc = mark_side(d, &fresh, split, keep, count);
    }
    if (rc == VOX_OK)
        keep_records(&d->records, keep);
    vox_splits_release(&fresh);
    return rc;
}

/* The split was made once; the data may have changed since. */
static int check_split(const vox_dataset *d, const vox_splits *s)
{
    vox_dict sides = VOX_DICT_INIT, here = VOX_DICT_INIT;
    int64_t unnamed = 0, gone = 0;
    const char *first = "", *first_gone = "";
    int rc = sides_of(&sides, s);

    for (int64_t i = 0; i < d->records.count && rc == VOX_OK; i++) {
        const char *id = d->records.v[i].subject_id;
        int added = 0;

        rc = vox_dict_set(&here, id, 1, &added);
        if (added && !vox_dict_get(&sides, id, 0) && unnamed++ == 0)
            first = id;
    }
    for (int64_t i = 0; i < sides.cap && rc == VOX_OK; i++) {
        const char *id = sides.slot[i].key;

        if (id && !vox_dict_get(&here, id, 0) && gone++ == 0)
            first_gone = id;
    }
    if (rc == VOX_OK && unnamed)
        vox_log(
            VOX_WARN, "dataset",
            "%lld subjects are in neither list of splits_final.json (%s is one): not used",
            (long long)unnamed, first);
    if (rc == VOX_OK && gone)
        vox_log(VOX_WARN, "dataset",
                "%lld subjects of splits_final.json are not in the data (%s is one)",
                (long long)gone, first_gone);
    vox_dict_release(&sides);
    vox_dict_release(&here);
    return rc;
}

static int choose_members(vox_dataset *d, const vox_dataset_cfg *cfg)
{
    unsigned char *keep = vox_alloc((size_t)d->records.count, 1);
    vox_splits s = VOX_SPLITS_INIT;
    int rc = keep ? find_split(&s, d, cfg) : VOX_E_NOMEM;

    if (rc == VOX_OK && tells(cfg))
        rc = check_split(d, &s);
    if (rc == VOX_OK)
        rc = keep_preprocessed(d, cfg, keep);
    if (rc == VOX_OK)
        rc = keep_filtered(d, cfg);
    if (rc == VOX_OK && d->records.count == 0)
        rc = vox_fail(VOX_E_MISSING, "%s: no preprocessed image passes the filters",
                      d->folder.data);
    if (rc == VOX_OK)
        rc = keep_side(d, &s, cfg->split, keep);
    vox_splits_release(&s);
    vox_free(keep);
    return rc;
}

static int open_dataset(vox_dataset *d, const vox_dataset_cfg *cfg)
{
    VOX_TRY(find_folder(d, cfg));
    VOX_TRY(find_stamp(d));
    VOX_TRY(read_collection(d, cfg));
    VOX_TRY(choose_members(d, cfg));
    d->shape = vox_zalloc((size_t)d->records.count, sizeof *d->shape);
    return d->shape ? VOX_OK : VOX_E_NOMEM;
}

int vox_dataset_open(vox_dataset **out, const vox_dataset_cfg *cfg)
{
    vox_dataset *d = vox_zalloc(1, sizeof *d);
    int rc;

    *out = NULL;
    if (!d)
        return VOX_E_NOMEM;
    pthread_mutex_init(&d->lock, NULL);
    rc = open_dataset(d, cfg);
    if (rc == VOX_OK)
        *out = d;
    else
        vox_dataset_close(d);
    return rc;
}

void vox_dataset_close(vox_dataset *d)
{
    if (!d)
        return;
    pthread_mutex_destroy(&d->lock);
    vox_records_release(&d->records);
    vox_collection_release(&d->collection);
    vox_buf_release(&d->folder);
    vox_free(d->shape);
    vox_free(d);
}

int64_t vox_dataset_count(const vox_dataset *d)
{
    return d->records.count;
}

const char *vox_dataset_id(const vox_dataset *d, int64_t i)
{
    return d->records.v[i].id;
}

/* Members keep the collection's order, so those of a session or subject are neighbours. */
static int are_together(const vox_dataset *d, int64_t a, int64_t b, vox_grouping by)
{
    const vox_record *v = d->records.v;

    return by == VOX_GROUP_ANY || (by == VOX_GROUP_SUBJECT ? v[a].subject == v[b].subject
                                                           : v[a].session == v[b].session);
}

int64_t vox_dataset_group(const vox_dataset *d, int64_t i, vox_grouping by, int64_t *first)
{
    int64_t end = i + 1;

    *first = i;
    while (*first > 0 && are_together(d, i, *first - 1, by))
        --*first;
    while (end < d->records.count && are_together(d, i, end, by))
        end++;
    return end - *first;
}

void vox_dataset_spacing(const vox_dataset *d, int64_t i, float spacing[3])
{
    vox_buf path = VOX_BUF_INIT;
    vox_properties p = {
        .spacing = {1, 1, 1}
    };

    if (d->spacing[0] > 0)
        memcpy(p.spacing, d->spacing, sizeof p.spacing);
    else if (vox_buf_printf(&path, "%s/%s.json", d->folder.data, d->records.v[i].out) ==
                 VOX_OK &&
             vox_file_exists(path.data))
        (void)vox_properties_read(&p, path.data); /* leaves the default when it fails */
    for (int k = 0; k < 3; k++)
        spacing[k] = (float)p.spacing[k];
    vox_buf_release(&path);
}
