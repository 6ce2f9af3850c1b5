/* nrrd: types, byte orders, encodings, skips, axes of values, worlds, parts, what is
 * refused. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/gzip.h"
#include "image/nrrd.h"
#include "support/image.h"
#include "support/unit.h"

#define HEAD(more) \
    "NRRD0004\ntype: short\ndimension: 3\nsizes: 4 3 2\nendian: little\n" more
#define RAW "encoding: raw\n"

static const vox_format *const f = &vox_format_nrrd;
static unsigned char shorts[48];

static int fill(void **state)
{
    (void)state;
    image_count(shorts, 24, 2, 0, 0);
    return 0;
}

static void check_ramp(const vox_volume *v, int count)
{
    assert_int_equal(vox_shape_count(v->info.shape), count);
    for (int i = 0; i < count; i++)
        assert_true(v->data[i] == (float)i);
}

static void every_type_and_byte_order(void **state)
{
    static const struct {
        const char *word, *stored;
        int size;
    } rows[] = {
        {"signed char",    "i8",  1},
        {"unsigned char",  "u8",  1},
        {"uint8_t",        "u8",  1},
        {"short",          "i16", 2},
        {"unsigned short", "u16", 2},
        {"int",            "i32", 4},
        {"uint32",         "u32", 4},
        {"long long int",  "i64", 8},
        {"ULONGLONG",      "u64", 8},
    };

    (void)state;
    for (int i = 0; i < 2 * VOX_COUNT(rows); i++) {
        vox_buf head = VOX_BUF_INIT;

        vox_buf_printf(
            &head,
            "NRRD0001\r\ntype: %s\r\ndimension: 3\r\nsizes: 4 3 2\r\n"
            "Encoding: raw\r\n# a comment: x\r\nkey:=type: float\r\nendian: %s\r\n\r\n",
            rows[i / 2].word, i % 2 ? "big" : "little");
        image_check_type(f, head.data, rows[i / 2].size, i % 2, "nrrd", rows[i / 2].stored);
        vox_buf_release(&head);
    }
}

static void real_numbers(void **state)
{
    static const char head[] =
        "NRRD0004\ntype: double\ndimension: 3\nsizes: 2 2 1\nendian: little\n" RAW "\n";
    const double voxels[4] = {0.1, (double)NAN, 1e300, -3};
    vox_volume v = VOX_VOLUME_INIT;

    (void)state;
    assert_int_equal(image_read(&v, f, head, voxels, sizeof voxels), VOX_OK);
    assert_int_equal(v.info.nonfinite, 2);
    assert_true(v.data[0] == 0.1f && v.data[1] == 0.0f && v.data[2] == 0.0f &&
                v.data[3] == -3.0f);
    vox_volume_release(&v);
}

static void encodings_and_skips(void **state)
{
    static const char text[] =
        "0 1 2 3\n4,5 6 7 8 9 10 11 12 13 14 15\t16 17 18 19 20 21 22 2.3e1";
    vox_buf b = VOX_BUF_INIT;
    vox_volume v = VOX_VOLUME_INIT;

    (void)state;
    vox_buf_add(&b, "one\ntwo\n", 8); /* lines are left out before, bytes after unpacking */
    vox_buf_add(&b, "abc", 3);
    vox_buf_add(&b, shorts, sizeof shorts);
    assert_int_equal(
        image_read(&v, f, HEAD(RAW "line skip: 2\nbyte skip: 3\n\n"), b.data, b.len),
        VOX_OK);
    check_ramp(&v, 24);
    assert_int_equal(image_read(&v, f, HEAD(RAW "byte skip: -1\n\n"), b.data, b.len),
                     VOX_OK);
    check_ramp(&v, 24);
    b.len = 8;
    assert_int_equal(vox_gzip(&b, "abc", 3), VOX_OK); /* two members */
    assert_int_equal(vox_gzip(&b, shorts, sizeof shorts), VOX_OK);
    assert_int_equal(image_read(&v, f, HEAD("encoding: gz\nlineskip: 2\nbyteskip: 3\n\n"),
                                b.data, b.len),
                     VOX_OK);
    check_ramp(&v, 24);
    assert_int_equal(image_read(&v, f,
                                HEAD("encoding: gzip\nline skip: 2\nbyte skip: 3\n\n"),
                                b.data, b.len - 1),
                     VOX_E_FORMAT);
    assert_int_equal(
        image_read(&v, f, HEAD("encoding: gzip\nbyte skip: -1\n\n"), b.data + 8, b.len - 8),
        VOX_E_FORMAT);
    assert_int_equal(image_read(&v, f, HEAD("encoding: ascii\n\n"), text, sizeof text - 1),
                     VOX_OK);
    check_ramp(&v, 24);
    assert_int_equal(image_read(&v, f, HEAD("encoding: text\n\n"), text, sizeof text - 8),
                     VOX_E_FORMAT);
    assert_true(image_says("wanted 24"));
    vox_volume_release(&v);
    vox_buf_release(&b);
}

