/* meta: MetaImage's types, byte orders, packings, channels, geometry, parts, what is
 * refused. */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/gzip.h"
#include "support/image.h"
#include "support/unit.h"

#define HEAD(more) \
    "ObjectType = Image\nNDims = 3\nDimSize = 4 3 2\nElementType = MET_SHORT\n" more
#define SPACED "ElementSpacing = 1 2 3\n"
#define LOCAL  "ElementDataFile = LOCAL\n"

extern const vox_format vox_format_meta;

static const vox_format *const f = &vox_format_meta;
static unsigned char shorts[48];

/* zlib's stream of `shorts`, uncompressed: header, one stored block, Adler-32. */
static unsigned char packed[48 + 11];

static int fill(void **state)
{
    uint32_t a = 1, b = 0;

    (void)state;
    image_count(shorts, 24, 2, 0, 0);
    memcpy(packed, "\x78\x01\x01\x30\x00\xcf\xff", 7);
    memcpy(packed + 7, shorts, 48);
    for (int i = 0; i < 48; i++) {
        a = (a + shorts[i]) % 65521;
        b = (b + a) % 65521;
    }
    image_count(packed + 55, 1, 4, 1, (int)(b << 16 | a));
    return 0;
}

static void check_ramp(const vox_volume *v)
{
    assert_true(vox_shape_equal(v->info.shape, VOX_SHAPE(1, 2, 3, 4)));
    for (int i = 0; i < 24; i++)
        assert_true(v->data[i] == (float)i);
}

static void every_type_and_byte_order(void **state)
{
    static const struct {
        const char *word, *stored;
        int size;
    } rows[] = {
        {"MET_CHAR",       "i8",  1},
        {"MET_UCHAR",      "u8",  1},
        {"MET_SHORT",      "i16", 2},
        {"MET_USHORT",     "u16", 2},
        {"MET_INT",        "i32", 4},
        {"MET_UINT",       "u32", 4},
        {"MET_LONG",       "i32", 4},
        {"MET_ULONG",      "u32", 4},
        {"MET_LONG_LONG",  "i64", 8},
        {"MET_ULONG_LONG", "u64", 8},
    };

    (void)state;
    for (int i = 0; i < 2 * VOX_COUNT(rows); i++) {
        vox_buf head = VOX_BUF_INIT;

        vox_buf_printf(&head,
                       "Comment = a = b\r\nNDims=3\r\nDimSize = 4 3 2\r\n%s = %s\r\n"
                       "ElementType = %s\r\nElementDataFile = LOCAL\r\n",
                       i % 4 < 2 ? "BinaryDataByteOrderMSB" : "ElementByteOrderMSB",
                       i % 2 ? "True" : "False", rows[i / 2].word);
        image_check_type(f, head.data, rows[i / 2].size, i % 2, "meta", rows[i / 2].stored);
        vox_buf_release(&head);
    }
}

static void packings(void **state)
{
    static const char zlib[] =
        HEAD("CompressedData = True\nCompressedDataSize = 59\n" LOCAL);
    static const char text[] =
        "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23\n";
    vox_volume v = VOX_VOLUME_INIT;
    vox_buf gz = VOX_BUF_INIT;

    (void)state;
    assert_int_equal(image_read(&v, f, zlib, packed, sizeof packed), VOX_OK);
    check_ramp(&v);
    for (size_t n = 0; n < sizeof packed; n++)
        assert_int_equal(image_read(&v, f, zlib, packed, n), VOX_E_FORMAT);
    packed[20] ^= 1; /* its checksum does not fit */
    assert_int_equal(image_read(&v, f, zlib, packed, sizeof packed), VOX_E_FORMAT);
    packed[20] ^= 1;
    assert_int_equal(vox_gzip(&gz, shorts, sizeof shorts), VOX_OK);
    assert_int_equal(image_read(&v, f, zlib, gz.data, gz.len), VOX_OK);
    check_ramp(&v);
    assert_int_equal(
        image_read(&v, f, HEAD("BinaryData = False\n" LOCAL), text, sizeof text - 1),
        VOX_OK);
    check_ramp(&v);
    vox_volume_release(&v);
    vox_buf_release(&gz);
}

/* A stream that holds more than the header says is checked to its end. */
static void surplus_in_a_stream(void **state)
{
    static const char head[] = "NDims = 3\nDimSize = 4 3 1\nElementType = "
                               "MET_SHORT\nCompressedData = True\n" LOCAL;
    vox_volume v = VOX_VOLUME_INIT;

    (void)state;
    assert_int_equal(image_read(&v, f, head, packed, sizeof packed), VOX_OK);
    assert_true(v.data[11] == 11.0f);
    packed[50] ^= 1;
    assert_int_equal(image_read(&v, f, head, packed, sizeof packed), VOX_E_FORMAT);
    packed[50] ^= 1;
    vox_volume_release(&v);
}

