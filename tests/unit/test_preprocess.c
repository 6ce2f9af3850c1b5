/* preprocess: the files of a run, bad images, resuming, parts, stored numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/index.h"
#include "data/preprocess.h"
#include "data/store.h"
#include "support/unit.h"

/* The volume of data.md 7.11. */
static float voxel(int z, int y, int x)
{
    const int zero = z == 0 || y == 8 || x < 2 || (z == 3 && y == 3 && x == 4) ||
                     (z == 7 && y == 0 && x == 9) || (z == 1 && y == 7 && x == 2);

    return zero ? 0.0f : (float)((7 * z + 3 * y + 5 * x) % 11 + 1);
}

static float mask_voxel(int z, int y, int x)
{
    (void)x;
    return (z + y) % 4 == 0 ? 1.0f : 0.0f;
}

static void write_volume(const char *path, float (*f)(int z, int y, int x))
{
    static const double spacing[3] = {1.5, 0.8, 1.2};
    vox_volume v = VOX_VOLUME_INIT;

    v.info.shape = VOX_SHAPE(1, 8, 9, 10);
    memcpy(v.info.spacing, spacing, sizeof spacing);
    v.info.direction[0] = v.info.direction[4] = v.info.direction[8] = 1;
    v.info.slope = 1;
    v.data = vox_alloc(720, sizeof *v.data);
    for (int i = 0; i < 720; i++)
        v.data[i] = f(i / 90, i / 10 % 9, i % 10);
    assert_int_equal(vox_volume_write(&v, path), VOX_OK);
    vox_volume_release(&v);
}

typedef struct setup {
    vox_collection c;
    vox_records r;
    vox_plans plans;
    vox_preprocess_cfg cfg;
} setup;

static void plan(setup *s)
{
    double one[1][3] = {
        {1.5, 0.8, 1.2}
    };
    const vox_fingerprint f = {one, 1};

    assert_int_equal(vox_plans_make(&s->plans, &f, "D", "nnsslPlans", NULL), VOX_OK);
}

/* Three good scans, one that is no scan, one whose mask has another shape. */
static void begin(setup *s, const char *dir)
{
    vox_rejects skipped = VOX_REJECTS_INIT;
    char cmd[128];

    snprintf(cmd, sizeof cmd, "rm -rf %s scans", dir);
    assert_int_equal(system(cmd), 0);
    assert_int_equal(vox_mkdirs("scans"), VOX_OK);
    write_volume("scans/a.nii.gz", voxel);
    assert_int_equal(vox_file_write("scans/b.nii.gz", "nonsense", 8), VOX_OK);
    write_volume("scans/c.nii", voxel);
    write_volume("scans/d.nii", voxel);
    write_volume("scans/mask_of_a.nii", mask_voxel);
    assert_int_equal(vox_index_folder(&s->c, "scans", NULL, &skipped), VOX_OK);
    vox_rejects_release(&skipped);
    s->c.dataset[0].subject[0].session[0].image[0].anon = "scans/mask_of_a.nii";
    s->c.dataset[0].subject[0].session[0].image[0].has_masks = 1;
    assert_int_equal(vox_records_make(&s->r, &s->c), VOX_OK);
    assert_int_equal(s->r.count, 5);
    plan(s);
    s->cfg = (vox_preprocess_cfg){.dir = dir,
                                  .images = &s->r,
                                  .plans = &s->plans,
                                  .configuration = "onemmiso",
                                  .threads = 2,
                                  .parts = 1};
}

static void end(setup *s)
{
    vox_plans_release(&s->plans);
    vox_records_release(&s->r);
    vox_collection_release(&s->c);
}

static void path_of(char path[512], const setup *s, int i, const char *tail)
{
    snprintf(path, 512, "%s/nnsslPlans_onemmiso/%s%s", s->cfg.dir, s->r.v[i].out, tail);
}

static float *read_store(const char *path, int64_t shape[4])
{
    static const int64_t lo[4] = {0, 0, 0, 0};
    vox_store *st;
    float *v;

    assert_int_equal(vox_store_open(&st, path), VOX_OK);
    vox_store_shape(st, shape);
    v = vox_alloc((size_t)(shape[1] * shape[2] * shape[3]), sizeof *v);
    assert_int_equal(vox_store_read(st, lo, shape, v, shape), VOX_OK);
    vox_store_close(st);
    return v;
}

