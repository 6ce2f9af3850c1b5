/*
 * loader: a ring of samples between the threads that make them and the one that takes them.
 *
 * Sample number i of this loader lies in slot i % ring. A thread claims the next number
 * when its slot is free, makes the sample without the lock, marks it done. The taker waits
 * for its number, so the order does not depend on who was faster. What a sample holds
 * follows from (seed, stream, global number) alone: an unreadable image is replaced by the
 * next draw of the same sample's own generator. Unreadable images are counted as samples
 * are taken, so where the share is passed does not depend on the threads either.
 */
#include "data/loader.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/sampler.h"

enum { ATTEMPTS = 20 };

/* An image that could not be read while a sample was made. */
typedef struct bad_read {
    int64_t item;
    vox_error error;
} bad_read;

typedef struct slot {
    vox_sample sample;
    vox_error error; /* code is VOX_OK when the sample is good */
    int done;
    bad_read *bad;
    int64_t bads, bad_cap;
    double reading, preparing; /* seconds it took */
} slot;

/* What one thread reads crops into. */
typedef struct scratch {
    struct {
        float *image;
        uint8_t *anon, *anat;
        int64_t cap;
    } item[VOX_CASES_MAX];
} scratch;

struct vox_loader {
    vox_loader_cfg cfg;
    slot *slot;
    pthread_t *thread;
    int threads;
    int64_t total;          /* samples this loader delivers */
    int64_t claimed, taken; /* numbers handed to threads; numbers the taker is done with */
    int holding;            /* the taker holds sample `taken` */
    int quit;
    unsigned char *bad_item;
    int64_t bad;
    double waited, reading, preparing; /* seconds; of samples taken */
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

/* Of each `stride` global numbers the first `run` are ours. */
static uint64_t global_number(const vox_loader_cfg *cfg, int64_t i)
{
    if (cfg->stride <= 0)
        return (uint64_t)(cfg->first + i);
    return (uint64_t)(cfg->first + i / cfg->run * cfg->stride + i % cfg->run);
}

static int64_t count_ours(const vox_loader_cfg *cfg)
{
    int64_t rest;

    if (cfg->stride <= 0)
        return cfg->count;
    rest = cfg->count % cfg->stride;
    return cfg->count / cfg->stride * cfg->run + (rest < cfg->run ? rest : cfg->run);
}

static int keep_bad(slot *at, int64_t item)
{
    VOX_TRY(vox_grow(&at->bad, &at->bad_cap, at->bads + 1, sizeof *at->bad));
    at->bad[at->bads].item = item;
    vox_error_take(&at->bad[at->bads++].error);
    return VOX_OK;
}

/* The sample is taken: name its unreadable images, each once; stop above the share. */
static int count_bad(vox_loader *l, const slot *at)
{
    const int64_t items = vox_dataset_count(l->cfg.data);

    for (int64_t i = 0; i < at->bads; i++) {
        const bad_read *b = &at->bad[i];

        if (l->bad_item[b->item])
            continue;
        l->bad_item[b->item] = 1;
        l->bad++;
        vox_log(VOX_WARN, "loader", "%s left out: %s", vox_dataset_id(l->cfg.data, b->item),
                b->error.text);
        if (l->bad > 1 && (double)l->bad > l->cfg.max_bad_share * (double)items) {
            vox_error_give(&b->error);
            return vox_fail_in(VOX_E_FORMAT, "%lld of %lld images are unreadable, the last",
                               (long long)l->bad, (long long)items);
        }
    }
    return VOX_OK;
}

static int make_room(scratch *s, int k, int64_t channels, const int64_t extent[3])
{
    const int64_t voxels = extent[0] * extent[1] * extent[2];

    if (s->item[k].cap >= channels * voxels)
        return VOX_OK;
    vox_free(s->item[k].image);
    vox_free(s->item[k].anon);
    vox_free(s->item[k].anat);
    s->item[k].cap = 0;
    s->item[k].image = vox_alloc((size_t)(channels * voxels), sizeof(float));
    s->item[k].anon = vox_alloc((size_t)voxels, 1);
    s->item[k].anat = vox_alloc((size_t)voxels, 1);
    if (!s->item[k].image || !s->item[k].anon || !s->item[k].anat)
        return VOX_E_NOMEM;
    s->item[k].cap = channels * voxels;
    return VOX_OK;
}

/* Where the crop of an item begins. */
static int choose_box(vox_loader *l, int64_t lo[3], int64_t item, const int64_t size[3],
                      vox_rng *rng)
{
    const vox_loader_cfg *cfg = &l->cfg;
    int64_t voxel[3];
    int found = 0;

    if (cfg->sampling == VOX_SAMPLE_ANAT)
        VOX_TRY(vox_dataset_anat_voxel(cfg->data, item, rng, voxel, &found));
    if (found)
        vox_box_around(lo, voxel, cfg->extent, cfg->patch, size);
    else if (cfg->sampling == VOX_SAMPLE_CENTRE)
        vox_box_centre(lo, cfg->extent, cfg->patch, size);
    else
        vox_box_draw(lo, cfg->extent, cfg->patch, size, rng);
    return VOX_OK;
}

/* Read a box of the item into case k. */
static int read_case(vox_loader *l, scratch *s, vox_case *c, int k, int64_t item,
                     vox_rng rng)
{
    const vox_loader_cfg *cfg = &l->cfg;
    const int64_t *e = cfg->extent;
    vox_shape shape;
    int64_t lo[3];
    int has_anon, has_anat;

    VOX_TRY(vox_dataset_shape(cfg->data, item, &shape));
    VOX_TRY(make_room(s, k, shape.n[0], e));
    VOX_TRY(choose_box(l, lo, item, shape.n + 1, &rng));
    VOX_TRY(vox_dataset_crop(cfg->data, item, lo, e, s->item[k].image, s->item[k].anon,
                             &has_anon, s->item[k].anat, &has_anat));
    *c = (vox_case){.id = vox_dataset_id(cfg->data, item),
                    .image = s->item[k].image,
                    .anon = has_anon ? s->item[k].anon : NULL,
                    .anat = has_anat ? s->item[k].anat : NULL,
                    .shape = VOX_SHAPE(shape.n[0], e[0], e[1], e[2])};
    vox_dataset_spacing(cfg->data, item, c->spacing);
    return VOX_OK;
}

/* Was the item found unreadable in a sample taken before? */
static int is_bad(vox_loader *l, int64_t item)
{
    int bad;

    pthread_mutex_lock(&l->lock);
    bad = l->bad_item[item];
    pthread_mutex_unlock(&l->lock);
    return bad;
}

/* What a sample's cases are drawn from: `count` items from `first` on; in a group each is
 * drawn once as long as there are others. */
typedef struct urn {
    int64_t first, count;
    int64_t drawn[VOX_CASES_MAX * ATTEMPTS];
    int draws; /* 0 where items are put back */
} urn;

static int was_drawn(const urn *u, int64_t item)
{
    int i = 0;

    while (i < u->draws && u->drawn[i] != item)
        i++;
    return i < u->draws;
}

static int64_t draw_item(urn *u, vox_rng *rng, int put_back)
{
    int64_t left = u->count - u->draws, item;

    if (left <= 0) {
        u->draws = 0;
        left = u->count;
    }
    item = u->first + (int64_t)vox_rng_below(rng, (uint64_t)left);
    if (put_back)
        return item;
    for (int64_t i = u->first; i <= item; i++)
        item += was_drawn(u, i);
    u->drawn[u->draws++] = item;
    return item;
}

/* Case k of a sample: a drawn item, or the next draw where that one cannot be read. */
static int draw_case(vox_loader *l, scratch *s, slot *at, vox_cases *cases, int k, urn *u,
                     vox_rng base)
{
    const int put_back = k == 0 || l->cfg.grouping == VOX_GROUP_ANY;

    for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        const uint32_t number = (uint32_t)k * ATTEMPTS + attempt;
        vox_rng pick = vox_rng_stream(base, VOX_STREAM("case"), number);
        const int64_t item = draw_item(u, &pick, put_back);
        int rc;

        if (is_bad(l, item)) /* and named already: no need to read it again */
            continue;
        rc = read_case(l, s, &cases->item[k], k, item,
                       vox_rng_stream(base, VOX_STREAM("box"), number));
        if (rc == VOX_OK && k == 0 && l->cfg.grouping != VOX_GROUP_ANY) {
            u->count = vox_dataset_group(l->cfg.data, item, l->cfg.grouping, &u->first);
            u->drawn[u->draws++] = item;
        }
        if (rc == VOX_OK || rc == VOX_E_NOMEM)
            return rc;
        VOX_TRY(keep_bad(at, item));
    }
    return vox_fail(VOX_E_FORMAT, "%d images drawn in a row are unreadable%s%s", ATTEMPTS,
                    at->bads ? ", the last: " : "",
                    at->bads ? at->bad[at->bads - 1].error.text : "");
}