static void channels(void **state)
{
    static const char vector[] = "NDims = 3\nDimSize = 2 3 2\nElementNumberOfChannels = "
                                 "2\nElementType = MET_SHORT_ARRAY\n" LOCAL;
    static const char time[] = "NDims = 4\nDimSize = 2 3 2 2\nElementSpacing = 1 2 3 9\n"
                               "ElementType = MET_SHORT\n" LOCAL;
    static const char flat[] =
        "NDims = 5\nDimSize = 4 3 2 1 1\nElementType = MET_SHORT\n" LOCAL;
    vox_volume v = VOX_VOLUME_INIT;

    (void)state;
    assert_int_equal(image_read(&v, f, vector, shorts, sizeof shorts), VOX_OK);
    assert_true(vox_shape_equal(v.info.shape, VOX_SHAPE(2, 2, 3, 2)));
    for (int i = 0; i < 24; i++)
        assert_true(v.data[i] == (float)(i % 12 * 2 + i / 12));
    assert_int_equal(image_read(&v, f, time, shorts, sizeof shorts), VOX_OK);
    assert_true(vox_shape_equal(v.info.shape, VOX_SHAPE(2, 2, 3, 2)));
    for (int i = 0; i < 24; i++)
        assert_true(v.data[i] == (float)i);
    assert_int_equal(image_read(&v, f, flat, shorts, sizeof shorts), VOX_OK);
    check_ramp(&v);
    vox_volume_release(&v);
}

static void geometry_as_itk_has_it(void **state)
{
    static const struct {
        const char *lines;
        double spacing[3], x_axis[3], y_axis[3], origin[3]; /* x, y, z */
        int oblique;
    } rows[] = {
        {"",                                                              {1, 1, 1}, {-1, 0, 0}, {0, -1, 0}, {0, 0, 0}, 0},
        {SPACED,                                                          {1, 2, 3}, {-1, 0, 0}, {0, -1, 0}, {0, 0, 0}, 0},
        {"ElementSize = 1 2 3\n",                                         {1, 2, 3}, {-1, 0, 0}, {0, -1, 0}, {0, 0, 0}, 0},
        {"ElementSize = 9 9 9\n" SPACED,                                  {1, 2, 3}, {-1, 0, 0}, {0, -1, 0}, {0, 0, 0}, 0},
        {SPACED "ElementSize = 9 9 9\n",                                  {1, 2, 3}, {-1, 0, 0}, {0, -1, 0}, {0, 0, 0}, 0},
        {"ElementSpacing = 1 -2 3\n",                                     {1, 2, 3}, {-1, 0, 0}, {0, 1, 0},  {0, 0, 0}, 0},
        {SPACED "TransformMatrix = 0 1 0 -1 0 0 0 0 1\nOffset = 4 5 6\n",
         {1, 2, 3},
         {0, -1, 0},
         {1, 0, 0},
         {-4, -5, 6},
         0                                                                                                               },
        {SPACED "Orientation = 0 1 0 -1 0 0 0 0 1\nPosition = 4 5 6\n",
         {1, 2, 3},
         {0, -1, 0},
         {1, 0, 0},
         {-4, -5, 6},
         0                                                                                                               },
        {SPACED "Rotation = 0 2 0 -2 0 0 0 0 1\nOrigin = 4 5 6\n",
         {1, 2, 3},
         {0, -1, 0},
         {1, 0, 0},
         {-4, -5, 6},
         0                                                                                                               },
        {SPACED "TransformMatrix = 1 0 0 0.6 0.8 0 0 0 1\n",
         {1, 2, 3},
         {-1, 0, 0},
         {-0.6, -0.8, 0},
         {0, 0, 0},
         1                                                                                                               },
        {SPACED "TransformMatrix = 1 0 0 0 0 0 0 0 1\n",
         {1, 2, 3},
         {-1, 0, 0},
         {0, -1, 0},
         {0, 0, 0},
         1                                                                                                               },
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(rows); i++) {
        vox_buf head = VOX_BUF_INIT;
        vox_volume_info info;

        vox_buf_printf(&head, "%s%s%s", HEAD(""), rows[i].lines, LOCAL);
        assert_int_equal(image_info(&info, f, head.data), VOX_OK);
        for (int k = 0; k < 3; k++) {
            assert_true(info.spacing[2 - k] == rows[i].spacing[k]);
            assert_true(info.direction[3 * k] == rows[i].x_axis[k]);
            assert_true(info.direction[3 * k + 1] == rows[i].y_axis[k]);
            assert_true(info.origin[k] == rows[i].origin[k]);
        }
        assert_int_equal(info.oblique, rows[i].oblique);
        vox_buf_release(&head);
    }
}

