/*
 * device_fake: the CPU's kernels behind another address space and an asynchronous queue.
 *
 * Its addresses are the true ones moved by TAG into a range no process can map, so any use
 * on the host faults at once. New memory is filled with 0xff (NaN as f32). Jobs run later,
 * on a thread of their own, in order. An engine that passes here assumes no host pointers.
 */
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "graph/device_impl.h"

#define TAG ((uintptr_t)1 << 62)

enum { QUEUE = 64 };

typedef struct job {
    void (*fn)(void *arg); /* NULL: a copy */
    void *arg;
    void *dst;
    const void *src;
    void *staged; /* copy of an upload's source, freed when done */
    size_t bytes;
} job;

typedef struct fake {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    job queue[QUEUE];
    int head, count, busy, quit;
} fake;

static void *real(vox_device *d, void *p)
{
    (void)d;
    return p ? (void *)((uintptr_t)p - TAG) : NULL;
}

static void run_job(vox_device *d, const job *j)
{
    if (j->fn)
        vox_team_run(d->team, j->fn, j->arg);
    else
        memcpy(j->dst, j->src, j->bytes);
    vox_free(j->staged);
}

static void *work(void *arg)
{
    vox_device *d = arg;
    fake *f = d->own;

    pthread_mutex_lock(&f->lock);
    for (;;) {
        job j;

        while (f->count == 0 && !f->quit)
            pthread_cond_wait(&f->changed, &f->lock);
        if (f->count == 0)
            break;
        j = f->queue[f->head];
        f->head = (f->head + 1) % QUEUE;
        f->count--;
        f->busy = 1;
        pthread_mutex_unlock(&f->lock);
        run_job(d, &j);
        pthread_mutex_lock(&f->lock);
        f->busy = 0;
        pthread_cond_broadcast(&f->changed);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void enqueue(vox_device *d, job j)
{
    fake *f = d->own;

    pthread_mutex_lock(&f->lock);
    while (f->count == QUEUE)
        pthread_cond_wait(&f->changed, &f->lock);
    f->queue[(f->head + f->count++) % QUEUE] = j;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static void sync_queue(vox_device *d)
{
    fake *f = d->own;

    pthread_mutex_lock(&f->lock);
    while (f->count > 0 || f->busy)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

static void *fake_alloc(vox_device *d, size_t bytes)
{
    void *p = vox_alloc(bytes, 1);

    (void)d;
    if (!p)
        return NULL;
    memset(p, 0xff, bytes);
    return (void *)((uintptr_t)p + TAG);
}

static void fake_free(vox_device *d, void *p, size_t bytes)
{
    (void)bytes;
    sync_queue(d);
    vox_free(real(d, p));
}

static int upload(vox_device *d, void *dst, const void *src, size_t bytes)
{
    void *staged = vox_alloc(bytes, 1);

    if (!staged)
        return VOX_E_NOMEM;
    memcpy(staged, src, bytes);
    enqueue(d, (job){.dst = real(d, dst), .src = staged, .staged = staged, .bytes = bytes});
    return VOX_OK;
}

static int download(vox_device *d, void *dst, const void *src, size_t bytes)
{
    enqueue(d,
            (job){.dst = dst, .src = (const void *)((uintptr_t)src - TAG), .bytes = bytes});
    sync_queue(d);
    return VOX_OK;
}

static void run(vox_device *d, void (*fn)(void *arg), void *arg)
{
    enqueue(d, (job){.fn = fn, .arg = arg});
}

static void release(vox_device *d)
{
    fake *f = d->own;

    pthread_mutex_lock(&f->lock);
    f->quit = 1;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    vox_free(f);
}

static const vox_device_type type = {
    .name = "fake",
    .alloc = fake_alloc,
    .free = fake_free,
    .upload = upload,
    .download = download,
    .run = run,
    .sync = sync_queue,
    .real = real,
    .release = release,
};

int vox_device_fake_start(vox_device *d)
{
    fake *f = vox_zalloc(1, sizeof *f);

    if (!f)
        return VOX_E_NOMEM;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    d->type = &type;
    d->own = f;
    if (pthread_create(&f->thread, NULL, work, d) == 0)
        return VOX_OK;
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    vox_free(f);
    return vox_fail(VOX_E_NOMEM, "cannot start the fake device's thread");
}