static int make_sample(vox_loader *l, scratch *s, slot *at, int64_t i)
{
    const vox_loader_cfg *cfg = &l->cfg;
    const vox_rng base =
        vox_rng_at(cfg->seed, VOX_STREAM(cfg->stream), global_number(cfg, i));
    vox_cases cases = {.count = cfg->cases_per_sample};
    urn u = {.count = vox_dataset_count(cfg->data)};

    const double start = vox_clock();
    double between;
    int rc;

    at->bads = 0;
    for (int k = 0; k < cases.count; k++)
        VOX_TRY(draw_case(l, s, at, &cases, k, &u, base));
    vox_sample_clear(&at->sample);
    between = vox_clock();
    rc = cfg->prepare(&at->sample, &cases, cfg->arg,
                      vox_rng_stream(base, VOX_STREAM("prepare"), 0));
    at->reading = between - start;
    at->preparing = vox_clock() - between;
    return rc;
}

/* Fill the slot of number i. */
static void fill_slot(vox_loader *l, scratch *s, int64_t i)
{
    slot *at = &l->slot[i % l->cfg.ring];

    at->error.code = make_sample(l, s, at, i);
    if (at->error.code != VOX_OK)
        vox_error_take(&at->error);
}

static void release_scratch(scratch *s)
{
    for (int k = 0; k < VOX_CASES_MAX; k++) {
        vox_free(s->item[k].image);
        vox_free(s->item[k].anon);
        vox_free(s->item[k].anat);
    }
}

