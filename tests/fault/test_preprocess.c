/* preprocess: killed at any moment, a second run completes and leaves the bytes of one that
 * was never stopped; two processes do not work on the same images; a lack of memory that
 * passes costs no image. */
#include "support/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/build.h"
#include "data/index.h"
#include "support/program.h"

enum { SCANS = 16 };

static char here[400];

/* Folders of the preprocessed data, one per run that is compared. */
static void use(const char *folder)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", here, folder);
    setenv("nnssl_preprocessed", path, 1);
}

static int make_dataset(void **state)
{
    char path[512];

    (void)state;
    program_remove("scans few raw base run built");
    assert_non_null(getcwd(here, sizeof here));
    snprintf(path, sizeof path, "%s/raw", here);
    setenv("nnssl_raw", path, 1);
    program_make_scans("scans", SCANS, 44);
    assert_int_equal(vox_mkdirs("raw/Dataset001_A"), VOX_OK);
    assert_int_equal(
        PROGRAM("log", "index", "scans", "-o", "raw/Dataset001_A/pretrain_data.json"), 0);
    use("base");
    assert_int_equal(PROGRAM("log", "plan-and-preprocess", "-d", "1", "-np", "2"), 0);
    return 0;
}

static void start_over(void)
{
    program_remove("run");
    use("run");
    assert_int_equal(PROGRAM("log", "plan-and-preprocess", "-d", "1", "--no-pp"), 0);
}

static pid_t start(const char *more)
{
    return program_start(
        "log", (const char *const[]){"preprocess", "-d", "1", "-np", "2", more, NULL});
}

static void sleep_us(long us)
{
    const struct timespec t = {us / 1000000, us % 1000000 * 1000L};

    nanosleep(&t, NULL);
}

/* Wait until so many images have files, at most a minute. */
static int64_t wait_for_images(int64_t count)
{
    int64_t have = 0;

    for (int i = 0; i < 60000 && have < count; i++) {
        FILE *f = popen("find run -name '*.b2nd' 2>/dev/null | wc -l", "r");
        char line[32] = "";

        assert_non_null(f);
        if (fgets(line, sizeof line, f))
            have = strtol(line, NULL, 10);
        pclose(f);
        sleep_us(500);
    }
    return have;
}

static void assert_same_as_base(void)
{
    if (system("diff -r base run >diff.log") != 0) {
        char *text = program_said("diff.log");

        fail_msg("not as a run that was never stopped: %s", text);
    }
}

/* Killed again and again; every start goes on where it can. */
static void killed_at_random(void **state)
{
    vox_rng rng = vox_rng_at((uint64_t)time(NULL), VOX_STREAM("kill"), 0);
    int kills = 0, left = 0;

    (void)state;
    for (int i = 0; i < 8; i++) {
        pid_t pid;

        start_over();
        pid = start(NULL);
        wait_for_images(1);
        sleep_us((long)vox_rng_below(&rng, 20000));
        kill(pid, SIGKILL);
        kills += program_wait(pid) == 128 + SIGKILL;
        left += system("test -z \"$(find run -name '*.tmp*')\"") != 0;
        assert_int_equal(PROGRAM("log", "preprocess", "-d", "1", "-q"), 0);
        assert_same_as_base();
    }
    assert_true(kills > 0);
    print_message("%d kills, %d of them left temporary files\n", kills, left);
}

/* The same over a finished folder, whose files are being replaced. */
static void killed_while_making_again(void **state)
{
    vox_rng rng = vox_rng_at((uint64_t)time(NULL), VOX_STREAM("again"), 0);

    (void)state;
    start_over();
    for (int i = 0; i < 6; i++) {
        const pid_t pid = start("--again");

        sleep_us(4000 + (long)vox_rng_below(&rng, 40000));
        kill(pid, SIGKILL);
        program_wait(pid);
    }
    assert_int_equal(PROGRAM("log", "preprocess", "-d", "1", "-q"), 0);
    assert_same_as_base();
}

