/* collection: the peer's json both ways, errors with their place, records, joining, roots.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/records.h"
#include "data/roots.h"
#include "support/unit.h"

static const char demo[] = VOX_SOURCE_DIR "/fuzz/corpus/collection/demo.json";

/* demo.json was written by Python's json module: reading and writing gives the same bytes.
 */
static void same_bytes(void **state)
{
    vox_collection c = VOX_COLLECTION_INIT;
    vox_buf was = VOX_BUF_INIT, is = VOX_BUF_INIT;

    (void)state;
    assert_int_equal(vox_collection_read(&c, demo), VOX_OK);
    assert_int_equal(vox_collection_write(&c, "out.json"), VOX_OK);
    assert_int_equal(vox_file_read(&was, demo), VOX_OK);
    assert_int_equal(vox_file_read(&is, "out.json"), VOX_OK);
    assert_int_equal(was.len, is.len);
    assert_memory_equal(was.data, is.data, was.len);
    vox_buf_release(&was);
    vox_buf_release(&is);
    vox_collection_release(&c);
}

static void objects_are_filled(void **state)
{
    vox_collection c = VOX_COLLECTION_INIT;
    const vox_coll_image *im;

    (void)state;
    assert_int_equal(vox_collection_read(&c, demo), VOX_OK);
    assert_string_equal(c.name, "Dataset745_Demo");
    assert_string_equal(c.index, "745");
    assert_true(c.index_is_int);
    assert_false(c.dataset[0].index_is_int);
    assert_int_equal(vox_collection_images(&c), 2);
    im = c.dataset[0].subject[0].session[0].image;
    assert_string_equal(im[0].name, "sub-01_T1w.nii.gz");
    assert_non_null(im[0].anon);
    assert_null(im[0].anat);
    assert_true(im[0].has_masks);
    assert_false(im[1].has_masks);
    assert_non_null(im[1].extra);
    vox_collection_release(&c);
}

static void refused(const char *text, int code, const char *message)
{
    vox_collection c = VOX_COLLECTION_INIT;

    assert_int_equal(vox_collection_parse(&c, text, strlen(text), "f.json"), code);
    if (!strstr(vox_error_text(), message))
        fail_msg("\"%s\" does not say \"%s\"", vox_error_text(), message);
    assert_int_equal(c.count, 0);
}

#define HEAD                                                                            \
    "{\"collection_index\":1,\"collection_name\":\"c\",\"datasets\":{\"d\":{\"dataset_" \
    "index\":1,"

static void errors_name_their_place(void **state)
{
    (void)state;
    refused("{", VOX_E_FORMAT, "f.json: not JSON");
    refused("[]", VOX_E_FORMAT, "f.json: is array, wanted an object");
    refused("{\"collection_name\":\"c\"}", VOX_E_MISSING,
            "f.json: has no \"collection_index\"");
    refused(HEAD "\"subjects\":3}}}", VOX_E_FORMAT,
            "f.json: datasets[d]: \"subjects\" is number, wanted object");
    refused(
        HEAD
        "\"subjects\":{\"s\":{\"sessions\":{\"e\":{\"images\":["
        "{\"name\":\"n\",\"image_path\":\"p\",\"modality\":\"m\"},{\"name\":\"n\"}]}}}}}}}",
        VOX_E_MISSING,
        "f.json: datasets[d].subjects[s].sessions[e].images[1]: has no \"image_path\"");
    refused(HEAD "\"subjects\":{\"s\":{\"sessions\":{\"e\":{\"images\":["
                 "{\"name\":\"n\",\"image_path\":\"p\",\"modality\":\"m\","
                 "\"associated_masks\":{\"anatomy_mask\":1}}]}}}}}}}",
            VOX_E_FORMAT, "images[0].associated_masks: \"anatomy_mask\" is number");
    refused(HEAD "\"subjects\":{}},\"e\":{\"dataset_index\":\"1\",\"subjects\":{}}}}",
            VOX_E_FORMAT, "dataset_index \"1\" is datasets[d]'s already");
}