static void parts(void **state)
{
    static const char list[] = HEAD("ElementDataFile = LIST 2\na.raw\nb c.raw\n");
    static const char file[] = HEAD("ElementDataFile = LISTING.raw\n");
    static const char one[] = HEAD("HeaderSize = 3\nElementDataFile = a.raw\n");
    static const char last[] = HEAD("HeaderSize = -1\nElementDataFile = a.raw\n");
    static const char local[] = HEAD(LOCAL);
    char skipped[51] = "abc";
    const vox_bytes half[2] = {
        {shorts,      24, "a"},
        {shorts + 24, 24, "b"}
    };
    const vox_bytes whole = {skipped, sizeof skipped, "a"};
    vox_volume v = VOX_VOLUME_INIT;
    vox_strs names = {0};

    (void)state;
    memcpy(skipped + 3, shorts, 48);
    assert_int_equal(f->parts(&names, &(vox_bytes){local, sizeof local - 1, "x"}), VOX_OK);
    assert_int_equal(names.count, 0);
    assert_int_equal(f->parts(&names, &(vox_bytes){list, sizeof list - 1, "x"}), VOX_OK);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.v[1], "b c.raw");
    assert_int_equal(f->parts(&names, &(vox_bytes){file, sizeof file - 1, "x"}), VOX_OK);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.v[2], "LISTING.raw");
    assert_int_equal(f->read(&v, &(vox_bytes){list, sizeof list - 1, "x"}, half, 2),
                     VOX_OK);
    check_ramp(&v);
    assert_int_equal(f->read(&v, &(vox_bytes){one, sizeof one - 1, "x"}, &whole, 1),
                     VOX_OK);
    check_ramp(&v);
    assert_int_equal(f->read(&v, &(vox_bytes){last, sizeof last - 1, "x"}, &whole, 1),
                     VOX_OK);
    check_ramp(&v);
    assert_int_equal(f->read(&v, &(vox_bytes){one, sizeof one - 1, "x"}, NULL, 0),
                     VOX_E_FORMAT);
    vox_volume_release(&v);
    vox_strs_release(&names);
}

static void truncation_at_every_length(void **state)
{
    static const char head[] = HEAD(SPACED LOCAL);
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
        {"",                                                                        "no MetaImage header"    },
        {HEAD(""),                                                                  "no MetaImage header"    },
        {"NDims = 3\nDimSize = 4 3 2\n" LOCAL,                                      "without ElementType"    },
        {HEAD("ElementType = MET_STRING\n" LOCAL),                                  "MET_STRING"             },
        {HEAD("NDims = 2\n" LOCAL),                                                 "3 sizes for 2"          },
        {HEAD("NDims = 2\nDimSize = 4 6\n" LOCAL),                                  "2-D image"              },
        {HEAD("NDims = 0\n" LOCAL),                                                 "NDims is \"0\""         },
        {HEAD("NDims = 99\n" LOCAL),                                                "NDims is \"99\""        },
        {HEAD("DimSize = 4 0 2\n" LOCAL),                                           "extent 2 is 0"          },
        {HEAD("DimSize = 4 3 -2\n" LOCAL),                                          "extent 3 is -2"         },
        {HEAD("DimSize = 4e9 3 2\n" LOCAL),                                         "DimSize is"             },
        {HEAD("DimSize = 4000000000 4000000000 4000000000\n" LOCAL),                "more than a file"       },
        {HEAD("DimSize = 1000000 1000000 10\n" LOCAL),                              "truncated"              },
        {HEAD("ElementNumberOfChannels = 0\n" LOCAL),                               "ElementNumberOfChannels"},
        {HEAD("ElementNumberOfChannels = 1000000\n" LOCAL),                         "truncated"              },
        {HEAD("NDims = 4\nDimSize = 2 2 3 2\nElementNumberOfChannels = 2\n" LOCAL),
         "2 channels"                                                                                        },
        {HEAD("ElementSpacing = 1 0 3\n" LOCAL),                                    "spacing is 1 x 0"       },
        {HEAD("ElementSpacing = 1 nan 3\n" LOCAL),                                  "spacing is 1 x nan"     },
        {HEAD("ElementSpacing = 1 2\n" LOCAL),                                      "2 spacings"             },
        {HEAD("TransformMatrix = 1 0 0 1\n" LOCAL),                                 "a matrix of 4"          },
        {HEAD("Offset = 1 2\n" LOCAL),                                              "2 offsets"              },
        {HEAD("HeaderSize = 10\n" LOCAL),                                           "HeaderSize 10"          },
        {HEAD("HeaderSize = -2\n" LOCAL),                                           "HeaderSize is"          },
        {HEAD("BinaryData = maybe\n" LOCAL),                                        "BinaryData is"          },
        {HEAD("ElementDataFile = \n"),                                              "ElementDataFile is"     },
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
        cmocka_unit_test(packings),
        cmocka_unit_test(surplus_in_a_stream),
        cmocka_unit_test(channels),
        cmocka_unit_test(geometry_as_itk_has_it),
        cmocka_unit_test(parts),
        cmocka_unit_test(truncation_at_every_length),
        cmocka_unit_test(what_is_refused_and_why),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
