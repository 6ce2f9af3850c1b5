/* device: opening one by name, and the calls that count what is allocated. */
#include "graph/device.h"

#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "graph/device_impl.h"

static void *cpu_alloc(vox_device *d, size_t bytes)
{
    (void)d;
    return vox_alloc(bytes, 1);
}

static void cpu_free(vox_device *d, void *p, size_t bytes)
{
    (void)d;
    (void)bytes;
    vox_free(p);
}

static int cpu_copy(vox_device *d, void *dst, const void *src, size_t bytes)
{
    (void)d;
    memcpy(dst, src, bytes);
    return VOX_OK;
}

static void cpu_run(vox_device *d, void (*fn)(void *arg), void *arg)
{
    vox_team_run(d->team, fn, arg);
}

static void cpu_sync(vox_device *d)
{
    (void)d;
}

static void *cpu_real(vox_device *d, void *p)
{
    (void)d;
    return p;
}

const vox_device_type vox_device_cpu = {
    .name = "cpu",
    .alloc = cpu_alloc,
    .free = cpu_free,
    .upload = cpu_copy,
    .download = cpu_copy,
    .run = cpu_run,
    .sync = cpu_sync,
    .real = cpu_real,
    .release = cpu_sync,
};

int vox_device_open(vox_device **out, const vox_device_cfg *cfg)
{
    const vox_cpu_path *path;
    vox_device *d;
    int rc = VOX_OK;

    if (strcmp(cfg->name, "cpu") && strcmp(cfg->name, "fake"))
        return vox_fail(VOX_E_ARG, "unknown device \"%s\", wanted cpu or fake", cfg->name);
    VOX_TRY(vox_cpu_path_find(&path, cfg->path));
    d = vox_zalloc(1, sizeof *d);
    if (!d)
        return VOX_E_NOMEM;
    d->type = &vox_device_cpu;
    d->path = path->name;
    d->blocked = path->blocked;
    d->kernels = path->kernels;
    d->steps = path->steps;
    d->winograd = cfg->winograd;
    d->ctx = (vox_context){cfg->threads > 0 ? cfg->threads : vox_cpu_cores(), 0, 1};
    rc = vox_team_new(&d->team, d->ctx.threads);
    if (rc == VOX_OK && strcmp(cfg->name, "fake") == 0)
        rc = vox_device_fake_start(d);
    if (rc != VOX_OK) {
        vox_team_free(d->team);
        vox_free(d);
        return rc;
    }
    *out = d;
    return VOX_OK;
}

void vox_device_close(vox_device *d)
{
    if (!d)
        return;
    vox_device_sync(d);
    d->type->release(d);
    vox_team_free(d->team);
    vox_free(d);
}

const vox_kernel *vox_device_kernel(const vox_device *d, const vox_problem *q)
{
    for (const vox_kernel *const *k = d->kernels; *k; k++) {
        if (strcmp((*k)->op, q->op->name) == 0 && (*k)->supports(q))
            return *k;
    }
    return NULL;
}

void *vox_device_alloc(vox_device *d, size_t bytes)
{
    void *p = d->type->alloc(d, bytes);

    if (!p)
        return NULL;
    d->live += (int64_t)bytes;
    if (d->live > d->peak)
        d->peak = d->live;
    return p;
}

void vox_device_free(vox_device *d, void *p, size_t bytes)
{
    if (!p)
        return;
    d->live -= (int64_t)bytes;
    d->type->free(d, p, bytes);
}

int vox_device_upload(vox_device *d, void *dst, const void *src, size_t bytes)
{
    return d->type->upload(d, dst, src, bytes);
}

int vox_device_download(vox_device *d, void *dst, const void *src, size_t bytes)
{
    return d->type->download(d, dst, src, bytes);
}

void vox_device_run(vox_device *d, void (*fn)(void *arg), void *arg)
{
    d->type->run(d, fn, arg);
}

void vox_device_sync(vox_device *d)
{
    d->type->sync(d);
}