/* Keys of one object that would hide each other, and unknown ones on every level. */
static void keys_are_kept_or_refused(void **state)
{
    static const char text[] = HEAD
        "\"x\":{\"b\":1,\"a\":NaN},\"subjects\":{\"s\":{\"y\":[],\"sessions\":{\"e\":{"
        "\"z\":1e3,\"images\":[{\"name\":\"n\",\"image_path\":\"/p/n\",\"modality\":"
        "\"m\",\"q\":\"\\u00e9\",\"associated_masks\":{\"w\":true}}]}}}}}},\"v\":-0.0}";
    static const char *const kept[] = {"\"x\": {",    "\"y\": []",          "\"z\": 1e3",
                                       "\"v\": -0.0", "\"q\": \"\\u00e9\"", "\"w\": true"};
    vox_collection c = VOX_COLLECTION_INIT;
    vox_buf b = VOX_BUF_INIT;

    (void)state;
    assert_int_equal(vox_collection_parse(&c, text, strlen(text), "t"), VOX_OK);
    assert_int_equal(vox_collection_text(&b, &c), VOX_OK);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        assert_non_null(strstr(b.data, kept[i]));
    assert_true(strstr(b.data, "\"a\": NaN") < strstr(b.data, "\"b\": 1"));
    vox_buf_release(&b);
    vox_collection_release(&c);
    refused(HEAD "\"subjects\":{\"s\":{\"sessions\":{}},\"s\":{\"sessions\":{}}}}}}",
            VOX_E_FORMAT, "f.json: datasets[d]: \"subjects\" holds \"s\" twice");
    refused(HEAD "\"subjects\":{}}},\"a\\u0000b\":1", VOX_E_FORMAT, "f.json: not JSON");
    refused("{\"collection_index\":1.5", VOX_E_FORMAT,
            "\"collection_index\" is 1.5, wanted an integer");
    refused("{\"collection_name\":\"a\\u0000b\"", VOX_E_FORMAT, "zero");
}

static void infos_are_checked(void **state)
{
    vox_collection c = VOX_COLLECTION_INIT;

    (void)state;
    assert_int_equal(vox_collection_init(&c, "C", 1), VOX_OK);
    assert_non_null(vox_collection_add_dataset(&c, "1"));
    assert_int_equal(vox_collection_set_info(&c, &c.dataset[0].info, "{ \"a\": 1 }"),
                     VOX_OK);
    assert_string_equal(c.dataset[0].info, "{\"a\":1}");
    assert_int_equal(vox_collection_set_info(&c, &c.dataset[0].info, "{"), VOX_E_FORMAT);
    assert_string_equal(c.dataset[0].info, "{\"a\":1}");
    assert_int_equal(vox_collection_set_info(&c, &c.dataset[0].info, "null"), VOX_OK);
    assert_null(c.dataset[0].info);
    vox_collection_release(&c);
}

/* OpenMind's is a million of such lines: what is kept must be less than its text. */
static void large_ones_are_compact(void **state)
{
    const int64_t before = vox_mem_bytes();
    vox_collection c;
    vox_buf b = VOX_BUF_INIT;

    (void)state;
    assert_int_equal(vox_buf_printf(&b, HEAD "\"subjects\":{"), VOX_OK);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(
            vox_buf_printf(
                &b,
                "%s\"sub-%d\":{\"subject_info\":{\"age\":%d.0},\"sessions\":{\"ses-"
                "DEFAULT\":"
                "{\"session_info\":null,\"images\":[{\"name\":\"sub-%d_T1w.nii.gz\","
                "\"image_path\":\"$nnssl_raw/pool/ds1/sub-%d/anat/sub-%d_T1w.nii.gz\","
                "\"modality\":\"T1w\",\"image_info\":{\"manufacturer\":\"Siemens\"},"
                "\"associated_masks\":{\"anatomy_mask\":null,\"anonymization_mask\":null}}]"
                "}}}",
                i ? "," : "", i, i % 70, i, i, i),
            VOX_OK);
    assert_int_equal(vox_buf_printf(&b, "}}}}"), VOX_OK);
    assert_int_equal(vox_collection_parse(&c, b.data, b.len, "t"), VOX_OK);
    assert_int_equal(vox_collection_images(&c), 3000);
    assert_true(vox_mem_bytes() - before - b.cap < (int64_t)b.len);
    vox_collection_release(&c);
    vox_buf_release(&b);
    assert_int_equal(vox_mem_bytes(), before);
}

