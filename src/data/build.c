/* build: the steps, each reading what the one before left. */
#include "data/build.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "data/index.h"

typedef struct build {
    const vox_data_build_cfg *cfg;
    vox_data_build_result *result;
    vox_collection collection;
    vox_records records;
    vox_plans plans;
    vox_rejects skipped;
} build;

/* "<dir>/<name><tail>" */
static int path_in(vox_buf *out, const build *b, const char *name, const char *tail)
{
    VOX_TRY(vox_buf_resize(out, 0));
    return vox_buf_printf(out, "%s/%s%s", b->cfg->dir, name, tail);
}

static int has(const build *b, const char *name, const char *tail)
{
    vox_buf path = VOX_BUF_INIT;
    const int there = path_in(&path, b, name, tail) == VOX_OK && vox_file_exists(path.data);

    vox_buf_release(&path);
    return there;
}

/* The list of valid images is what preprocessing writes last. */
static int is_finished(const build *b)
{
    vox_buf name = VOX_BUF_INIT;
    int done = vox_buf_printf(&name, "valid_imgs__%s", b->cfg->configuration) == VOX_OK;

    done = done && has(b, b->cfg->plans, ".json") && has(b, name.data, ".json");
    vox_buf_release(&name);
    return done;
}

static int64_t count_subjects(const vox_collection *c)
{
    int64_t n = 0;

    for (int64_t i = 0; i < c->count; i++)
        n += c->dataset[i].count;
    return n;
}

static int write_report(const build *b)
{
    vox_buf path = VOX_BUF_INIT;
    json_object *o = vox_rejects_json(&b->skipped);
    int rc = o ? path_in(&path, b, "index_report.json", "") : VOX_E_NOMEM;

    if (rc == VOX_OK)
        rc = vox_json_write(path.data, o, 1);
    json_object_put(o);
    vox_buf_release(&path);
    return rc;
}

static int index_scans(build *b)
{
    vox_buf converted = VOX_BUF_INIT;
    vox_index_cfg cfg = {.number = 1,
                         .exclude = b->cfg->dir,
                         .threads = b->cfg->threads,
                         .progress = b->cfg->progress,
                         .arg = b->cfg->arg};
    int rc = path_in(&converted, b, "nifti", "");

    cfg.converted = vox_buf_text(&converted);
    if (rc == VOX_OK)
        rc = vox_index_folder(&b->collection, b->cfg->scans, &cfg, &b->skipped);
    vox_buf_release(&converted);
    VOX_TRY(rc);
    VOX_TRY(vox_records_make(&b->records, &b->collection));
    b->result->images = b->records.count;
    b->result->subjects = count_subjects(&b->collection);
    b->result->skipped = b->skipped.count;
    return write_report(b);
}

/* What an earlier build concluded from another set of scans does not hold any more. */
static void forget_conclusions(const build *b)
{
    static const char *const names[] = {"dataset_fingerprint.json", "splits_final.json"};
    vox_buf path = VOX_BUF_INIT;

    for (int i = 0; i < VOX_COUNT(names); i++) {
        if (path_in(&path, b, names[i], "") == VOX_OK)
            unlink(path.data);
    }
    vox_buf_release(&path);
}

static int same_text(const vox_buf *a, const char *path)
{
    vox_buf was = VOX_BUF_INIT;
    const int same = vox_file_exists(path) && vox_file_read(&was, path) == VOX_OK &&
                     was.len == a->len && memcmp(was.data, a->data, a->len) == 0;

    vox_buf_release(&was);
    return same;
}

/* Write pretrain_data.json unless it says the same already. */
static int write_collection(build *b)
{
    vox_buf path = VOX_BUF_INIT, text = VOX_BUF_INIT;
    int rc = vox_collection_text(&text, &b->collection);

    if (rc == VOX_OK)
        rc = path_in(&path, b, "pretrain_data.json", "");
    if (rc == VOX_OK && !same_text(&text, path.data)) {
        forget_conclusions(b);
        rc = vox_file_write(path.data, text.data, text.len);
    }
    vox_buf_release(&text);
    vox_buf_release(&path);
    return rc;
}

