/* dataset and loader: members, crops with padding, masks, the same samples whatever the
 * threads. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "data/loader.h"
#include "data/planner.h"
#include "data/preprocess.h"
#include "data/store.h"
#include "support/unit.h"

enum { SUBJECTS = 8, D = 20, H = 24, W = 28 };

static const int64_t size[4] = {1, D, H, W};

/* The value of a voxel of subject s: which, and where. */
static float value(int s, int64_t z, int64_t y, int64_t x)
{
    return (float)(s * 100000 + (z * H + y) * W + x);
}

static float mask_value(int64_t z, int64_t y, int64_t x)
{
    return x == 0 ? -1.0f : (z + y + x) % 3 == 0 ? 1.0f : 0.0f;
}

static void case_path(char path[256], const char *dir, int s, const char *tail)
{
    snprintf(path, 256, "%s/nnsslPlans_onemmiso/C/1/s%d/ses/a%s", dir, s, tail);
}

static void store(const char *path, const float *v)
{
    assert_int_equal(vox_store_write(path, v, size, NULL, NULL), VOX_OK);
}

static void write_case(const char *dir, int s, int masks)
{
    static float v[D * H * W], m[D * H * W];
    char path[256];

    case_path(path, dir, s, "");
    *strrchr(path, '/') = '\0';
    assert_int_equal(vox_mkdirs(path), VOX_OK);
    for (int64_t i = 0; i < D * H * W; i++) {
        v[i] = value(s, i / (H * W), i / W % H, i % W);
        m[i] = mask_value(i / (H * W), i / W % H, i % W);
    }
    case_path(path, dir, s, ".b2nd");
    store(path, v);
    if (!masks)
        return;
    case_path(path, dir, s, "__anat.b2nd");
    store(path, m);
    for (int64_t i = 0; i < D * H * W; i++)
        m[i] = m[i] == 1.0f ? 0.0f : 1.0f;
    case_path(path, dir, s, "__anon.b2nd");
    store(path, m);
}

/* A preprocessed folder without running preprocessing: s0 has masks. */
static void build(const char *dir, int subjects)
{
    double one[1][3] = {
        {1, 1, 1}
    };
    const vox_fingerprint f = {one, 1};
    vox_plans plans;
    vox_collection c;
    vox_coll_dataset *d;
    char text[256];

    snprintf(text, sizeof text, "rm -rf %s", dir);
    assert_int_equal(system(text), 0);
    assert_int_equal(vox_collection_init(&c, "C", 1), VOX_OK);
    d = vox_collection_add_dataset(&c, "1");
    for (int s = 0; s < subjects; s++) {
        vox_coll_session *ses;

        snprintf(text, sizeof text, "s%d", s);
        ses =
            vox_collection_add_session(&c, vox_collection_add_subject(&c, d, text), "ses");
        vox_collection_add_image(&c, ses, "a.nii.gz", "/x", s % 2 ? "T1w" : "T2w");
        write_case(dir, s, s == 0);
    }
    snprintf(text, sizeof text, "%s/pretrain_data__onemmiso.json", dir);
    assert_int_equal(vox_collection_write(&c, text), VOX_OK);
    vox_collection_release(&c);
    assert_int_equal(vox_plans_make(&plans, &f, "D", "nnsslPlans", NULL), VOX_OK);
    snprintf(text, sizeof text, "%s/nnsslPlans.json", dir);
    assert_int_equal(vox_plans_write(&plans, text), VOX_OK);
    vox_plans_release(&plans);
    snprintf(text, sizeof text, "%s/nnsslPlans_onemmiso/voxmind.json", dir);
    assert_int_equal(vox_file_write(text, "{}", 2), VOX_OK);
}

static vox_dataset *open_side(const char *dir, vox_split split, const char *modalities)
{
    const vox_dataset_cfg cfg = {dir, "nnsslPlans", "onemmiso", split, modalities, 0};
    vox_dataset *d;

    if (vox_dataset_open(&d, &cfg) != VOX_OK)
        fail_msg("%s", vox_error_text());
    return d;
}

/* Subject number of item i: C__1__s<number>__ses__a.nii.gz */
static int subject_of(const vox_dataset *d, int64_t i)
{
    return vox_dataset_id(d, i)[7] - '0';
}

