/* steps: preprocessing a dataset below the roots. */
#include <ctype.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/stop.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/steps.h"
#include "data/preprocess.h"
#include "data/roots.h"

static const char *const usual[] = {"onemmiso", "median", "noresample"};

static int64_t configurations(const vox_steps_preprocessing *p)
{
    return p->configurations->count ? p->configurations->count : 1;
}

static const char *configuration(const vox_steps_preprocessing *p, int64_t i)
{
    return p->configurations->count ? p->configurations->v[i] : usual[0];
}

/* Workers of configuration i as -np says; 0: not given. */
static int workers(const vox_steps_preprocessing *p, int64_t i)
{
    const int64_t n = p->np->count;

    return n == 0 ? 0 : (int)strtol(p->np->v[n == 1 ? 0 : i], NULL, 10);
}

int vox_steps_check(const vox_steps_preprocessing *p)
{
    const int64_t n = p->np->count;

    if (n > 1 && n != configurations(p))
        return vox_fail(
            VOX_E_USAGE,
            "-np has %lld values for %lld configurations, wanted one for all or "
            "one each",
            (long long)n, (long long)configurations(p));
    for (int64_t i = 0; i < n; i++) {
        char *end;
        const long v = strtol(p->np->v[i], &end, 10);

        if (*end || v < 1 || v > 1024)
            return vox_fail(VOX_E_USAGE, "-np is %s, wanted a whole number from 1 to 1024",
                            p->np->v[i]);
    }
    if (p->part >= p->parts)
        return vox_fail(VOX_E_USAGE, "-part is %d of %d, wanted 0 to %d", p->part, p->parts,
                        p->parts - 1);
    return VOX_OK;
}

int vox_steps_part(vox_steps_preprocessing *p, const char *part, int total)
{
    char *end;
    const long i = strtol(part, &end, 10);
    const long n = *end == '/' ? strtol(end + 1, &end, 10) : total;

    if (end == part || *end || i < 0 || n < 1 || n > 1000000 || i > n ||
        (n != total && total != 1))
        return vox_fail(VOX_E_USAGE,
                        "-part is %s with -total_parts %d, wanted a number from 0, or as "
                        "2/5",
                        part, total);
    p->part = (int)i;
    p->parts = (int)n;
    return VOX_OK;
}

int vox_steps_memory(int64_t *out, const char *text)
{
    static const char units[] = "KMGT";
    const char *unit;
    double v = 0;
    char *end;

    *out = 0;
    if (!text)
        return VOX_OK;
    v = strtod(text, &end);
    unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    for (const char *u = units; unit && u <= unit; u++)
        v *= 1024;
    end += unit != NULL;
    end += unit && *end == 'i';
    end += *end == 'B';
    if (end == text || *end || !(v >= 1 && v < 0x1p60))
        return vox_fail(VOX_E_USAGE, "--memory is %s, wanted an amount as 800M or 16G",
                        text);
    *out = (int64_t)v;
    return VOX_OK;
}

/* ---- one dataset ---- */

typedef struct source {
    vox_buf dir; /* of the preprocessed data */
    vox_collection collection;
    vox_records images;
    vox_plans plans;
} source;

static void release(source *s)
{
    vox_plans_release(&s->plans);
    vox_records_release(&s->images);
    vox_collection_release(&s->collection);
    vox_buf_release(&s->dir);
}

static int read_plans(source *s, const char *dataset, const char *plans)
{
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_steps_path(&path, dataset, plans, ".json");

    if (rc == VOX_OK && !vox_file_exists(vox_buf_text(&path)))
        rc = vox_fail(VOX_E_MISSING, "%s: no such file; voxmind plan -d %s makes it",
                      vox_buf_text(&path), dataset);
    if (rc == VOX_OK)
        rc = vox_plans_read(&s->plans, vox_buf_text(&path));
    vox_buf_release(&path);
    return rc;
}

