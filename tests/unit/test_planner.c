/* planner: fingerprints from headers, the peer's plan byte for byte, what is kept. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/index.h"
#include "data/planner.h"
#include "support/unit.h"

#define CORPUS VOX_SOURCE_DIR "/fuzz/corpus/plans/"

static void same_file(const char *a, const char *b)
{
    vox_buf x = VOX_BUF_INIT, y = VOX_BUF_INIT;

    assert_int_equal(vox_file_read(&x, a), VOX_OK);
    assert_int_equal(vox_file_read(&y, b), VOX_OK);
    assert_string_equal(vox_buf_text(&x), vox_buf_text(&y));
    vox_buf_release(&x);
    vox_buf_release(&y);
}

static void plan_is_the_peers(void **state)
{
    double rows[][3] = {
        {1.0, 0.9375, 1.2000000476837158}
    };
    const vox_fingerprint f = {rows, 1};
    vox_plans p;

    (void)state;
    assert_int_equal(vox_plans_make(&p, &f, "Dataset745_Demo", "nnsslPlans", NULL), VOX_OK);
    assert_int_equal(vox_plans_write(&p, "plans.json"), VOX_OK);
    same_file("plans.json", CORPUS "plans.json");
    assert_int_equal(p.count, 3);
    assert_string_equal(p.dataset_name, "Dataset745_Demo");
    vox_plans_release(&p);
}

static void transposes(void **state)
{
    static const struct {
        double spacing[3];
        int forward[3], backward[3];
    } row[] = {
        {{1, 1, 3},   {2, 0, 1}, {1, 2, 0}},
        {{1, 1, 1},   {0, 1, 2}, {0, 1, 2}},
        {{1, 2, 2},   {1, 0, 2}, {1, 0, 2}},
        {{3, 1, 0.5}, {0, 1, 2}, {0, 1, 2}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        double one[1][3];
        const vox_fingerprint f = {one, 1};
        vox_plans p;

        memcpy(one[0], row[i].spacing, sizeof one[0]);
        assert_int_equal(vox_plans_make(&p, &f, "D", "p", NULL), VOX_OK);
        assert_memory_equal(p.forward, row[i].forward, sizeof p.forward);
        assert_memory_equal(p.backward, row[i].backward, sizeof p.backward);
        assert_true(p.median[0] == row[i].spacing[row[i].forward[0]]);
        vox_plans_release(&p);
    }
}

static void middle_of_even_and_odd(void **state)
{
    double rows[][3] = {
        {4, 1, 1},
        {1, 1, 2},
        {3, 1, 8},
        {2, 1, 4}
    };
    vox_fingerprint f = {rows, 4};
    double a[3], b[3];

    (void)state;
    assert_int_equal(vox_fingerprint_middle(&f, a, b), VOX_OK);
    assert_true(a[0] == 2.5 && a[1] == 1 && a[2] == 3);
    assert_true(b[0] == 2.5 && b[1] == 1 && b[2] == 3);
    f.count = 3;
    assert_int_equal(vox_fingerprint_middle(&f, a, b), VOX_OK);
    assert_true(a[0] == 3 && a[2] == 2);
}

static void custom_configurations_survive(void **state)
{
    double rows[][3] = {
        {1.0, 1.0, 1.0}
    };
    const vox_fingerprint f = {rows, 1};
    vox_plans old, p;
    vox_buf text = VOX_BUF_INIT;
    json_object *all, *mine;

    (void)state;
    assert_int_equal(vox_plans_read(&old, CORPUS "plans.json"), VOX_OK);
    all = vox_json_get(old.json, "configurations");
    mine = NULL;
    assert_int_equal(json_object_deep_copy(vox_json_get(all, "median"), &mine, NULL), 0);
    json_object_object_add(mine, "note", json_object_new_string("mine"));
    json_object_object_add(all, "twomm", mine);
    assert_int_equal(vox_json_text(&text, old.json, 0), VOX_OK);
    vox_plans_release(&old);
    assert_int_equal(vox_plans_parse(&old, text.data, text.len, "old"), VOX_OK);
    assert_int_equal(old.count, 4);
    assert_int_equal(vox_plans_make(&p, &f, "D", "nnsslPlans", &old), VOX_OK);
    vox_plans_release(&old);
    assert_int_equal(p.count, 4);
    assert_non_null(vox_plans_find(&p, "twomm"));
    assert_non_null(vox_json_get(vox_plans_find(&p, "twomm")->json, "note"));
    assert_true(vox_plans_find(&p, "median")->spacing[0] == 1.0); /* planned anew */
    vox_plans_release(&p);
    vox_buf_release(&text);
}

