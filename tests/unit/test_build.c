/* build and synth: from made-up scans to a dataset, what is used again, what changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "data/build.h"
#include "data/loader.h"
#include "data/synth.h"
#include "support/unit.h"

static void make_scans(const char *dir, int count)
{
    const vox_synth_cfg cfg = {.count = count, .seed = 3, .size = 0.15, .threads = 2};
    char cmd[64];

    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
    assert_int_equal(vox_synth(dir, &cfg), VOX_OK);
}

static void volumes_differ_and_repeat(void **state)
{
    vox_volume a = VOX_VOLUME_INIT, b = VOX_VOLUME_INIT, c = VOX_VOLUME_INIT;
    int64_t zero = 0, n;

    (void)state;
    assert_int_equal(vox_synth_volume(&a, 1, 1, 0.3), VOX_OK);
    assert_int_equal(vox_synth_volume(&b, 1, 1, 0.3), VOX_OK);
    assert_int_equal(vox_synth_volume(&c, 1, 2, 0.3), VOX_OK);
    n = vox_shape_count(a.info.shape);
    assert_true(vox_shape_equal(a.info.shape, b.info.shape));
    assert_memory_equal(a.data, b.data, (size_t)n * sizeof *a.data);
    assert_false(vox_shape_equal(a.info.shape, c.info.shape) &&
                 memcmp(a.info.spacing, c.info.spacing, sizeof a.info.spacing) == 0);
    for (int64_t i = 0; i < n; i++)
        zero += a.data[i] == 0;
    assert_true(zero > n / 5 && zero < n * 4 / 5); /* air and a head */
    vox_volume_release(&a);
    vox_volume_release(&b);
    vox_volume_release(&c);
}

static void build(const char *scans, const char *dir, vox_data_build_result *r, int keep)
{
    const vox_data_build_cfg cfg = {.scans = scans,
                                    .dir = dir,
                                    .plans = "nnsslPlans",
                                    .configuration = "onemmiso",
                                    .threads = 2,
                                    .keep = keep,
                                    .result = r};

    if (vox_data_build(&cfg) != VOX_OK)
        fail_msg("%s", vox_error_text());
}

static int64_t count_side(const char *dir, vox_split split)
{
    const vox_dataset_cfg cfg = {dir, "nnsslPlans", "onemmiso", split, NULL, 0};
    vox_dataset *d;
    int64_t n;

    if (vox_dataset_open(&d, &cfg) != VOX_OK)
        fail_msg("%s", vox_error_text());
    n = vox_dataset_count(d);
    vox_dataset_close(d);
    return n;
}

static void a_folder_becomes_a_dataset(void **state)
{
    vox_data_build_result r;

    (void)state;
    make_scans("scans", 4);
    assert_int_equal(system("rm -rf scans/run"), 0);
    assert_int_equal(vox_file_write("scans/bad.nii.gz", "bad", 3), VOX_OK);
    assert_int_equal(vox_file_write("scans/notes.txt", "x", 1), VOX_OK);
    build("scans", "scans/run/data", &r, 0);
    assert_true(r.images == 5 && r.subjects == 5 && r.made == 4 && r.rejected == 1);
    assert_int_equal(r.skipped, 1);
    assert_int_equal(count_side("scans/run/data", VOX_SPLIT_TRAIN), 3);
    assert_int_equal(count_side("scans/run/data", VOX_SPLIT_VAL), 1);
    build("scans", "scans/run/data", &r, 0); /* nothing changed */
    assert_true(r.images == 5 && r.made == 0 && r.kept == 4 && r.skipped == 1);
    assert_true(vox_file_exists("scans/run/data/splits_final.json"));
    /* four more subjects, same median, same plan: a new split, old images kept */
    assert_int_equal(
        system("for i in 1 2 3 4; do cp scans/head00$i.nii.gz scans/z$i.nii.gz; done"), 0);
    build("scans", "scans/run/data", &r, 0);
    assert_true(r.images == 9 && r.made == 4 && r.kept == 4 && r.rejected == 1);
    assert_false(vox_file_exists("scans/run/data/splits_final.json"));
    assert_int_equal(count_side("scans/run/data", VOX_SPLIT_TRAIN) +
                         count_side("scans/run/data", VOX_SPLIT_VAL),
                     8);
}

static void a_finished_build_needs_no_scans(void **state)
{
    vox_data_build_result r;
    const vox_data_build_cfg cfg = {
        .scans = "gone", .dir = "kept", .plans = "nnsslPlans", .configuration = "onemmiso"};

    (void)state;
    make_scans("more", 2);
    assert_int_equal(system("rm -rf kept"), 0);
    build("more", "kept", &r, 1);
    assert_int_equal(r.made, 2);
    build("gone", "kept", &r, 1);
    assert_int_equal(r.made, 0);
    assert_int_equal(count_side("kept", VOX_SPLIT_TRAIN), 1);
    assert_int_equal(vox_data_build(&cfg), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "gone"));
}

static int prepare(vox_sample *out, const vox_cases *cases, void *arg, vox_rng rng)
{
    float *x = vox_sample_add(out, "x", VOX_F32, cases->item[0].shape);

    (void)arg;
    (void)rng;
    if (!x)
        return VOX_E_NOMEM;
    memcpy(x, cases->item[0].image,
           (size_t)vox_shape_count(cases->item[0].shape) * sizeof *x);
    return VOX_OK;
}

static void samples_come_out_of_it(void **state)
{
    const vox_dataset_cfg cfg = {"kept",          "nnsslPlans", "onemmiso",
                                 VOX_SPLIT_TRAIN, NULL,         0};
    vox_loader_cfg how = {
        .seed = 1,
        .stream = "train",
        .count = 10,
        .cases_per_sample = 1,
        .extent = {24, 24, 24},
        .patch = {16, 16, 16},
        .workers = 2,
        .prepare = prepare
    };
    const vox_sample *s;
    vox_dataset *d;
    vox_loader *l;
    double sum = 0;
    int n = 0;

    (void)state;
    assert_int_equal(vox_dataset_open(&d, &cfg), VOX_OK);
    how.data = d;
    assert_int_equal(vox_loader_open(&l, &how), VOX_OK);
    for (; vox_loader_next(l, &s) == VOX_OK; n++) {
        const float *x = vox_sample_find(s, "x")->data;

        for (int i = 0; i < 24 * 24 * 24; i++)
            sum += (double)x[i] * (double)x[i];
    }
    assert_int_equal(n, 10);
    assert_true(sum / (n * 24.0 * 24 * 24) > 0.1); /* z-scores, some padding */
    vox_loader_close(l);
    vox_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(volumes_differ_and_repeat),
        cmocka_unit_test(a_folder_becomes_a_dataset),
        cmocka_unit_test(a_finished_build_needs_no_scans),
        cmocka_unit_test(samples_come_out_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
