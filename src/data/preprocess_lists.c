/* preprocess_lists: which images are valid, which were left out; joining the parts of
 * several processes (data.md 2.8, 7.9, corrected: names hold the configuration and match
 * exactly). */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "data/preprocess.h"

typedef struct lists {
    json_object *valid, *rejected; /* arrays */
} lists;

static void lists_release(lists *l)
{
    json_object_put(l->valid);
    json_object_put(l->rejected);
}

static int append(json_object *list, json_object *v)
{
    if (v && json_object_array_add(list, v) == 0)
        return VOX_OK;
    json_object_put(v);
    return vox_fail(VOX_E_NOMEM, "no memory for the list of images");
}

static int make_lists(lists *l, const vox_records *images, int64_t first, int64_t count,
                      const unsigned char *good, const vox_rejects *rejected)
{
    l->rejected = vox_rejects_json(rejected);
    l->valid = json_object_new_array();
    if (!l->rejected || !l->valid)
        return vox_fail(VOX_E_NOMEM, "no memory for the list of images");
    for (int64_t i = 0; i < count; i++) {
        json_object *o;

        if (!good[i])
            continue;
        o = vox_record_json(images, &images->v[first + i]);
        if (!o)
            return VOX_E_NOMEM;
        VOX_TRY(append(l->valid, o));
    }
    return VOX_OK;
}

/* "<dir>/valid_imgs__onemmiso__0_of_4.json" */
static int part_path(vox_buf *out, const char *dir, const char *what,
                     const char *configuration, int part, int parts)
{
    VOX_TRY(vox_buf_resize(out, 0));
    return vox_buf_printf(out, "%s/%s__%s__%d_of_%d.json", dir, what, configuration, part,
                          parts);
}

static int write_at(const char *dir, const char *name, const char *tail, json_object *o)
{
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_buf_printf(&path, "%s/%s%s", dir, name, tail);

    if (rc == VOX_OK)
        rc = vox_json_write(path.data, o, 1);
    vox_buf_release(&path);
    return rc;
}

static int write_whole(const vox_preprocess_cfg *cfg, const vox_configuration *c,
                       const lists *l)
{
    char name[256];

    snprintf(name, sizeof name, "valid_imgs__%s", c->name);
    VOX_TRY(write_at(cfg->dir, c->data_identifier, "/reject_report.json", l->rejected));
    VOX_TRY(write_at(cfg->dir, name, ".json", l->valid));
    return write_at(cfg->dir, "valid_imgs", ".json", l->valid);
}

static const char *const kinds[] = {"valid_imgs", "rejected"};

/* The images a part left out, and which run it was a part of. */
static int write_rejected(const char *path, json_object *list, const char *run)
{
    json_object *o = json_object_new_object(), *text = json_object_new_string(run);
    int rc = VOX_OK;

    if (!o || !text || json_object_object_add(o, "run", text) != 0) {
        json_object_put(text);
        rc = vox_fail(VOX_E_NOMEM, "no memory for the list of images");
    } else if (json_object_object_add(o, "rejected", json_object_get(list)) != 0) {
        json_object_put(list);
        rc = vox_fail(VOX_E_NOMEM, "no memory for the list of images");
    }
    if (rc == VOX_OK)
        rc = vox_json_write(path, o, 1);
    json_object_put(o);
    return rc;
}

static int write_part(const vox_preprocess_cfg *cfg, const lists *l, const char *run)
{
    vox_buf path = VOX_BUF_INIT;
    int rc = VOX_OK;

    for (int k = 0; k < 2 && rc == VOX_OK; k++) {
        rc =
            part_path(&path, cfg->dir, kinds[k], cfg->configuration, cfg->part, cfg->parts);
        if (rc == VOX_OK)
            rc = k ? write_rejected(path.data, l->rejected, run)
                   : vox_json_write(path.data, l->valid, 1);
    }
    vox_buf_release(&path);
    return rc;
}

/* Add the list in a file, or in its member of that name. */
static int read_part(json_object *into, const char *path, const char *member)
{
    json_object *whole = NULL, *list;
    int rc;

    VOX_TRY(vox_json_read(&whole, path));
    list = whole;
    rc = member ? vox_json_array(&list, whole, member, path)
         : json_object_get_type(list) == json_type_array
             ? VOX_OK
             : vox_fail(VOX_E_FORMAT, "%s: is no list", path);
    for (size_t i = 0; rc == VOX_OK && i < json_object_array_length(list); i++)
        rc = append(into, json_object_get(json_object_array_get_idx(list, i)));
    json_object_put(whole);
    return rc;
}

