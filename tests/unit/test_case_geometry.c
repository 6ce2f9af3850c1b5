/* case_geometry: a stored voxel lies where its part of the scan lies; side files of both
 * kinds. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/case_geometry.h"
#include "support/unit.h"

/* A scan of 6 x 10 x 8 voxels (z, y, x), turned and not at the origin; no voxel at its
 * rim. */
static vox_volume make_scan(void)
{
    static const double spacing[3] = {2.0, 0.5, 0.75}, origin[3] = {10, -20, 30};
    static const double direction[9] = {0, 1, 0, -1, 0, 0, 0, 0, 1};
    vox_volume v = VOX_VOLUME_INIT;
    vox_rng r = vox_rng_at(3, VOX_STREAM("test"), 0);

    v.info.shape = VOX_SHAPE(1, 6, 10, 8);
    memcpy(v.info.spacing, spacing, sizeof spacing);
    memcpy(v.info.origin, origin, sizeof origin);
    memcpy(v.info.direction, direction, sizeof direction);
    v.data = vox_zalloc(480, sizeof *v.data);
    assert_non_null(v.data);
    for (int z = 1; z < 5; z++) {
        for (int y = 2; y < 9; y++) {
            for (int x = 1; x < 6; x++)
                v.data[(z * 10 + y) * 8 + x] = (float)(1 + vox_rng_below(&r, 100));
        }
    }
    return v;
}

/* Where the centre of a voxel lies, at (z, y, x); fractions are inside the voxels. */
static void world_of(double out[3], const vox_volume_info *v, const double at[3])
{
    for (int i = 0; i < 3; i++) {
        out[i] = v->origin[i];
        for (int a = 0; a < 3; a++)
            out[i] += v->direction[3 * i + (2 - a)] * v->spacing[a] * at[a];
    }
}

/* The corners of the stored image are those of the crop. */
static void check_corners(const vox_volume_info *scan, const vox_volume_info *stored,
                          const vox_properties *p)
{
    for (int corner = 0; corner < 8; corner++) {
        double in_scan[3], in_stored[3], a[3], b[3];

        for (int i = 0; i < 3; i++) {
            const int high = corner >> i & 1;

            in_scan[p->transpose[i]] = (double)p->bbox[i][high] - 0.5;
            in_stored[i] = high ? (double)stored->shape.n[1 + i] - 0.5 : -0.5;
        }
        world_of(a, scan, in_scan);
        world_of(b, stored, in_stored);
        for (int i = 0; i < 3; i++)
            assert_true(fabs(a[i] - b[i]) < 1e-9);
    }
}

static void prepare(vox_properties *props, vox_volume_info *stored, const vox_volume *scan,
                    const vox_prepare_cfg *cfg)
{
    const vox_stored read = vox_stored_of(scan);
    vox_prepared_case p = VOX_PREPARED_CASE_INIT;

    assert_int_equal(vox_prepare_case(&p, &read, NULL, NULL, cfg, "scan"), VOX_OK);
    *props = (vox_properties){.key = "k"};
    vox_properties_fill(props, &p, &scan->info);
    *stored = (vox_volume_info){.shape = p.image.info.shape};
    vox_prepared_case_release(&p);
}

static void stored_voxels_lie_over_the_scan(void **state)
{
    static const vox_prepare_cfg row[] = {
        {{0, 1, 2}, {0, 0, 0},       VOX_NORM_ZSCORE, 0, 0},
        {{0, 1, 2}, {1, 1, 1},       VOX_NORM_ZSCORE, 0, 0},
        {{2, 0, 1}, {0.7, 1.1, 0.3}, VOX_NORM_ZSCORE, 0, 0},
        {{1, 0, 2}, {1, 1, 1},       VOX_NORM_ZSCORE, 0, 0},
        {{2, 1, 0}, {0, 0, 0},       VOX_NORM_ZSCORE, 0, 0},
    };
    vox_volume scan = make_scan();

    (void)state;
    for (int i = 0; i < VOX_COUNT(row); i++) {
        vox_properties p;
        vox_volume_info stored;

        prepare(&p, &stored, &scan, &row[i]);
        assert_int_equal(vox_case_geometry(&stored, &p, "case"), VOX_OK);
        check_corners(&scan.info, &stored, &p);
        for (int a = 0; a < 3; a++)
            assert_int_equal(p.transpose[a], row[i].transpose[a]);
    }
    vox_volume_release(&scan);
}