static void sides_hold_their_subjects(void **state)
{
    vox_dataset *train, *val;

    (void)state;
    build("pp", SUBJECTS);
    train = open_side("pp", VOX_SPLIT_TRAIN, NULL);
    val = open_side("pp", VOX_SPLIT_VAL, NULL);
    assert_int_equal(vox_dataset_count(train), 3); /* 1, 3, 7: data.md 9.2 for n = 8 */
    assert_int_equal(vox_dataset_count(val), 5);
    assert_string_equal(vox_dataset_id(train, 0), "C__1__s1__ses__a.nii.gz");
    assert_string_equal(vox_dataset_id(train, 2), "C__1__s7__ses__a.nii.gz");
    assert_true(vox_file_exists("pp/splits_final.json"));
    vox_dataset_close(train);
    vox_dataset_close(val);
    train = open_side("pp", VOX_SPLIT_TRAIN, "T1w");
    assert_int_equal(vox_dataset_count(train), 3);
    vox_dataset_close(train);
    train = open_side("pp", VOX_SPLIT_TRAIN, "T2w"); /* none of 1, 3, 7: split anew */
    val = open_side("pp", VOX_SPLIT_VAL, "T2w");
    assert_int_equal(vox_dataset_count(train) + vox_dataset_count(val), 4);
    assert_true(vox_dataset_count(train) > 0 && vox_dataset_count(val) > 0);
    vox_dataset_close(train);
    vox_dataset_close(val);
}

static void missing_and_invalid_images_are_left_out(void **state)
{
    vox_dataset *d;
    char path[256];

    (void)state;
    build("pp", SUBJECTS);
    case_path(path, "pp", 3, ".b2nd");
    assert_int_equal(unlink(path), 0);
    d = open_side("pp", VOX_SPLIT_TRAIN, NULL);
    assert_int_equal(vox_dataset_count(d), 2);
    vox_dataset_close(d);
    {
        static const char valid[] =
            "[{\"collection_name\":\"C\",\"dataset_index\":\"1\",\"subject_id\":\"s7\","
            "\"session_id\":\"ses\",\"image_name\":\"a.nii.gz\"},{\"collection_name\":"
            "\"C\","
            "\"dataset_index\":\"1\",\"subject_id\":\"s0\",\"session_id\":\"ses\","
            "\"image_name\":\"a.nii.gz\"}]";

        assert_int_equal(
            vox_file_write("pp/valid_imgs__onemmiso.json", valid, sizeof valid - 1),
            VOX_OK);
    }
    d = open_side("pp", VOX_SPLIT_TRAIN, NULL);
    assert_int_equal(vox_dataset_count(d), 1);
    assert_int_equal(subject_of(d, 0), 7);
    vox_dataset_close(d);
}

/* What opening the training side says on stderr, into `log`. */
static void open_and_listen(vox_buf *log, const char *dir)
{
    const int was = dup(2), fd = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(was >= 0 && fd >= 0 && dup2(fd, 2) == 2);
    vox_dataset_close(open_side(dir, VOX_SPLIT_TRAIN, NULL));
    vox_dataset_close(open_side(dir, VOX_SPLIT_VAL, NULL));
    assert_true(dup2(was, 2) == 2);
    close(was);
    close(fd);
    assert_int_equal(vox_file_read(log, "log"), VOX_OK);
}

static int times(const vox_buf *text, const char *word)
{
    int n = 0;

    for (const char *p = vox_buf_text(text); (p = strstr(p, word)) != NULL; p++)
        n++;
    return n;
}

/* What the split, the list and the files disagree about is told, once for both sides. */
static void disagreements_are_told(void **state)
{
    static const char split[] =
        "{\"train\":[\"C__1__s1\",\"C__1__old\"],\"val\":[\"C__1__s2\"]}";
    static const char valid[] = "[\"C__1__s1__ses__a.nii.gz\",\"C__1__s2__ses__a.nii.gz\","
                                "\"C__1__s3__ses__a.nii.gz\"]";
    char path[256];
    vox_buf log = VOX_BUF_INIT;

    (void)state;
    build("pq", 4);
    assert_int_equal(vox_file_write("pq/splits_final.json", split, sizeof split - 1),
                     VOX_OK);
    open_and_listen(&log, "pq");
    assert_int_equal(times(&log, "2 subjects are in neither list"), 1);
    assert_int_equal(
        times(&log, "1 subjects of splits_final.json are not in the data (C__1__old"), 1);
    assert_int_equal(times(&log, "not preprocessed"), 0);
    assert_int_equal(
        vox_file_write("pq/valid_imgs__onemmiso.json", valid, sizeof valid - 1), VOX_OK);
    case_path(path, "pq", 3, ".b2nd");
    assert_int_equal(unlink(path), 0);
    open_and_listen(&log, "pq");
    assert_int_equal(times(&log,
                           "2 of 4 images were not preprocessed: left out (1 not in the "
                           "list of valid images, 1 listed but without their file)"),
                     1);
    vox_buf_release(&log);
}