static int find_fingerprint(build *b, vox_fingerprint *f)
{
    vox_rejects bad = VOX_REJECTS_INIT; /* preprocessing meets and reports them again */
    vox_buf path = VOX_BUF_INIT;
    int rc = path_in(&path, b, "dataset_fingerprint.json", "");

    if (rc == VOX_OK && vox_file_exists(path.data) &&
        vox_fingerprint_read(f, path.data) == VOX_OK) {
        vox_buf_release(&path);
        return VOX_OK;
    }
    if (rc == VOX_OK)
        rc = vox_fingerprint_make(f, &b->records, b->cfg->threads, &bad, b->cfg->progress,
                                  b->cfg->arg);
    if (rc == VOX_OK)
        rc = vox_fingerprint_write(f, path.data);
    vox_rejects_release(&bad);
    vox_buf_release(&path);
    return rc;
}

static int make_plan(build *b)
{
    vox_fingerprint f = VOX_FINGERPRINT_INIT;
    vox_plans old = VOX_PLANS_INIT;
    vox_buf path = VOX_BUF_INIT;
    int rc = find_fingerprint(b, &f);

    if (rc == VOX_OK)
        rc = path_in(&path, b, b->cfg->plans, ".json");
    if (rc == VOX_OK && vox_file_exists(path.data))
        rc = vox_plans_read(&old, path.data);
    if (rc == VOX_OK)
        rc = vox_plans_make(&b->plans, &f, b->collection.name, b->cfg->plans, &old);
    if (rc == VOX_OK)
        rc = vox_plans_write(&b->plans, path.data);
    vox_plans_release(&old);
    vox_fingerprint_release(&f);
    vox_buf_release(&path);
    return rc;
}

static void say_rejected(const build *b, const vox_rejects *bad)
{
    enum { SHOWN = 5 };

    for (int64_t i = 0; i < bad->count && i < SHOWN; i++)
        vox_log(VOX_WARN, "data", "left out: %s", bad->v[i].reason);
    if (bad->count > SHOWN)
        vox_log(VOX_WARN, "data",
                "%lld more were left out: see reject_report.json in %s/%s_%s",
                (long long)(bad->count - SHOWN), b->cfg->dir, b->cfg->plans,
                b->cfg->configuration);
}

static int preprocess(build *b)
{
    const vox_preprocess_cfg cfg = {.dir = b->cfg->dir,
                                    .images = &b->records,
                                    .plans = &b->plans,
                                    .configuration = b->cfg->configuration,
                                    .threads = b->cfg->threads,
                                    .parts = 1,
                                    .progress = b->cfg->progress,
                                    .arg = b->cfg->arg};
    vox_preprocess_result r;
    int rc = vox_preprocess(&cfg, &r);

    b->result->made = r.made;
    b->result->kept = r.kept;
    b->result->rejected = r.rejected.count;
    if (rc == VOX_OK)
        say_rejected(b, &r.rejected);
    vox_preprocess_result_release(&r);
    return rc;
}

static int run(build *b)
{
    const vox_data_build_result *r = b->result;

    VOX_TRY(vox_mkdirs(b->cfg->dir));
    if (b->cfg->keep && is_finished(b))
        return VOX_OK;
    VOX_TRY(index_scans(b));
    VOX_TRY(write_collection(b));
    VOX_TRY(make_plan(b));
    VOX_TRY(preprocess(b));
    vox_log(VOX_INFO, "data",
            "%lld images of %lld subjects: %lld preprocessed, %lld kept from "
            "before, %lld left out; %lld other files passed over",
            (long long)r->images, (long long)r->subjects, (long long)r->made,
            (long long)r->kept, (long long)r->rejected, (long long)r->skipped);
    return VOX_OK;
}

int vox_data_build(const vox_data_build_cfg *cfg)
{
    vox_data_build_result unwanted;
    build b = {.cfg = cfg, .result = cfg->result ? cfg->result : &unwanted};
    int rc;

    *b.result = (vox_data_build_result){0};
    rc = run(&b);
    vox_plans_release(&b.plans);
    vox_records_release(&b.records);
    vox_collection_release(&b.collection);
    vox_rejects_release(&b.skipped);
    return rc;
}