static void write_side(const vox_properties *p, const char *json, const char *pickle)
{
    vox_buf b = VOX_BUF_INIT;

    if (json)
        assert_int_equal(vox_properties_write(p, json), VOX_OK);
    if (pickle) {
        assert_int_equal(vox_properties_pickle(&b, p), VOX_OK);
        assert_int_equal(vox_file_write(pickle, b.data, b.len), VOX_OK);
    }
    vox_buf_release(&b);
}

static void same_geometry(const vox_properties *a, const vox_properties *b)
{
    vox_volume_info x = {.format = ""}, y = {.format = ""};

    assert_int_equal(vox_case_geometry(&x, a, "a"), VOX_OK);
    assert_int_equal(vox_case_geometry(&y, b, "b"), VOX_OK);
    for (int i = 0; i < 3; i++) {
        assert_true(fabs(x.spacing[i] - y.spacing[i]) < 1e-12);
        assert_true(fabs(x.origin[i] - y.origin[i]) < 1e-12);
    }
    for (int i = 0; i < 9; i++)
        assert_true(x.direction[i] == y.direction[i]);
}

/* Beside "a.b2nd" and its masks: a.json, else a.pkl with the plans above the folder. */
static void side_files(void **state)
{
    static const vox_prepare_cfg cfg = {
        {2, 0, 1},
        {1, 1, 1},
        VOX_NORM_ZSCORE, 0, 0
    };
    static const char plans[] = "D/nnsslPlans_onemmiso/c/1/s/ses";
    vox_volume scan = make_scan();
    vox_volume_info stored;
    vox_properties p, found;
    vox_buf text = VOX_BUF_INIT;
    int64_t other[4];

    (void)state;
    unlink("a.json"); /* of an earlier run */
    unlink("D/nnsslPlans.json");
    prepare(&p, &stored, &scan, &cfg);
    assert_int_equal(vox_mkdirs(plans), VOX_OK);
    assert_int_equal(vox_case_properties(&found, "a.b2nd", p.shape), VOX_E_MISSING);
    write_side(&p, "a.json", NULL);
    assert_int_equal(vox_case_properties(&found, "a__anat.b2nd", p.shape), VOX_OK);
    same_geometry(&p, &found);
    memcpy(other, p.shape, sizeof other);
    other[2]++;
    assert_int_equal(vox_case_properties(&found, "a.b2nd", other), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "a.b2nd: is "));
    /* the peer's: axes as in the scan, unless its plans are there */
    write_side(&p, NULL, "D/nnsslPlans_onemmiso/c/1/s/ses/a.pkl");
    assert_int_equal(
        vox_case_properties(&found, "D/nnsslPlans_onemmiso/c/1/s/ses/a.b2nd", p.shape),
        VOX_OK);
    assert_int_equal(found.transpose[0], 0);
    assert_int_equal(vox_file_read(&text, VOX_SOURCE_DIR "/fuzz/corpus/plans/plans.json"),
                     VOX_OK); /* its transpose_forward is 2, 0, 1 */
    assert_int_equal(vox_file_write("D/nnsslPlans.json", text.data, text.len), VOX_OK);
    assert_int_equal(vox_case_properties(
                         &found, "D/nnsslPlans_onemmiso/c/1/s/ses/a__anon.b2nd", p.shape),
                     VOX_OK);
    assert_int_equal(found.transpose[0], 2);
    same_geometry(&p, &found);
    vox_buf_release(&text);
    vox_volume_release(&scan);
}

