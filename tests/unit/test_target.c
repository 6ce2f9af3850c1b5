/* target: ids, names, folders, the only one there is, and messages when it is not clear. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "train/target.h"

static void touch(const char *path)
{
    char *copy = strdup(path);

    *strrchr(copy, '/') = '\0';
    assert_int_equal(vox_mkdirs(copy), VOX_OK);
    assert_int_equal(vox_file_write(path, "{}", 2), VOX_OK);
    free(copy);
}

static int setup(void **state)
{
    (void)state;
    assert_int_equal(system("rm -rf raw pre res scans"), 0);
    setenv("nnssl_raw", "raw", 1);
    setenv("nnssl_preprocessed", "pre", 1);
    setenv("nnssl_results", "res", 1);
    touch("pre/Dataset005_A/nnsslPlans.json");
    touch("pre/Dataset005_A/pretrain_data__onemmiso.json");
    return 0;
}

static void assert_fails(int rc, int code, const char *word)
{
    assert_int_equal(rc, code);
    if (!strstr(vox_error_text(), word))
        fail_msg("\"%s\" does not say %s", vox_error_text(), word);
}

static void test_dataset_by_id_name_or_alone(void **state)
{
    static const char *const words[] = {"5", "005", "Dataset005_A", NULL};

    (void)state;
    for (int i = 0; i < 4; i++) {
        vox_target t;

        assert_int_equal(
            vox_target_find(&t, words[i], i % 2 ? "onemmiso" : NULL, "nnsslPlans"), VOX_OK);
        assert_string_equal(t.dataset, "Dataset005_A");
        assert_string_equal(t.configuration, "onemmiso");
        assert_string_equal(t.dir, "pre/Dataset005_A");
        assert_null(t.scans);
        assert_int_equal(vox_target_place(&t, NULL, "T__P__C"), VOX_OK);
        assert_string_equal(t.run, "res/Dataset005_A/T__P__C/fold_all");
        assert_string_equal(t.top, "res/Dataset005_A/T__P__C");
        assert_int_equal(vox_target_read_plan(&t), VOX_OK);
        assert_non_null(t.plan);
        vox_target_release(&t);
    }
}

static void test_out_wins(void **state)
{
    vox_target t;

    (void)state;
    assert_int_equal(vox_target_find(&t, "5", NULL, "nnsslPlans"), VOX_OK);
    assert_int_equal(vox_target_place(&t, "mine", "T"), VOX_OK);
    assert_string_equal(t.run, "mine");
    assert_string_equal(t.top, "mine");
    assert_string_equal(t.dir, "pre/Dataset005_A");
    vox_target_release(&t);
}

static void test_folder_of_scans(void **state)
{
    vox_target t;

    (void)state;
    assert_int_equal(vox_mkdirs("scans"), VOX_OK);
    assert_int_equal(vox_target_find(&t, "scans", NULL, "nnsslPlans"), VOX_OK);
    assert_string_equal(t.scans, "scans");
    assert_string_equal(t.configuration, "onemmiso");
    assert_int_equal(vox_target_place(&t, NULL, "T"), VOX_OK);
    assert_string_equal(t.run, "voxmind_run");
    assert_string_equal(t.dir, "voxmind_run/data");
    vox_target_release(&t);
    assert_fails(vox_target_find(&t, "scans", "onemiso", "nnsslPlans"), VOX_E_USAGE,
                 "onemmiso?");
}

static void test_what_is_not_there(void **state)
{
    vox_target t;

    (void)state;
    assert_fails(vox_target_find(&t, "6", NULL, "nnsslPlans"), VOX_E_MISSING, "6");
    assert_fails(vox_target_find(&t, "nowhere", NULL, "nnsslPlans"), VOX_E_MISSING,
                 "nowhere");
    assert_fails(vox_target_find(&t, "5", "median", "nnsslPlans"), VOX_E_MISSING,
                 "plan-and-preprocess -d Dataset005_A -c median");
    assert_fails(vox_target_find(&t, NULL, NULL, "otherPlans"), VOX_E_MISSING,
                 "otherPlans");
}

static void test_several_are_listed(void **state)
{
    vox_target t;

    (void)state;
    touch("pre/Dataset005_A/pretrain_data__median.json");
    assert_fails(vox_target_find(&t, "5", NULL, "nnsslPlans"), VOX_E_USAGE,
                 "median, onemmiso");
    touch("pre/Dataset006_B/nnsslPlans.json");
    touch("pre/Dataset006_B/pretrain_data__median.json");
    assert_fails(vox_target_find(&t, NULL, NULL, "nnsslPlans"), VOX_E_USAGE,
                 "Dataset005_A, Dataset006_B");
}

static void test_results_must_be_set(void **state)
{
    vox_target t;

    (void)state;
    unsetenv("nnssl_results");
    assert_int_equal(vox_target_find(&t, "5", "onemmiso", "nnsslPlans"), VOX_OK);
    assert_fails(vox_target_place(&t, NULL, "T"), VOX_E_MISSING, "nnssl_results");
    vox_target_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_dataset_by_id_name_or_alone, setup),
        cmocka_unit_test_setup(test_out_wins, setup),
        cmocka_unit_test_setup(test_folder_of_scans, setup),
        cmocka_unit_test_setup(test_what_is_not_there, setup),
        cmocka_unit_test_setup(test_several_are_listed, setup),
        cmocka_unit_test_setup(test_results_must_be_set, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
