/* data: every allocation fails once; there is a message, nothing leaks, the next try
 * succeeds. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/build.h"
#include "data/index.h"
#include "data/loader.h"
#include "data/openmind.h"
#include "data/splits.h"
#include "data/store.h"
#include "data/synth.h"
#include "support/unit.h"

#define CORPUS VOX_SOURCE_DIR "/fuzz/corpus/"

/* Make allocation 1, 2, 3, ... of `task` fail until it passes without one failing. */
static void sweep(int (*task)(void), int64_t at_least)
{
    int64_t n = 1;

    for (;; n++) {
        const int64_t blocks = vox_mem_blocks(), calls = vox_mem_calls();
        int rc;

        vox_error_clear();
        vox_mem_fail_at(n);
        rc = task();
        vox_mem_fail_at(0);
        assert_int_equal(vox_mem_blocks(), blocks);
        if (vox_mem_calls() - calls < n)
            break;
        if (rc != VOX_OK)
            assert_true(*vox_error_text());
    }
    assert_int_equal(task(), VOX_OK);
    assert_true(n > at_least);
}

static int read_and_flatten(void)
{
    vox_collection c = VOX_COLLECTION_INIT, copy = VOX_COLLECTION_INIT;
    vox_records r = VOX_RECORDS_INIT;
    vox_splits s = VOX_SPLITS_INIT;
    int rc = vox_collection_read(&c, CORPUS "collection/demo.json");

    if (rc == VOX_OK)
        rc = vox_records_make(&r, &c);
    if (rc == VOX_OK)
        rc = vox_splits_make(&s, &r);
    if (rc == VOX_OK)
        rc = vox_collection_init(&copy, "copy", 1);
    if (rc == VOX_OK)
        rc = vox_collection_merge(&copy, &c, NULL);
    if (rc == VOX_OK)
        rc = vox_collection_write(&copy, "copy.json");
    vox_splits_release(&s);
    vox_records_release(&r);
    vox_collection_release(&copy);
    vox_collection_release(&c);
    return rc;
}

static int read_and_plan(void)
{
    vox_fingerprint f = VOX_FINGERPRINT_INIT;
    vox_plans old = VOX_PLANS_INIT, p = VOX_PLANS_INIT;
    int rc = vox_fingerprint_read(&f, CORPUS "plans/fingerprint.json");

    if (rc == VOX_OK)
        rc = vox_plans_read(&old, CORPUS "plans/plans.json");
    if (rc == VOX_OK)
        rc = vox_plans_make(&p, &f, "D", "nnsslPlans", &old);
    vox_plans_release(&p);
    vox_plans_release(&old);
    vox_fingerprint_release(&f);
    return rc;
}

static int index_a_folder(void)
{
    vox_collection c = VOX_COLLECTION_INIT;
    vox_rejects skipped = VOX_REJECTS_INIT;
    int rc = vox_index_folder(&c, "scans", NULL, &skipped);

    vox_rejects_release(&skipped);
    vox_collection_release(&c);
    return rc;
}

/* A BIDS tree with tables, side-cars and masks; a csv; OpenMind's table. */
static int index_other_ways(void)
{
    static const char om[] =
        "image_path,modality,unique_id,derived_from,image_quality_score\n"
        "ds1/sub-1/ses-1/x__Data/FA.nii.gz,FA,ds000001_1,dwi,2.5\n";
    vox_collection c = VOX_COLLECTION_INIT;
    vox_rejects skipped = VOX_REJECTS_INIT;
    int rc = vox_index_folder(&c, "bids", NULL, &skipped);

    vox_collection_release(&c);
    if (rc == VOX_OK)
        rc = vox_index_csv(&c, "bids/t.csv", NULL, &skipped);
    vox_collection_release(&c);
    if (rc == VOX_OK)
        rc = vox_openmind_parse(&c, om, sizeof om - 1, "om", "/d", "C", &skipped);
    vox_collection_release(&c);
    vox_rejects_release(&skipped);
    return rc;
}

static int store_and_read(void)
{
    static const int64_t shape[4] = {1, 9, 9, 9}, zero[4] = {0, 0, 0, 0};
    static const float in[729] = {1};
    static float out[729];
    vox_store *s = NULL;
    int rc = vox_store_write("s.b2nd", in, shape, NULL, NULL);

    if (rc == VOX_OK)
        rc = vox_store_open(&s, "s.b2nd");
    if (rc == VOX_OK)
        rc = vox_store_read(s, zero, shape, out, shape);
    vox_store_close(s);
    return rc;
}

static int open_and_crop(void)
{
    const vox_dataset_cfg cfg = {"built",         "nnsslPlans", "onemmiso",
                                 VOX_SPLIT_TRAIN, NULL,         0};
    static const int64_t lo[3] = {-1, 2, 3}, extent[3] = {6, 6, 6};
    float image[216];
    vox_dataset *d = NULL;
    int rc = vox_dataset_open(&d, &cfg);

    if (rc == VOX_OK)
        rc = vox_dataset_crop(d, 0, lo, extent, image, NULL, NULL, NULL, NULL);
    vox_dataset_close(d);
    return rc;
}

static void collections(void **state)
{
    (void)state;
    sweep(read_and_flatten, 15);
}

static void plans(void **state)
{
    (void)state;
    sweep(read_and_plan, 10);
}

static void folders(void **state)
{
    (void)state;
    sweep(index_a_folder, 10);
}

static void stores(void **state)
{
    (void)state;
    sweep(store_and_read, 5);
}

static void put(const char *path, const char *text)
{
    assert_int_equal(vox_file_write(path, text, strlen(text)), VOX_OK);
}

static void other_ways(void **state)
{
    (void)state;
    assert_int_equal(vox_mkdirs("bids/sub-1/anat"), VOX_OK);
    put("bids/sub-1/anat/sub-1_T1w.nii", "x");
    put("bids/sub-1/anat/sub-1_T1w__anon.nii", "x");
    put("bids/sub-1/anat/sub-1_T1w_brain_mask.nii", "x");
    put("bids/sub-1/anat/sub-1_T1w.json", "{\"EchoTime\": 1}");
    put("bids/T1w.json", "{\"FlipAngle\": 1}");
    put("bids/participants.tsv", "participant_id\tage\nsub-1\t26\n");
    put("bids/sub-1/sub-1_sessions.tsv", "session_id\tday\nses-DEFAULT\t1\n");
    put("bids/t.csv", "path,subject,mine\nsub-1/anat/sub-1_T1w.nii,p,1\nnone.nii,q,2\n");
    sweep(index_other_ways, 40);
}

static void datasets(void **state)
{
    (void)state;
    sweep(open_and_crop, 20);
}

static int setup(void **state)
{
    const vox_synth_cfg synth = {.count = 3, .seed = 1, .size = 0.08};
    const vox_data_build_cfg cfg = {.scans = "scans",
                                    .dir = "built",
                                    .plans = "nnsslPlans",
                                    .configuration = "onemmiso"};

    (void)state;
    vox_log_set_level(VOX_ERROR);
    if (vox_synth("scans", &synth) != VOX_OK || vox_data_build(&cfg) != VOX_OK)
        fail_msg("%s", vox_error_text());
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collections), cmocka_unit_test(plans),
        cmocka_unit_test(folders),     cmocka_unit_test(stores),
        cmocka_unit_test(datasets),    cmocka_unit_test(other_ways),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