/* Properties of before there was a "transpose". */
static void an_older_side_file(void **state)
{
    static const vox_prepare_cfg cfg = VOX_PREPARE_CFG_INIT;
    vox_volume scan = make_scan();
    vox_volume_info stored;
    vox_properties p, found;
    vox_buf text = VOX_BUF_INIT;

    (void)state;
    prepare(&p, &stored, &scan, &cfg);
    write_side(&p, "old.json", NULL);
    assert_int_equal(vox_file_read(&text, "old.json"), VOX_OK);
    memcpy(strstr(text.data, "transpose"), "something", 9);
    assert_int_equal(vox_file_write("old.json", text.data, text.len), VOX_OK);
    assert_int_equal(vox_properties_read(&found, "old.json"), VOX_OK);
    same_geometry(&p, &found);
    memcpy(strstr(text.data, "bbox"), "xobb", 4); /* anything else must be there */
    assert_int_equal(vox_file_write("old.json", text.data, text.len), VOX_OK);
    assert_int_equal(vox_properties_read(&found, "old.json"), VOX_E_MISSING);
    vox_buf_release(&text);
    vox_volume_release(&scan);
}

static void what_contradicts_itself_is_refused(void **state)
{
    vox_properties good = {.key = ""};
    vox_volume_info v = {.format = ""};

    (void)state;
    for (int i = 0; i < 3; i++) {
        good.spacing_read[i] = 1.0;
        good.bbox[i][1] = good.shape[1 + i] = good.shape_before_cropping[i] = 4;
        good.transpose[i] = i;
    }
    assert_int_equal(vox_case_geometry(&v, &good, "case"), VOX_OK);
    for (int i = 0; i < 9; i++) {
        vox_properties bad = good;

        switch (i) {
        case 0:
            bad.transpose[1] = 0;
            break;
        case 1:
            bad.transpose[2] = 3;
            break;
        case 2:
            bad.bbox[1][1] = 0;
            break;
        case 3:
            bad.shape[3] = 0;
            break;
        case 4:
            bad.spacing_read[0] = (double)NAN;
            break;
        case 5:
            bad.bbox[2][1] = 5;
            break;
        case 6:
            bad.origin[1] = (double)NAN;
            break;
        case 7:
            bad.direction[3] = (double)INFINITY;
            break;
        default:
            bad.bbox[0][0] = -1;
        }
        assert_int_equal(vox_case_geometry(&v, &bad, "case"), VOX_E_FORMAT);
        assert_non_null(strstr(vox_error_text(), "case: "));
        assert_true(v.spacing[0] == 1.0 && v.origin[1] == 0.0); /* as before */
    }
}

/* A pickle as Python and NumPy write the peer's dictionary, protocol 4. */
static void the_peers_pickle(void **state)
{
    vox_properties p = {
        .transpose = {0, 1, 2}
    };
    vox_buf b = VOX_BUF_INIT;

    (void)state;
    assert_int_equal(vox_file_read(&b, VOX_SOURCE_DIR "/tests/golden/store/peer.pkl"),
                     VOX_OK);
    assert_int_equal(vox_properties_unpickle(&p, b.data, b.len, "peer.pkl"), VOX_OK);
    assert_true(p.spacing_read[0] == 3.0 && p.spacing_read[1] == 0.75 &&
                p.spacing_read[2] == 0.5);
    assert_true(p.shape_before_cropping[0] == 20 && p.shape_after_cropping[2] == 33);
    assert_true(p.bbox[1][0] == 2 && p.bbox[1][1] == 31 && p.bbox[2][0] == 4);
    assert_true(p.origin[0] == -10.5 && p.origin[1] == 20.25 && p.origin[2] == 30.0);
    assert_true(p.direction[0] == -1.0 && p.direction[4] == -1.0 && p.direction[8] == 1.0);
    for (size_t n = 0; n < b.len; n++)
        assert_int_equal(vox_properties_unpickle(&p, b.data, n, "peer.pkl"), VOX_E_FORMAT);
    vox_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_voxels_lie_over_the_scan),
        cmocka_unit_test(side_files),
        cmocka_unit_test(an_older_side_file),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(the_peers_pickle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
