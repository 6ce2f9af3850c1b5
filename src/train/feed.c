/* feed: a loader's samples stacked into batches. */
#include "train/feed.h"

#include "base/error.h"

static int prepare(vox_sample *out, const vox_cases *cases, void *arg, vox_rng rng)
{
    const vox_pretext *p = arg;

    return p->method->prepare(out, cases, p, rng);
}

static vox_shape extent_of(const vox_pretext *p)
{
    return p->method->extent ? p->method->extent(p) : p->patch;
}

int vox_feed_open(vox_feed *f, const vox_feed_cfg *cfg)
{
    vox_loader_cfg loader = {.data = cfg->data,
                             .seed = cfg->seed,
                             .stream = cfg->phase == VOX_TRAINING ? "train" : "val",
                             .first = cfg->first * cfg->batch,
                             .count = (cfg->steps - cfg->first) * cfg->batch,
                             .sampling = cfg->sampling,
                             .workers = cfg->workers,
                             .prepare = prepare,
                             .arg = &f->pretext};
    vox_shape extent;
    int rc;

    *f = (vox_feed)VOX_FEED_INIT;
    f->pretext = vox_setup_pretext(cfg->setup, cfg->phase, cfg->patch, cfg->batch);
    extent = extent_of(&f->pretext);
    loader.cases_per_sample = f->pretext.method->cases_per_sample;
    loader.grouping = f->pretext.method->grouping;
    for (int k = 0; k < 3; k++) {
        loader.extent[k] = extent.n[k + 1];
        loader.patch[k] = cfg->patch[k];
    }
    rc = vox_batch_init(&f->batch, cfg->batch);
    if (rc == VOX_OK)
        rc = vox_loader_open(&f->loader, &loader);
    if (rc != VOX_OK)
        vox_feed_close(f);
    return rc;
}

vox_shape vox_feed_extent(const vox_feed *f)
{
    return extent_of(&f->pretext);
}

int vox_feed_next(vox_feed *f, double *wait)
{
    const vox_pretext *p = &f->pretext;

    for (int64_t slot = 0; slot < f->batch.size; slot++) {
        const vox_sample *s;

        VOX_TRY(vox_loader_next(f->loader, &s));
        VOX_TRY(vox_batch_put(&f->batch, slot, s,
                              p->method->weight ? p->method->weight(s, p) : 1));
    }
    if (wait)
        *wait = vox_loader_waited(f->loader) - f->waited;
    f->waited = vox_loader_waited(f->loader);
    return VOX_OK;
}

void vox_feed_close(vox_feed *f)
{
    vox_loader_close(f->loader);
    vox_batch_release(&f->batch);
    *f = (vox_feed)VOX_FEED_INIT;
}

int64_t vox_feed_memory(const vox_feed_cfg *cfg)
{
    const vox_pretext p = vox_setup_pretext(cfg->setup, cfg->phase, cfg->patch, cfg->batch);
    const int64_t patch = vox_shape_count(p.patch) * (int64_t)sizeof(float);
    const int64_t crop = vox_shape_count(extent_of(&p)) * (int64_t)(sizeof(float) + 2);
    const int64_t samples = (cfg->steps - cfg->first) * cfg->batch;
    const int64_t ring = 2 * (int64_t)cfg->workers;

    /* a crop with masks and its decoder's blocks per worker, the ring of samples ahead */
    return cfg->workers * p.method->cases_per_sample * crop +
           (ring < samples ? ring : samples) * patch + cfg->batch * patch;
}
