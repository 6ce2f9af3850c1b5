/* index: what is found in a folder, where it belongs, what is passed over and why. */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/index.h"
#include "data/records.h"
#include "support/unit.h"

static void places(void **state)
{
    static const struct {
        const char *path;
        int skip;
        vox_place want;
    } row[] = {
        {"sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz", 0, {"", "sub-01", "ses-2", "T1w"}           },
        {"ds1/sub-01/anat/sub-01_acq-x_FLAIR.nii",
         0,                                              {"ds1", "sub-01", "ses-DEFAULT", "FLAIR"}},
        {"a/ds1/sub-01/x_T1w.nii",                    1, {"ds1", "sub-01", "ses-DEFAULT", "T1w"}  },
        {"a/b/sub-9/x_T1w.nii",                       0, {"a_b", "sub-9", "ses-DEFAULT", "T1w"}   },
        {"sub-01_run-1.nii.gz",                       0, {"", "sub-01", "ses-DEFAULT", ""}        },
        {"case_0007_0000.nii.gz",                     0, {"", "case_0007", "ses-DEFAULT", ""}     },
        {"imagesTr/BRATS_001_0000.nii.gz",            0, {"", "BRATS_001", "ses-DEFAULT", ""}     },
        {"head_0007.NII.GZ",                          0, {"", "head", "ses-DEFAULT", ""}          },
        {"p1/scan.nii.gz",                            0, {"", "p1", "ses-DEFAULT", ""}            },
        {"p1/2020-01-01/ct.nii.gz",                   0, {"", "p1", "2020-01-01", ""}             },
        {"train/p1/scan.nii.gz",                      0, {"", "p1", "ses-DEFAULT", ""}            },
        {"x/y/z.nii.gz",                              2, {"", "z", "ses-DEFAULT", ""}             },
        {"derivatives/bet/sub-01/x_T1w.nii",          0, {"", "sub-01", "ses-DEFAULT", "T1w"}     },
        {"not-sub-3.nii",                             0, {"", "not-sub-3", "ses-DEFAULT", ""}     },
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        vox_arena arena = VOX_ARENA_INIT;
        vox_place is;

        assert_int_equal(vox_place_guess(&is, &arena, row[i].path, row[i].skip, 1), VOX_OK);
        assert_string_equal(is.dataset, row[i].want.dataset);
        assert_string_equal(is.subject, row[i].want.subject);
        assert_string_equal(is.session, row[i].want.session);
        assert_string_equal(is.modality, row[i].want.modality);
        vox_arena_release(&arena);
    }
}

static void patterns(void **state)
{
    static const struct {
        const char *pattern, *path; /* subject NULL: no match */
        vox_place want;
        const char *info;
    } row[] = {
        {"{subject}.nii",                      "a/b.nii",      {"", "b", "ses-DEFAULT", ""},     ""},
        {"{subject}/{session}/{modality}.nii", "x/p/s/T1.nii", {"", "p", "s", "T1"},             ""},
        {"{subject}/{session}/{modality}.nii", "s/T1.nii",     {"", NULL, "", ""},               ""},
        {"{subject}_{modality}.nii*",
         "p_1_T1.nii.gz",                                      {"", "p_1", "ses-DEFAULT", "T1"},
         ""                                                                                        },
        {"{dataset}/*/P{subject}-{age}y.nii",
         "d/any/P7-26y.nii",                                   {"d", "7", "ses-DEFAULT", ""},
         "{\"age\":26"                                                                             },
        {"{subject}/x.nii",                    "p/y.nii",      {"", NULL, "", ""},               ""},
        {"{subject}x.nii",                     "x.nii",        {"", NULL, "", ""},               ""},
        {"**{subject}**{a}**{b}**{c}**q",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",           {"", NULL, "", ""},
         ""                                                                                        },
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        vox_arena arena = VOX_ARENA_INIT;
        vox_buf info = VOX_BUF_INIT;
        vox_place is;
        int rc;

        assert_int_equal(vox_place_check_pattern(row[i].pattern), VOX_OK);
        rc = vox_place_match(&is, &arena, &info, row[i].pattern, row[i].path);
        assert_int_equal(rc, row[i].want.subject != NULL);
        if (rc == 1) {
            assert_string_equal(is.dataset, row[i].want.dataset);
            assert_string_equal(is.subject, row[i].want.subject);
            assert_string_equal(is.session, row[i].want.session);
            assert_string_equal(is.modality, row[i].want.modality);
            assert_string_equal(vox_buf_text(&info), row[i].info);
        }
        vox_buf_release(&info);
        vox_arena_release(&arena);
    }
    assert_int_equal(vox_place_check_pattern("{subject}/{session"), VOX_E_USAGE);
    assert_int_equal(vox_place_check_pattern("{session}"), VOX_E_USAGE);
    assert_int_equal(vox_place_check_pattern("{subject}}"), VOX_E_USAGE);
    assert_int_equal(vox_place_check_pattern("{}{subject}"), VOX_E_USAGE);
    assert_int_equal(vox_place_check_pattern("{subject}{subject}"), VOX_E_USAGE);
}