/* An axis of values anywhere becomes channels; so does time, and a fourth axis. */
static void channels(void **state)
{
    static const struct {
        const char *lines;
        int64_t shape[4];
        int inner; /* voxels of one channel after each other */
    } rows[] = {
        {"sizes: 2 4 3 1\nkinds: vector domain domain domain\n",             {2, 1, 3, 4}, 1 },
        {"sizes: 4 2 3 1\nkinds: space list space space\n",                  {2, 1, 3, 4}, 4 },
        {"sizes: 4 3 2 1\nkinds: domain domain 2-vector domain\n",           {2, 1, 3, 4}, 12},
        {"sizes: 4 3 1 2\nkinds: domain domain domain time\n",               {2, 1, 3, 4}, 12},
        {"sizes: 4 3 1 2\n",                                                 {2, 1, 3, 4}, 12},
        {"sizes: 2 4 3 1\nspace directions: none (1,0,0) (0,1,0) (0,0,1)\n",
         {2, 1, 3, 4},
         1                                                                                   },
        {"sizes: 4 3 2 1\n",                                                 {1, 2, 3, 4}, 24},
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(rows); i++) {
        vox_buf head = VOX_BUF_INIT;
        vox_volume v = VOX_VOLUME_INIT;
        const int64_t *n = rows[i].shape;

        vox_buf_printf(&head,
                       "NRRD0004\ntype: short\ndimension: 4\nendian: little\n" RAW "%s\n",
                       rows[i].lines);
        assert_int_equal(image_read(&v, f, head.data, shorts, sizeof shorts), VOX_OK);
        assert_true(vox_shape_equal(v.info.shape, VOX_SHAPE(n[0], n[1], n[2], n[3])));
        for (int c = 0, at = 0; c < n[0]; c++) {
            for (int k = 0; k < 24 / n[0]; k++, at++)
                assert_true(v.data[at] ==
                            (float)((k / rows[i].inner * n[0] + c) * rows[i].inner +
                                    k % rows[i].inner));
        }
        vox_volume_release(&v);
        vox_buf_release(&head);
    }
}

typedef struct world_case {
    const char *lines;
    double spacing[3]; /* x, y, z */
    double diagonal[3], origin[3];
} world_case;

static void geometry_as_itk_has_it(void **state)
{
    static const char vectors[] = "space directions: (1,0,0) (0,2,0) (0,0,3)\n";
    static const world_case rows[] = {
        {"",                                                          {1, 1, 1}, {-1, -1, 1}, {0, 0, 0}  },
        {"spacings: 1 2 3\n",                                         {1, 2, 3}, {-1, -1, 1}, {0, 0, 0}  },
        {"spacings: nan 2 3\n",                                       {1, 2, 3}, {-1, -1, 1}, {0, 0, 0}  },
        {"spacings: 1 -2 3\n",                                        {1, 2, 3}, {-1, 1, 1},  {0, 0, 0}  },
        {"+space: LPS\nspace origin: (4,5,6)\n",                      {1, 2, 3}, {-1, -1, 1}, {-4, -5, 6}},
        {"+space: left-anterior-superior\nspace origin: (4, 5, 6)\n",
         {1, 2, 3},
         {-1, 1, 1},
         {-4, 5, 6}                                                                                      },
        {"+space: ras\nspace origin: (4,5,6)\n",                      {1, 2, 3}, {1, 1, 1},   {4, 5, 6}  },
        {"+space: scanner-xyz\n",                                     {1, 2, 3}, {-1, -1, 1}, {0, 0, 0}  },
        {"+space dimension: 3\n",                                     {1, 2, 3}, {-1, -1, 1}, {0, 0, 0}  },
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(rows); i++) {
        const int more = *rows[i].lines == '+';
        vox_buf head = VOX_BUF_INIT;
        vox_volume_info info;

        vox_buf_printf(&head, "%s%s%s\n", HEAD(RAW), more ? vectors : "",
                       rows[i].lines + more);
        assert_int_equal(image_info(&info, f, head.data), VOX_OK);
        for (int k = 0; k < 3; k++) {
            assert_true(info.spacing[2 - k] == rows[i].spacing[k]);
            assert_true(info.direction[4 * k] == rows[i].diagonal[k]);
            assert_true(info.origin[k] == rows[i].origin[k]);
        }
        assert_int_equal(info.oblique, 0);
        vox_buf_release(&head);
    }
}

