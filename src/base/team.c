/*
 * team: a barrier that soon sleeps, and one word from which indices are taken.
 *
 * The word holds the number of a loop and the first index of it that nobody has. A member
 * takes a share of what is left, at least one index, by a compare-and-swap. Who finds the
 * number of an earlier loop opens its own; who finds a later one knows that its own loop
 * was taken to the end, for nobody leaves a loop before. So loops need no barrier between
 * them.
 */
#include "base/team.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"

enum {
    LINE = 64,       /* bytes that cores pass to each other at once */
    INDEX_BITS = 40, /* of the word; the others count loops */
    SHARES = 4,      /* a member takes this part of its share of what is left */
    POLLS = 64       /* looks at the barrier between looks at the clock */
};

#define INDEX_MASK (((uint64_t)1 << INDEX_BITS) - 1)
#define SPIN       30e-6 /* seconds; more than a balanced loop makes members wait */

typedef struct member {
    alignas(LINE) vox_team *team;
    int number;
    uint64_t loop; /* loops met */
    pthread_t thread;
} member;

struct vox_team {
    alignas(LINE) _Atomic uint64_t word;
    alignas(LINE) atomic_int arrived; /* members at the barrier */
    alignas(LINE) atomic_uint round;  /* barriers passed */
    atomic_int sleepers;
    pthread_mutex_t lock; /* of `passed` */
    pthread_cond_t passed;
    double spin;
    int threads;
    void (*fn)(void *arg); /* NULL: the end */
    void *arg;
    member *member;
};

static _Thread_local member *self; /* NULL outside of a run */

/* ---- barrier ---- */

/* Poll until the round is over or it has taken too long. @return is it over? */
static int spin(vox_team *t, unsigned round)
{
    const double end = vox_clock() + t->spin;

    do {
        for (int i = 0; i < POLLS; i++) {
            if (atomic_load_explicit(&t->round, memory_order_acquire) != round)
                return 1;
            VOX_PAUSE();
        }
    } while (vox_clock() < end);
    return 0;
}

/* The sleeper counts itself, then looks at the round; the waker ends the round, then looks
 * at the sleepers: one of them sees the other. */
static void sleep_until_over(vox_team *t, unsigned round)
{
    pthread_mutex_lock(&t->lock);
    atomic_fetch_add(&t->sleepers, 1);
    while (atomic_load(&t->round) == round)
        pthread_cond_wait(&t->passed, &t->lock);
    atomic_fetch_sub(&t->sleepers, 1);
    pthread_mutex_unlock(&t->lock);
}

static void end_round(vox_team *t)
{
    atomic_store_explicit(&t->arrived, 0, memory_order_relaxed);
    atomic_fetch_add(&t->round, 1);
    if (atomic_load(&t->sleepers) == 0)
        return;
    pthread_mutex_lock(&t->lock);
    pthread_cond_broadcast(&t->passed);
    pthread_mutex_unlock(&t->lock);
}

static void meet(vox_team *t)
{
    const unsigned round = atomic_load_explicit(&t->round, memory_order_relaxed);

    if (atomic_fetch_add(&t->arrived, 1) == t->threads - 1)
        end_round(t);
    else if (t->spin <= 0 || !spin(t, round))
        sleep_until_over(t, round);
}

void vox_barrier(void)
{
    if (self)
        meet(self->team);
}

/* ---- loops ---- */

/* The first index of loop number `loop` that nobody has taken; `count` when all are. */
static int64_t first_free(uint64_t word, uint64_t loop, int64_t count)
{
    const int64_t ahead = (int64_t)((loop << INDEX_BITS) - (word & ~INDEX_MASK));
    const int64_t index = (int64_t)(word & INDEX_MASK);

    if (ahead > 0) /* the word is still about a loop before */
        return 0;
    return ahead < 0 || index > count ? count : index;
}

static void take(vox_share *s, vox_team *t, uint64_t loop)
{
    uint64_t word = atomic_load_explicit(&t->word, memory_order_relaxed), next;

    do {
        int64_t run;

        s->begin = s->end = first_free(word, loop, s->count);
        if (s->begin == s->count)
            return;
        run = (s->count - s->begin) / (SHARES * t->threads);
        s->end += run > 1 ? run : 1;
        next = loop << INDEX_BITS | (uint64_t)s->end;
    } while (!atomic_compare_exchange_weak_explicit(
        &t->word, &word, next, memory_order_relaxed, memory_order_relaxed));
}

vox_share vox_share_first(int64_t count)
{
    vox_share s = {0, count, count};

    if (!self || self->team->threads == 1)
        return s;
    VOX_ASSERT(count <= (int64_t)INDEX_MASK);
    self->loop++;
    take(&s, self->team, self->loop);
    return s;
}

void vox_share_next(vox_share *s)
{
    if (!self || self->team->threads == 1)
        s->begin = s->end;
    else
        take(s, self->team, self->loop);
}

/* ---- runs ---- */

int vox_team_member(void)
{
    return self ? self->number : 0;
}

static void *work(void *arg)
{
    member *m = arg;
    vox_team *t = m->team;

    pthread_mutex_lock(&t->lock); /* held until it is known how many members there are */
    pthread_mutex_unlock(&t->lock);
    self = m;
    for (;;) {
        meet(t);
        if (!t->fn)
            return NULL;
        t->fn(t->arg);
        meet(t);
    }
}

static void init(vox_team *t, int threads)
{
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->passed, NULL);
    t->spin = threads <= vox_cpu_cores() ? SPIN : 0;
    for (int i = 0; i < threads; i++) {
        t->member[i].team = t;
        t->member[i].number = i;
    }
}

/* @return how many members there are */
static int start(vox_team *t, int threads)
{
    int n = 1;

    pthread_mutex_lock(&t->lock);
    while (n < threads &&
           pthread_create(&t->member[n].thread, NULL, work, &t->member[n]) == 0)
        n++;
    t->threads = n;
    pthread_mutex_unlock(&t->lock);
    return n;
}

int vox_team_new(vox_team **out, int threads)
{
    vox_team *t = vox_zalloc(1, sizeof *t);
    int n;

    if (!t)
        return VOX_E_NOMEM;
    t->member = vox_zalloc((size_t)threads, sizeof *t->member);
    if (!t->member) {
        vox_free(t);
        return VOX_E_NOMEM;
    }
    init(t, threads);
    n = start(t, threads);
    if (n < threads) {
        vox_team_free(t);
        return vox_fail(VOX_E_NOMEM, "cannot start thread %d of %d", n + 1, threads);
    }
    *out = t;
    return VOX_OK;
}

void vox_team_free(vox_team *t)
{
    if (!t)
        return;
    t->fn = NULL; /* the end */
    meet(t);
    for (int i = 1; i < t->threads; i++)
        pthread_join(t->member[i].thread, NULL);
    pthread_cond_destroy(&t->passed);
    pthread_mutex_destroy(&t->lock);
    vox_free(t->member);
    vox_free(t);
}

void vox_team_run(vox_team *t, void (*fn)(void *arg), void *arg)
{
    member *outer = self;

    self = &t->member[0];
    t->fn = fn;
    t->arg = arg;
    meet(t);
    fn(arg);
    meet(t);
    for (int i = 1; i < t->threads; i++) /* or an index would be taken for another loop's */
        VOX_ASSERT(t->member[i].loop == t->member[0].loop);
    self = outer;
}