static void records_have_ids_and_paths(void **state)
{
    vox_collection c = VOX_COLLECTION_INIT;
    vox_records r;
    json_object *o;

    (void)state;
    setenv("nnssl_raw", "/data/raw/", 1);
    assert_int_equal(vox_collection_read(&c, demo), VOX_OK);
    assert_int_equal(vox_records_make(&r, &c), VOX_OK);
    assert_int_equal(r.count, 2);
    assert_string_equal(
        r.v[0].id, "Dataset745_Demo__ds000001__sub-01__ses-DEFAULT__sub-01_T1w.nii.gz");
    assert_string_equal(r.v[0].subject_id, "Dataset745_Demo__ds000001__sub-01");
    assert_string_equal(r.v[0].out,
                        "Dataset745_Demo/ds000001/sub-01/ses-DEFAULT/sub-01_T1w");
    assert_string_equal(r.v[1].out, "Dataset745_Demo/ds000001/sub-01/ses-DEFAULT/scan.mha");
    o = vox_record_json(&r, &r.v[0]);
    assert_non_null(o);
    assert_int_equal(json_object_object_length(o), 14);
    assert_string_equal(json_object_get_string(vox_json_get(o, "image_path")),
                        "/data/raw/pool/ds000001/sub-01/anat/sub-01_T1w.nii.gz");
    json_object_put(o);
    o = vox_record_json(&r, &r.v[1]); /* masks are always an object */
    assert_int_equal(json_object_object_length(vox_json_get(o, "associated_masks")), 2);
    json_object_put(o);
    vox_records_release(&r);
    vox_collection_release(&c);
    unsetenv("nnssl_raw");
}

static vox_coll_session *one_session(vox_collection *c, const char *subject)
{
    vox_coll_dataset *d;

    assert_int_equal(vox_collection_init(c, "C", 1), VOX_OK);
    d = vox_collection_add_dataset(c, "1");
    return vox_collection_add_session(c, vox_collection_add_subject(c, d, subject), "ses");
}

static void equal_outputs_are_refused(void **state)
{
    vox_collection c;
    vox_coll_session *s = one_session(&c, "a");
    vox_records r;

    (void)state;
    assert_non_null(vox_collection_add_image(&c, s, "x.nii", "/1/x.nii", "T1w"));
    assert_non_null(vox_collection_add_image(&c, s, "x.nii.gz", "/2/x.nii.gz", "T1w"));
    assert_int_equal(vox_records_make(&r, &c), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "/1/x.nii"));
    assert_non_null(strstr(vox_error_text(), "/2/x.nii.gz"));
    vox_collection_release(&c);
    s = one_session(&c, "a"); /* where the mask of another would lie */
    assert_non_null(vox_collection_add_image(&c, s, "x__anat.nii", "/1/x.nii", "T1w"));
    assert_int_equal(vox_records_make(&r, &c), VOX_OK);
    vox_records_release(&r);
    assert_non_null(vox_collection_add_image(&c, s, "x.nii", "/2/x.nii", "T1w"));
    assert_int_equal(vox_records_make(&r, &c), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "/2/x.nii"));
    vox_collection_release(&c);
    s = one_session(&c, "../a");
    assert_non_null(vox_collection_add_image(&c, s, "x.nii", "/1/x.nii", "T1w"));
    assert_int_equal(vox_records_make(&r, &c), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "\"../a\""));
    vox_collection_release(&c);
}

static void collections_are_joined(void **state)
{
    vox_collection a, b;
    vox_coll_session *s = one_session(&a, "p");
    vox_coll_merged done;

    (void)state;
    vox_collection_add_image(&a, s, "x.nii.gz", "/1/x.nii.gz", "T1w");
    s = one_session(&b, "p");
    vox_collection_add_image(&b, s, "x.nii.gz", "/1/x.nii.gz", "T1w"); /* the same */
    vox_collection_add_image(&b, s, "x.nii.gz", "/2/x.nii.gz", "T1w"); /* another */
    vox_collection_add_image(&b, s, "y.nii.gz", "/2/y.nii.gz", "T2w");
    vox_collection_add_subject(&b, &b.dataset[0], "q");
    assert_int_equal(vox_collection_merge(&a, &b, &done), VOX_OK);
    vox_collection_release(&b);
    assert_int_equal(done.added, 2);
    assert_int_equal(done.known, 1);
    assert_int_equal(done.renamed, 1);
    assert_int_equal(done.joined, 1);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.dataset[0].count, 2);
    s = a.dataset[0].subject[0].session;
    assert_int_equal(s->count, 3);
    assert_string_equal(s->image[1].name, "x_2.nii.gz");
    assert_string_equal(s->image[1].path, "/2/x.nii.gz");
    vox_collection_release(&a);
}

