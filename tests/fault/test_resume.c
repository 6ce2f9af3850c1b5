/* resume: killed, signalled or out of disk, a run that goes on ends as one that was never
 * stopped; a run folder is never overwritten. */
#include "support/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "support/program.h"

/* A checkpoint after every step, so that every moment of the writing is met. */
#define TINY(out)                                                                    \
    "pretrain", "scans", "--net", "resenc_unet", "--patch", "16", "--batch", "2",    \
        "--epochs", "2", "--steps", "6", "--val-steps", "1", "--set", "mae.block=4", \
        "--set", "resenc_unet.features=[4,8]", "--set", "resenc_unet.blocks=[1,1]",  \
        "--checkpoint-minutes", "1e-9", "--threads", "1", "--workers", "1", "--out", out

static int make_scans(void **state)
{
    (void)state;
    program_remove("scans base* run*");
    program_make_scans("scans", 3, 20);
    assert_int_equal(PROGRAM("base.log", TINY("base")), 0);
    return 0;
}

static int no_run(void **state)
{
    (void)state;
    program_remove("run*");
    return 0;
}

static void sleep_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&t, NULL);
}

/* Wait until the run has done some steps, at most a minute. */
static void wait_for_steps(const char *metrics, int steps)
{
    for (int i = 0; i < 6000 && program_count_lines(metrics, "\"step\"") < steps; i++)
        sleep_ms(10);
}

static pid_t start(const char *log)
{
    return program_start(log, (const char *const[]){TINY("run"), "--resume", NULL});
}

static void finish_and_compare(void)
{
    assert_int_equal(PROGRAM("run.log", TINY("run"), "--resume"), 0);
    program_assert_same_run("base", "run");
}

/* Killed again and again at a random moment; every start goes on where it can. */
static void test_killed_at_random(void **state)
{
    vox_rng rng = vox_rng_at((uint64_t)time(NULL), VOX_STREAM("kill"), 0);
    int kills = 0;

    (void)state;
    for (int i = 0; i < 8; i++) {
        const pid_t pid = start("run.log");

        wait_for_steps("run/metrics.jsonl", 1);
        sleep_ms((long)vox_rng_below(&rng, 400));
        kill(pid, SIGKILL);
        kills += program_wait(pid) == 128 + SIGKILL;
    }
    assert_true(kills > 0);
    finish_and_compare();
}

static void check_signal(int sig, int status)
{
    const int before = program_count_lines("run/metrics.jsonl", "\"step\"");
    const pid_t pid = start("run.log");
    char *said;

    wait_for_steps("run/metrics.jsonl", before + 2); /* its handlers are in place */
    kill(pid, sig);
    assert_int_equal(program_wait(pid), status);
    said = program_said("run.log");
    assert_non_null(strstr(said, "saved at step"));
    vox_free(said);
    assert_true(vox_file_exists("run/checkpoint_latest.pth"));
}

static void test_signals_save_and_leave(void **state)
{
    (void)state;
    check_signal(SIGINT, 130);
    check_signal(SIGTERM, 143);
    check_signal(SIGUSR1, 0);
    finish_and_compare();
}

/* The same with activations stored as bf16, of a net wide enough to have some. */
static void test_bf16_goes_on_exactly(void **state)
{
#define BF16(out) \
    TINY(out), "--precision", "bf16", "--set", "resenc_unet.features=[8,16]", "-q"
    pid_t pid;

    (void)state;
    assert_int_equal(PROGRAM("base16.log", BF16("base16")), 0);
    pid = program_start("run.log", (const char *const[]){BF16("run"), NULL});
    wait_for_steps("run/metrics.jsonl", 2);
    kill(pid, SIGTERM);
    assert_int_equal(program_wait(pid), 143);
    assert_int_equal(PROGRAM("run.log", BF16("run"), "--resume"), 0);
    program_assert_same_run("base16", "run");
    assert_int_equal(PROGRAM("run.log", BF16("run"), "--resume", "--precision", "f32"), 2);
    assert_int_equal(program_count_lines("run.log", "started with \"bf16\""), 1);
}

static void test_damaged_checkpoint_is_passed_over(void **state)
{
    char *said;

    (void)state;
    check_signal(SIGINT, 130);
    assert_true(vox_file_exists("run/checkpoint_previous.pth"));
    assert_int_equal(truncate("run/checkpoint_latest.pth", 5000), 0);
    finish_and_compare();
    assert_true(vox_file_exists("run/checkpoint_latest.pth.damaged"));
    said = program_said("run.log");
    assert_non_null(strstr(said, "checkpoint_latest.pth.damaged"));
    assert_non_null(strstr(said, "1 steps are repeated"));
    vox_free(said);
}

