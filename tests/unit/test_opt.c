/* opt: defaults, ranges, spellings on a command line, config as JSON and back. */
#include <json-c/json_object.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/opt.h"
#include "support/unit.h"

typedef struct cfg {
    float hidden;
    int block, fast;
    int64_t seed;
    char *trainer, *again;
    vox_ints features;
    vox_strs set, ids;
} cfg;

static const vox_opt opts[] = {
    VOX_OPT_F32(cfg, hidden, 0.75, 0.0, 1.0, "fraction of blocks hidden"),
    VOX_OPT_INT(cfg, block, 16, 1, 128, "edge of a block, in voxels"),
    VOX_OPT_BOOL(cfg, fast, 0, "hurry"),
    VOX_OPT_I64(cfg, seed, 1, 0, 9e15, "seed"),
    VOX_OPT_AS("-tr", cfg, trainer, STR, 0, 0, 0, NULL, "trainer name"),
    VOX_OPT_STR_ALONE(cfg, again, NULL, "all", "what to do again"),
    VOX_OPT_INTS(cfg, features, "[8,16]", 1, 4096, "channels per stage"),
    VOX_OPT_STRS(cfg, set, "key=value"),
    VOX_OPT_AS("-d", cfg, ids, WORDS, 0, 0, 0, NULL, "dataset ids"),
    VOX_OPT_END,
};

static void defaults(void **state)
{
    cfg c;

    (void)state;
    memset(&c, 0xff, sizeof c);
    assert_int_equal(vox_opts_defaults(opts, &c), VOX_OK);
    assert_true(c.hidden == 0.75f && c.block == 16 && !c.fast && c.seed == 1 && !c.trainer);
    assert_int_equal(c.features.count, 2);
    assert_int_equal(c.features.v[1], 16);
    vox_opts_release(opts, &c);
}

static void values_are_checked(void **state)
{
    static const struct {
        const char *name, *text, *message;
    } row[] = {
        {"block",    "0",     "block is 0, wanted a whole number from 1 to 128"         },
        {"block",    "2.5",   "block is 2.5, wanted a whole number from 1 to 128"       },
        {"block",    "x",     "block is x, wanted a whole number from 1 to 128"         },
        {"hidden",   "1.5",   "hidden is 1.5, wanted a number from 0 to 1"              },
        {"hidden",   "NaN",   "hidden is NaN, wanted a number from 0 to 1"              },
        {"fast",     "2",     "fast is 2, wanted true or false"                         },
        {"blok",     "1",     "unknown option \"blok\", did you mean \"block\"?"        },
        {"features", "[8,0]",
         "features is [8,0], wanted at most 16 whole numbers from 1 to 4096, as [16,32]"},
    };
    cfg c;

    (void)state;
    assert_int_equal(vox_opts_defaults(opts, &c), VOX_OK);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_int_equal(vox_opts_set(opts, &c, row[i].name, row[i].text), VOX_E_USAGE);
        assert_string_equal(vox_error_text(), row[i].message);
    }
    assert_int_equal(vox_opts_set(opts, &c, "features", "64,32x96"), VOX_OK);
    assert_int_equal(c.features.count, 3);
    assert_int_equal(c.features.v[2], 96);
    vox_opts_release(opts, &c);
}

/* An argv from literals, which nobody writes to. */
static int words(char **argv, const char *const *text, int n)
{
    for (int i = 0; i < n; i++)
        argv[i] = (char *)(uintptr_t)text[i];
    return n;
}

static void command_line(void **state)
{
    static const char *const text[] = {
        "data", "-tr",   "Base", "--block=8", "--seed", "5", "--fast", "one", "--set",
        "a=1",  "--set", "b=2",  "-d",        "7",      "8", "--fast", "--",  "-x"};
    char *argv[32];
    int argc = words(argv, text, (int)(sizeof text / sizeof *text));
    unsigned char given[16] = {0};
    cfg c;

    (void)state;
    assert_int_equal(vox_opts_defaults(opts, &c), VOX_OK);
    assert_int_equal(vox_opts_args(&(vox_opt_set){opts, &c, given}, 1, &argc, argv),
                     VOX_OK);
    assert_int_equal(argc, 3);
    assert_string_equal(argv[0], "data");
    assert_string_equal(argv[1], "one");
    assert_string_equal(argv[2], "-x");
    assert_string_equal(c.trainer, "Base");
    assert_true(c.block == 8 && c.seed == 5 && c.fast && c.set.count == 2);
    assert_string_equal(c.set.v[1], "b=2");
    assert_int_equal(c.ids.count, 2);
    assert_string_equal(c.ids.v[1], "8");
    assert_true(given[1] && given[4] && !given[0]);
    vox_opts_release(opts, &c);
}

static void text_that_may_be_left_out(void **state)
{
    static const char *const row[][2] = {
        {"--again",       "all"  },
        {"--again=",      ""     },
        {"--again=a.b,c", "a.b,c"}
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(row); i++) {
        char *argv[32];
        int argc = words(argv, (const char *const[]){row[i][0], "scans"}, 2);
        vox_buf help = VOX_BUF_INIT;
        cfg c;

        assert_int_equal(vox_opts_defaults(opts, &c), VOX_OK);
        assert_null(c.again);
        assert_int_equal(vox_opts_args(&(vox_opt_set){opts, &c, NULL}, 1, &argc, argv),
                         VOX_OK);
        assert_string_equal(c.again, row[i][1]);
        assert_int_equal(argc, 1); /* the next word is not its value */
        assert_string_equal(argv[0], "scans");
        assert_int_equal(vox_opts_help(opts, 1, "", &help), VOX_OK);
        assert_non_null(strstr(vox_buf_text(&help), "--again[=TEXT]"));
        vox_buf_release(&help);
        vox_opts_release(opts, &c);
    }
}