/* Wait for a number whose slot is free. @return the number, or -1 to end */
static int64_t claim(vox_loader *l)
{
    int64_t i = -1;

    pthread_mutex_lock(&l->lock);
    while (!l->quit && l->claimed < l->total && l->claimed >= l->taken + l->cfg.ring)
        pthread_cond_wait(&l->changed, &l->lock);
    if (!l->quit && l->claimed < l->total)
        i = l->claimed++;
    pthread_mutex_unlock(&l->lock);
    return i;
}

static void *work(void *arg)
{
    vox_loader *l = arg;
    scratch s = {0};
    int64_t i;

    while ((i = claim(l)) >= 0) {
        fill_slot(l, &s, i);
        pthread_mutex_lock(&l->lock);
        l->slot[i % l->cfg.ring].done = 1;
        pthread_cond_broadcast(&l->changed);
        pthread_mutex_unlock(&l->lock);
    }
    release_scratch(&s);
    return NULL;
}

static int check(const vox_loader_cfg *cfg)
{
    if (vox_dataset_count(cfg->data) < 1)
        return vox_fail(VOX_E_MISSING, "no image to draw %s samples from", cfg->stream);
    if (cfg->cases_per_sample < 1 || cfg->cases_per_sample > VOX_CASES_MAX)
        return vox_fail(VOX_E_ARG, "%d cases per sample, wanted 1 to %d",
                        cfg->cases_per_sample, VOX_CASES_MAX);
    return VOX_OK;
}

