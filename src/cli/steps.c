/* steps: datasets and workers from the command line, fingerprint, plan. */
#include "cli/steps.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "data/fingerprint.h"
#include "data/planner.h"
#include "data/roots.h"

static const char planner[] = "ExperimentPlanner";

static int add_dataset(vox_strs *out, const char *text)
{
    vox_buf name = VOX_BUF_INIT;
    int rc = vox_dataset_resolve(&name, text);

    if (rc == VOX_OK)
        rc = vox_strs_add(out, vox_buf_text(&name));
    vox_buf_release(&name);
    return rc;
}

int vox_steps_datasets(vox_strs *out, const vox_strs *given, int n_words, char **words)
{
    for (int64_t i = 0; i < given->count; i++)
        VOX_TRY(add_dataset(out, given->v[i]));
    for (int i = 0; i < n_words; i++)
        VOX_TRY(add_dataset(out, words[i]));
    if (out->count == 0)
        return vox_fail(VOX_E_USAGE, "no dataset is named, wanted -d and its number");
    return VOX_OK;
}

int vox_steps_workers(int np, const vox_common *common)
{
    const char *env = getenv("nnUNet_def_n_proc");
    const long n = env ? strtol(env, NULL, 10) : 0;

    if (np > 0)
        return np;
    if (n > 0 && n <= 1024)
        return (int)n;
    return common->threads > 0 ? common->threads : vox_cpu_cores();
}

int vox_steps_path(vox_buf *out, const char *dataset, const char *name, const char *ending)
{
    VOX_TRY(vox_root_dataset(out, VOX_ROOT_PREPROCESSED, dataset));
    return vox_buf_printf(out, "/%s%s", name, ending);
}

/* ---- fingerprint ---- */

/* One dataset on its way to a fingerprint. */
typedef struct fingerprinting {
    vox_buf raw, out; /* pretrain_data.json, dataset_fingerprint.json */
    vox_collection collection;
    vox_records images;
    vox_fingerprint print;
    vox_rejects rejected;
    int kept; /* it was there already */
} fingerprinting;

static void release(fingerprinting *f)
{
    vox_rejects_release(&f->rejected);
    vox_fingerprint_release(&f->print);
    vox_records_release(&f->images);
    vox_collection_release(&f->collection);
    vox_buf_release(&f->raw);
    vox_buf_release(&f->out);
}

static int read_headers(fingerprinting *f, int workers, int quiet)
{
    vox_progress_line line;
    int rc;

    VOX_TRY(vox_collection_read(&f->collection, vox_buf_text(&f->raw)));
    VOX_TRY(vox_records_make(&f->images, &f->collection));
    vox_progress_line_init(&line, quiet);
    rc = vox_fingerprint_make(&f->print, &f->images, workers, &f->rejected,
                              vox_progress_line_show, &line);
    vox_progress_line_end(&line);
    return rc;
}

static int write_print(fingerprinting *f, const char *dataset)
{
    vox_buf dir = VOX_BUF_INIT;
    int rc = vox_root_dataset(&dir, VOX_ROOT_PREPROCESSED, dataset);

    if (rc == VOX_OK)
        rc = vox_mkdirs(vox_buf_text(&dir));
    if (rc == VOX_OK)
        rc = vox_fingerprint_write(&f->print, vox_buf_text(&f->out));
    vox_buf_release(&dir);
    return rc;
}

static int take_print(fingerprinting *f, const char *dataset, int workers, int clean,
                      int quiet)
{
    VOX_TRY(vox_root_dataset(&f->raw, VOX_ROOT_RAW, dataset));
    VOX_TRY(vox_buf_printf(&f->raw, "/pretrain_data.json"));
    VOX_TRY(vox_steps_path(&f->out, dataset, "dataset_fingerprint", ".json"));
    f->kept = !clean && vox_file_exists(vox_buf_text(&f->out));
    if (f->kept)
        return vox_fingerprint_read(&f->print, vox_buf_text(&f->out));
    VOX_TRY(read_headers(f, workers, quiet));
    return write_print(f, dataset);
}

