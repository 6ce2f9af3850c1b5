/*
 * preprocess: the driver. Images are shared by threads; memory is shared by a budget: an
 * image waits until what it needs fits beside those under way.
 */
#include "data/preprocess.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/host.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/stop.h"
#include "data/roots.h"

typedef struct job {
    const vox_preprocess_cfg *cfg;
    const vox_configuration *configuration;
    vox_case_cfg each;
    vox_buf folder, key; /* of the data; text of the plan */
    int64_t first, count;
    unsigned char *good;
    vox_preprocess_result *result;
    vox_preprocess_lock claim;
    pthread_mutex_t lock; /* guards everything below and calls of progress */
    pthread_cond_t freed;
    vox_case_room *room; /* those of no thread now, a stack */
    int64_t rooms;
    int64_t budget, kept_most; /* bytes; of all images under way, of one idle room */
    int64_t in_use, running, done;
} job;

void vox_preprocess_part(int64_t *first, int64_t *count, int64_t total, int part, int parts)
{
    const int64_t each = total / parts, more = total % parts;

    *first = part * each + (part < more ? part : more);
    *count = each + (part < more);
}

/* Wait for memory; one image may always run. Takes a room along. */
static void enter(job *j, int64_t bytes, vox_case_room *room)
{
    pthread_mutex_lock(&j->lock);
    while (j->running > 0 && j->in_use + bytes > j->budget)
        pthread_cond_wait(&j->freed, &j->lock);
    j->running++;
    j->in_use += bytes;
    *room = (vox_case_room)VOX_CASE_ROOM_INIT;
    if (j->rooms > 0)
        *room = j->room[--j->rooms];
    pthread_mutex_unlock(&j->lock);
}

/* A room that is large for its share is not kept. */
static void leave(job *j, int64_t bytes, vox_case_room *room)
{
    const int keep = (int64_t)vox_case_room_kept(room) <= j->kept_most;

    if (!keep)
        vox_case_room_release(room);
    pthread_mutex_lock(&j->lock);
    j->running--;
    j->in_use -= bytes;
    if (keep)
        j->room[j->rooms++] = *room;
    pthread_cond_broadcast(&j->freed);
    pthread_mutex_unlock(&j->lock);
}

static void release_rooms(job *j)
{
    while (j->rooms > 0)
        vox_case_room_release(&j->room[--j->rooms]);
}

/* Before an image is tried again: what idle threads keep. */
static void empty_rooms(job *j)
{
    pthread_mutex_lock(&j->lock);
    release_rooms(j);
    pthread_mutex_unlock(&j->lock);
}

static int count_case(job *j, int64_t i, vox_case_state state, int code)
{
    const vox_record *r = &j->cfg->images->v[j->first + i];
    int rc = VOX_OK;

    pthread_mutex_lock(&j->lock);
    j->done++;
    j->good[i] = state != VOX_CASE_BAD;
    j->result->made += state == VOX_CASE_MADE;
    j->result->kept += state == VOX_CASE_KEPT;
    if (state == VOX_CASE_BAD)
        rc = vox_rejects_add_failure(&j->result->rejected, r->image->path, r->id, code);
    if (j->cfg->progress)
        j->cfg->progress(j->cfg->arg, "preprocessing", j->done, j->count);
    pthread_mutex_unlock(&j->lock);
    return rc;
}

static int try_case(job *j, const vox_record *r, int64_t bytes, vox_case_state *state,
                    int *code)
{
    vox_case_room room;
    int rc;

    enter(j, bytes, &room);
    rc = vox_preprocess_case(state, code, r, &j->each, &room);
    leave(j, bytes, &room);
    return rc;
}

/* Memory that others have just now is no fault of the image: it is tried again by itself,
 * and only then left out, with the reason. */
static int do_case(job *j, const vox_record *r, vox_case_state *state, int *code)
{
    const int64_t need = vox_preprocess_memory(r, &j->each.prepare);
    int rc = try_case(j, r, need < j->budget ? need : j->budget, state, code);

    if (rc == VOX_E_NOMEM) {
        empty_rooms(j);
        rc = try_case(j, r, j->budget, state, code);
    }
    if (rc == VOX_E_NOMEM) {
        *state = VOX_CASE_BAD;
        *code = rc;
        return vox_fail_in(VOX_OK, "%s: needs about %lld MiB", r->image->path,
                           (long long)(need >> 20));
    }
    return rc;
}

