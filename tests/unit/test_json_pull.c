/* json_pull: what is JSON and what is not, escapes, compact and pretty text; intern. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/intern.h"
#include "base/json_pull.h"
#include "support/unit.h"

static int value_of(const char *text, vox_slice *raw)
{
    vox_json_pull p;

    vox_json_pull_init(&p, text, strlen(text), "t");
    VOX_TRY(vox_json_pull_value(&p, raw));
    return vox_json_pull_finish(&p);
}

static void grammar(void **state)
{
    static const char *const good[] = {
        "1",     "-0.5e-3", "NaN",   "-Infinity",      "[]", "{}",
        "[1,2]", "null",    " true", "{\"a\":[{}]}\n", "0",  "\"\\ud83d\\ude00\\n\""};
    static const char *const bad[] = {"",
                                      "01",
                                      "+1",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "[1,]",
                                      "{\"a\":1,}",
                                      "nul",
                                      "Inf",
                                      "\"a",
                                      "\"\\x\"",
                                      "\"\\u12g4\"",
                                      "{a:1}",
                                      "[1 2]",
                                      "1 2",
                                      "\"\n\"",
                                      "-",
                                      "{\"a\"}",
                                      "]",
                                      "-NaN",
                                      "{\"a\":1 \"b\":2}"};
    vox_slice raw;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (value_of(good[i], &raw) != VOX_OK)
            fail_msg("%s: %s", good[i], vox_error_text());
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (value_of(bad[i], &raw) != VOX_E_FORMAT)
            fail_msg("taken: %s", bad[i]);
        assert_non_null(strstr(vox_error_text(), "t: not JSON at byte"));
    }
}

static void depth_is_bounded(void **state)
{
    char text[402];
    vox_slice raw;

    (void)state;
    memset(text, '[', 200);
    memset(text + 200, ']', 200);
    text[400] = '\0';
    assert_int_equal(value_of(text, &raw), VOX_OK);
    memset(text, '[', 201);
    text[201] = '\0';
    assert_int_equal(value_of(text, &raw), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "deeply"));
}

static void escapes(void **state)
{
    static const struct {
        const char *inside, *text;
    } row[] = {
        {"plain",              "plain"               },
        {"a\\\"\\\\\\/\\n\\t", "a\"\\/\n\t"          },
        {"\\u00e9\\u4e2d",     "\xc3\xa9\xe4\xb8\xad"},
        {"\\ud83d\\ude00x",    "\xf0\x9f\x98\x80x"   },
        {"caf\\udce9",         "caf\xe9"             }, /* a byte, as Python hides it */
    };
    vox_buf b = VOX_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const vox_slice s = {row[i].inside, strlen(row[i].inside)};

        assert_int_equal(vox_buf_resize(&b, 0), VOX_OK);
        assert_int_equal(vox_json_unescape(&b, s), VOX_OK);
        assert_string_equal(vox_buf_text(&b), row[i].text);
        assert_true(vox_json_is(s, row[i].text));
        assert_false(vox_json_is(s, "other"));
    }
    assert_false(vox_json_is((vox_slice){"na\\u0000", 8}, "na"));
    assert_false(vox_json_is((vox_slice){"name", 4}, "names"));
    assert_false(vox_json_is((vox_slice){"names", 5}, "name"));
    vox_buf_release(&b);
}

static void compact_and_pretty(void **state)
{
    static const char text[] = " { \"b\" : [ 1.0 , \"x \\\" y\" ] ,\n\"a\": {}, \"b\": [], "
                               "\"\\u00e9\": NaN, \"c\": [{\"k\": 1e5}] } ";
    vox_buf b = VOX_BUF_INIT, pretty = VOX_BUF_INIT;
    vox_slice raw, v;

    (void)state;
    assert_int_equal(value_of(text, &raw), VOX_OK);
    assert_int_equal(vox_json_compact(&b, raw), VOX_OK);
    assert_string_equal(vox_buf_text(&b), "{\"b\":[1.0,\"x \\\" y\"],\"a\":{},\"b\":[],"
                                          "\"\\u00e9\":NaN,\"c\":[{\"k\":1e5}]}");
    assert_int_equal(vox_json_pretty(&pretty, raw, 0, 1), VOX_OK);
    assert_string_equal(
        vox_buf_text(&pretty),
        "{\n    \"a\": {},\n    \"b\": [],\n    \"c\": [\n        {\n"
        "            \"k\": 1e5\n        }\n    ],\n    \"\\u00e9\": NaN\n}");
    assert_int_equal(vox_buf_resize(&pretty, 0), VOX_OK);
    assert_int_equal(vox_json_pretty(&pretty, raw, 0, 0), VOX_OK);
    assert_memory_equal(vox_buf_text(&pretty), "{\n    \"a\": {},\n    \"b\"", 20);
    assert_int_equal(vox_json_find(raw, "b", &v), 1); /* the last, as in Python */
    assert_int_equal(v.n, 2);
    assert_int_equal(vox_json_find(raw, "none", &v), 0);
    assert_int_equal(vox_json_find((vox_slice){"[1]", 3}, "b", &v), 0);
    vox_buf_release(&b);
    vox_buf_release(&pretty);
}

static void texts_are_there_once(void **state)
{
    vox_intern t = VOX_INTERN_INIT;
    vox_arena a = VOX_ARENA_INIT;
    const char *first = vox_intern_text(&t, &a, "word and more", 4);
    char text[16];

    (void)state;
    assert_string_equal(first, "word");
    for (int i = 0; i < 1000; i++) {
        const int n = snprintf(text, sizeof text, "w%d", i % 500);

        assert_string_equal(vox_intern_text(&t, &a, text, (size_t)n), text);
    }
    assert_int_equal(t.count, 501);
    assert_ptr_equal(vox_intern_text(&t, &a, "word", 4), first);
    assert_ptr_not_equal(vox_intern_text(&t, &a, "word", 3), first);
    vox_intern_release(&t);
    vox_arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grammar),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(escapes),
        cmocka_unit_test(compact_and_pretty),
        cmocka_unit_test(texts_are_there_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
