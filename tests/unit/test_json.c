/* json: what is accepted, what is refused and how, and text as Python writes it. */
#include <json-c/json_object.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "support/unit.h"

static void doubles_as_python(void **state)
{
    static const struct {
        double v;
        const char *text;
    } row[] = {
        {1.0,                "1.0"               },
        {0.1,                "0.1"               },
        {1e-5,               "1e-05"             },
        {1e16,               "1e+16"             },
        {123456789.0,        "123456789.0"       },
        {0.0001,             "0.0001"            },
        {-2.5,               "-2.5"              },
        {1e15,               "1000000000000000.0"},
        {1.0 / 3.0,          "0.3333333333333333"},
        {0.8999999761581421, "0.8999999761581421"},
        {1.5e300,            "1.5e+300"          },
        {5e-324,             "5e-324"            },
        {0.0,                "0.0"               },
    };
    char buf[32];

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_string_equal(vox_json_double(row[i].v, buf), row[i].text);
    assert_string_equal(vox_json_double(NAN, buf), "NaN");
    assert_string_equal(vox_json_double(-INFINITY, buf), "-Infinity");
}

static void text_round_trip(void **state)
{
    static const char in[] =
        "{\"b\":[1,2.0,null,true],\"a\":{\"\\u00e9\\ud83d\\ude00\\n\":\"x\"},"
        "\"n\":NaN,\"e\":[],\"o\":{}}";
    static const char out[] =
        "{\n    \"a\": {\n        \"\\u00e9\\ud83d\\ude00\\n\": \"x\"\n    },\n"
        "    \"b\": [\n        1,\n        2.0,\n        null,\n        true\n"
        "    ],\n    \"e\": [],\n    \"n\": NaN,\n    \"o\": {}\n}";
    json_object *v = NULL;
    vox_buf text = VOX_BUF_INIT;

    (void)state;
    assert_int_equal(vox_json_parse(&v, in, strlen(in), "t"), VOX_OK);
    assert_int_equal(vox_json_text(&text, v, 1), VOX_OK);
    assert_string_equal(vox_buf_text(&text), out);
    json_object_put(v);
    vox_buf_release(&text);
}

/* Bytes that are no character become half surrogates, one each, as Python's
 * "surrogateescape"; a zero within a string stays. */
static void odd_strings(void **state)
{
    static const struct {
        const char *in, *out;
        int len;
    } row[] = {
        {"a\0b",              "\"a\\u0000b\"",                    3},
        {"\xc3\xa9",          "\"\\u00e9\"",                      2},
        {"\xff",              "\"\\udcff\"",                      1},
        {"\xc3",              "\"\\udcc3\"",                      1},
        {"\xe0\x80\x80",      "\"\\udce0\\udc80\\udc80\"",        3},
        {"\xf4\x90\x80\x80",  "\"\\udcf4\\udc90\\udc80\\udc80\"", 4},
        {"\x7f\x01",          "\"\\u007f\\u0001\"",               2},
        {"\xf0\x9f\x98\x80x", "\"\\ud83d\\ude00x\"",              5},
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(row); i++) {
        json_object *v = json_object_new_string_len(row[i].in, row[i].len);
        vox_buf text = VOX_BUF_INIT;

        assert_int_equal(vox_json_text(&text, v, 0), VOX_OK);
        assert_string_equal(vox_buf_text(&text), row[i].out);
        vox_buf_release(&text);
        json_object_put(v);
    }
}

static void faults_are_named(void **state)
{
    static const char *const bad[] = {"", "{", "{\"a\":}", "[1,2", "1 2", "{} x", "tru"};
    json_object *v = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(vox_json_parse(&v, bad[i], strlen(bad[i]), "f.json"),
                         VOX_E_FORMAT);
        assert_non_null(strstr(vox_error_text(), "f.json"));
    }
    assert_int_equal(vox_json_parse(&v, "12 \n", 4, "n"), VOX_OK);
    assert_int_equal(json_object_get_int(v), 12);
    json_object_put(v);
}

static void members(void **state)
{
    static const char in[] = "{\"s\":\"t\",\"i\":3,\"d\":2.5}";
    json_object *v = NULL;
    const char *s;
    int64_t i;
    double d;

    (void)state;
    assert_int_equal(vox_json_parse(&v, in, strlen(in), "t"), VOX_OK);
    assert_int_equal(vox_json_str(&s, v, "s", "t"), VOX_OK);
    assert_string_equal(s, "t");
    assert_int_equal(vox_json_i64(&i, v, "i", "t"), VOX_OK);
    assert_int_equal(i, 3);
    assert_int_equal(vox_json_f64(&d, v, "i", "t"), VOX_OK);
    assert_int_equal(vox_json_i64(&i, v, "d", "t"), VOX_E_FORMAT);
    assert_string_equal(vox_error_text(), "t: \"d\" is double, wanted int");
    assert_int_equal(vox_json_str(&s, v, "x", "t"), VOX_E_MISSING);
    json_object_put(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_as_python), cmocka_unit_test(text_round_trip),
        cmocka_unit_test(odd_strings),       cmocka_unit_test(faults_are_named),
        cmocka_unit_test(members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
