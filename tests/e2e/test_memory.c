/*
 * memory: what a run is told to recompute changes no bit, what it takes is what was
 * estimated, and too little is said before the first step.
 */
#include "support/unit.h"

#include <json-c/json_object.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "support/program.h"

/* Sanitizers keep shadows and freed blocks: a process is then what they make of it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

#define TINY                                                                              \
    "pretrain", "scans", "--net", "resenc_unet", "--patch", "16", "--batch", "2",         \
        "--micro-batch", "1", "--steps", "3", "--val-steps", "1", "--set", "mae.block=4", \
        "--set", "resenc_unet.features=[4,8,16]", "--set", "resenc_unet.blocks=[1,2,1]",  \
        "--threads", "2", "-q"

/* Two epochs: loader threads are there beside those of validation. */
#define WHOLE                                                                  \
    "--net", "resenc_xs", "--steps", "3", "--val-steps", "2", "--epochs", "2", \
        "--threads", "2", "--workers", "2"

static int make_scans(void **state)
{
    (void)state;
    program_remove("scans base* none* all* some* fake* again* large* limited* small*");
    program_make_scans("scans", 3, 48);
    assert_int_equal(PROGRAM("base.log", TINY, "--epochs", "2", "--out", "base"), 0);
    return 0;
}

static void test_recomputing_changes_no_bit(void **state)
{
    (void)state;
    assert_int_equal(
        PROGRAM("none.log", TINY, "--epochs", "2", "--out", "none", "--recompute=none"), 0);
    program_assert_same_run("base", "none");
    assert_int_equal(
        PROGRAM("all.log", TINY, "--epochs", "2", "--out", "all", "--recompute"), 0);
    program_assert_same_run("base", "all");
    assert_int_equal(PROGRAM("some.log", TINY, "--epochs", "2", "--out", "some",
                             "--recompute=encoder.stages.1,decoder.stages.1"),
                     0);
    program_assert_same_run("base", "some");
    assert_int_equal(PROGRAM("fake.log", TINY, "--epochs", "2", "--out", "fake",
                             "--recompute", "--device", "fake"),
                     0);
    program_assert_same_run("base", "fake");
}

/* The value of a key in a JSON file: new text, vox_free. */
static char *key_of(const char *path, const char *key)
{
    json_object *o = NULL;
    char *text;

    if (vox_json_read(&o, path) != VOX_OK)
        fail_msg("%s", vox_error_text());
    text = vox_strdup(json_object_get_string(vox_json_get(o, key)));
    json_object_put(o);
    return text;
}

static void test_the_choice_stays_with_the_run(void **state)
{
    char *text;

    (void)state;
    text = key_of("base/config.json", "recompute");
    assert_string_equal(text, "cheap");
    vox_free(text);
    assert_int_equal(PROGRAM("again.log", TINY, "--epochs", "1", "--out", "again",
                             "--recompute=encoder.stages.1"),
                     0);
    assert_int_equal(
        PROGRAM("again.log", TINY, "--epochs", "2", "--out", "again", "--resume"), 0);
    text = key_of("again/config.json", "recompute");
    assert_string_equal(text, "encoder.stages.1");
    vox_free(text);
}

static void test_scopes_must_exist(void **state)
{
    char *said;

    (void)state;
    assert_int_equal(PROGRAM("small.log", TINY, "--epochs", "1", "--out", "small",
                             "--recompute=encoder.stage"),
                     2);
    said = program_said("small.log");
    assert_non_null(strstr(said, "nothing is called \"encoder.stage\""));
    vox_free(said);
}

/* Peak of the largest child that was waited for. */
static double children_peak(void)
{
    struct rusage use;

    assert_int_equal(getrusage(RUSAGE_CHILDREN, &use), 0);
    return (double)use.ru_maxrss * 1024;
}

/* Within 5 %, or what versions of libraries may differ by. The smaller run is half program
 * and loader, the larger one mostly activations; they are run in this order, as the peak is
 * that of all children. */
