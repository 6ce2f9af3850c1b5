/* steps_forecast: preprocess --dry-run: what a run would make and take. */
#include <json-c/json_object.h>
#include <stdio.h>

#include "base/host.h"
#include "cli/report.h"
#include "cli/steps.h"
#include "data/preprocess.h"

/* Sums over the images of a part. */
typedef struct sums {
    int64_t images, memory, disk;
    double seconds;
    vox_rejects refused;
} sums;

static void tell_image(const vox_record *r, const vox_forecast *f, int json)
{
    const int64_t *n = f->info.shape.n + 1, *m = f->shape;

    if (json) {
        json_object *o = json_object_new_object();

        vox_report_text(o, "image", r->id);
        vox_report_ints(o, "shape_read", n, 3);
        vox_report_nums(o, "spacing", f->info.spacing, 3);
        vox_report_ints(o, "shape", m, 3);
        vox_report_int(o, "memory", f->memory);
        vox_report_int(o, "disk", f->disk);
        vox_report_round(o, "seconds", f->seconds, 3);
        vox_report_json(o);
        return;
    }
    printf("  %4lld x %4lld x %4lld  ->  %4lld x %4lld x %4lld  %7.1f  %7.1f  %7.2f  %s\n",
           (long long)n[0], (long long)n[1], (long long)n[2], (long long)m[0],
           (long long)m[1], (long long)m[2], (double)f->memory / (1 << 20),
           (double)f->disk / (1 << 20), f->seconds, r->id);
}

static int forecast_images(sums *s, const vox_preprocess_cfg *cfg,
                           const vox_prepare_cfg *prepare, int json)
{
    int64_t first, count;

    vox_preprocess_part(&first, &count, cfg->images->count, cfg->part, cfg->parts);
    for (int64_t i = first; i < first + count; i++) {
        const vox_record *r = &cfg->images->v[i];
        vox_forecast f;
        const int rc = vox_preprocess_forecast(&f, r, prepare, &cfg->store);

        if (rc != VOX_OK) {
            VOX_TRY(vox_rejects_add_failure(&s->refused, r->image->path, r->id, rc));
            continue;
        }
        tell_image(r, &f, json);
        s->images++;
        s->memory = f.memory > s->memory ? f.memory : s->memory;
        s->disk += f.disk;
        s->seconds += f.seconds;
    }
    return VOX_OK;
}

static int tell_sums(const sums *s, const char *dataset, const vox_preprocess_cfg *cfg,
                     int json)
{
    const double wall = s->seconds / (cfg->threads > 1 ? cfg->threads : 1);
    const int64_t free_disk = vox_host_disk(cfg->dir);

    if (json) {
        json_object *o = json_object_new_object();

        vox_report_text(o, "dataset", dataset);
        vox_report_text(o, "configuration", cfg->configuration);
        vox_report_int(o, "images", s->images);
        vox_report_int(o, "memory_of_one", s->memory);
        vox_report_int(o, "disk", s->disk);
        vox_report_int(o, "disk_free", free_disk);
        vox_report_round(o, "seconds", wall, 3);
        json_object_object_add(o, "rejected", vox_rejects_json(&s->refused));
        return vox_report_json(o);
    }
    printf(
        "%s %s: %lld images, about %.1f MiB on disk (%.1f GiB free), %.1f s with %d at a "
        "time; an image takes at most %.1f MiB of memory; nothing was written\n",
        dataset, cfg->configuration, (long long)s->images, (double)s->disk / (1 << 20),
        (double)free_disk / (1 << 30), wall, cfg->threads, (double)s->memory / (1 << 20));
    if (s->refused.count)
        printf("%lld images would be refused:\n", (long long)s->refused.count);
    vox_report_rejects(&s->refused);
    return VOX_OK;
}

int vox_steps_forecast(const char *dataset, const vox_preprocess_cfg *cfg,
                       const vox_common *common)
{
    const vox_configuration *c = vox_plans_find(cfg->plans, cfg->configuration);
    vox_prepare_cfg prepare;
    sums s = {.refused = VOX_REJECTS_INIT};
    int rc = c ? vox_plans_prepare(&prepare, cfg->plans, c) : VOX_E_MISSING;

    if (rc == VOX_OK && !common->json)
        printf("  %18s      %18s  %7s  %7s  %7s  image\n", "as read", "at most", "MiB",
               "on disk", "seconds");
    if (rc == VOX_OK)
        rc = forecast_images(&s, cfg, &prepare, common->json);
    if (rc == VOX_OK)
        rc = tell_sums(&s, dataset, cfg, common->json);
    vox_rejects_release(&s.refused);
    return rc;
}