static void axes_not_at_right_angles_are_marked(void **state)
{
    static const char sheared[] =
        HEAD(RAW "space: LPS\nspace directions: (1,0,0) (3,4,0) (0,0,2)\n\n");
    vox_volume_info info;

    (void)state;
    assert_int_equal(image_info(&info, f, sheared), VOX_OK);
    assert_int_equal(info.oblique, 1);
    assert_true(info.spacing[1] == 5.0);
    assert_true(fabs(info.direction[1] + 0.6) < 1e-12 &&
                fabs(info.direction[4] + 0.8) < 1e-12);
}

static void names_of_parts(void **state)
{
    static const struct {
        const char *line, *first, *last;
        int count;
    } rows[] = {
        {"data file: my voxels.raw\n",             "my voxels.raw", "my voxels.raw", 1 },
        {"datafile: a/b.raw.gz\n\nmore",           "a/b.raw.gz",    "a/b.raw.gz",    1 },
        {"data file: z%03d.raw 9 11 1\n",          "z009.raw",      "z011.raw",      3 },
        {"data file: z%d 8 1 -2 2\n",              "z8",            "z2",            4 },
        {"data file: LIST\nb.raw\r\n a.raw \n\nc", "b.raw",         "a.raw",         2 },
        {"data file: LIST 2\nx",                   "x",             "x",             1 },
        {"data file: LISTING.raw\n",               "LISTING.raw",   "LISTING.raw",   1 },
        {"data file: list.raw\n",                  "list.raw",      "list.raw",      1 },
        {"\nvoxels",                               "",              "",              0 },
        {"data file: z%s.raw 1 2 1\n",             "",              "",              -1},
        {"data file: z%d%d.raw 1 2 1\n",           "",              "",              -1},
        {"data file: z%n.raw 1 2 1\n",             "",              "",              -1},
        {"data file: z%99999d.raw 1 2 1\n",        "",              "",              -1},
        {"data file: z%d.raw 1 2\n",               "",              "",              -1},
        {"data file: z%d.raw 1 2 0\n",             "",              "",              -1},
        {"data file: z%d.raw 2 1 1\n",             "",              "",              -1},
        {"data file: z%d.raw 0 999999999 1\n",     "",              "",              -1},
        {"data file: LIST\n",                      "",              "",              -1},
        {"type: short\n",                          "",              "",              -1}, /* no end */
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(rows); i++) {
        vox_strs names = {0};
        vox_buf b = VOX_BUF_INIT;
        int rc;

        vox_buf_printf(&b, "NRRD0004\n%s", rows[i].line);
        rc = f->parts(&names, &(vox_bytes){b.data, b.len, "input"});
        assert_int_equal(rc, rows[i].count < 0 ? VOX_E_FORMAT : VOX_OK);
        if (rows[i].count >= 0)
            assert_int_equal(names.count, rows[i].count);
        if (rows[i].count > 0) {
            assert_string_equal(names.v[0], rows[i].first);
            assert_string_equal(names.v[names.count - 1], rows[i].last);
        }
        vox_strs_release(&names);
        vox_buf_release(&b);
    }
}

static void voxels_in_parts(void **state)
{
    static const char head[] = HEAD(RAW "data file: z%d 0 1 1\nbyte skip: 1\n");
    const vox_bytes file = {head, sizeof head - 1, "input"};
    char first[25], last[25];
    const vox_bytes part[3] = {
        {first, 25, "z0"   },
        {last,  25, "z1"   },
        {last,  24, "short"}
    };
    vox_volume v = VOX_VOLUME_INIT;

    (void)state;
    memcpy(first + 1, shorts, 24);
    memcpy(last + 1, shorts + 24, 24);
    assert_int_equal(f->read(&v, &file, part, 2), VOX_OK);
    check_ramp(&v, 24);
    assert_int_equal(f->read(&v, &file, part + 1, 2), VOX_E_FORMAT);
    assert_true(image_says("short: truncated"));
    assert_int_equal(f->read(&v, &file, part, 0), VOX_E_FORMAT);
    vox_volume_release(&v);
}

static void truncation_at_every_length(void **state)
{
    static const char head[] = HEAD(RAW "\n");
    const int64_t blocks = vox_mem_blocks();
    vox_buf b = VOX_BUF_INIT;
    vox_volume v = VOX_VOLUME_INIT;

    (void)state;
    vox_buf_add(&b, head, sizeof head - 1);
    vox_buf_add(&b, shorts, sizeof shorts);
    for (size_t n = 0; n < b.len; n++) {
        assert_int_equal(image_read(&v, f, "", b.data, n), VOX_E_FORMAT);
        assert_true(image_says("input: "));
        assert_null(v.data);
    }
    assert_int_equal(image_read(&v, f, "", b.data, b.len), VOX_OK);
    vox_volume_release(&v);
    vox_buf_release(&b);
    assert_int_equal(vox_mem_blocks(), blocks);
}