/* What was renamed, or is told with a variable, is there when it comes again. */
static void joining_again_adds_nothing(void **state)
{
    vox_collection a, b;
    vox_coll_session *s = one_session(&a, "p");
    vox_coll_merged done;

    (void)state;
    setenv("nnssl_raw", "/data/raw", 1);
    vox_collection_add_image(&a, s, "x.nii", "/1/x.nii", "T1w");
    vox_collection_add_image(&a, s, "y.nii", "$nnssl_raw/y.nii", "T1w");
    vox_collection_add_image(&a, s, "z.nii", "$no_such_name/z.nii", "T1w");
    s = one_session(&b, "p");
    vox_collection_add_image(&b, s, "x.nii", "/2/x.nii", "T1w");
    vox_collection_add_image(&b, s, "y.nii", "/data/raw/y.nii", "T1w");
    vox_collection_add_image(&b, s, "z.nii", "$no_such_name/z.nii", "T1w");
    assert_int_equal(vox_collection_set_info(&b, &s->info, "{\"a\":1}"), VOX_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(vox_collection_merge(&a, &b, &done), VOX_OK);
        assert_int_equal(done.added, i == 0);
        assert_int_equal(done.renamed, i == 0);
        assert_int_equal(done.known, 2 + i);
    }
    s = a.dataset[0].subject[0].session;
    assert_int_equal(s->count, 4);
    assert_string_equal(s->image[3].name, "x_2.nii");
    assert_string_equal(s->info, "{\"a\":1}"); /* nothing was said of it before */
    vox_collection_release(&a);
    vox_collection_release(&b);
    unsetenv("nnssl_raw");
}

/* One name for thousands in a session: each gets its number without trying all before. */
static void many_of_one_name_are_told_apart(void **state)
{
    enum { COUNT = 2000 };
    vox_collection a, b;
    vox_coll_session *s = one_session(&b, "p");
    vox_coll_merged done;
    const int64_t before = vox_mem_bytes();
    char path[32];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "/%d/x.nii", i);
        vox_collection_add_image(&b, s, "x.nii", path, "T1w");
    }
    assert_int_equal(vox_collection_init(&a, "C", 1), VOX_OK);
    assert_int_equal(vox_collection_merge(&a, &b, &done), VOX_OK);
    assert_int_equal(done.renamed, COUNT - 1);
    s = a.dataset[0].subject[0].session;
    assert_string_equal(s->image[COUNT - 1].name, "x_2000.nii");
    assert_true(vox_mem_bytes() - before < COUNT * 1000);
    vox_collection_release(&a);
    vox_collection_release(&b);
}

/* Also of what joining would tell apart or take for one. */
static void copies_are_exact(void **state)
{
    vox_collection a, b;
    vox_coll_session *s = one_session(&a, "p");
    vox_buf x = VOX_BUF_INIT, y = VOX_BUF_INIT;

    (void)state;
    vox_collection_add_image(&a, s, "x.nii", "/1/x.nii", "T1w");
    vox_collection_add_image(&a, s, "x.nii", "/1/x.nii", "T1w");
    vox_collection_add_image(&a, s, "x.nii.gz", "/1/x.nii.gz", "T1w");
    assert_int_equal(vox_collection_copy(&b, &a), VOX_OK);
    assert_int_equal(vox_collection_text(&x, &a), VOX_OK);
    assert_int_equal(vox_collection_text(&y, &b), VOX_OK);
    assert_string_equal(x.data, y.data);
    vox_buf_release(&x);
    vox_buf_release(&y);
    vox_collection_release(&a);
    vox_collection_release(&b);
}

/* JSON has one place for an id: writing must not drop the first of two. */
static void twins_are_not_written(void **state)
{
    vox_collection c;
    vox_coll_dataset *d;
    vox_coll_subject *s;

    (void)state;
    one_session(&c, "p");
    d = &c.dataset[0];
    assert_int_equal(vox_collection_write(&c, "twins.json"), VOX_OK);
    s = vox_collection_add_subject(&c, d, "q");
    vox_collection_add_session(&c, s, "e");
    vox_collection_add_session(&c, s, "e");
    assert_int_equal(vox_collection_write(&c, "twins.json"), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "twins.json"));
    assert_non_null(strstr(vox_error_text(), "\"e\" stands twice"));
    vox_collection_release(&c);
    one_session(&c, "p");
    vox_collection_add_subject(&c, &c.dataset[0], "p");
    assert_int_equal(vox_collection_write(&c, "twins.json"), VOX_E_FORMAT);
    vox_collection_release(&c);
    assert_int_equal(vox_collection_read(&c, "twins.json"), VOX_OK);
    assert_int_equal(c.dataset[0].count, 1); /* what was written before */
    vox_collection_release(&c);
}

