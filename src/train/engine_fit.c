/*
 * engine_fit: how many samples at once the memory holds.
 *
 * Plans say what they need before there is memory, so asking is building an engine and
 * throwing it away.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "train/engine.h"

static const double gib = 1024.0 * 1024.0 * 1024.0;

int64_t vox_engine_need(const vox_engine *e, int moments)
{
    return (int64_t)vox_engine_bytes(e) +
           e->params->count * (int64_t)sizeof(float) * (2 + moments);
}

/* Bytes with this micro-batch and way to recompute. */
static int need_of(int64_t *bytes, const vox_engine_cfg *cfg, vox_device *dev,
                   int64_t micro, const char *recompute, const vox_room *room)
{
    vox_engine_cfg try = *cfg;
    vox_engine e;

    try.micro = micro;
    try.recompute = recompute;
    VOX_TRY(vox_engine_open(&e, &try, dev));
    *bytes = vox_engine_need(&e, room->moments) + room->other;
    vox_engine_close(&e);
    return VOX_OK;
}

/* Samples that cannot be computed apart are one piece. */
static int64_t least_micro(const vox_engine_cfg *cfg)
{
    return cfg->setup->method->couples ? cfg->batch : 1;
}

/* "; with <options> it needs X GiB" where that is another case than the one at hand. */
static int add_case(vox_buf *out, const vox_engine_cfg *cfg, vox_device *dev,
                    const vox_room *room, int64_t micro, int all, int64_t *least)
{
    const char *recompute = all ? "all" : cfg->recompute;
    char smaller[40] = "";
    int64_t bytes;

    if (micro == cfg->micro && !all)
        return VOX_OK;
    VOX_TRY(need_of(&bytes, cfg, dev, micro, recompute, room));
    *least = bytes < *least ? bytes : *least;
    if (micro < cfg->micro)
        snprintf(smaller, sizeof smaller, " --micro-batch %lld", (long long)micro);
    return vox_buf_printf(out, "; with%s%s it needs %.2f GiB", smaller,
                          all ? " --recompute" : "", (double)bytes / gib);
}

/* What could be done, each with its need. */
static int add_advice(vox_buf *out, const vox_engine_cfg *cfg, vox_device *dev,
                      const vox_room *room)
{
    const int is_all = cfg->recompute && strcmp(cfg->recompute, "all") == 0;
    const int64_t micro = least_micro(cfg);
    int64_t least = INT64_MAX;

    VOX_TRY(add_case(out, cfg, dev, room, micro, 0, &least));
    if (!is_all)
        VOX_TRY(add_case(out, cfg, dev, room, cfg->micro, 1, &least));
    if (!is_all && micro < cfg->micro)
        VOX_TRY(add_case(out, cfg, dev, room, micro, 1, &least));
    if (least <= room->free)
        return VOX_OK;
    return vox_buf_printf(out, "; a smaller --patch%s needs less",
                          cfg->setup->method->couples ? " or --batch" : "");
}

static int refuse(const vox_engine_cfg *cfg, vox_device *dev, const vox_room *room,
                  int64_t bytes)
{
    vox_buf advice = VOX_BUF_INIT;
    int rc = add_advice(&advice, cfg, dev, room);

    if (rc == VOX_OK)
        rc = vox_fail(VOX_E_NOMEM,
                      "a step of %lld sample%s at once (--micro-batch) needs %.2f GiB, "
                      "%.2f GiB are free%s",
                      (long long)cfg->micro, cfg->micro == 1 ? "" : "s",
                      (double)bytes / gib, (double)room->free / gib, vox_buf_text(&advice));
    vox_buf_release(&advice);
    return rc;
}

int vox_engine_check(const vox_engine_cfg *cfg, vox_device *dev, const vox_room *room)
{
    int64_t bytes;

    VOX_TRY(need_of(&bytes, cfg, dev, cfg->micro, cfg->recompute, room));
    return bytes <= room->free ? VOX_OK : refuse(cfg, dev, room, bytes);
}

int vox_engine_fit(int64_t *micro, const vox_engine_cfg *cfg, vox_device *dev,
                   const vox_room *room)
{
    const int64_t comfort = room->free / 10 * 9;
    int64_t low = least_micro(cfg), high = cfg->batch, bytes;
    vox_engine_cfg try = *cfg;

    try.micro = low;
    VOX_TRY(vox_engine_check(&try, dev, room));
    while (low < high) { /* `low` fits, above `high` nothing does */
        const int64_t mid = low + (high - low + 1) / 2;

        VOX_TRY(need_of(&bytes, cfg, dev, mid, cfg->recompute, room));
        if (bytes <= comfort)
            low = mid;
        else
            high = mid - 1;
    }
    *micro = low;
    return VOX_OK;
}