static size_t length_of(const char *dir, const char *name)
{
    char path[512];
    json_object *o = NULL;
    size_t n;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(vox_json_read(&o, path), VOX_OK);
    n = json_object_array_length(o);
    json_object_put(o);
    return n;
}

static void check_numbers(const setup *s)
{
    int64_t shape[4];
    char path[512];
    float *v, *m;
    int count[3] = {0};
    double squares = 0;

    path_of(path, s, 0, ".b2nd");
    v = read_store(path, shape);
    assert_true(shape[1] == 10 && shape[2] == 6 && shape[3] == 10); /* case A */
    assert_true(fabs((double)v[0] - 0.823922) < 1e-4);
    assert_true(fabs((double)v[(1 * 6 + 2) * 10 + 3] - 0.724866) < 1e-4);
    assert_true(fabs((double)v[599] + 0.268511) < 1e-4);
    for (int i = 0; i < 600; i++)
        squares += (double)v[i] * (double)v[i];
    assert_true(fabs(squares - 309.51860) < 1e-2);
    path_of(path, s, 0, "__anon.b2nd");
    m = read_store(path, shape);
    for (int i = 0; i < 600; i++)
        count[(int)m[i] + 1]++;
    assert_true(count[0] == 1 && count[1] == 439 && count[2] == 160);
    vox_free(v);
    vox_free(m);
}

static void a_run_leaves_its_files(void **state)
{
    setup s;
    vox_preprocess_result res;
    char path[512];

    (void)state;
    begin(&s, "pp");
    assert_int_equal(vox_preprocess(&s.cfg, &res), VOX_OK);
    assert_int_equal(res.made, 4);
    assert_int_equal(res.rejected.count, 1);
    assert_non_null(strstr(res.rejected.v[0].path, "b.nii.gz"));
    vox_preprocess_result_release(&res);
    check_numbers(&s);
    assert_int_equal(length_of("pp", "valid_imgs.json"), 4);
    assert_int_equal(length_of("pp", "valid_imgs__onemmiso.json"), 4);
    assert_int_equal(length_of("pp", "nnsslPlans_onemmiso/reject_report.json"), 1);
    assert_true(vox_file_exists("pp/pretrain_data__onemmiso.json"));
    path_of(path, &s, 0, ".pkl");
    assert_true(vox_file_exists(path));
    path_of(path, &s, 0, "__anat.b2nd");
    assert_false(vox_file_exists(path));
    path_of(path, &s, 1, ".b2nd");
    assert_false(vox_file_exists(path));
    end(&s);
}

static void the_collection_points_at_the_files(void **state)
{
    setup s;
    vox_preprocess_result res;
    vox_collection c;
    char cwd[300];

    (void)state;
    begin(&s, "root/Dataset001_X");
    assert_non_null(getcwd(cwd, sizeof cwd - 8));
    strncat(cwd, "/root", 6);
    setenv("nnssl_preprocessed", cwd, 1);
    assert_int_equal(vox_preprocess(&s.cfg, &res), VOX_OK);
    unsetenv("nnssl_preprocessed");
    vox_preprocess_result_release(&res);
    assert_int_equal(
        vox_collection_read(&c, "root/Dataset001_X/pretrain_data__onemmiso.json"), VOX_OK);
    assert_int_equal(vox_collection_images(&c), 5);
    assert_string_equal(
        c.dataset[0].subject[0].session[0].image[0].path,
        "$nnssl_preprocessed/Dataset001_X/nnsslPlans_onemmiso/scans/scans/a/"
        "ses-DEFAULT/a");
    assert_string_equal(
        c.dataset[0].subject[0].session[0].image[0].anon,
        "$nnssl_preprocessed/Dataset001_X/nnsslPlans_onemmiso/scans/scans/a/"
        "ses-DEFAULT/a__anon");
    vox_collection_release(&c);
    end(&s);
}

static void run(setup *s, int made, int kept, int rejected)
{
    vox_preprocess_result res;

    assert_int_equal(vox_preprocess(&s->cfg, &res), VOX_OK);
    assert_int_equal(res.made, made);
    assert_int_equal(res.kept, kept);
    assert_int_equal(res.rejected.count, rejected);
    vox_preprocess_result_release(&res);
}

