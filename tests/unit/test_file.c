/* file: atomic writing, folders, messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "support/unit.h"

static char dir[] = "/tmp/vox_file_XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static void old_or_new_never_half(void **state)
{
    char *path = vox_path_join(dir, "a/b/f.txt"), *parent = vox_path_join(dir, "a/b");
    vox_buf text = VOX_BUF_INIT;
    vox_writer w;
    vox_strs names = {0};

    (void)state;
    assert_int_equal(vox_mkdirs(parent), VOX_OK);
    assert_int_equal(vox_mkdirs(parent), VOX_OK);
    assert_int_equal(vox_file_write(path, "one", 3), VOX_OK);
    assert_int_equal(vox_writer_open(&w, path), VOX_OK);
    fputs("two, and more", w.f);
    vox_writer_abort(&w);
    assert_int_equal(vox_file_read(&text, path), VOX_OK);
    assert_string_equal(vox_buf_text(&text), "one");
    assert_int_equal(vox_file_write(path, "three", 5), VOX_OK);
    assert_int_equal(vox_file_read(&text, path), VOX_OK);
    assert_string_equal(vox_buf_text(&text), "three");
    assert_int_equal(vox_dir_list(&names, parent), VOX_OK);
    assert_int_equal(names.count, 1); /* no temporary file is left */
    vox_strs_release(&names);
    vox_buf_release(&text);
    unlink(path);
    vox_free(path);
    vox_free(parent);
}

static void messages_name_the_file(void **state)
{
    vox_buf text = VOX_BUF_INIT;

    (void)state;
    assert_int_equal(vox_file_read(&text, "/nonexistent/x"), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "/nonexistent/x"));
    assert_int_equal(vox_file_read(&text, dir), VOX_E_IO);
    assert_int_equal(vox_file_write("/nonexistent/x", "a", 1), VOX_E_IO);
    assert_non_null(strstr(vox_error_text(), "/nonexistent/x: cannot write"));
    assert_int_equal(vox_mkdirs("/proc/version/x"), VOX_E_IO);
    assert_int_equal(vox_mkdirs(""), VOX_E_IO);
    assert_int_equal(vox_file_read(&text, "/dev/null"), VOX_E_IO);
    assert_string_equal(vox_error_text(), "/dev/null: is not a file");
    vox_buf_release(&text);
}

static void full_disk(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    FILE *f = fopen("/dev/full", "wb");
    vox_writer w = {f, vox_strdup("final"), vox_strdup("")};

    fputs("x", f);
    assert_int_equal(vox_writer_commit(&w), VOX_E_IO);
    assert_non_null(strstr(vox_error_text(), "No space left"));
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(vox_path_base("/a/b.c"), "b.c");
    assert_string_equal(vox_path_base("b"), "b");
    assert_true(vox_ends_with("x.nii.gz", ".nii.gz"));
    assert_false(vox_ends_with("gz", ".nii.gz"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_or_new_never_half),
        cmocka_unit_test(messages_name_the_file),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
