/* grouping: the cases of a sample that belong to one subject or one session. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "data/loader.h"
#include "data/planner.h"
#include "data/store.h"
#include "support/unit.h"

enum { SUBJECTS = 4, SESSIONS = 2, IMAGES = 3, EDGE = 4, CASES = 3, SAMPLES = 300 };

#define FOLDER "pp/nnsslPlans_onemmiso"

/* C__1__s<subject>__t<session>__<image>.nii.gz */
static int subject_of(const char *id)
{
    return id[7] - '0';
}

static int session_of(const char *id)
{
    return id[11] - '0';
}

static int image_of(const char *id)
{
    return id[14] - 'a';
}

static void write_image(int subject, int session, int image)
{
    static const int64_t size[4] = {1, EDGE, EDGE, EDGE};
    static float v[EDGE * EDGE * EDGE];
    char path[128];

    snprintf(path, sizeof path, FOLDER "/C/1/s%d/t%d", subject, session);
    assert_int_equal(vox_mkdirs(path), VOX_OK);
    snprintf(path, sizeof path, FOLDER "/C/1/s%d/t%d/%c.b2nd", subject, session,
             'a' + image);
    assert_int_equal(vox_store_write(path, v, size, NULL, NULL), VOX_OK);
}

/* Subject 0 has one image, all others SESSIONS x IMAGES. */
static void add_images(vox_collection *c)
{
    vox_coll_dataset *d = vox_collection_add_dataset(c, "1");
    char text[32];

    for (int s = 0; s < SUBJECTS; s++) {
        vox_coll_subject *subject;

        snprintf(text, sizeof text, "s%d", s);
        subject = vox_collection_add_subject(c, d, text);
        for (int t = 0; t < (s ? SESSIONS : 1); t++) {
            vox_coll_session *session;

            snprintf(text, sizeof text, "t%d", t);
            session = vox_collection_add_session(c, subject, text);
            for (int i = 0; i < (s ? IMAGES : 1); i++) {
                snprintf(text, sizeof text, "%c.nii.gz", 'a' + i);
                vox_collection_add_image(c, session, text, "/x", "T1w");
                write_image(s, t, i);
            }
        }
    }
}

/* All subjects are to train on. */
static vox_dataset *open_data(void)
{
    static const char split[] = "{\"train\": [\"C__1__s0\", \"C__1__s1\", \"C__1__s2\", "
                                "\"C__1__s3\"], \"val\": [\"C__1__s3\"]}";
    const vox_dataset_cfg cfg = {"pp", "nnsslPlans", "onemmiso", VOX_SPLIT_TRAIN, NULL, 0};
    double one[1][3] = {
        {1, 1, 1}
    };
    const vox_fingerprint f = {one, 1};
    vox_plans plans;
    vox_collection c;
    vox_dataset *d;

    assert_int_equal(vox_collection_init(&c, "C", 1), VOX_OK);
    add_images(&c);
    assert_int_equal(vox_collection_write(&c, "pp/pretrain_data__onemmiso.json"), VOX_OK);
    vox_collection_release(&c);
    assert_int_equal(vox_plans_make(&plans, &f, "D", "nnsslPlans", NULL), VOX_OK);
    assert_int_equal(vox_plans_write(&plans, "pp/nnsslPlans.json"), VOX_OK);
    vox_plans_release(&plans);
    assert_int_equal(vox_file_write(FOLDER "/voxmind.json", "{}", 2), VOX_OK);
    assert_int_equal(vox_file_write("pp/splits_final.json", split, strlen(split)), VOX_OK);
    if (vox_dataset_open(&d, &cfg) != VOX_OK)
        fail_msg("%s", vox_error_text());
    assert_int_equal(vox_dataset_count(d), 1 + (SUBJECTS - 1) * SESSIONS * IMAGES);
    return d;
}

static void groups_are_neighbours(void **state)
{
    vox_dataset *d = open_data();

    (void)state;
    for (int64_t i = 0; i < vox_dataset_count(d); i++) {
        const char *id = vox_dataset_id(d, i);
        const int many = subject_of(id) > 0;
        int64_t first;

        assert_int_equal(vox_dataset_group(d, i, VOX_GROUP_SESSION, &first),
                         many ? IMAGES : 1);
        assert_int_equal(first, i - image_of(id));
        assert_int_equal(vox_dataset_group(d, i, VOX_GROUP_SUBJECT, &first),
                         many ? SESSIONS * IMAGES : 1);
        assert_int_equal(first, i - image_of(id) - session_of(id) * IMAGES);
        assert_int_equal(vox_dataset_group(d, i, VOX_GROUP_ANY, &first),
                         vox_dataset_count(d));
        assert_int_equal(first, 0);
    }
    vox_dataset_close(d);
}