static void test_the_estimate_is_the_peak(void **state)
{
    static const char *const patch[] = {"32", "48"};

    (void)state;
    if (SANITIZED)
        skip();
    for (int i = 0; i < 2; i++) {
        double estimate, peak, most;
        char *text;

        program_remove("large*");
        assert_int_equal(
            PROGRAM("large.json", "estimate", WHOLE, "--patch", patch[i], "--json"), 0);
        text = key_of("large.json", "memory_bytes");
        sscanf(text, "%lf", &estimate);
        vox_free(text);
        assert_int_equal(PROGRAM("large.log", "pretrain", "scans", WHOLE, "--patch",
                                 patch[i], "--out", "large"),
                         0);
        peak = children_peak();
        print_message("estimate %.1f MiB, peak %.1f MiB\n", estimate / (1 << 20),
                      peak / (1 << 20));
        most = fmax(0.05 * peak, 4 << 20);
        assert_true(estimate > peak - most && estimate < peak + most);
    }
}

/* Processes from now on have so much address space; `was` is what they had. */
static void limit_space(struct rlimit *was, rlim_t bytes)
{
    struct rlimit small;

    assert_int_equal(getrlimit(RLIMIT_AS, was), 0);
    small = *was;
    small.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_AS, &small), 0);
}

/* What is said to fit does: the run ends, in pieces that are smaller than its batch. The C
 * library reserves space for every thread without using it, which only such a limit counts:
 * here it must not. */
static void test_a_run_stays_within_a_limit(void **state)
{
    struct rlimit was;
    char *micro;
    int rc;

    (void)state;
    if (SANITIZED)
        skip();
    setenv("MALLOC_ARENA_MAX", "1", 1);
    limit_space(&was, 1200 << 20);
    rc = PROGRAM("large.log", "pretrain", "scans", WHOLE, "--patch", "64", "--batch", "12",
                 "--steps", "1", "--val-steps", "1", "--epochs", "1", "--out", "limited");
    assert_int_equal(setrlimit(RLIMIT_AS, &was), 0);
    unsetenv("MALLOC_ARENA_MAX");
    if (rc != 0)
        fail_msg("%s", program_said("large.log"));
    micro = key_of("limited/config.json", "micro_batch");
    print_message("micro-batch %s of 12\n", micro);
    assert_true(micro[1] == '\0' && micro[0] > '1');
    vox_free(micro);
}

static void test_too_little_is_said_at_once(void **state)
{
    struct rlimit was;
    char *said;
    int rc;

    (void)state;
    if (SANITIZED)
        skip();
    limit_space(&was, 800 << 20);
    rc = PROGRAM("small.log", "pretrain", "scans", "--net", "resenc_xs", "--patch", "96",
                 "--batch", "4", "--micro-batch", "4", "--threads", "2", "--out", "base",
                 "--fresh");
    assert_int_equal(setrlimit(RLIMIT_AS, &was), 0);
    assert_int_equal(rc, 1);
    said = program_said("small.log");
    print_message("%s", said);
    assert_non_null(strstr(said, "a step of 4 samples at once (--micro-batch) needs "));
    assert_non_null(strstr(said, "with --micro-batch 1 it needs "));
    assert_non_null(strstr(said, "with --recompute it needs "));
    assert_non_null(strstr(said, "with --micro-batch 1 --recompute it needs "));
    vox_free(said);
    assert_int_equal(program_count_lines("small.log", "step"), 1);
    assert_true(vox_file_exists("base/checkpoint_final.pth")); /* nothing was moved aside */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recomputing_changes_no_bit),
        cmocka_unit_test(test_the_choice_stays_with_the_run),
        cmocka_unit_test(test_scopes_must_exist),
        cmocka_unit_test(test_the_estimate_is_the_peak),
        cmocka_unit_test(test_a_run_stays_within_a_limit),
        cmocka_unit_test(test_too_little_is_said_at_once),
    };

    return cmocka_run_group_tests(tests, make_scans, NULL);
}