static void configurations_become_settings(void **state)
{
    vox_plans p;
    vox_prepare_cfg cfg;

    (void)state;
    assert_int_equal(vox_plans_read(&p, CORPUS "plans.json"), VOX_OK);
    assert_int_equal(vox_plans_prepare(&cfg, &p, vox_plans_find(&p, "onemmiso")), VOX_OK);
    assert_int_equal(cfg.transpose[0], 2);
    assert_true(cfg.target[0] == 1 && cfg.norm == VOX_NORM_ZSCORE && !cfg.norm_in_mask);
    assert_int_equal(vox_plans_prepare(&cfg, &p, vox_plans_find(&p, "noresample")), VOX_OK);
    assert_true(cfg.target[0] == 0 && cfg.target[2] == 0);
    assert_null(vox_plans_find(&p, "onemm"));
    assert_non_null(strstr(vox_error_text(), "median, onemmiso, noresample"));
    vox_plans_release(&p);
}

static void bad_plans_are_refused(void **state)
{
    static const struct {
        const char *file, *message;
    } row[] = {
        {"transpose.json",    "transpose_forward"},
        {"identifier.json",   "../x"             },
        {"norm.json",         "normalisation"    },
        {"fingerprint.json",  "dataset_name"     },
        {"no_such_file.json", "no_such_file"     },
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char path[512];
        vox_plans p;

        snprintf(path, sizeof path, CORPUS "%s", row[i].file);
        assert_int_not_equal(vox_plans_read(&p, path), VOX_OK);
        if (!strstr(vox_error_text(), row[i].message))
            fail_msg("\"%s\" does not name %s", vox_error_text(), row[i].message);
    }
}

static void write_volume(const char *path, double z, double y, double x)
{
    vox_volume v = VOX_VOLUME_INIT;

    v.info.shape = VOX_SHAPE(1, 3, 4, 5);
    v.info.spacing[0] = z;
    v.info.spacing[1] = y;
    v.info.spacing[2] = x;
    v.info.direction[0] = v.info.direction[4] = v.info.direction[8] = 1;
    v.info.slope = 1;
    v.data = vox_zalloc(60, sizeof *v.data);
    v.data[7] = 1;
    assert_int_equal(vox_volume_write(&v, path), VOX_OK);
    vox_volume_release(&v);
}

static void fingerprint_is_made_from_headers(void **state)
{
    vox_collection c;
    vox_records r;
    vox_rejects out = VOX_REJECTS_INIT;
    vox_fingerprint f, g;

    (void)state;
    assert_int_equal(vox_mkdirs("scans"), VOX_OK);
    write_volume("scans/a.nii.gz", 2, 1, 0.9);
    assert_int_equal(vox_file_write("scans/b.nii.gz", "not a scan", 10), VOX_OK);
    write_volume("scans/c.nii", 1.5, 1, 0.5);
    assert_int_equal(vox_index_folder(&c, "scans", NULL, &out), VOX_OK);
    assert_int_equal(vox_records_make(&r, &c), VOX_OK);
    for (int threads = 1; threads <= 3; threads += 2) {
        vox_rejects bad = VOX_REJECTS_INIT;

        assert_int_equal(vox_fingerprint_make(&f, &r, threads, &bad, NULL, NULL), VOX_OK);
        assert_int_equal(f.count, 2);
        assert_true(f.spacing[0][0] == 2 && f.spacing[0][2] == (double)0.9f);
        assert_true(f.spacing[1][0] == 1.5 && f.spacing[1][2] == 0.5);
        assert_int_equal(bad.count, 1);
        assert_non_null(strstr(bad.v[0].reason, "b.nii.gz"));
        assert_int_equal(vox_fingerprint_write(&f, "fp.json"), VOX_OK);
        assert_int_equal(vox_fingerprint_read(&g, "fp.json"), VOX_OK);
        assert_int_equal(g.count, 2);
        assert_memory_equal(f.spacing, g.spacing, 2 * sizeof *f.spacing);
        vox_fingerprint_release(&f);
        vox_fingerprint_release(&g);
        vox_rejects_release(&bad);
    }
    assert_int_equal(vox_file_write("scans/a.nii.gz", "bad", 3), VOX_OK);
    assert_int_equal(vox_file_write("scans/c.nii", "bad", 3), VOX_OK);
    assert_int_equal(vox_fingerprint_make(&f, &r, 1, &out, NULL, NULL), VOX_E_FORMAT);
    assert_int_equal(out.count, 3);
    vox_rejects_release(&out);
    vox_records_release(&r);
    vox_collection_release(&c);
}

static void fingerprint_text_is_the_peers(void **state)
{
    vox_fingerprint f;

    (void)state;
    assert_int_equal(vox_fingerprint_read(&f, CORPUS "fingerprint.json"), VOX_OK);
    assert_int_equal(vox_fingerprint_write(&f, "fp2.json"), VOX_OK);
    same_file("fp2.json", CORPUS "fingerprint.json");
    vox_fingerprint_release(&f);
    assert_int_equal(vox_fingerprint_read(&f, CORPUS "fingerprint_bad.json"), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "spacings[0]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_is_the_peers),
        cmocka_unit_test(transposes),
        cmocka_unit_test(middle_of_even_and_odd),
        cmocka_unit_test(custom_configurations_survive),
        cmocka_unit_test(configurations_become_settings),
        cmocka_unit_test(bad_plans_are_refused),
        cmocka_unit_test(fingerprint_is_made_from_headers),
        cmocka_unit_test(fingerprint_text_is_the_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