static void what_is_refused_and_why(void **state)
{
    static const struct {
        const char *head, *says;
    } rows[] = {
        {"NRRX0004\n\n",                                              "NRRD000"                             },
        {"NRRD0004\n\n",                                              "type \"\""                           },
        {"NRRD0004\ntype: block\n\n",                                 "\"block\""                           },
        {HEAD("encoding: bzip2\n\n"),                                 "\"bzip2\""                           },
        {HEAD("encoding: hex\n\n"),                                   "\"hex\""                             },
        {HEAD("\n"),                                                  "encoding \"\""                       },
        {HEAD(RAW "endian: middle\n\n"),                              "\"middle\""                          },
        {HEAD(RAW "dimension: 2\n\n"),                                "3 sizes for 2"                       },
        {HEAD(RAW "dimension: 2\nsizes: 4 6\n\n"),                    "2-D image"                           },
        {HEAD(RAW "dimension: 99\n\n"),                               "\"dimension\""                       },
        {HEAD(RAW "sizes: 4 3 x\n\n"),                                "\"sizes\""                           },
        {HEAD(RAW "sizes: 4 0 2\n\n"),                                "extent 2 is 0"                       },
        {HEAD(RAW "sizes: 4 3 -2\n\n"),                               "extent 3 is -2"                      },
        {HEAD(RAW "sizes: 4000000000 4000000000 4000000000\n\n"),     "more than a file"                    },
        {HEAD(RAW "sizes: 99999999999999999999 1 1\n\n"),             "\"sizes\""                           },
        {HEAD(RAW "sizes: 1000000 1000000 10\n\n"),                   "truncated"                           },
        {HEAD("encoding: gzip\nsizes: 1000000 1000000 10\n\n"),       "truncated"                           },
        {HEAD("encoding: ascii\nsizes: 1000000 1000000 10\n\n"),      "truncated"                           },
        {HEAD(RAW "byte skip: 9223372036854775807\n\n"),              "truncated"                           },
        {HEAD(RAW "line skip: 99\n\n"),                               "lines to skip"                       },
        {HEAD(RAW "byte skip: -2\n\n"),                               "\"byte skip\""                       },
        {HEAD(RAW "spacings: 1 0 3\n\n"),                             "spacing is 1 x 0"                    },
        {HEAD(RAW "spacings: 1 inf 3\n\n"),                           "spacing is 1 x inf"                  },
        {HEAD(RAW "spacings: 1 2\n\n"),                               "\"spacings\" has 2 entries, wanted 3"},
        {HEAD(RAW "space directions: (0,0,0) (0,2,0) (0,0,3)\n\n"),   "spacing is 0"                        },
        {HEAD(RAW "space directions: (1,nan,0) (0,2,0) (0,0,3)\n\n"), "spacing is nan"                      },
        {HEAD(RAW "space directions: (1,0) (0,2) (0,3)\n\n"),         "\"space directions\""                },
        {HEAD(RAW "space dimension: 4\n\n"),                          "\"space dimension\""                 },
        {HEAD(RAW "space origin: 1 2 3\n\n"),                         "\"space origin\""                    },
        {HEAD(RAW "kinds: RGB-color domain domain\n\n"),              "colour"                              },
        {HEAD(RAW "kinds: complex domain domain\n\n"),                "complex"                             },
        {HEAD(RAW "kinds: vector domain domain\n\n"),                 "2-D image"                           },
        {HEAD(RAW "kinds: vector list domain\n\n"),                   "two axes"                            },
        {HEAD(RAW "dimension: 5\nsizes: 2 3 1 2 2\n\n"),              "5-D image"                           },
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(rows); i++) {
        vox_volume v = VOX_VOLUME_INIT;

        if (image_read(&v, f, rows[i].head, shorts, sizeof shorts) != VOX_E_FORMAT)
            fail_msg("accepted: %s", rows[i].head);
        if (!image_says(rows[i].says))
            fail_msg("says \"%s\", wanted \"%s\"", vox_error_text(), rows[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_and_byte_order),
        cmocka_unit_test(real_numbers),
        cmocka_unit_test(encodings_and_skips),
        cmocka_unit_test(channels),
        cmocka_unit_test(geometry_as_itk_has_it),
        cmocka_unit_test(axes_not_at_right_angles_are_marked),
        cmocka_unit_test(names_of_parts),
        cmocka_unit_test(voxels_in_parts),
        cmocka_unit_test(truncation_at_every_length),
        cmocka_unit_test(what_is_refused_and_why),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
