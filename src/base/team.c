/*
 * team: a barrier that spins or sleeps, and one word from which indices are taken.
 *
 * Barrier: the last member to arrive ends the round. The others poll for that, long while
 * the machine is the team's own, as sleeping and waking many threads takes longer than they
 * wait; but soon asleep while it is crowded, for then a core that polls may be the one the
 * late member waits for. It is crowded for a while after a late member has found that it
 * did not run all the time since it last looked.
 *
 * Loops: the word holds the number of a loop and the first index of it that nobody has. A
 * member takes a share of what is left, at least one index, by a compare-and-swap. Who
 * finds the number of an earlier loop opens its own; who finds a later one knows that its
 * own loop was taken to the end, for nobody leaves a loop before. So loops need no barrier
 * between them.
 */
#include "base/team.h"

#include <pthread.h>
#include <semaphore.h>
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

/* Seconds. */
#define SPIN         1e-3  /* longer than members of an undisturbed team wait */
#define SPIN_CROWDED 30e-6 /* about what falling asleep and waking costs */
#define OFF          1e-4  /* a member that was not running for so long lost its core */
#define DRIFT        1e-3  /* per second: twice what time servers may slew one clock by */
#define CROWDED      50e-3 /* some turns of the system's scheduler */

typedef struct member {
    alignas(LINE) vox_team *team;
    int number;
    uint64_t loop;      /* loops met */
    double looked, off; /* vox_clock() and the time off when last looked at */
    atomic_int asleep;
    sem_t wake;
    pthread_t thread;
} member;

struct vox_team {
    alignas(LINE) _Atomic uint64_t word;
    alignas(LINE) atomic_int arrived; /* members at the barrier */
    alignas(LINE) atomic_uint round;  /* barriers passed */
    atomic_int sleepers;
    _Atomic double crowded; /* until then, by vox_clock */
    int threads, may_spin;
    void (*fn)(void *arg); /* NULL: the end */
    void *arg;
    member *member;
};

static _Thread_local member *self; /* NULL outside of a run */

/* ---- barrier ---- */

/* Time that the calling thread was not running since it last looked, beyond what the two
 * clocks may have drifted apart meanwhile. */
static double time_off(member *m)
{
    const double now = vox_clock(), off = now - vox_clock_thread();
    const double since = off - m->off - DRIFT * (now - m->looked);

    m->looked = now;
    m->off = off;
    return since;
}

/* Poll until the round is over or it has taken too long. @return is it over? */
static int spin(vox_team *t, unsigned round)
{
    const double start = vox_clock();
    const double crowded = atomic_load_explicit(&t->crowded, memory_order_relaxed);
    const double end = start + (start < crowded ? SPIN_CROWDED : SPIN);

    do {
        for (int i = 0; i < POLLS; i++) {
            if (atomic_load_explicit(&t->round, memory_order_acquire) != round)
                return 1;
            VOX_PAUSE();
        }
    } while (vox_clock() < end);
    return 0;
}

/* The sleeper says so, then looks at the round; who ends the round then looks for sleepers:
 * one of them sees the other. Both may: then the wake-up is on its way. One may also come
 * from somebody who is still waking for the round before. */
static void sleep_until_over(member *m, unsigned round)
{
    vox_team *t = m->team;

    atomic_fetch_add(&t->sleepers, 1);
    while (atomic_load(&t->round) == round) {
        atomic_store(&m->asleep, 1);
        if (atomic_load(&t->round) != round && atomic_exchange(&m->asleep, 0))
            break;                      /* nobody will wake it */
        while (sem_wait(&m->wake) != 0) /* a signal came */
            continue;
    }
    atomic_fetch_sub(&t->sleepers, 1);
    time_off(m); /* asleep by its own will */
}

static void end_round(vox_team *t)
{
    atomic_store_explicit(&t->arrived, 0, memory_order_relaxed);
    atomic_fetch_add(&t->round, 1);
    for (int i = 0; atomic_load(&t->sleepers) > 0 && i < t->threads; i++) {
        if (atomic_exchange(&t->member[i].asleep, 0))
            sem_post(&t->member[i].wake);
    }
}

/* The last to arrive: was it late because its core was taken? */
static void look_for_crowd(member *m)
{
    if (time_off(m) > OFF)
        atomic_store_explicit(&m->team->crowded, vox_clock() + CROWDED,
                              memory_order_relaxed);
}

static void meet(member *m)
{
    vox_team *t = m->team;
    const unsigned round = atomic_load_explicit(&t->round, memory_order_relaxed);

    if (atomic_fetch_add(&t->arrived, 1) == t->threads - 1) {
        end_round(t);
        if (t->may_spin)
            look_for_crowd(m);
    } else if (!t->may_spin || !spin(t, round)) {
        sleep_until_over(m, round);
    }
}

void vox_barrier(void)
{
    if (self)
        meet(self);
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
    VOX_ASSERT(count >= 0 && count <= (int64_t)INDEX_MASK);
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

    sleep_until_over(m, 0); /* until it is known how many members there are */
    self = m;
    for (;;) {
        meet(m);
        if (!t->fn)
            return NULL;
        t->fn(t->arg);
        meet(m);
    }
}

static void init(vox_team *t, int threads)
{
    t->may_spin = threads <= vox_cpu_cores();
    for (int i = 0; i < threads; i++) {
        t->member[i].team = t;
        t->member[i].number = i;
        sem_init(&t->member[i].wake, 0, 0);
    }
}

/* @return how many members there are */
static int start(vox_team *t, int threads)
{
    int n = 1;

    while (n < threads &&
           pthread_create(&t->member[n].thread, NULL, work, &t->member[n]) == 0)
        n++;
    t->threads = n;
    end_round(t); /* what they have waited for */
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
    t->fn = NULL;
    meet(&t->member[0]);
    for (int i = 1; i < t->threads; i++)
        pthread_join(t->member[i].thread, NULL);
    for (int i = 0; i < t->threads; i++)
        sem_destroy(&t->member[i].wake);
    vox_free(t->member);
    vox_free(t);
}

void vox_team_run(vox_team *t, void (*fn)(void *arg), void *arg)
{
    member *outer = self;

    self = &t->member[0];
    time_off(self); /* another thread may have been number 0 before */
    t->fn = fn;
    t->arg = arg;
    meet(self);
    fn(arg);
    meet(self);
    for (int i = 1; i < t->threads; i++) /* or an index would be taken for another loop's */
        VOX_ASSERT(t->member[i].loop == t->member[0].loop);
    self = outer;
}