static void check_crop(vox_dataset *d, int64_t i, const int64_t lo[3], const int64_t n[3])
{
    const int s = subject_of(d, i);
    float *image = vox_alloc((size_t)(n[0] * n[1] * n[2]), sizeof *image);
    uint8_t *anon = vox_alloc((size_t)(n[0] * n[1] * n[2]), 1);
    uint8_t *anat = vox_alloc((size_t)(n[0] * n[1] * n[2]), 1);
    int has_anon, has_anat;

    assert_int_equal(vox_dataset_crop(d, i, lo, n, image, anon, &has_anon, anat, &has_anat),
                     VOX_OK);
    assert_int_equal(has_anon, s == 0);
    assert_int_equal(has_anat, s == 0);
    for (int64_t k = 0; k < n[0] * n[1] * n[2]; k++) {
        const int64_t z = lo[0] + k / (n[1] * n[2]), y = lo[1] + k / n[2] % n[1];
        const int64_t x = lo[2] + k % n[2];
        const int in = z >= 0 && z < D && y >= 0 && y < H && x >= 0 && x < W;

        assert_true(image[k] == (in ? value(s, z, y, x) : 0.0f));
        if (has_anat) {
            assert_int_equal(anat[k], in && mask_value(z, y, x) == 1.0f);
            assert_int_equal(anon[k], in && mask_value(z, y, x) != 1.0f);
        }
    }
    vox_free(image);
    vox_free(anon);
    vox_free(anat);
}

static void crops_are_padded(void **state)
{
    static const int64_t box[][2][3] = {
        {{0, 0, 0},    {D, H, W}   },
        {{3, 4, 5},    {7, 8, 9}   },
        {{-2, -3, -4}, {30, 30, 40}},
        {{-5, 20, 10}, {10, 10, 10}},
        {{50, 0, 0},   {4, 4, 4}   },
        {{-9, 3, 3},   {9, 2, 2}   },
        {{19, 23, 27}, {1, 1, 1}   },
        {{-1, -1, -1}, {2, 2, 2}   },
    };
    vox_dataset *d;

    (void)state;
    build("pp", SUBJECTS);
    d = open_side("pp", VOX_SPLIT_VAL, NULL); /* s0 with its masks is here */
    for (int64_t i = 0; i < vox_dataset_count(d); i++) {
        vox_shape shape;
        float spacing[3];

        assert_int_equal(vox_dataset_shape(d, i, &shape), VOX_OK);
        assert_memory_equal(shape.n, size, sizeof size);
        vox_dataset_spacing(d, i, spacing);
        assert_true(spacing[0] == 1 && spacing[2] == 1);
        for (size_t k = 0; k < sizeof box / sizeof *box; k++)
            check_crop(d, i, box[k][0], box[k][1]);
    }
    vox_dataset_close(d);
}

/* Without our stamp both masks stand for each other (data.md 7.1). */
static void masks_of_the_peer_are_swapped_back(void **state)
{
    static const int64_t lo[3] = {0, 0, 0}, n[3] = {1, 1, 4};
    vox_dataset *d;
    float image[4];
    uint8_t anon[4], anat[4];
    int has[2];

    (void)state;
    build("pp", SUBJECTS);
    assert_int_equal(unlink("pp/nnsslPlans_onemmiso/voxmind.json"), 0);
    d = open_side("pp", VOX_SPLIT_VAL, NULL);
    for (int64_t i = 0; i < vox_dataset_count(d); i++) {
        if (subject_of(d, i) != 0)
            continue;
        assert_int_equal(vox_dataset_crop(d, i, lo, n, image, anon, &has[0], anat, &has[1]),
                         VOX_OK);
        assert_memory_equal(anon, "\0\0\0\1", 4);
        assert_memory_equal(anat, "\1\1\1\0", 4);
    }
    vox_dataset_close(d);
}

static void what_is_missing_is_named(void **state)
{
    vox_dataset_cfg cfg = {"pp", "nnsslPlans", "onemmiso", VOX_SPLIT_TRAIN, NULL, 0};
    vox_dataset *d;

    (void)state;
    build("pp", 2);
    cfg.configuration = "median";
    assert_int_equal(vox_dataset_open(&d, &cfg), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "pp/nnsslPlans_median"));
    cfg.plans = "others";
    assert_int_equal(vox_dataset_open(&d, &cfg), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "pp/others.json"));
    cfg.plans = "nnsslPlans";
    cfg.configuration = "onemmiso";
    cfg.modalities = "PET";
    assert_int_equal(vox_dataset_open(&d, &cfg), VOX_E_MISSING);
    assert_null(d);
}