static void test_no_sound_checkpoint_stops(void **state)
{
    (void)state;
    check_signal(SIGINT, 130);
    assert_int_equal(system("for f in run/checkpoint_*.pth; do echo x > $f; done"), 0);
    assert_int_equal(PROGRAM("run.log", TINY("run"), "--resume"), 1);
    assert_int_equal(PROGRAM("run.log", TINY("run"), "--resume"), 1);
    assert_int_equal(PROGRAM("run.log", TINY("run"), "--fresh"), 0);
    program_assert_same_run("base", "run");
}

static void test_a_run_is_not_overwritten(void **state)
{
    char *said;

    (void)state;
    check_signal(SIGINT, 130);
    assert_int_equal(PROGRAM("run.log", TINY("run")), 1);
    said = program_said("run.log");
    assert_non_null(strstr(said, "--resume"));
    assert_non_null(strstr(said, "--fresh"));
    vox_free(said);
    assert_int_equal(PROGRAM("run.log", TINY("run"), "--resume", "--lr", "0.5"), 2);
    finish_and_compare();
    assert_int_equal(PROGRAM("run.log", TINY("run"), "--resume"),
                     0); /* nothing left to do */
    program_assert_same_run("base", "run");
}

static void test_two_at_once(void **state)
{
    const pid_t pid = start("run.log");
    char *said;

    (void)state;
    wait_for_steps("run/metrics.jsonl", 1);
    assert_int_equal(PROGRAM("run2.log", TINY("run"), "--resume"), 1);
    said = program_said("run2.log");
    assert_non_null(strstr(said, "in use by process"));
    vox_free(said);
    assert_int_equal(program_wait(pid), 0);
    program_assert_same_run("base", "run");
}

/* ---- disk ---- */

/* Run with files limited to so many bytes: what a full disk looks like to a writer. */
static int run_limited(rlim_t bytes, const char *const *words)
{
    struct rlimit old, small;
    int status;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    status = program_run("run.log", words);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    return status;
}

static void test_full_from_the_start(void **state)
{
    char *said;

    (void)state;
    assert_int_equal(PROGRAM("run.log", TINY("run"), "--epochs", "1"),
                     0); /* leaves its data */
    assert_int_equal(
        run_limited(20000, (const char *const[]){TINY("run"), "--fresh", "-q", NULL}), 1);
    said = program_said("run.log");
    assert_non_null(strstr(said, "no room for a checkpoint"));
    assert_int_equal(program_count_lines("run.log", "voxmind:"), 1);
    vox_free(said);
    assert_false(vox_file_exists("run/config.json"));
    assert_int_equal(PROGRAM("run.log", TINY("run")), 0);
    program_assert_same_run("base", "run");
}

/* The disk fills while the run goes: it goes on, says so, and fails only for its last file.
 */
static void test_full_later(void **state)
{
    char *said, command[64];
    pid_t pid = start("run.log");

    (void)state;
    wait_for_steps("run/metrics.jsonl", 3);
    kill(pid, SIGSTOP);
    snprintf(command, sizeof command, "prlimit --pid %ld --fsize=20000", (long)pid);
    assert_int_equal(system(command), 0);
    kill(pid, SIGCONT);
    assert_int_equal(program_wait(pid), 1);
    said = program_said("run.log");
    assert_non_null(strstr(said, "the run goes on"));
    assert_non_null(strstr(said, "checkpoint_final.pth: "));
    vox_free(said);
    finish_and_compare();
}

static void test_unwritable_folder(void **state)
{
    char *said;

    (void)state;
    assert_int_equal(vox_file_write("run", "x", 1), VOX_OK);
    assert_int_equal(PROGRAM("run.log", TINY("run/a"), "-q"), 1);
    said = program_said("run.log");
    assert_non_null(strstr(said, "run"));
    assert_int_equal(program_count_lines("run.log", "voxmind:"), 1);
    vox_free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_killed_at_random, no_run),
        cmocka_unit_test_setup(test_signals_save_and_leave, no_run),
        cmocka_unit_test_setup(test_bf16_goes_on_exactly, no_run),
        cmocka_unit_test_setup(test_damaged_checkpoint_is_passed_over, no_run),
        cmocka_unit_test_setup(test_no_sound_checkpoint_stops, no_run),
        cmocka_unit_test_setup(test_a_run_is_not_overwritten, no_run),
        cmocka_unit_test_setup(test_two_at_once, no_run),
        cmocka_unit_test_setup(test_full_from_the_start, no_run),
        cmocka_unit_test_setup(test_full_later, no_run),
        cmocka_unit_test_setup(test_unwritable_folder, no_run),
    };

    return cmocka_run_group_tests(tests, make_scans, NULL);
}