static int open_source(source *s, const char *dataset, const char *plans)
{
    vox_buf raw = VOX_BUF_INIT;
    int rc = vox_root_dataset(&raw, VOX_ROOT_RAW, dataset);

    if (rc == VOX_OK)
        rc = vox_buf_printf(&raw, "/pretrain_data.json");
    if (rc == VOX_OK)
        rc = vox_collection_read(&s->collection, vox_buf_text(&raw));
    if (rc == VOX_OK)
        rc = vox_records_make(&s->images, &s->collection);
    if (rc == VOX_OK)
        rc = vox_root_dataset(&s->dir, VOX_ROOT_PREPROCESSED, dataset);
    if (rc == VOX_OK)
        rc = read_plans(s, dataset, plans);
    vox_buf_release(&raw);
    return rc;
}

/* ---- one configuration ---- */

/* The peer skips one of its three that a plan lacks; any other word is a mistake. */
static int find(const source *s, const char *name, int *skip)
{
    *skip = 0;
    if (vox_plans_find(&s->plans, name))
        return VOX_OK;
    for (int i = 0; i < VOX_COUNT(usual); i++)
        *skip |= strcmp(usual[i], name) == 0;
    if (!*skip)
        return VOX_E_USAGE;
    vox_log(VOX_WARN, "preprocess", "%s; it is skipped", vox_error_text());
    vox_error_clear();
    return VOX_OK;
}

static int tell(const vox_preprocess_result *r, const char *dataset, const char *name,
                double seconds, int json)
{
    if (json) {
        json_object *o = json_object_new_object();

        vox_report_text(o, "dataset", dataset);
        vox_report_text(o, "configuration", name);
        vox_report_int(o, "made", r->made);
        vox_report_int(o, "kept", r->kept);
        vox_report_round(o, "seconds", seconds, 3);
        json_object_object_add(o, "rejected", vox_rejects_json(&r->rejected));
        return vox_report_json(o);
    }
    printf("%s %s: %lld images made, %lld kept from before, %lld refused, %.1f s\n",
           dataset, name, (long long)r->made, (long long)r->kept,
           (long long)r->rejected.count, seconds);
    vox_report_rejects(&r->rejected);
    return VOX_OK;
}

static int run(const source *s, const char *dataset, const vox_steps_preprocessing *p,
               int64_t i, const vox_common *common)
{
    vox_progress_line line;
    vox_preprocess_result result = VOX_PREPROCESS_RESULT_INIT;
    const double start = vox_clock();
    const vox_preprocess_cfg cfg = {
        .dir = vox_buf_text(&s->dir),
        .images = &s->images,
        .plans = &s->plans,
        .configuration = configuration(p, i),
        .threads = vox_steps_workers(workers(p, i), common),
        .part = p->part,
        .parts = p->parts,
        .memory = p->memory,
        .store = p->store,
        .again = p->again,
        .nan_as_zero = p->nan_as_zero,
        .progress = vox_progress_line_show,
        .arg = &line,
    };
    int skip, rc, told = VOX_OK;

    VOX_TRY(find(s, cfg.configuration, &skip));
    if (skip)
        return VOX_OK;
    if (p->dry_run)
        return vox_steps_forecast(dataset, &cfg, common);
    vox_progress_line_init(&line, common->quiet);
    rc = vox_preprocess(&cfg, &result);
    vox_progress_line_end(&line);
    if (rc == VOX_OK || rc == VOX_E_FORMAT) /* all were bad: the table says why */
        told = tell(&result, dataset, cfg.configuration, vox_clock() - start, common->json);
    else if (rc == VOX_E_STOP)
        vox_log(VOX_WARN, "preprocess", "%s", vox_error_text());
    vox_preprocess_result_release(&result);
    return rc == VOX_OK ? told : rc;
}

int vox_steps_preprocess(const char *dataset, const vox_steps_preprocessing *p,
                         const vox_common *common)
{
    source s = {0};
    int rc = open_source(&s, dataset, p->plans);

    vox_stop_install();
    for (int64_t i = 0; i < configurations(p) && rc == VOX_OK; i++)
        rc = run(&s, dataset, p, i, common);
    release(&s);
    return rc;
}
