/* folder: one process at a time, a run is never overwritten, --fresh keeps the data. */
#include "support/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "train/folder.h"

static void remove_all(void)
{
    assert_int_equal(system("rm -rf run run.old-*"), 0);
}

static void touch(const char *path)
{
    assert_int_equal(vox_file_write(path, "x", 1), VOX_OK);
}

static void test_empty_folder_serves_every_use(void **state)
{
    (void)state;
    for (vox_use use = VOX_USE_NEW; use <= VOX_USE_FRESH; use++) {
        vox_folder f;

        remove_all();
        assert_int_equal(vox_folder_open(&f, "run/a", "run", use), VOX_OK);
        assert_string_equal(f.run, "run/a");
        assert_string_equal(f.top, "run");
        vox_folder_close(&f);
    }
}

static void test_a_run_is_not_overwritten(void **state)
{
    static const char *const traces[] = {"run/checkpoint_latest.pth", "run/metrics.jsonl",
                                         "run/checkpoint_best.pth.damaged"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        vox_folder f;

        remove_all();
        assert_int_equal(vox_mkdirs("run"), VOX_OK);
        touch(traces[i]);
        assert_int_equal(vox_folder_open(&f, "run", "run", VOX_USE_NEW), VOX_E_EXISTS);
        assert_non_null(strstr(vox_error_text(), "--resume"));
        assert_non_null(strstr(vox_error_text(), "--fresh"));
        assert_true(vox_file_exists(traces[i]));
        assert_int_equal(vox_folder_open(&f, "run", "run", VOX_USE_RESUME), VOX_OK);
        vox_folder_close(&f);
        assert_true(vox_file_exists(traces[i]));
    }
}

static void test_settings_alone_are_no_run(void **state)
{
    vox_folder f;

    (void)state;
    remove_all();
    assert_int_equal(vox_mkdirs("run/data"), VOX_OK);
    touch("run/config.json");
    assert_int_equal(vox_file_write("run/metrics.jsonl", "", 0), VOX_OK);
    assert_int_equal(vox_folder_open(&f, "run", "run", VOX_USE_NEW), VOX_OK);
    vox_folder_close(&f);
}

static void test_fresh_moves_all_but_the_data(void **state)
{
    vox_folder f;
    vox_strs names = {0};
    char *path;

    (void)state;
    remove_all();
    assert_int_equal(vox_mkdirs("run/data"), VOX_OK);
    touch("run/checkpoint_latest.pth");
    touch("run/config.json");
    assert_int_equal(vox_folder_open(&f, "run/", "run/", VOX_USE_FRESH), VOX_OK);
    assert_false(vox_folder_holds_run("run"));
    assert_false(vox_file_exists("run/config.json"));
    assert_true(vox_is_dir("run/data"));
    vox_folder_close(&f);
    assert_int_equal(vox_dir_list(&names, "."), VOX_OK);
    path = NULL;
    for (int64_t i = 0; i < names.count; i++) {
        if (strncmp(names.v[i], "run.old-", 8) == 0)
            path = vox_path_join(names.v[i], "checkpoint_latest.pth");
    }
    assert_non_null(path);
    assert_true(vox_file_exists(path));
    vox_free(path);
    vox_strs_release(&names);
}

static void test_leftovers_of_a_killed_process_go(void **state)
{
    vox_folder f;

    (void)state;
    remove_all();
    assert_int_equal(vox_mkdirs("run"), VOX_OK);
    touch("run/checkpoint_latest.pth.tmp123");
    touch("run/notes.tmp");
    touch("run/a.tmp12x");
    touch("run/notes.tmp12");
    assert_int_equal(vox_folder_open(&f, "run", "run", VOX_USE_RESUME), VOX_OK);
    assert_false(vox_file_exists("run/checkpoint_latest.pth.tmp123"));
    assert_true(vox_file_exists("run/notes.tmp"));
    assert_true(vox_file_exists("run/a.tmp12x"));
    assert_true(vox_file_exists("run/notes.tmp12"));
    vox_folder_close(&f);
}

static void test_lock_names_its_owner_and_dies_with_it(void **state)
{
    int ready[2], status;
    char pid_text[32], c;
    vox_folder f;
    pid_t pid;

    (void)state;
    remove_all();
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        if (vox_folder_open(&f, "run", "run", VOX_USE_NEW) != VOX_OK ||
            write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(vox_folder_open(&f, "run", "run", VOX_USE_RESUME), VOX_E_EXISTS);
    snprintf(pid_text, sizeof pid_text, "process %ld on ", (long)pid);
    assert_non_null(strstr(vox_error_text(), pid_text));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(vox_folder_open(&f, "run", "run", VOX_USE_RESUME), VOX_OK);
    vox_folder_close(&f);
}

static void test_cannot_be_made(void **state)
{
    vox_folder f;

    (void)state;
    remove_all();
    touch("run"); /* a file */
    assert_int_equal(vox_folder_open(&f, "run/x", "run", VOX_USE_NEW), VOX_E_IO);
    assert_non_null(strstr(vox_error_text(), "run"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_folder_serves_every_use),
        cmocka_unit_test(test_a_run_is_not_overwritten),
        cmocka_unit_test(test_settings_alone_are_no_run),
        cmocka_unit_test(test_fresh_moves_all_but_the_data),
        cmocka_unit_test(test_leftovers_of_a_killed_process_go),
        cmocka_unit_test(test_lock_names_its_owner_and_dies_with_it),
        cmocka_unit_test(test_cannot_be_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