static int start_threads(vox_loader *l)
{
    for (; l->threads < l->cfg.workers; l->threads++) {
        if (pthread_create(&l->thread[l->threads], NULL, work, l) != 0)
            break;
    }
    return l->threads ? VOX_OK : vox_fail(VOX_E_NOMEM, "cannot start a loader thread");
}

int vox_loader_open(vox_loader **out, const vox_loader_cfg *cfg)
{
    vox_loader *l;
    int rc;

    VOX_TRY(check(cfg));
    l = vox_zalloc(1, sizeof *l);
    if (!l)
        return VOX_E_NOMEM;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    l->cfg = *cfg;
    l->cfg.workers = cfg->workers > 0 ? cfg->workers : 1;
    l->cfg.ring = cfg->ring > 0 ? cfg->ring : 2 * l->cfg.workers;
    l->cfg.max_bad_share = cfg->max_bad_share > 0 ? cfg->max_bad_share : 0.05;
    l->total = count_ours(cfg);
    l->slot = vox_zalloc((size_t)l->cfg.ring, sizeof *l->slot);
    l->thread = vox_zalloc((size_t)l->cfg.workers, sizeof *l->thread);
    l->bad_item = vox_zalloc((size_t)vox_dataset_count(cfg->data), 1);
    rc = l->slot && l->thread && l->bad_item ? start_threads(l) : VOX_E_NOMEM;
    if (rc != VOX_OK) {
        vox_loader_close(l);
        return rc;
    }
    *out = l;
    return VOX_OK;
}

void vox_loader_close(vox_loader *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->quit = 1;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->threads; i++)
        pthread_join(l->thread[i], NULL);
    for (int i = 0; l->slot && i < l->cfg.ring; i++) {
        vox_sample_release(&l->slot[i].sample);
        vox_free(l->slot[i].bad);
    }
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    vox_free(l->bad_item);
    vox_free(l->thread);
    vox_free(l->slot);
    vox_free(l);
}

/* The taker is done with the sample it holds: its slot is free. */
static void give_back(vox_loader *l)
{
    if (!l->holding)
        return;
    l->slot[l->taken % l->cfg.ring].done = 0;
    l->taken++;
    l->holding = 0;
    pthread_cond_broadcast(&l->changed);
}

int vox_loader_next(vox_loader *l, const vox_sample **out)
{
    const double start = vox_clock();
    slot *at;
    int rc = VOX_OK;

    pthread_mutex_lock(&l->lock);
    give_back(l);
    at = &l->slot[l->taken % l->cfg.ring];
    while (l->taken < l->total && !at->done)
        pthread_cond_wait(&l->changed, &l->lock);
    l->holding = l->taken < l->total;
    if (l->holding) {
        rc = count_bad(l, at);
        l->reading += at->reading;
        l->preparing += at->preparing;
    }
    l->waited += vox_clock() - start;
    pthread_mutex_unlock(&l->lock);
    if (!l->holding)
        return vox_fail(VOX_E_MISSING, "all %lld samples were taken", (long long)l->total);
    if (rc == VOX_OK && at->error.code != VOX_OK)
        rc = vox_error_give(&at->error);
    if (rc != VOX_OK)
        return rc;
    *out = &at->sample;
    return VOX_OK;
}

double vox_loader_waited(const vox_loader *l)
{
    return l->waited;
}

void vox_loader_spent(const vox_loader *l, double *reading, double *preparing)
{
    *reading = l->reading;
    *preparing = l->preparing;
}

int64_t vox_loader_bad(const vox_loader *l)
{
    vox_loader *m = (vox_loader *)(uintptr_t)l;
    int64_t bad;

    pthread_mutex_lock(&m->lock);
    bad = m->bad;
    pthread_mutex_unlock(&m->lock);
    return bad;
}