/* The sample names its cases. */
static int prepare(vox_sample *out, const vox_cases *cases, void *arg, vox_rng rng)
{
    int64_t *v = vox_sample_add(out, "cases", VOX_I64, VOX_SHAPE(CASES, 3));

    (void)arg;
    (void)rng;
    if (!v)
        return VOX_E_NOMEM;
    for (int k = 0; k < CASES; k++, v += 3) {
        v[0] = subject_of(cases->item[k].id);
        v[1] = session_of(cases->item[k].id);
        v[2] = image_of(cases->item[k].id);
    }
    return VOX_OK;
}

/* What was seen of the samples' later cases, against the first one. */
typedef struct seen {
    int64_t subjects, sessions, repeats; /* that differ; that are an earlier case again */
    int64_t of[SUBJECTS];                /* samples by their first subject */
} seen;

static void look_at(seen *s, const int64_t *v)
{
    s->of[v[0]]++;
    for (int k = 1; k < CASES; k++) {
        const int64_t *c = v + 3 * k;
        int again = 0;

        s->subjects += c[0] != v[0];
        s->sessions += c[0] != v[0] || c[1] != v[1];
        for (int j = 0; j < k; j++)
            again |= memcmp(c, v + 3 * j, 3 * sizeof *c) == 0;
        s->repeats += again;
    }
}

static seen look(vox_dataset *d, vox_grouping grouping)
{
    const vox_loader_cfg cfg = {
        .data = d,
        .seed = 3,
        .stream = "train",
        .count = SAMPLES,
        .cases_per_sample = CASES,
        .grouping = grouping,
        .extent = {EDGE, EDGE, EDGE},
        .patch = {EDGE, EDGE, EDGE},
        .workers = 2,
        .prepare = prepare
    };
    const vox_sample *sample;
    vox_loader *l;
    seen s = {0};

    assert_int_equal(vox_loader_open(&l, &cfg), VOX_OK);
    while (vox_loader_next(l, &sample) == VOX_OK)
        look_at(&s, sample->array[0].data);
    vox_loader_close(l);
    return s;
}

/* Subjects are still drawn by their images: 1 of 19, and 6 of 19 each. */
static void check_share(const seen *s)
{
    const int64_t n = SAMPLES / (1 + (SUBJECTS - 1) * SESSIONS * IMAGES);

    assert_in_range(s->of[0], n / 4, 3 * n);
    for (int i = 1; i < SUBJECTS; i++)
        assert_in_range(s->of[i], 4 * n, 9 * n);
}

static void cases_are_of_one_subject(void **state)
{
    vox_dataset *d = open_data();
    const seen s = look(d, VOX_GROUP_SUBJECT);

    (void)state;
    check_share(&s);
    assert_int_equal(s.subjects, 0);
    assert_true(s.sessions > SAMPLES / 2);              /* both sessions */
    assert_int_equal(s.repeats, (CASES - 1) * s.of[0]); /* only where there is no other */
    vox_dataset_close(d);
}

static void cases_are_of_one_session(void **state)
{
    vox_dataset *d = open_data();
    const seen s = look(d, VOX_GROUP_SESSION);

    (void)state;
    check_share(&s);
    assert_int_equal(s.sessions, 0);
    assert_int_equal(s.repeats, (CASES - 1) * s.of[0]);
    vox_dataset_close(d);
}

static void cases_are_of_anybody(void **state)
{
    vox_dataset *d = open_data();
    const seen s = look(d, VOX_GROUP_ANY);

    (void)state;
    check_share(&s);
    assert_true(s.subjects > SAMPLES);
    vox_dataset_close(d);
}

/* An image that cannot be read is replaced by another one of its subject. */
static void a_bad_case_is_replaced_in_its_group(void **state)
{
    vox_dataset *d = open_data();
    seen s;

    (void)state;
    assert_int_equal(vox_file_write(FOLDER "/C/1/s2/t1/b.b2nd", "bad", 3), VOX_OK);
    s = look(d, VOX_GROUP_SUBJECT);
    check_share(&s);
    assert_int_equal(s.subjects, 0);
    assert_int_equal(s.repeats, (CASES - 1) * s.of[0]);
    vox_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_neighbours),
        cmocka_unit_test(cases_are_of_one_subject),
        cmocka_unit_test(cases_are_of_one_session),
        cmocka_unit_test(cases_are_of_anybody),
        cmocka_unit_test(a_bad_case_is_replaced_in_its_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