static void put(const char *dir, const char *name, const char *text)
{
    char *path = vox_path_join(dir, name);

    assert_int_equal(vox_mkdirs(dir), VOX_OK);
    assert_int_equal(vox_file_write(path, text, strlen(text)), VOX_OK);
    vox_free(path);
}

static const char *reason_of(const vox_rejects *r, const char *tail)
{
    for (int64_t i = 0; i < r->count; i++) {
        if (vox_ends_with(r->v[i].path, tail))
            return r->v[i].reason;
    }
    return "";
}

static void folder_is_walked(void **state)
{
    vox_collection c;
    vox_rejects skipped = VOX_REJECTS_INIT;
    vox_records r;

    (void)state;
    put("tree/b/s1", "t1.nii.gz", "x");
    put("tree/b/s2/deep", "t1.nii.gz", "x");
    put("tree/b/s2", "t1.nii.gz", "x"); /* same name and session as deep's */
    put("tree/a", "x.nii", "x");
    put("tree/a", "x.nii.gz", "x"); /* same stem */
    put("tree/a", "notes.txt", "x");
    put("tree/a", "empty.nii", "");
    put("tree/a", "x_seg.nii.gz", "x");
    put("tree/labelsTr", "a.nii.gz", "x");
    put("tree/.hidden", "a.nii.gz", "x");
    if (symlink("..", "tree/a/loop") || symlink("../nowhere.nii", "tree/a/gone.nii"))
        assert_true(vox_file_exists("tree/a/loop")); /* made by an earlier run */
    assert_int_equal(vox_index_folder(&c, "tree", NULL, &skipped), VOX_OK);
    assert_string_equal(c.name, "tree");
    assert_int_equal(c.count, 1);
    assert_int_equal(vox_records_make(&r, &c), VOX_OK);
    assert_int_equal(r.count, 5);
    assert_string_equal(r.v[0].id, "tree__tree__a__ses-DEFAULT__x.nii");
    assert_string_equal(r.v[1].id, "tree__tree__a__ses-DEFAULT__x_2.nii.gz");
    assert_string_equal(r.v[2].id, "tree__tree__b__s1__t1.nii.gz");
    assert_string_equal(r.v[3].id, "tree__tree__b__s2__t1.nii.gz");
    assert_string_equal(r.v[4].id, "tree__tree__b__s2__t1_2.nii.gz");
    assert_int_equal(r.v[4].image->path[0], '/');
    assert_true(vox_ends_with(r.v[3].image->path, "/tree/b/s2/deep/t1.nii.gz"));
    assert_string_equal(r.v[0].image->modality, "unknown");
    assert_int_equal(skipped.count, 7);
    assert_non_null(strstr(reason_of(&skipped, "notes.txt"), "not an image"));
    assert_non_null(strstr(reason_of(&skipped, "empty.nii"), "empty"));
    assert_non_null(strstr(reason_of(&skipped, "gone.nii"), "link"));
    assert_non_null(strstr(reason_of(&skipped, "x_seg.nii.gz"), "mask"));
    assert_non_null(strstr(reason_of(&skipped, "labelsTr"), "label"));
    assert_non_null(strstr(reason_of(&skipped, "loop"), "visited"));
    assert_non_null(strstr(reason_of(&skipped, ".hidden"), "hidden"));
    vox_records_release(&r);
    vox_rejects_release(&skipped);
    vox_collection_release(&c);
}