static void finished_images_are_kept(void **state)
{
    setup s;
    char path[512];
    vox_buf bytes = VOX_BUF_INIT;

    (void)state;
    begin(&s, "pp");
    run(&s, 4, 0, 1);
    run(&s, 0, 4, 1);
    path_of(path, &s, 0, ".b2nd"); /* cut off: made again */
    assert_int_equal(vox_file_read(&bytes, path), VOX_OK);
    assert_int_equal(vox_file_write(path, bytes.data, bytes.len / 2), VOX_OK);
    run(&s, 1, 3, 1);
    path_of(path, &s, 2, ".json"); /* never finished: made again */
    assert_int_equal(unlink(path), 0);
    run(&s, 1, 3, 1);
    write_volume("scans/c.nii", mask_voxel); /* another input */
    run(&s, 1, 3, 1);
    assert_int_equal(vox_file_write("scans/c.nii", "gone bad", 8), VOX_OK);
    run(&s, 0, 3, 2);
    path_of(path, &s, 2, ".b2nd");
    assert_false(vox_file_exists(path));
    s.plans.forward[0] = 2; /* another plan */
    s.plans.forward[2] = 0;
    run(&s, 3, 0, 2);
    s.cfg.again = 1;
    run(&s, 3, 0, 2);
    vox_buf_release(&bytes);
    end(&s);
}

static float voxel_nan(int z, int y, int x)
{
    return z == 3 && y == 2 && x == 1 ? NAN : voxel(z, y, x);
}

/* An image with a voxel that is no number is refused, unless it is to be a zero. */
static void nan_is_refused(void **state)
{
    setup s;

    (void)state;
    begin(&s, "nan");
    write_volume("scans/c.nii", voxel_nan);
    run(&s, 3, 0, 2);
    s.cfg.nan_as_zero = 1;
    run(&s, 1, 3, 1);
    end(&s);
}

/* In a mask, too: the file is the mask of one image, and an image itself. */
static void nan_is_refused_in_masks(void **state)
{
    setup s;

    (void)state;
    begin(&s, "nan_mask");
    write_volume("scans/mask_of_a.nii", voxel_nan);
    run(&s, 2, 0, 3);
    s.cfg.nan_as_zero = 1;
    run(&s, 2, 2, 1);
    s.cfg.nan_as_zero = 0;
    run(&s, 0, 2, 3);
    end(&s);
}

static void parts_are_joined_in_order(void **state)
{
    setup s;
    json_object *list = NULL;

    (void)state;
    begin(&s, "parts");
    s.cfg.parts = 3; /* 2, 2, 1 */
    s.cfg.part = 2;
    run(&s, 1, 0, 0);
    s.cfg.part = 0;
    run(&s, 1, 0, 1);
    assert_false(vox_file_exists("parts/valid_imgs.json"));
    assert_true(vox_file_exists("parts/valid_imgs__onemmiso__0_of_3.json"));
    s.cfg.part = 1;
    run(&s, 2, 0, 0);
    assert_false(vox_file_exists("parts/valid_imgs__onemmiso__0_of_3.json"));
    assert_int_equal(length_of("parts", "nnsslPlans_onemmiso/reject_report.json"), 1);
    assert_int_equal(vox_json_read(&list, "parts/valid_imgs__onemmiso.json"), VOX_OK);
    assert_int_equal(json_object_array_length(list), 4);
    assert_string_equal(json_object_get_string(
                            vox_json_get(json_object_array_get_idx(list, 0), "image_name")),
                        "a.nii.gz");
    assert_string_equal(json_object_get_string(
                            vox_json_get(json_object_array_get_idx(list, 3), "image_name")),
                        "mask_of_a.nii");
    json_object_put(list);
    s.cfg.part = 3;
    assert_int_equal(vox_preprocess(&s.cfg, &(vox_preprocess_result){0}), VOX_E_ARG);
    end(&s);
}

/* A part of an earlier plan is not joined: its images are not those of this one. */
static void parts_of_another_plan_are_not_joined(void **state)
{
    setup s;

    (void)state;
    begin(&s, "mixed");
    s.cfg.parts = 2;
    s.cfg.store.codec = VOX_CODEC_LZ4;
    run(&s, 2, 0, 1);
    s.cfg.store.codec = VOX_CODEC_ZSTD;
    s.cfg.part = 1;
    run(&s, 2, 0, 0);
    assert_false(vox_file_exists("mixed/valid_imgs__onemmiso.json"));
    s.cfg.part = 0;
    run(&s, 2, 0, 1);
    assert_int_equal(length_of("mixed", "valid_imgs__onemmiso.json"), 4);
    end(&s);
}