static int tell_print(const fingerprinting *f, const char *dataset, int json)
{
    double middle[3], median[3];

    VOX_TRY(vox_fingerprint_middle(&f->print, middle, median));
    if (json) {
        json_object *o = json_object_new_object();

        vox_report_text(o, "dataset", dataset);
        vox_report_text(o, "file", vox_buf_text(&f->out));
        vox_report_text(o, "state", f->kept ? "kept" : "written");
        vox_report_int(o, "images", f->print.count);
        vox_report_nums(o, "median_spacing", median, 3);
        json_object_object_add(o, "rejected", vox_rejects_json(&f->rejected));
        return vox_report_json(o);
    }
    printf("%s: %lld images, middle spacing %g x %g x %g mm, %s %s\n", dataset,
           (long long)f->print.count, median[0], median[1], median[2],
           f->kept ? "kept (--clean makes it anew)" : "written to", vox_buf_text(&f->out));
    if (f->rejected.count)
        printf("refused %lld of %lld images:\n", (long long)f->rejected.count,
               (long long)f->images.count);
    vox_report_rejects(&f->rejected);
    return VOX_OK;
}

int vox_steps_fingerprint(const char *dataset, int workers, int clean,
                          const vox_common *common)
{
    fingerprinting f = {0};
    int rc = take_print(&f, dataset, workers, clean, common->quiet);

    if (rc == VOX_OK)
        rc = tell_print(&f, dataset, common->json);
    release(&f);
    return rc;
}

/* ---- plan ---- */

static const char *planner_name(int i, void *arg)
{
    (void)arg;
    return i == 0 ? planner : NULL;
}

int vox_steps_planner(const char *name)
{
    if (strcmp(name, planner) == 0)
        return VOX_OK;
    return vox_fail(VOX_E_USAGE, "there is no planner \"%s\", %s%s", name,
                    vox_suggest(name, planner_name, NULL) ? "did you mean " : "wanted ",
                    planner);
}

static int tell_plan(const vox_plans *p, const char *dataset, const char *path, int json)
{
    if (json) {
        json_object *o = json_object_new_object();

        vox_report_text(o, "dataset", dataset);
        vox_report_text(o, "file", path);
        json_object_object_add(o, "plan", json_object_get(p->json));
        return vox_report_json(o);
    }
    printf("%s: order of axes %d %d %d, middle spacing %g x %g x %g mm, written to %s\n",
           dataset, p->forward[0], p->forward[1], p->forward[2], p->median[0], p->median[1],
           p->median[2], path);
    for (int64_t i = 0; i < p->count; i++) {
        const vox_configuration *c = &p->configuration[i];

        if (c->resample)
            printf("  %-12s resampled to %g x %g x %g mm\n", c->name, c->spacing[0],
                   c->spacing[1], c->spacing[2]);
        else
            printf("  %-12s every image keeps its spacing\n", c->name);
    }
    return VOX_OK;
}

static int plan(vox_plans *out, vox_plans *old, const char *dataset, const char *plans,
                const char *path)
{
    vox_fingerprint f = VOX_FINGERPRINT_INIT;
    vox_buf print = VOX_BUF_INIT;
    int rc = vox_steps_path(&print, dataset, "dataset_fingerprint", ".json");

    if (rc == VOX_OK && !vox_file_exists(vox_buf_text(&print)))
        rc = vox_fail(VOX_E_MISSING, "%s: no such file; voxmind fingerprint -d %s makes it",
                      vox_buf_text(&print), dataset);
    if (rc == VOX_OK)
        rc = vox_fingerprint_read(&f, vox_buf_text(&print));
    if (rc == VOX_OK && vox_file_exists(path)) {
        rc = vox_plans_read(old, path);
        if (rc != VOX_OK)
            rc = vox_fail_in(rc, "the plan that is to be replaced; move it away first");
    }
    if (rc == VOX_OK)
        rc = vox_plans_make(out, &f, dataset, plans, old->json ? old : NULL);
    if (rc == VOX_OK)
        rc = vox_plans_write(out, path);
    vox_fingerprint_release(&f);
    vox_buf_release(&print);
    return rc;
}

int vox_steps_plan(const char *dataset, const char *plans, const vox_common *common)
{
    vox_plans made = VOX_PLANS_INIT, old = VOX_PLANS_INIT;
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_steps_path(&path, dataset, plans, ".json");

    if (rc == VOX_OK)
        rc = plan(&made, &old, dataset, plans, vox_buf_text(&path));
    if (rc == VOX_OK)
        rc = tell_plan(&made, dataset, vox_buf_text(&path), common->json);
    vox_plans_release(&made);
    vox_plans_release(&old);
    vox_buf_release(&path);
    return rc;
}