/* A part of before the plan or the images changed says nothing of this run. */
static int is_of_run(const char *path, const char *run)
{
    json_object *o = NULL;
    const char *was;
    const int same = vox_json_read(&o, path) == VOX_OK &&
                     vox_json_str(&was, o, "run", path) == VOX_OK && strcmp(was, run) == 0;

    json_object_put(o);
    vox_error_clear();
    if (!same)
        vox_log(VOX_WARN, "preprocess",
                "%s: of another plan or other images; that part must be run again", path);
    return same;
}

/* 1: every part of this run has written both lists. */
static int all_there(const vox_preprocess_cfg *cfg, vox_buf *path, const char *run)
{
    for (int p = 0; p < cfg->parts; p++) {
        for (int k = 0; k < 2; k++) {
            if (part_path(path, cfg->dir, kinds[k], cfg->configuration, p, cfg->parts) !=
                    VOX_OK ||
                !vox_file_exists(path->data) || (k && !is_of_run(path->data, run)))
                return 0;
        }
    }
    return 1;
}

static int read_parts(lists *l, const vox_preprocess_cfg *cfg, vox_buf *path)
{
    l->valid = json_object_new_array();
    l->rejected = json_object_new_array();
    if (!l->valid || !l->rejected)
        return vox_fail(VOX_E_NOMEM, "no memory for the list of images");
    for (int p = 0; p < cfg->parts; p++) {
        for (int k = 0; k < 2; k++) {
            VOX_TRY(part_path(path, cfg->dir, kinds[k], cfg->configuration, p, cfg->parts));
            VOX_TRY(
                read_part(k ? l->rejected : l->valid, path->data, k ? "rejected" : NULL));
        }
    }
    return VOX_OK;
}

static void remove_parts(const vox_preprocess_cfg *cfg, vox_buf *path)
{
    for (int p = 0; p < cfg->parts; p++) {
        for (int k = 0; k < 2; k++) {
            if (part_path(path, cfg->dir, kinds[k], cfg->configuration, p, cfg->parts) ==
                VOX_OK)
                unlink(path->data);
        }
    }
}

static int join_parts(const vox_preprocess_cfg *cfg, const vox_configuration *c,
                      const char *run)
{
    vox_buf path = VOX_BUF_INIT;
    lists l = {NULL, NULL};
    int rc = VOX_OK;

    if (all_there(cfg, &path, run)) {
        rc = read_parts(&l, cfg, &path);
        if (rc == VOX_OK)
            rc = write_whole(cfg, c, &l);
        if (rc == VOX_OK)
            remove_parts(cfg, &path);
    }
    lists_release(&l);
    vox_buf_release(&path);
    return rc;
}

/* What a killed process left of the lists. */
static int tidy(const vox_preprocess_cfg *cfg, const vox_configuration *c)
{
    vox_buf folder = VOX_BUF_INIT;
    int rc = vox_buf_printf(&folder, "%s/%s", cfg->dir, c->data_identifier);

    if (rc == VOX_OK)
        vox_preprocess_tidy_lists(folder.data, "reject_report.json");
    vox_preprocess_tidy_lists(cfg->dir, kinds[0]);
    vox_preprocess_tidy_lists(cfg->dir, kinds[1]);
    vox_buf_release(&folder);
    return rc;
}

static int write_lists(const vox_preprocess_cfg *cfg, const vox_configuration *c,
                       const lists *l, const char *run)
{
    VOX_TRY(tidy(cfg, c));
    if (cfg->parts == 1)
        return write_whole(cfg, c, l);
    VOX_TRY(write_part(cfg, l, run));
    return join_parts(cfg, c, run);
}

/* What all parts of a run have in common: the plan, and all images in their order. */
static void name_run(char run[20], const char *key, const vox_records *images)
{
    uint64_t h = vox_preprocess_hash(VOX_HASH, key);

    for (int64_t i = 0; i < images->count; i++)
        h = vox_preprocess_hash(h, images->v[i].id);
    snprintf(run, 20, "%016llx", (unsigned long long)h);
}

/* Two parts that finish together must not both join. */
int vox_preprocess_lists(const vox_preprocess_cfg *cfg, const vox_configuration *c,
                         int64_t first, int64_t count, const unsigned char *good,
                         const vox_rejects *rejected, const char *key)
{
    vox_preprocess_lock lock = {-1};
    char run[20];
    lists l = {NULL, NULL};
    int rc = make_lists(&l, cfg->images, first, count, good, rejected);

    if (rc == VOX_OK)
        rc = vox_preprocess_enter(&lock, cfg->dir);
    name_run(run, key, cfg->images);
    if (rc == VOX_OK)
        rc = write_lists(cfg, c, &l, run);
    vox_preprocess_unlock(&lock);
    lists_release(&l);
    return rc;
}