/* The sample holds the crop and a few numbers of its generator. */
static int prepare(vox_sample *out, const vox_cases *cases, void *arg, vox_rng rng)
{
    (void)arg;
    for (int k = 0; k < cases->count; k++) {
        const vox_case *c = &cases->item[k];
        char name[24];
        float *x;
        int64_t *id;

        snprintf(name, sizeof name, "x%d", k);
        x = vox_sample_add(out, name, VOX_F32, c->shape);
        snprintf(name, sizeof name, "id%d", k);
        id = vox_sample_add(out, name, VOX_I64, VOX_SHAPE(1));
        if (!x || !id)
            return VOX_E_NOMEM;
        memcpy(x, c->image, (size_t)vox_shape_count(c->shape) * sizeof *x);
        id[0] = (int64_t)vox_rng_u32(&rng) * 16 + c->id[7];
    }
    return VOX_OK;
}

static vox_loader_cfg loader_cfg(vox_dataset *d, int workers)
{
    return (vox_loader_cfg){
        .data = d,
        .seed = 5,
        .stream = "train",
        .count = 40,
        .cases_per_sample = 2,
        .extent = {12, 12, 12},
        .patch = {8,  8,  8 },
        .workers = workers,
        .prepare = prepare
    };
}

static uint64_t hash_sample(uint64_t h, const vox_sample *s)
{
    for (int i = 0; i < s->count; i++) {
        const uint8_t *p = s->array[i].data;
        const size_t n =
            (size_t)vox_shape_count(s->array[i].shape) * vox_dtype_size(s->array[i].dtype);

        h = vox_hash(h, p, n);
    }
    return h;
}

/* A hash per sample. */
static int64_t hashes(uint64_t *out, const vox_loader_cfg *cfg)
{
    const vox_sample *s;
    vox_loader *l;
    int64_t n = 0;

    assert_int_equal(vox_loader_open(&l, cfg), VOX_OK);
    while (vox_loader_next(l, &s) == VOX_OK)
        out[n++] = hash_sample(1, s);
    vox_loader_close(l);
    return n;
}

static void samples_do_not_depend_on_threads(void **state)
{
    uint64_t one[64], four[64];
    vox_dataset *d;
    vox_loader_cfg cfg;

    (void)state;
    build("pp", SUBJECTS);
    d = open_side("pp", VOX_SPLIT_VAL, NULL);
    cfg = loader_cfg(d, 1);
    cfg.ring = 1;
    assert_int_equal(hashes(one, &cfg), 40);
    for (int i = 1; i < 40; i++)
        assert_true(one[i] != one[0]);
    cfg = loader_cfg(d, 4);
    assert_int_equal(hashes(four, &cfg), 40);
    assert_memory_equal(one, four, 40 * sizeof *one);
    cfg.first = 10; /* a resumed run */
    cfg.count = 5;
    assert_int_equal(hashes(four, &cfg), 5);
    assert_memory_equal(one + 10, four, 5 * sizeof *one);
    cfg.first = 1; /* the second of two ranks, two samples of each four */
    cfg.first = 2;
    cfg.count = 38;
    cfg.stride = 4;
    cfg.run = 2;
    assert_int_equal(hashes(four, &cfg), 20);
    assert_true(four[0] == one[2] && four[1] == one[3] && four[2] == one[6]);
    cfg = loader_cfg(d, 2);
    cfg.stream = "val";
    assert_int_equal(hashes(four, &cfg), 40);
    assert_true(four[0] != one[0]);
    vox_dataset_close(d);
}

static void damage(const char *dir, int s)
{
    char path[256];

    case_path(path, dir, s, ".b2nd");
    assert_int_equal(vox_file_write(path, "not a store", 11), VOX_OK);
}

static void a_bad_image_is_replaced(void **state)
{
    uint64_t one[64], four[64];
    vox_dataset *d;
    vox_loader_cfg cfg;
    vox_loader *l;
    const vox_sample *s;

    (void)state;
    build("pp", SUBJECTS);
    damage("pp", 6);
    d = open_side("pp", VOX_SPLIT_VAL, NULL);
    cfg = loader_cfg(d, 1);
    assert_int_equal(hashes(one, &cfg), 40);
    cfg = loader_cfg(d, 4);
    assert_int_equal(hashes(four, &cfg), 40);
    assert_memory_equal(one, four, sizeof(uint64_t) * 40);
    assert_int_equal(vox_loader_open(&l, &cfg), VOX_OK);
    while (vox_loader_next(l, &s) == VOX_OK) {
        const int64_t *id = vox_sample_find(s, "id0")->data;

        assert_true(id[0] % 16 != '6' % 16);
    }
    assert_int_equal(vox_loader_bad(l), 1);
    vox_loader_close(l);
    vox_dataset_close(d);
}