/* What a killed process leaves is put there by hand: it must go, and nothing else. */
static void leftovers_are_removed(void **state)
{
    static const char image[] = "run/Dataset001_A/nnsslPlans_onemmiso/scans/scans/sub-03/"
                                "ses-DEFAULT/";
    static const char *const names[] = {
        "sub-03_T1w.nii.tmp77",       "sub-03_T1w.b2nd.tmp123", "sub-03_T1w.pkl.tmp1",
        "sub-03_T1w__anon.b2nd.tmp5", "sub-03_T1w.json.tmp99",  "other.b2nd.tmp5",
        "sub-03_T1w.b2nd.tmp",
    };
    static const char *const lists[] = {
        "run/Dataset001_A/valid_imgs.json.tmp4",
        "run/Dataset001_A/pretrain_data__onemmiso.json.tmp4",
        "run/Dataset001_A/nnsslPlans_onemmiso/voxmind.json.tmp4",
        "run/Dataset001_A/nnsslPlans_onemmiso/reject_report.json.tmp4"};
    char *text;

    (void)state;
    program_remove("run");
    assert_int_equal(system("cp -r base run"), 0);
    use("run");
    for (int i = 0; i < VOX_COUNT(names); i++) {
        char path[512];

        snprintf(path, sizeof path, "%s%s", image, names[i]);
        assert_int_equal(vox_file_write(path, "half", 4), VOX_OK);
    }
    for (int i = 0; i < VOX_COUNT(lists); i++)
        assert_int_equal(vox_file_write(lists[i], "half", 4), VOX_OK);
    assert_int_equal(PROGRAM("log", "preprocess", "-d", "1", "-q"), 0);
    assert_int_not_equal(system("diff -r base run >diff.log"), 0);
    text = program_said("diff.log");
    assert_int_equal(program_count_lines("diff.log", "Only in run"), 3);
    assert_int_equal(program_count_lines("diff.log", "\n"), 3);
    assert_non_null(strstr(text, ": sub-03_T1w.nii.tmp77")); /* no file of ours */
    assert_non_null(strstr(text, ": other.b2nd.tmp5"));      /* of another image */
    assert_non_null(strstr(text, ": sub-03_T1w.b2nd.tmp\n"));
    vox_free(text);
}

/* The second refuses, the first is not disturbed; another part may work beside it. */
static void two_processes_at_once(void **state)
{
    pid_t first;
    char *said;

    (void)state;
    start_over();
    first = program_start("log", (const char *const[]){"preprocess", "-d", "1", "--part",
                                                       "0/2", "-np", "1", "-q", NULL});
    wait_for_images(1);
    kill(first, SIGSTOP);
    assert_int_equal(PROGRAM("second.log", "preprocess", "-d", "1"), 1);
    said = program_said("second.log");
    assert_non_null(strstr(said, "another process"));
    vox_free(said);
    assert_int_equal(PROGRAM("second.log", "preprocess", "-d", "1", "--part", "1/2"), 0);
    kill(first, SIGCONT);
    assert_int_equal(program_wait(first), 0);
    assert_same_as_base();
}

/* ---- memory, in this process ---- */

typedef struct source {
    vox_collection c;
    vox_records r;
    vox_plans plans;
} source;

static void open_source(source *s)
{
    vox_rejects skipped = VOX_REJECTS_INIT;
    double one[1][3] = {
        {1, 1, 1.5}
    };
    const vox_fingerprint f = {one, 1};

    *s = (source){.r = VOX_RECORDS_INIT};
    assert_int_equal(vox_index_folder(&s->c, "few", NULL, &skipped), VOX_OK);
    assert_int_equal(vox_records_make(&s->r, &s->c), VOX_OK);
    assert_int_equal(vox_plans_make(&s->plans, &f, "D", "nnsslPlans", NULL), VOX_OK);
    vox_rejects_release(&skipped);
}

static void close_source(source *s)
{
    vox_plans_release(&s->plans);
    vox_records_release(&s->r);
    vox_collection_release(&s->c);
}

static int64_t open_files(void)
{
    vox_strs names = {0};
    int64_t n;

    assert_int_equal(vox_dir_list(&names, "/proc/self/fd"), VOX_OK);
    n = names.count;
    vox_strs_release(&names);
    return n;
}

/* Every allocation fails once: either the run fails, or it made every image. */
static void memory_that_comes_back(void **state)
{
    source s;
    int64_t n = 1, cured = 0;

    (void)state;
    vox_log_set_level(VOX_ERROR);
    program_make_scans("few", 2, 12);
    open_source(&s);
    for (int done = 0; !done; n++) {
        const vox_preprocess_cfg cfg = {.dir = "built",
                                        .images = &s.r,
                                        .plans = &s.plans,
                                        .configuration = "onemmiso",
                                        .threads = 1,
                                        .parts = 1,
                                        .again = 1};
        const int64_t files = open_files();
        const int64_t blocks = vox_mem_blocks(), calls = vox_mem_calls();
        vox_preprocess_result r;
        int rc;

        vox_mem_fail_at(n);
        rc = vox_preprocess(&cfg, &r);
        vox_mem_fail_at(0);
        done = vox_mem_calls() - calls < n;
        assert_true(rc == VOX_OK || (rc == VOX_E_NOMEM && *vox_error_text()));
        if (rc == VOX_OK) {
            if (r.rejected.count)
                fail_msg("an image was given up: %s", r.rejected.v[0].reason);
            assert_int_equal(r.made, 2);
            cured += !done;
        }
        vox_preprocess_result_release(&r);
        assert_int_equal(vox_mem_blocks(), blocks);
        if (open_files() != files)
            fail_msg("allocation %lld: a file stays open", (long long)n);
    }
    assert_true(cured > 20);
    close_source(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_random),
        cmocka_unit_test(killed_while_making_again),
        cmocka_unit_test(leftovers_are_removed),
        cmocka_unit_test(two_processes_at_once),
        cmocka_unit_test(memory_that_comes_back),
    };
    return cmocka_run_group_tests(tests, make_dataset, NULL);
}