/* The nearest of all rows, in the spelling that is near. */
static void misspelt(void **state)
{
    static const struct {
        const char *word, *message;
    } row[] = {
        {"--st",                "unknown option --st, did you mean --set?"       },
        {"-trx",                "unknown option -trx, did you mean -tr?"         },
        {"--train",             "unknown option --train, did you mean --trainer?"},
        {"-x",                  "unknown option -x; -h lists them"               },
        {"--nothing_like_it=3", "unknown option --nothing_like_it; -h lists them"},
    };
    cfg c;

    (void)state;
    assert_int_equal(vox_opts_defaults(opts, &c), VOX_OK);
    for (int i = 0; i < VOX_COUNT(row); i++) {
        char *argv[1];
        int argc = words(argv, &row[i].word, 1);

        assert_int_equal(vox_opts_args(&(vox_opt_set){opts, &c, NULL}, 1, &argc, argv),
                         VOX_E_USAGE);
        assert_string_equal(vox_error_text(), row[i].message);
    }
    vox_opts_release(opts, &c);
}

static void misused(void **state)
{
    static const char *const text[] = {"--bloc", "8", "--seed"};
    char *unknown[2], *bare[1];
    int two = words(unknown, text, 2), one = words(bare, text + 2, 1);
    cfg c;

    (void)state;
    assert_int_equal(vox_opts_defaults(opts, &c), VOX_OK);
    assert_int_equal(vox_opts_args(&(vox_opt_set){opts, &c, NULL}, 1, &two, unknown),
                     VOX_E_USAGE);
    assert_string_equal(vox_error_text(), "unknown option --bloc, did you mean --block?");
    assert_int_equal(vox_opts_args(&(vox_opt_set){opts, &c, NULL}, 1, &one, bare),
                     VOX_E_USAGE);
    assert_string_equal(vox_error_text(), "option --seed needs a value");
    vox_opts_release(opts, &c);
}

static void json_and_back(void **state)
{
    cfg a, b;
    json_object *o;

    (void)state;
    assert_int_equal(vox_opts_defaults(opts, &a), VOX_OK);
    assert_int_equal(vox_opts_defaults(opts, &b), VOX_OK);
    assert_int_equal(vox_opts_set(opts, &a, "hidden", "0.3"), VOX_OK);
    assert_int_equal(vox_opts_set(opts, &a, "trainer", "T"), VOX_OK);
    assert_int_equal(vox_opts_set(opts, &a, "seed", "8999999999999999"), VOX_OK);
    o = vox_opts_json(opts, &a);
    assert_int_equal(vox_opts_set_object(opts, &b, o), VOX_OK);
    assert_true(b.hidden == 0.3f && b.seed == 8999999999999999);
    assert_string_equal(b.trainer, "T");
    json_object_put(o);
    vox_opts_release(opts, &a);
    vox_opts_release(opts, &b);
}

/* What a file may hold where a list of words should be. */
static void null_is_no_text(void **state)
{
    static const char *const text[] = {"null", "[null]", "[\"a\",null]"};
    cfg c;

    (void)state;
    assert_int_equal(vox_opts_defaults(opts, &c), VOX_OK);
    assert_int_equal(vox_opts_set(opts, &c, "set", "kept"), VOX_OK);
    for (int i = 0; i < VOX_COUNT(text); i++) {
        json_object *v = NULL;

        assert_int_equal(vox_json_parse(&v, text[i], strlen(text[i]), "t"), VOX_OK);
        assert_int_equal(vox_opts_set_json(opts, &c, "set", v), VOX_E_USAGE);
        assert_non_null(strstr(vox_error_text(), ", wanted text"));
        assert_int_equal(vox_opts_set_json(opts, &c, "features", v), VOX_E_USAGE);
        assert_int_equal(vox_opts_set_json(opts, &c, "block", v), VOX_E_USAGE);
        json_object_put(v);
    }
    assert_int_equal(c.set.count, 1);
    assert_string_equal(c.set.v[0], "kept");
    vox_opts_release(opts, &c);
}

/* A resumed run reads its options from JSON: they must be the same floats, and short. */
static void floats_survive_json(void **state)
{
    static const char *const text[] = {"0.3",        "0.33333334", "1e-05",
                                       "0.16777217", "0.1",        "0.999999940395"};
    cfg a, b;

    (void)state;
    assert_int_equal(vox_opts_defaults(opts, &a), VOX_OK);
    assert_int_equal(vox_opts_defaults(opts, &b), VOX_OK);
    for (int i = 0; i < VOX_COUNT(text); i++) {
        vox_buf out = VOX_BUF_INIT;
        json_object *o;

        assert_int_equal(vox_opts_set(opts, &a, "hidden", text[i]), VOX_OK);
        o = vox_opts_json(opts, &a);
        assert_int_equal(vox_opts_set_object(opts, &b, o), VOX_OK);
        assert_true(a.hidden == b.hidden);
        assert_int_equal(vox_json_text(&out, vox_json_get(o, "hidden"), 0), VOX_OK);
        assert_true(out.len <= strlen(text[i]));
        vox_buf_release(&out);
        json_object_put(o);
    }
    vox_opts_release(opts, &a);
    vox_opts_release(opts, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_may_be_left_out),
        cmocka_unit_test(defaults),
        cmocka_unit_test(values_are_checked),
        cmocka_unit_test(command_line),
        cmocka_unit_test(misspelt),
        cmocka_unit_test(misused),
        cmocka_unit_test(json_and_back),
        cmocka_unit_test(null_is_no_text),
        cmocka_unit_test(floats_survive_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
