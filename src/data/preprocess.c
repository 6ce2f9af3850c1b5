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
    vox_prepare_cfg prepare;
    vox_buf folder, key; /* of the data; text of the plan */
    int64_t first, count;
    unsigned char *good;
    vox_preprocess_result *result;
    pthread_mutex_t lock; /* guards everything below and calls of progress */
    pthread_cond_t freed;
    int64_t budget, in_use, running, done;
} job;

void vox_preprocess_part(int64_t *first, int64_t *count, int64_t total, int part, int parts)
{
    const int64_t each = total / parts, more = total % parts;

    *first = part * each + (part < more ? part : more);
    *count = each + (part < more);
}

/* Wait for memory; one image may always run. */
static void enter(job *j, int64_t bytes)
{
    pthread_mutex_lock(&j->lock);
    while (j->running > 0 && j->in_use + bytes > j->budget)
        pthread_cond_wait(&j->freed, &j->lock);
    j->running++;
    j->in_use += bytes;
    pthread_mutex_unlock(&j->lock);
}

static int leave(job *j, int64_t i, int64_t bytes, vox_case_state state)
{
    const vox_record *r = &j->cfg->images->v[j->first + i];
    int rc = VOX_OK;

    pthread_mutex_lock(&j->lock);
    j->running--;
    j->in_use -= bytes;
    j->done++;
    j->good[i] = state != VOX_CASE_BAD;
    j->result->made += state == VOX_CASE_MADE;
    j->result->kept += state == VOX_CASE_KEPT;
    if (state == VOX_CASE_BAD)
        rc = vox_rejects_add(&j->result->rejected, r->image->path, r->id, vox_error_text());
    if (j->cfg->progress)
        j->cfg->progress(j->cfg->arg, "preprocessing", j->done, j->count);
    pthread_cond_broadcast(&j->freed);
    pthread_mutex_unlock(&j->lock);
    return rc;
}

static int work(void *arg, int64_t i)
{
    job *j = arg;
    const vox_record *r = &j->cfg->images->v[j->first + i];
    const int64_t need = vox_preprocess_memory(r, &j->prepare);
    const int64_t bytes = need < j->budget ? need : j->budget; /* sums stay sums */
    const unsigned how = (j->cfg->again ? VOX_CASE_AGAIN : 0) |
                         (j->cfg->nan_as_zero ? VOX_CASE_NAN_AS_ZERO : 0);
    vox_case_state state = VOX_CASE_KEPT;
    int rc;

    if (vox_stop_asked())
        return vox_fail(VOX_E_STOP, "preprocessing was stopped by %s; finished images stay",
                        vox_stop_name());
    enter(j, bytes);
    rc = vox_preprocess_case(&state, r, j->folder.data, &j->prepare, j->key.data,
                             j->cfg->level, how);
    if (state == VOX_CASE_BAD)
        vox_log(VOX_DEBUG, "preprocess", "left out: %s", vox_error_text());
    if (rc == VOX_OK)
        return leave(j, i, bytes, state);
    pthread_mutex_lock(&j->lock);
    j->running--;
    j->in_use -= bytes;
    pthread_cond_broadcast(&j->freed);
    pthread_mutex_unlock(&j->lock);
    return rc;
}

/* Everything in the plan that changes a file's contents, as text. */
static int plan_key(vox_buf *out, const vox_prepare_cfg *p)
{
    return vox_buf_printf(out, "1 transpose %d%d%d target %.17g %.17g %.17g norm %d %d",
                          p->transpose[0], p->transpose[1], p->transpose[2], p->target[0],
                          p->target[1], p->target[2], (int)p->norm, p->norm_in_mask);
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
            *field[k] = rc == VOX_OK ? vox_arena_strdup(&c->arena, path.data) : NULL;
            rc = *field[k] ? rc : VOX_E_NOMEM;
        }
    }
    vox_buf_release(&full);
    vox_buf_release(&path);
    return rc;
}

static int copy_collection(vox_collection *out, const vox_collection *from)
{
    VOX_TRY(vox_collection_init(out, from->name, 0));
    out->index = vox_arena_strdup(&out->arena, from->index);
    out->index_is_int = from->index_is_int;
    out->extra = json_object_get(from->extra);
    return out->index ? vox_collection_merge(out, from, NULL) : VOX_E_NOMEM;
}

/* pretrain_data__<configuration>.json: what training loads. */
static int write_collection(const job *j)
{
    vox_collection c = VOX_COLLECTION_INIT;
    vox_records r = VOX_RECORDS_INIT;
    vox_buf path = VOX_BUF_INIT;
    char *folder = realpath(j->folder.data, NULL);
    int rc = copy_collection(&c, j->cfg->images->collection);

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

static int begin(job *j)
{
    const vox_preprocess_cfg *cfg = j->cfg;

    if (cfg->parts < 1 || cfg->part < 0 || cfg->part >= cfg->parts)
        return vox_fail(VOX_E_ARG, "part %d of %d does not exist, wanted 0 to %d",
                        cfg->part, cfg->parts, cfg->parts - 1);
    j->configuration = vox_plans_find(cfg->plans, cfg->configuration);
    if (!j->configuration)
        return VOX_E_MISSING;
    VOX_TRY(vox_plans_prepare(&j->prepare, cfg->plans, j->configuration));
    VOX_TRY(plan_key(&j->key, &j->prepare));
    VOX_TRY(
        vox_buf_printf(&j->folder, "%s/%s", cfg->dir, j->configuration->data_identifier));
    VOX_TRY(vox_mkdirs(j->folder.data));
    VOX_TRY(write_stamp(j));
    VOX_TRY(write_collection(j));
    vox_preprocess_part(&j->first, &j->count, cfg->images->count, cfg->part, cfg->parts);
    j->good = vox_zalloc((size_t)j->count, 1);
    j->budget = vox_host_memory() / 10 * 8;
    return j->good ? VOX_OK : VOX_E_NOMEM;
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
    VOX_TRY(
        vox_preprocess_lists(j->cfg, j->configuration, j->first, j->count, j->good, bad));
    if (j->count > 0 && bad->count == j->count)
        return vox_fail(VOX_E_FORMAT,
                        "none of %lld images could be preprocessed; the first: %s",
                        (long long)j->count, bad->v[0].reason);
    return VOX_OK;
}

int vox_preprocess(const vox_preprocess_cfg *cfg, vox_preprocess_result *result)
{
    job j = {.cfg = cfg, .result = result};
    int rc;

    *result = (vox_preprocess_result)VOX_PREPROCESS_RESULT_INIT;
    pthread_mutex_init(&j.lock, NULL);
    pthread_cond_init(&j.freed, NULL);
    rc = begin(&j);
    if (rc == VOX_OK)
        rc = vox_pool_run(j.count, cfg->threads, work, &j);
    if (rc == VOX_OK)
        rc = finish(&j);
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