static int work(void *arg, int64_t i)
{
    job *j = arg;
    const vox_record *r = &j->cfg->images->v[j->first + i];
    vox_case_state state = VOX_CASE_KEPT;
    int code = VOX_OK;

    if (vox_stop_asked())
        return vox_fail(VOX_E_STOP, "preprocessing was stopped by %s; finished images stay",
                        vox_stop_name());
    VOX_TRY(do_case(j, r, &state, &code));
    if (state == VOX_CASE_BAD)
        vox_log(VOX_DEBUG, "preprocess", "left out: %s", vox_error_text());
    return count_case(j, i, state, code);
}

/* Everything but the input that changes a file's contents, as text. What --nan-as-zero
 * did is noted with each image instead, as it does nothing to most. */
static int plan_key(vox_buf *out, const vox_case_cfg *c)
{
    const vox_prepare_cfg *p = &c->prepare;

    return vox_buf_printf(
        out, "2 transpose %d%d%d target %.17g %.17g %.17g norm %d %d codec %s %d",
        p->transpose[0], p->transpose[1], p->transpose[2], p->target[0], p->target[1],
        p->target[2], (int)p->norm, p->norm_in_mask, vox_codec_name((int)c->store.codec),
        vox_store_level(&c->store));
}

/* The collection with the paths of the preprocessed images, without ending. */
static int rewrite_paths(vox_collection *c, const vox_records *r, const char *folder)
{
    vox_buf full = VOX_BUF_INIT, path = VOX_BUF_INIT;
    int rc = VOX_OK;

    for (int64_t i = 0; i < r->count && rc == VOX_OK; i++) {
        vox_coll_image *im = (vox_coll_image *)r->v[i].image; /* of our own copy */
        const char **field[3] = {&im->path, &im->anon, &im->anat};
        static const char *const suffix[3] = {"", "__anon", "__anat"};

        for (int k = 0; k < 3 && rc == VOX_OK; k++) {
            if (!*field[k])
                continue;
            rc = vox_buf_resize(&full, 0);
            if (rc == VOX_OK)
                rc = vox_buf_printf(&full, "%s/%s%s", folder, r->v[i].out, suffix[k]);
            if (rc == VOX_OK)
                rc = vox_path_contract(&path, full.data);
            if (rc == VOX_OK)
                rc = vox_collection_set(c, field[k], path.data);
        }
    }
    vox_buf_release(&full);
    vox_buf_release(&path);
    return rc;
}

/* pretrain_data__<configuration>.json: what training loads. */
static int write_collection(const job *j)
{
    vox_collection c = VOX_COLLECTION_INIT;
    vox_records r = VOX_RECORDS_INIT;
    vox_buf path = VOX_BUF_INIT;
    char *folder = realpath(j->folder.data, NULL);
    int rc = vox_collection_copy(&c, j->cfg->images->collection);

    if (rc == VOX_OK)
        rc = vox_records_make(&r, &c);
    if (rc == VOX_OK)
        rc = rewrite_paths(&c, &r, folder ? folder : j->folder.data);
    if (rc == VOX_OK)
        rc = vox_buf_printf(&path, "%s/pretrain_data__%s.json", j->cfg->dir,
                            j->cfg->configuration);
    if (rc == VOX_OK)
        rc = vox_collection_write(&c, path.data);
    free(folder);
    vox_buf_release(&path);
    vox_records_release(&r);
    vox_collection_release(&c);
    return rc;
}

/* Folders the peer made hold masks under each other's names (data.md 7.1); ours say so not.
 */
static int write_stamp(const job *j)
{
    static const char text[] =
        "{\n    \"made_by\": \"voxmind\",\n    \"masks\": \"named\"\n}";
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_buf_printf(&path, "%s/voxmind.json", j->folder.data);

    if (rc == VOX_OK)
        rc = vox_file_write(path.data, text, strlen(text));
    vox_buf_release(&path);
    return rc;
}

/* What all parts write alike: one after the other, and behind a killed one. */
static int write_shared(const job *j)
{
    vox_preprocess_lock lock = {-1};
    int rc = vox_preprocess_enter(&lock, j->cfg->dir);

    if (rc == VOX_OK) {
        vox_preprocess_tidy_lists(j->cfg->dir, "pretrain_data__");
        vox_preprocess_tidy_lists(j->folder.data, "voxmind.json");
        rc = write_stamp(j);
    }
    if (rc == VOX_OK)
        rc = write_collection(j);
    vox_preprocess_unlock(&lock);
    return rc;
}