static void parts_are_balanced(void **state)
{
    int64_t first, count, at = 0;

    (void)state;
    for (int p = 0; p < 4; p++) {
        vox_preprocess_part(&first, &count, 10, p, 4);
        assert_int_equal(first, at);
        assert_int_equal(count, p < 2 ? 3 : 2);
        at += count;
    }
    vox_preprocess_part(&first, &count, 2, 2, 3);
    assert_int_equal(count, 0);
}

static void all_bad_is_a_failure(void **state)
{
    setup s;
    vox_preprocess_result res;

    (void)state;
    begin(&s, "bad");
    for (int i = 0; i < 5; i++)
        assert_int_equal(vox_file_write(s.r.v[i].image->path, "bad", 3), VOX_OK);
    assert_int_equal(vox_preprocess(&s.cfg, &res), VOX_E_FORMAT);
    assert_int_equal(res.rejected.count, 5);
    assert_non_null(strstr(vox_error_text(), "none of 5 images"));
    assert_int_equal(length_of("bad", "nnsslPlans_onemmiso/reject_report.json"), 5);
    vox_preprocess_result_release(&res);
    end(&s);
}

static void unwritable_output_is_a_failure(void **state)
{
    setup s;
    vox_preprocess_result res;

    (void)state;
    begin(&s, "pp");
    s.cfg.dir = "scans/a.nii.gz/below";
    assert_int_equal(vox_preprocess(&s.cfg, &res), VOX_E_IO);
    assert_non_null(strstr(vox_error_text(), "scans/a.nii.gz"));
    vox_preprocess_result_release(&res);
    s.cfg.dir = "pp";
    s.cfg.configuration = "threemm";
    assert_int_equal(vox_preprocess(&s.cfg, &res), VOX_E_MISSING);
    vox_preprocess_result_release(&res);
    end(&s);
}

static void properties_come_back(void **state)
{
    vox_properties p =
                       {
                           .key = "abc", .mean = 0.1, .bytes = {1, -1, 3}
    },
                   q;
    vox_buf b = VOX_BUF_INIT;

    (void)state;
    for (int i = 0; i < 3; i++) {
        p.spacing_read[i] = 0.5 + i;
        p.bbox[i][0] = i;
        p.bbox[i][1] = 300 + i;
        p.shape_before_cropping[i] = 70000;
    }
    assert_int_equal(vox_properties_write(&p, "props.json"), VOX_OK);
    assert_int_equal(vox_properties_read(&q, "props.json"), VOX_OK);
    assert_memory_equal(&p, &q, sizeof p);
    assert_int_equal(vox_properties_pickle(&b, &p), VOX_OK);
    assert_memory_equal(b.data, "\x80\x02}(X\x0a\0\0\0sitk_stuff}(", 20);
    assert_memory_equal(b.data + b.len - 19, "(J\0\0\0\0J\0\0\0\0J\0\0\0\0tu.", 19);
    vox_buf_release(&b);
}

/* A file is in memory beside its voxels, whichever file they are in. */
static void files_count_as_memory(void **state)
{
    static const char head[] =
        "NDims = 3\nDimSize = 9 9 9\nElementType = MET_FLOAT\nElementDataFile = v.raw\n";
    const vox_prepare_cfg cfg = VOX_PREPARE_CFG_INIT;
    const vox_coll_image image = {.path = "v.mhd"};
    const vox_record r = {.image = &image};
    static const char raw[5000];
    vox_volume_info info;

    (void)state;
    assert_int_equal(vox_file_write("v.raw", raw, sizeof raw), VOX_OK);
    assert_int_equal(vox_file_write("v.mhd", head, strlen(head)), VOX_OK);
    assert_int_equal(vox_volume_read_info(&info, "v.mhd"), VOX_OK);
    assert_int_equal(vox_preprocess_memory(&r, &cfg),
                     vox_prepare_memory(&info, 0, &cfg) + 5000 + (int64_t)strlen(head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_leaves_its_files),
        cmocka_unit_test(the_collection_points_at_the_files),
        cmocka_unit_test(finished_images_are_kept),
        cmocka_unit_test(nan_is_refused),
        cmocka_unit_test(nan_is_refused_in_masks),
        cmocka_unit_test(parts_are_joined_in_order),
        cmocka_unit_test(parts_of_another_plan_are_not_joined),
        cmocka_unit_test(parts_are_balanced),
        cmocka_unit_test(all_bad_is_a_failure),
        cmocka_unit_test(unwritable_output_is_a_failure),
        cmocka_unit_test(files_count_as_memory),
        cmocka_unit_test(properties_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