static void bids_trees_keep_their_datasets(void **state)
{
    const vox_index_cfg cfg = {.name = "Dataset007_X", .number = 7, .modality = "CT"};
    vox_collection c;
    vox_rejects skipped = VOX_REJECTS_INIT;
    vox_records r;

    (void)state;
    put("pool/ds1/sub-01/ses-a/anat", "sub-01_ses-a_T1w.nii.gz", "x");
    put("pool/ds2/sub-01/anat", "sub-01_T2w.nii.gz", "x");
    put("pool/ds2/sub-01/anat", "sub-01_T2w.json", "{}");
    put("pool/ds2/sub-02/anat", "sub-02_run-1.nii.gz", "x");
    assert_int_equal(vox_index_folder(&c, "pool", &cfg, &skipped), VOX_OK);
    assert_int_equal(vox_records_make(&r, &c), VOX_OK);
    assert_int_equal(c.count, 2);
    assert_int_equal(r.count, 3);
    assert_string_equal(r.v[0].id,
                        "Dataset007_X__ds1__sub-01__ses-a__sub-01_ses-a_T1w.nii.gz");
    assert_string_equal(r.v[1].image->modality, "T2w");
    assert_string_equal(r.v[2].image->modality, "CT");
    assert_string_equal(c.index, "7");
    vox_records_release(&r);
    vox_rejects_release(&skipped);
    vox_collection_release(&c);
}

static int64_t subjects_of(const char *dir, const char *exclude)
{
    const vox_index_cfg cfg = {.exclude = exclude};
    vox_collection c;
    vox_rejects skipped = VOX_REJECTS_INIT;
    int64_t n;

    assert_int_equal(vox_index_folder(&c, dir, &cfg, &skipped), VOX_OK);
    n = c.dataset[0].count;
    vox_rejects_release(&skipped);
    vox_collection_release(&c);
    return n;
}

static void numbers_are_channels_or_cases(void **state)
{
    (void)state;
    put("cases", "c_0000.nii.gz", "x");
    put("cases", "c_0001.nii.gz", "x");
    put("cases", "c_0002.nii.gz", "x");
    assert_int_equal(subjects_of("cases", NULL), 3);
    put("channels", "a_0000.nii.gz", "x");
    put("channels", "a_0001.nii.gz", "x");
    put("channels", "b_0000.nii.gz", "x");
    put("channels/run/data", "other.nii.gz", "x");
    assert_int_equal(subjects_of("channels", "channels/run"), 2);
}

static void nothing_to_index_is_an_error(void **state)
{
    vox_collection c;
    vox_rejects skipped = VOX_REJECTS_INIT;

    (void)state;
    assert_int_equal(vox_index_folder(&c, "no/such", NULL, &skipped), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "no/such"));
    put("bare", "readme.txt", "x");
    assert_int_equal(vox_index_folder(&c, "bare", NULL, &skipped), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "no images"));
    assert_int_equal(vox_index_folder(&c, "bare/readme.txt", NULL, &skipped),
                     VOX_E_MISSING);
    vox_rejects_release(&skipped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),
        cmocka_unit_test(patterns),
        cmocka_unit_test(folder_is_walked),
        cmocka_unit_test(bids_trees_keep_their_datasets),
        cmocka_unit_test(numbers_are_channels_or_cases),
        cmocka_unit_test(nothing_to_index_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