static int choose_memory(job *j)
{
    const int threads = j->cfg->threads > 1 ? j->cfg->threads : 1;
    const int64_t all = j->cfg->memory > 0 ? j->cfg->memory - vox_host_resident()
                                           : vox_host_memory() / 10 * 8;

    if (all <= 0)
        return vox_fail(VOX_E_ARG, "memory of %lld MiB is less than the program itself has",
                        (long long)(j->cfg->memory >> 20));
    j->kept_most = all / 4 / threads;
    j->budget = all / 4 * 3;
    j->each.prepare.memory = all;
    j->room = vox_zalloc((size_t)threads, sizeof *j->room);
    return j->room ? VOX_OK : VOX_E_NOMEM;
}

static int set_up(job *j)
{
    const vox_preprocess_cfg *cfg = j->cfg;

    if (cfg->parts < 1 || cfg->part < 0 || cfg->part >= cfg->parts)
        return vox_fail(VOX_E_ARG, "part %d of %d does not exist, wanted 0 to %d",
                        cfg->part, cfg->parts, cfg->parts - 1);
    j->configuration = vox_plans_find(cfg->plans, cfg->configuration);
    if (!j->configuration)
        return VOX_E_MISSING;
    j->each.store = cfg->store;
    j->each.again = cfg->again;
    j->each.nan_as_zero = cfg->nan_as_zero;
    VOX_TRY(vox_plans_prepare(&j->each.prepare, cfg->plans, j->configuration));
    VOX_TRY(plan_key(&j->key, &j->each));
    VOX_TRY(
        vox_buf_printf(&j->folder, "%s/%s", cfg->dir, j->configuration->data_identifier));
    j->each.folder = j->folder.data;
    j->each.key = j->key.data;
    vox_preprocess_part(&j->first, &j->count, cfg->images->count, cfg->part, cfg->parts);
    j->good = vox_zalloc((size_t)j->count, 1);
    return j->good ? choose_memory(j) : VOX_E_NOMEM;
}

static int begin(job *j)
{
    VOX_TRY(set_up(j));
    VOX_TRY(vox_mkdirs(j->folder.data));
    VOX_TRY(vox_preprocess_claim(&j->claim, j->folder.data, j->first, j->count));
    VOX_TRY(vox_preprocess_tidy(j->folder.data, j->cfg->images->v + j->first, j->count));
    return write_shared(j);
}

static int compare_rejects(const void *a, const void *b)
{
    return strcmp(((const vox_reject *)a)->id, ((const vox_reject *)b)->id);
}

static int finish(job *j)
{
    vox_rejects *bad = &j->result->rejected;

    if (bad->count > 1)
        qsort(bad->v, (size_t)bad->count, sizeof *bad->v, compare_rejects);
    VOX_TRY(vox_preprocess_lists(j->cfg, j->configuration, j->first, j->count, j->good, bad,
                                 j->key.data));
    if (j->count > 0 && bad->count == j->count)
        return vox_fail(VOX_E_FORMAT,
                        "none of %lld images could be preprocessed; the first: %s",
                        (long long)j->count, bad->v[0].reason);
    return VOX_OK;
}

int vox_preprocess(const vox_preprocess_cfg *cfg, vox_preprocess_result *result)
{
    job j = {.cfg = cfg, .result = result, .claim = {-1}};
    int rc;

    *result = (vox_preprocess_result)VOX_PREPROCESS_RESULT_INIT;
    pthread_mutex_init(&j.lock, NULL);
    pthread_cond_init(&j.freed, NULL);
    rc = begin(&j);
    if (rc == VOX_OK)
        rc = vox_pool_run(j.count, cfg->threads, work, &j);
    if (rc == VOX_OK)
        rc = finish(&j);
    vox_preprocess_unlock(&j.claim);
    release_rooms(&j);
    vox_free(j.room);
    pthread_cond_destroy(&j.freed);
    pthread_mutex_destroy(&j.lock);
    vox_buf_release(&j.folder);
    vox_buf_release(&j.key);
    vox_free(j.good);
    return rc;
}

void vox_preprocess_result_release(vox_preprocess_result *r)
{
    vox_rejects_release(&r->rejected);
    *r = (vox_preprocess_result)VOX_PREPROCESS_RESULT_INIT;
}
