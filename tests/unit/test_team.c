/* team: every index once, barriers that hold, members that wait asleep. No test looks at
 * how long anything takes but for one that cannot fail because the machine is slow. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/team.h"
#include "support/unit.h"

static const int sizes[] = {1, 2, 3, 8, 64};

static void run_on(int threads, void (*fn)(void *arg), void *arg)
{
    vox_team *team;

    assert_int_equal(vox_team_new(&team, threads), VOX_OK);
    vox_team_run(team, fn, arg);
    vox_team_free(team);
}

static void nap(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* ---- loops ---- */

enum { LOOPS = 40, MOST = 500 };

/* Lengths of the loops: 0, 1, and many, without a barrier between them. */
static int64_t length(int loop)
{
    return loop % 3 == 0 ? loop % 2 : loop * 37 % MOST;
}

static atomic_int seen[LOOPS][MOST];

static void mark_all(void *arg)
{
    (void)arg;
    for (int loop = 0; loop < LOOPS; loop++) {
        VOX_SHARE(i, length(loop))
            atomic_fetch_add(&seen[loop][i], 1);
    }
}

static void assert_seen(int times)
{
    for (int loop = 0; loop < LOOPS; loop++) {
        for (int i = 0; i < MOST; i++)
            assert_int_equal(atomic_load(&seen[loop][i]), i < length(loop) ? times : 0);
    }
}

static void every_index_once(void **state)
{
    (void)state;
    for (int k = 0; k < VOX_COUNT(sizes); k++) {
        vox_team *team;

        memset(seen, 0, sizeof seen);
        assert_int_equal(vox_team_new(&team, sizes[k]), VOX_OK);
        for (int times = 1; times <= 3; times++) { /* runs of one team */
            vox_team_run(team, mark_all, NULL);
            assert_seen(times);
        }
        vox_team_free(team);
    }
    memset(seen, 0, sizeof seen);
    mark_all(NULL); /* without a team */
    assert_seen(1);
}

/* Whoever gets index 0 keeps it until another member has done all the rest. */
typedef struct held {
    atomic_int done;
    int complete;
} held;

static void hold_first(void *arg)
{
    held *h = arg;
    const int64_t count = 8; /* few: handed out one by one to two members */
    const double give_up = vox_clock() + 60;

    VOX_SHARE(i, count) {
        while (i == 0 && atomic_load(&h->done) < count - 1 && vox_clock() < give_up)
            nap(1);
        if (i == 0)
            h->complete = atomic_load(&h->done) == count - 1;
        atomic_fetch_add(&h->done, 1);
    }
}

static void held_up_member_does_less(void **state)
{
    held h = {0};

    (void)state;
    run_on(2, hold_first, &h);
    assert_true(h.complete);
}

/* ---- barriers ---- */

enum { ROUNDS = 200 };

typedef struct table {
    int threads;
    int written[64]; /* plain memory: the barriers alone order it */
    atomic_int wrong;
} table;

/* Everyone writes the round's number, then looks at what all others wrote. */
static void write_and_look(void *arg)
{
    table *t = arg;

    for (int round = 1; round <= ROUNDS; round++) {
        t->written[vox_team_member()] = round;
        if (round % 50 == 0 && vox_team_member() == round / 50 % t->threads)
            nap(2); /* late: the others fall asleep */
        vox_barrier();
        for (int k = 0; k < t->threads; k++)
            atomic_fetch_add(&t->wrong, t->written[k] != round);
        vox_barrier();
    }
}

static void barriers_hold(void **state)
{
    (void)state;
    for (int k = 0; k < VOX_COUNT(sizes); k++) {
        table t = {.threads = sizes[k]};

        run_on(sizes[k], write_and_look, &t);
        assert_int_equal(atomic_load(&t.wrong), 0);
        for (int i = 0; i < sizes[k]; i++)
            assert_int_equal(t.written[i], ROUNDS);
    }
}

/* CPU time of a member that waits for one that is late. A spinning one would use all of it;
 * on a busy machine less, so this may miss a fault but never makes one up. */
static void wait_for_late(void *arg)
{
    double *cpu = arg;

    if (vox_team_member() == 0) {
        nap(500);
        vox_barrier();
    } else {
        const double start = vox_clock_thread();

        vox_barrier();
        *cpu = vox_clock_thread() - start;
    }
}

static void waiting_is_sleeping(void **state)
{
    double cpu = 1.0;

    (void)state;
    run_on(2, wait_for_late, &cpu);
    assert_true(cpu < 0.1);
}

/* ---- teams ---- */

typedef struct nested {
    vox_team *inner;
    int member_before, member_after, inside[2];
} nested;

static void note_inside(void *arg)
{
    nested *n = arg;

    n->inside[vox_team_member()]++;
    vox_barrier();
}

static void run_inner(void *arg)
{
    nested *n = arg;

    if (vox_team_member() == 1) {
        n->member_before = vox_team_member();
        vox_team_run(n->inner, note_inside, n);
        n->member_after = vox_team_member();
    }
    vox_barrier();
}

static void a_run_within_a_run(void **state)
{
    nested n = {0};

    (void)state;
    assert_int_equal(vox_team_new(&n.inner, 2), VOX_OK);
    run_on(3, run_inner, &n);
    vox_team_free(n.inner);
    assert_int_equal(n.member_before, 1);
    assert_int_equal(n.member_after, 1);
    assert_int_equal(n.inside[0], 1);
    assert_int_equal(n.inside[1], 1);
    assert_int_equal(vox_team_member(), 0);
}

static void *run_elsewhere(void *arg)
{
    vox_team_run(arg, mark_all, NULL);
    return NULL;
}

/* A team belongs to no thread: the next run may come from another one. */
static void runs_from_other_threads(void **state)
{
    vox_team *team;
    pthread_t thread;

    (void)state;
    memset(seen, 0, sizeof seen);
    assert_int_equal(vox_team_new(&team, 3), VOX_OK);
    for (int times = 1; times <= 2; times++) {
        assert_int_equal(pthread_create(&thread, NULL, run_elsewhere, team), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        vox_team_run(team, mark_all, NULL);
        assert_seen(2 * times);
    }
    vox_team_free(team);
}

static void no_memory_no_team(void **state)
{
    vox_team *team = NULL;

    (void)state;
    for (int64_t n = 1; n <= 2; n++) {
        vox_mem_fail_at(n);
        assert_int_equal(vox_team_new(&team, 2), VOX_E_NOMEM);
        vox_mem_fail_at(0);
        assert_null(team);
    }
    vox_team_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_once),   cmocka_unit_test(held_up_member_does_less),
        cmocka_unit_test(barriers_hold),      cmocka_unit_test(waiting_is_sleeping),
        cmocka_unit_test(a_run_within_a_run), cmocka_unit_test(runs_from_other_threads),
        cmocka_unit_test(no_memory_no_team),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
