/* pool: threads that take the next number under a lock. */
#include "base/pool.h"

#include <pthread.h>

#include "base/error.h"

enum { THREADS_MAX = 256 };

typedef struct pool {
    pthread_mutex_t lock; /* guards everything below */
    int64_t next, count;
    int64_t failed; /* the i whose failure is kept, or `count` */
    vox_error error;
    vox_pool_fn fn;
    void *arg;
} pool;

static int take(pool *p, int64_t *i)
{
    int more;

    pthread_mutex_lock(&p->lock);
    more = p->next < p->count && p->failed == p->count;
    *i = p->next;
    p->next += more;
    pthread_mutex_unlock(&p->lock);
    return more;
}

static void keep_failure(pool *p, int64_t i)
{
    vox_error e;

    vox_error_take(&e);
    pthread_mutex_lock(&p->lock);
    if (i < p->failed) {
        p->failed = i;
        p->error = e;
    }
    pthread_mutex_unlock(&p->lock);
}

static void *work(void *arg)
{
    pool *p = arg;
    int64_t i;

    while (take(p, &i)) {
        if (p->fn(p->arg, i) != VOX_OK)
            keep_failure(p, i);
    }
    return NULL;
}

int vox_pool_run(int64_t count, int threads, vox_pool_fn fn, void *arg)
{
    pthread_t thread[THREADS_MAX];
    pool p = {.count = count, .failed = count, .fn = fn, .arg = arg};
    int started = 0;

    if (threads > count)
        threads = (int)count;
    if (threads > THREADS_MAX)
        threads = THREADS_MAX;
    pthread_mutex_init(&p.lock, NULL);
    while (started < threads - 1 && pthread_create(&thread[started], NULL, work, &p) == 0)
        started++;
    work(&p);
    while (started > 0)
        pthread_join(thread[--started], NULL);
    pthread_mutex_destroy(&p.lock);
    return p.failed < count ? vox_error_give(&p.error) : VOX_OK;
}