static void many_bad_images_stop_it(void **state)
{
    vox_dataset *d;
    int64_t good[2];

    (void)state;
    build("pp", SUBJECTS);
    damage("pp", 6);
    damage("pp", 5);
    d = open_side("pp", VOX_SPLIT_VAL, NULL);
    for (int k = 0; k < 2; k++) {
        const vox_loader_cfg cfg = loader_cfg(d, k ? 4 : 1);
        const vox_sample *s;
        vox_loader *l;

        assert_int_equal(vox_loader_open(&l, &cfg), VOX_OK);
        for (good[k] = 0; vox_loader_next(l, &s) == VOX_OK;)
            good[k]++;
        assert_non_null(strstr(vox_error_text(), "2 of 5 images are unreadable"));
        assert_non_null(strstr(vox_error_text(), ".b2nd"));
        vox_loader_close(l);
    }
    assert_int_equal(good[0], good[1]); /* threads do not decide where */
    assert_true(good[0] < 40);
    vox_dataset_close(d);
}

static void boxes_follow_the_anatomy(void **state)
{
    vox_dataset *d;
    vox_loader_cfg cfg;
    uint64_t a[64], b[64];
    int s0 = -1;

    (void)state;
    build("pp", SUBJECTS);
    d = open_side("pp", VOX_SPLIT_VAL, NULL);
    cfg = loader_cfg(d, 2);
    cfg.sampling = VOX_SAMPLE_ANAT;
    assert_int_equal(hashes(a, &cfg), 40);
    cfg.workers = 1;
    assert_int_equal(hashes(b, &cfg), 40);
    assert_memory_equal(a, b, 40 * sizeof *a);
    for (int64_t i = 0; i < vox_dataset_count(d); i++)
        s0 = subject_of(d, i) == 0 ? (int)i : s0;
    for (uint64_t k = 0; k < 50; k++) {
        vox_rng rng = vox_rng_at(3, VOX_STREAM("test"), k);
        int64_t v[3];
        int found;

        assert_int_equal(vox_dataset_anat_voxel(d, s0, &rng, v, &found), VOX_OK);
        assert_true(found && mask_value(v[0], v[1], v[2]) == 1.0f);
        assert_int_equal(vox_dataset_anat_voxel(d, (s0 + 1) % 5, &rng, v, &found), VOX_OK);
        assert_false(found);
    }
    vox_dataset_close(d);
}

static int fail_prepare(vox_sample *out, const vox_cases *cases, void *arg, vox_rng rng)
{
    (void)out;
    (void)cases;
    (void)arg;
    return vox_rng_u32(&rng) ? vox_fail(VOX_E_NUMERIC, "prepare says no") : VOX_OK;
}

static void failures_arrive_and_closing_is_clean(void **state)
{
    vox_dataset *d;
    vox_loader_cfg cfg;
    vox_loader *l;
    const vox_sample *s;

    (void)state;
    build("pp", SUBJECTS);
    d = open_side("pp", VOX_SPLIT_VAL, NULL);
    cfg = loader_cfg(d, 3);
    assert_int_equal(vox_loader_open(&l, &cfg), VOX_OK);
    vox_loader_close(l); /* nothing taken */
    assert_int_equal(vox_loader_open(&l, &cfg), VOX_OK);
    assert_int_equal(vox_loader_next(l, &s), VOX_OK);
    assert_true(vox_loader_waited(l) >= 0);
    vox_loader_close(l); /* one held */
    cfg.prepare = fail_prepare;
    assert_int_equal(vox_loader_open(&l, &cfg), VOX_OK);
    assert_int_equal(vox_loader_next(l, &s), VOX_E_NUMERIC);
    assert_string_equal(vox_error_text(), "prepare says no");
    vox_loader_close(l);
    cfg.cases_per_sample = 99;
    assert_int_equal(vox_loader_open(&l, &cfg), VOX_E_ARG);
    vox_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sides_hold_their_subjects),
        cmocka_unit_test(missing_and_invalid_images_are_left_out),
        cmocka_unit_test(disagreements_are_told),
        cmocka_unit_test(crops_are_padded),
        cmocka_unit_test(masks_of_the_peer_are_swapped_back),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(samples_do_not_depend_on_threads),
        cmocka_unit_test(a_bad_image_is_replaced),
        cmocka_unit_test(many_bad_images_stop_it),
        cmocka_unit_test(boxes_follow_the_anatomy),
        cmocka_unit_test(failures_arrive_and_closing_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
