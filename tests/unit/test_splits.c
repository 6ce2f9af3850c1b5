/* splits: Python's draws, sizes of the sides, the file, the filters. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/mt19937.h"
#include "data/splits.h"
#include "support/unit.h"

static void generator_is_pythons(void **state)
{
    static const uint32_t want[] = {1789368711u, 3146859322u, 43676229u, 3522623596u,
                                    3544234957u};
    vox_mt19937 g;

    (void)state;
    vox_mt19937_seed(&g, 12345);
    for (int i = 0; i < 5; i++)
        assert_int_equal(vox_mt19937_next(&g), want[i]);
}

/* data.md 9.2, measured on Python 3.11 to 3.13. */
static void samples_are_pythons(void **state)
{
    static const struct {
        uint32_t n, k, want[10];
    } row[] = {
        {5,      5,  {3, 0, 1, 2, 4}                                                          },
        {6,      5,  {3, 0, 2, 1, 4}                                                          },
        {8,      5,  {6, 5, 0, 2, 4}                                                          },
        {20,     5,  {13, 0, 9, 11, 6}                                                        },
        {22,     5,  {13, 0, 9, 11, 6}                                                        },
        {100,    5,  {53, 93, 1, 38, 47}                                                      },
        {600,    6,  {426, 10, 305, 377, 198, 276}                                            },
        {1000,   10, {426, 750, 10, 839, 845, 822, 305, 875, 377, 954}                        },
        {5000,   50, {3412, 83, 2446, 3018, 1586, 2213, 4636, 3573, 1324, 3056}               },
        {200000,
         1000,       {109214, 192069, 2665, 78286, 96576, 50767, 70843, 148375, 114354, 42385}},
    };
    static uint32_t out[1000];

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const uint32_t k = row[i].k < 10 ? row[i].k : 10;
        vox_mt19937 g;

        vox_mt19937_seed(&g, 12345);
        assert_int_equal(vox_mt19937_sample(&g, out, row[i].n, row[i].k), VOX_OK);
        assert_memory_equal(out, row[i].want, k * sizeof *out);
        if (row[i].n >= 6)
            assert_int_equal(vox_splits_validation(row[i].n), row[i].k);
    }
}

static void no_side_is_empty(void **state)
{
    (void)state;
    for (int64_t n = 2; n < 2000; n++) {
        const int64_t k = vox_splits_validation(n);

        assert_true(k >= 1 && k < n);
    }
}

static void make_collection(vox_collection *c, int n)
{
    vox_coll_dataset *d;

    assert_int_equal(vox_collection_init(c, "C", 1), VOX_OK);
    d = vox_collection_add_dataset(c, "1");
    for (int i = n - 1; i >= 0; i--) { /* not in sorted order */
        char id[16];
        vox_coll_session *s;

        snprintf(id, sizeof id, "s%03d", i);
        s = vox_collection_add_session(c, vox_collection_add_subject(c, d, id), "e");
        vox_collection_add_image(c, s, "a.nii", "/a.nii", i % 2 ? "T1w" : "T2w");
        vox_collection_add_image(c, s, "b.nii", "/b.nii", "FLAIR");
    }
}

static void subjects_are_split(void **state)
{
    vox_collection c;
    vox_records r;
    vox_splits s, t;

    (void)state;
    make_collection(&c, 8);
    assert_int_equal(vox_records_make(&r, &c), VOX_OK);
    assert_int_equal(vox_splits_make(&s, &r), VOX_OK);
    assert_int_equal(s.val.count, 5);
    assert_int_equal(s.train.count, 3);
    assert_string_equal(s.val.v[0], "C__1__s006");
    assert_string_equal(s.val.v[4], "C__1__s004");
    assert_string_equal(s.train.v[0], "C__1__s001");
    assert_string_equal(s.train.v[2], "C__1__s007");
    assert_int_equal(vox_splits_write(&s, "splits.json"), VOX_OK);
    assert_int_equal(vox_splits_read(&t, "splits.json"), VOX_OK);
    assert_int_equal(t.val.count, 5);
    assert_string_equal(t.val.v[4], "C__1__s004");
    vox_splits_release(&s);
    vox_splits_release(&t);
    vox_records_release(&r);
    vox_collection_release(&c);
}