static void paths_both_ways(void **state)
{
    static const struct {
        const char *full, *shorter;
    } row[] = {
        {"/data/raw/a/b.nii", "$nnssl_raw/a/b.nii"   },
        {"/data/raw2/b.nii",  "/data/raw2/b.nii"     },
        {"/data/pp/x",        "$nnssl_preprocessed/x"},
        {"/data/raw",         "$nnssl_raw"           },
        {"/o/data/raw/x",     "/o/data/raw/x"        },
    };
    vox_buf b = VOX_BUF_INIT;

    (void)state;
    setenv("nnssl_raw", "/data/raw//", 1);
    setenv("nnssl_preprocessed", "/data/pp", 1);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_int_equal(vox_path_contract(&b, row[i].full), VOX_OK);
        assert_string_equal(vox_buf_text(&b), row[i].shorter);
        assert_int_equal(vox_path_expand(&b, row[i].shorter), VOX_OK);
        assert_string_equal(vox_buf_text(&b), row[i].full);
    }
    assert_int_equal(vox_path_expand(&b, "$no_such_name/x"), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "no_such_name"));
    unsetenv("nnssl_raw");
    assert_int_equal(vox_path_contract(&b, "/data/raw/a"), VOX_OK);
    assert_string_equal(vox_buf_text(&b), "/data/raw/a");
    unsetenv("nnssl_preprocessed");
    vox_buf_release(&b);
}

static void numbers_find_datasets(void **state)
{
    vox_buf b = VOX_BUF_INIT;
    int64_t id;

    (void)state;
    assert_int_equal(vox_mkdirs("raw/Dataset100_A"), VOX_OK);
    assert_int_equal(vox_mkdirs("raw/Dataset1000_B"), VOX_OK);
    assert_int_equal(vox_mkdirs("raw/Dataset005_C"), VOX_OK);
    assert_int_equal(vox_mkdirs("pp/Dataset005_C"), VOX_OK);
    assert_int_equal(vox_mkdirs("pp/Dataset007_D"), VOX_OK);
    assert_int_equal(vox_mkdirs("raw/Dataset007_E"), VOX_OK);
    assert_int_equal(vox_mkdirs("raw/Dataset008Foo"), VOX_OK);
    setenv("nnssl_raw", "raw", 1);
    setenv("nnssl_preprocessed", "pp/", 1);
    assert_int_equal(vox_dataset_resolve(&b, "100"), VOX_OK);
    assert_string_equal(vox_buf_text(&b), "Dataset100_A");
    assert_int_equal(vox_dataset_resolve(&b, "1000"), VOX_OK);
    assert_string_equal(vox_buf_text(&b), "Dataset1000_B");
    assert_int_equal(vox_dataset_resolve(&b, "5"), VOX_OK);
    assert_string_equal(vox_buf_text(&b), "Dataset005_C");
    assert_int_equal(vox_dataset_resolve(&b, "8"), VOX_OK);
    assert_string_equal(vox_buf_text(&b), "Dataset008Foo");
    assert_int_equal(vox_dataset_resolve(&b, "Dataset9_Z"), VOX_OK);
    assert_int_equal(vox_dataset_resolve(&b, "10"), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "number 10 "));
    assert_int_equal(vox_dataset_resolve(&b, "7"), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "Dataset007_E"));
    assert_int_equal(vox_dataset_resolve(&b, "x7"), VOX_E_USAGE);
    assert_int_equal(vox_dataset_number(&id, "Dataset1234_X"), VOX_OK);
    assert_int_equal(id, 1234);
    assert_int_equal(vox_dataset_number(&id, "Data1234_X"), VOX_E_ARG);
    unsetenv("nnssl_raw");
    unsetenv("nnssl_preprocessed");
    vox_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes),
        cmocka_unit_test(objects_are_filled),
        cmocka_unit_test(errors_name_their_place),
        cmocka_unit_test(keys_are_kept_or_refused),
        cmocka_unit_test(infos_are_checked),
        cmocka_unit_test(large_ones_are_compact),
        cmocka_unit_test(records_have_ids_and_paths),
        cmocka_unit_test(equal_outputs_are_refused),
        cmocka_unit_test(collections_are_joined),
        cmocka_unit_test(joining_again_adds_nothing),
        cmocka_unit_test(many_of_one_name_are_told_apart),
        cmocka_unit_test(copies_are_exact),
        cmocka_unit_test(twins_are_not_written),
        cmocka_unit_test(paths_both_ways),
        cmocka_unit_test(numbers_find_datasets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