static void few_subjects_are_split_too(void **state)
{
    (void)state;
    for (int n = 1; n <= 5; n++) {
        vox_collection c;
        vox_records r;
        vox_splits s;

        make_collection(&c, n);
        assert_int_equal(vox_records_make(&r, &c), VOX_OK);
        assert_int_equal(vox_splits_make(&s, &r), VOX_OK);
        assert_int_equal(s.val.count, 1);
        assert_int_equal(s.train.count, n == 1 ? 1 : n - 1);
        vox_splits_release(&s);
        vox_records_release(&r);
        vox_collection_release(&c);
    }
}

static void file_text_is_the_peers(void **state)
{
    static const char good[] = VOX_SOURCE_DIR "/fuzz/corpus/splits/good.json";
    vox_splits s;
    vox_buf a = VOX_BUF_INIT, b = VOX_BUF_INIT;

    (void)state;
    assert_int_equal(vox_splits_read(&s, good), VOX_OK);
    assert_int_equal(vox_splits_write(&s, "again.json"), VOX_OK);
    assert_int_equal(vox_file_read(&a, good), VOX_OK);
    assert_int_equal(vox_file_read(&b, "again.json"), VOX_OK);
    assert_string_equal(a.data, b.data);
    vox_buf_release(&a);
    vox_buf_release(&b);
    vox_splits_release(&s);
    assert_int_equal(vox_splits_parse(&s, "{\"train\":[]}", 12, "f"), VOX_E_MISSING);
    assert_int_equal(vox_splits_parse(&s, "{\"train\":[1]}", 13, "f"), VOX_E_FORMAT);
}

static int passing(const vox_collection *c, const char *modalities, double max_iqs,
                   int64_t *unscored)
{
    const vox_filter f = {modalities, max_iqs};
    vox_records r;
    int n;

    assert_int_equal(vox_records_make(&r, c), VOX_OK);
    assert_int_equal(vox_records_filter(&r, &f, unscored), VOX_OK);
    n = (int)r.count;
    vox_records_release(&r);
    return n;
}

static void filters_choose(void **state)
{
    static const char text[] =
        "{\"collection_index\":1,\"collection_name\":\"c\",\"datasets\":{\"d\":{"
        "\"dataset_index\":\"d\",\"dataset_info\":{\"image_quality_score\":["
        "{\"modality\":\"T1w\",\"derived_from\":null,\"image_quality_score\":1.5},"
        "{\"modality\":\"FA\",\"derived_from\":\"dwi\",\"image_quality_score\":2.0},"
        "{\"modality\":\"T2w\",\"derived_from\":null,\"image_quality_score\":NaN}]},"
        "\"subjects\":{\"s\":{\"sessions\":{\"e\":{\"images\":["
        "{\"name\":\"a\",\"image_path\":\"a\",\"modality\":\"T1w\",\"image_info\":null},"
        "{\"name\":\"b\",\"image_path\":\"b\",\"modality\":\"FA\","
        "\"image_info\":{\"derived_from\":\"dwi\"}},"
        "{\"name\":\"c\",\"image_path\":\"c\",\"modality\":\"T2w\"},"
        "{\"name\":\"d\",\"image_path\":\"d\",\"modality\":\"FA\"}]}}}}}}}";
    vox_collection c;
    int64_t unscored;

    (void)state;
    assert_int_equal(vox_collection_parse(&c, text, strlen(text), "t"), VOX_OK);
    assert_int_equal(passing(&c, NULL, 0, &unscored), 4);
    assert_int_equal(passing(&c, "T1w,FA", 0, &unscored), 3);
    assert_int_equal(passing(&c, "T1", 0, &unscored), 0);
    assert_int_equal(passing(&c, NULL, 1.5, &unscored), 1);
    assert_int_equal(unscored, 1);
    assert_int_equal(passing(&c, NULL, 3, &unscored), 2);
    assert_int_equal(passing(&c, "FA", 3.5, &unscored), 1);
    vox_collection_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generator_is_pythons),
        cmocka_unit_test(samples_are_pythons),
        cmocka_unit_test(no_side_is_empty),
        cmocka_unit_test(subjects_are_split),
        cmocka_unit_test(few_subjects_are_split_too),
        cmocka_unit_test(file_text_is_the_peers),
        cmocka_unit_test(filters_choose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
