/* store: shapes of blocks, round trips by box, files of python-blosc2, damage, properties.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/store.h"
#include "data/store_meta.h"
#include "support/unit.h"

#define GOLDEN VOX_SOURCE_DIR "/tests/golden/store/"

static void block_table(void **state)
{
    static const int64_t row[][3][4] = {
        {{1, 160, 192, 176}, {1, 16, 16, 16}, {1, 80, 64, 64}  },
        {{1, 182, 218, 182}, {1, 16, 16, 16}, {1, 80, 64, 64}  },
        {{1, 256, 256, 256}, {1, 16, 16, 16}, {1, 80, 64, 64}  },
        {{1, 96, 96, 96},    {1, 16, 16, 16}, {1, 80, 64, 64}  },
        {{1, 500, 512, 512}, {1, 16, 16, 16}, {1, 80, 64, 64}  },
        {{1, 33, 33, 33},    {1, 16, 16, 16}, {1, 33, 33, 33}  },
        {{1, 48, 57, 41},    {1, 16, 16, 16}, {1, 48, 57, 41}  },
        {{1, 24, 512, 512},  {1, 24, 16, 16}, {1, 24, 112, 112}},
        {{1, 200, 200, 30},  {1, 16, 8, 30},  {1, 144, 72, 30} },
        {{1, 10, 200, 200},  {1, 10, 32, 16}, {1, 10, 200, 160}},
        {{1, 1, 320, 320},   {1, 1, 32, 32},  {1, 1, 320, 320} },
        {{2, 160, 160, 160}, {2, 16, 16, 8},  {2, 80, 64, 32}  },
        {{1, 64, 64, 65},    {1, 64, 64, 1},  {1, 64, 64, 65}  },
 /* where the peer fails */
        {{1, 32, 32, 32},    {1, 32, 32, 32}, {1, 32, 32, 32}  },
        {{1, 64, 64, 64},    {1, 64, 64, 64}, {1, 64, 64, 64}  },
        {{1, 1, 1, 1},       {1, 1, 1, 1},    {1, 1, 1, 1}     },
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int64_t block[4], chunk[4];

        vox_store_blocks(block, chunk, row[i][0]);
        assert_memory_equal(block, row[i][1], sizeof block);
        assert_memory_equal(chunk, row[i][2], sizeof chunk);
    }
}

static void blocks_fit_any_shape(void **state)
{
    vox_rng r = vox_rng_at(7, VOX_STREAM("test"), 0);

    (void)state;
    for (int k = 0; k < 2000; k++) {
        int64_t shape[4] = {1 + (int64_t)vox_rng_below(&r, 3)}, block[4], chunk[4];

        for (int i = 1; i < 4; i++)
            shape[i] = 1 + (int64_t)vox_rng_below(&r, k % 2 ? 400 : 70);
        vox_store_blocks(block, chunk, shape);
        for (int i = 0; i < 4; i++) {
            assert_true(block[i] >= 1 && block[i] <= chunk[i]);
            assert_true(chunk[i] <= shape[i]);
        }
    }
}

static float *random_volume(const int64_t shape[4], uint64_t seed)
{
    const int64_t n = shape[0] * shape[1] * shape[2] * shape[3];
    float *v = vox_alloc((size_t)n, sizeof *v);
    vox_rng r = vox_rng_at(seed, VOX_STREAM("test"), 0);

    for (int64_t i = 0; i < n; i++)
        v[i] = (float)(vox_rng_u32(&r) & 0xff);
    return v;
}

/* Does `out`, an array of extents `room`, hold the box at its begin? */
static void check_box(const float *out, const int64_t room[4], const float *v,
                      const int64_t shape[4], const int64_t lo[4], const int64_t n[4])
{
    for (int64_t c = 0; c < n[0]; c++) {
        for (int64_t z = 0; z < n[1]; z++) {
            for (int64_t y = 0; y < n[2]; y++) {
                const int64_t from =
                    (((lo[0] + c) * shape[1] + lo[1] + z) * shape[2] + lo[2] + y) *
                        shape[3] +
                    lo[3];

                assert_memory_equal(out + ((c * room[1] + z) * room[2] + y) * room[3],
                                    v + from, (size_t)n[3] * sizeof *v);
            }
        }
    }
}

static void boxes_of(const int64_t shape[4])
{
    float *v = random_volume(shape, 1);
    vox_store *s;
    vox_rng r = vox_rng_at(2, VOX_STREAM("test"), 0);
    int64_t is[4];

    assert_int_equal(vox_store_write("v.b2nd", v, shape, NULL, NULL), VOX_OK);
    assert_int_equal(vox_store_open(&s, "v.b2nd"), VOX_OK);
    vox_store_shape(s, is);
    assert_memory_equal(is, shape, sizeof is);
    for (int k = 0; k < 20; k++) {
        int64_t lo[4], n[4], room[4];
        float *out;
        int64_t count = 1;

        for (int i = 0; i < 4; i++) {
            lo[i] = (int64_t)vox_rng_below(&r, (uint64_t)shape[i]);
            n[i] = 1 + (int64_t)vox_rng_below(&r, (uint64_t)(shape[i] - lo[i]));
            room[i] = n[i] + (i ? (int64_t)vox_rng_below(&r, 3) : 0);
            count *= room[i];
        }
        out = vox_alloc((size_t)count, sizeof *out);
        for (int64_t i = 0; i < count; i++)
            out[i] = -1;
        assert_int_equal(vox_store_read(s, lo, n, out, room), VOX_OK);
        check_box(out, room, v, shape, lo, n);
        for (int64_t i = 0, untouched = 0; i < count; i++) {
            untouched += out[i] == -1;
            if (i == count - 1)
                assert_int_equal(untouched, count - n[0] * n[1] * n[2] * n[3]);
        }
        vox_free(out);
    }
    vox_store_close(s);
    vox_free(v);
}

static void boxes_come_back(void **state)
{
    static const int64_t shapes[][4] = {
        {1, 90, 70,  65},
        {2, 33, 20,  41},
        {1, 32, 32,  32},
        {1, 19, 337, 2 },
        {1, 1,  1,   1 }
    };

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        boxes_of(shapes[i]);
}

/* Files of python-blosc2, written with the peer's parameters. */
static void reads_other_writers(void **state)
{
    static const int64_t lo[4] = {0, 0, 0, 0}, n[4] = {1, 40, 37, 50};
    static float out[40 * 37 * 50], mask[40 * 37 * 50];
    static uint8_t flags[40 * 37 * 50];
    vox_store_info info;
    int64_t shape[4];
    vox_store *s;

    (void)state;
    assert_int_equal(vox_store_open(&s, GOLDEN "image.b2nd"), VOX_OK);
    vox_store_describe(s, &info);
    assert_int_equal(info.bytes, sizeof out);
    vox_store_shape(s, shape);
    assert_memory_equal(shape, n, sizeof n);
    assert_int_equal(vox_store_read(s, lo, n, out, n), VOX_OK);
    vox_store_close(s);
    assert_int_equal(vox_store_open(&s, GOLDEN "mask.b2nd"), VOX_OK);
    assert_int_equal(vox_store_read(s, lo, n, mask, n), VOX_OK);
    vox_store_close(s);
    assert_int_equal(vox_store_open(&s, GOLDEN "mask.b2nd"), VOX_OK);
    assert_int_equal(vox_store_read_mask(s, lo, n, flags, n), VOX_OK);
    vox_store_close(s);
    for (int z = 0; z < 40; z++) {
        for (int y = 0; y < 37; y++) {
            for (int x = 0; x < 50; x++) {
                const int i = (z * 37 + y) * 50 + x;
                const float want = (float)((7 * z + 3 * y + 5 * x) % 11) + 0.5f;

                assert_true(out[i] == want);
                assert_int_equal(flags[i], want > 5 && want < 10);
                assert_true(mask[i] == (want > 10 ? -1.0f : want > 5 ? 1.0f : 0.0f));
            }
        }
    }
}

static int read_all(const char *path)
{
    static const int64_t lo[4] = {0, 0, 0, 0};
    static float out[40 * 37 * 50];
    int64_t shape[4];
    vox_store *s;
    int rc = vox_store_open(&s, path);

    if (rc != VOX_OK)
        return rc;
    vox_store_shape(s, shape);
    rc = shape[1] == 40 ? vox_store_read(s, lo, shape, out, shape) : VOX_E_FORMAT;
    vox_store_close(s);
    return rc;
}

static void damage_is_an_error(void **state)
{
    vox_buf bytes = VOX_BUF_INIT;

    (void)state;
    assert_int_equal(read_all("no_such.b2nd"), VOX_E_MISSING);
    assert_int_equal(vox_file_read(&bytes, GOLDEN "image.b2nd"), VOX_OK);
    for (size_t n = 0; n < bytes.len; n += bytes.len / 13) {
        assert_int_equal(vox_file_write("cut.b2nd", bytes.data, n), VOX_OK);
        assert_int_equal(read_all("cut.b2nd"), VOX_E_FORMAT);
        assert_non_null(strstr(vox_error_text(), "cut.b2nd"));
    }
    memset(bytes.data + bytes.len / 3, 0x5a, bytes.len / 4);
    assert_int_equal(vox_file_write("hit.b2nd", bytes.data, bytes.len), VOX_OK);
    assert_int_equal(read_all("hit.b2nd"), VOX_E_FORMAT);
    vox_buf_release(&bytes);
}

/* The metalayer of an array of 1 x 9 x 10 x 11 voxels. */
static size_t make_meta(unsigned char m[128])
{
    static const unsigned char shape[4] = {1, 9, 10, 11}, chunk[4] = {1, 5, 10, 8},
                               block[4] = {1, 4, 4, 4};
    unsigned char *p = m;

    memcpy(p, "\x97\0\4\x94", 4);
    p += 4;
    for (int i = 0; i < 4; i++, p += 9)
        memcpy(p, (unsigned char[9]){0xd3, 0, 0, 0, 0, 0, 0, 0, shape[i]}, 9);
    *p++ = 0x94;
    for (int i = 0; i < 4; i++, p += 5)
        memcpy(p, (unsigned char[5]){0xd2, 0, 0, 0, chunk[i]}, 5);
    *p++ = 0x94;
    for (int i = 0; i < 4; i++, p += 5)
        memcpy(p, (unsigned char[5]){0xd2, 0, 0, 0, block[i]}, 5);
    memcpy(p, "\0\xdb\0\0\0\3<f4", 9);
    return (size_t)(p + 9 - m);
}

static void what_a_frame_says_of_its_array(void **state)
{
    static const struct {
        int at;
        unsigned char byte;
        const char *says;
    } bad[] = {
        {0,  0x96, "damaged"              }, /* six fields */
        {2,  3,    "3 axes"               },
        {2,  0x84, "damaged"              },
        {3,  0x93, "damaged"              },
        {4,  0xd2, "damaged"              },
        {12, 0,    "axis 0 has 0 voxels"  },
        {5,  0x80, "axis 0 has -92"       }, /* a negative extent */
        {17, 1,    "axis 1 has 4294967305"}, /* more than 31 bits */
        {41, 0xd3, "damaged"              },
        {45, 0,    "chunks of 0"          },
        {66, 0,    "blocks of 0"          },
        {71, 6,    "blocks of 6"          }, /* larger than its chunk */
        {72, 0xd1, "damaged"              },
        {82, 1,    "damaged"              }, /* not NumPy's */
        {83, 0xda, "damaged"              },
        {84, 0x80, "damaged"              },
        {87, 4,    "damaged"              },
        {88, '\n', "damaged"              },
    };
    unsigned char m[128];
    const size_t n = make_meta(m);
    vox_store_meta found;

    (void)state;
    assert_int_equal(n, 91);
    assert_int_equal(vox_store_meta_read(&found, m, n, "x"), VOX_OK);
    assert_true(found.shape[3] == 11 && found.chunk[1] == 5 && found.block[3] == 4);
    assert_string_equal(found.dtype, "<f4");
    for (size_t len = 0; len < n; len++) {
        assert_int_equal(vox_store_meta_read(&found, m, len, "x"), VOX_E_FORMAT);
        assert_non_null(strstr(vox_error_text(), "x: "));
    }
    assert_int_equal(vox_store_meta_read(&found, m, n + 1, "x"), VOX_E_FORMAT);
    for (int i = 0; i < VOX_COUNT(bad); i++) {
        const unsigned char was = m[bad[i].at];

        m[bad[i].at] = bad[i].byte;
        vox_error_clear();
        assert_int_equal(vox_store_meta_read(&found, m, n, "x"), VOX_E_FORMAT);
        if (!strstr(vox_error_text(), bad[i].says))
            fail_msg("row %d says \"%s\", wanted \"%s\"", i, vox_error_text(), bad[i].says);
        m[bad[i].at] = was;
    }
}

/* Bytes of the frame's header that C-Blosc2 does not check, or not before it uses them. */
static void what_a_frame_says_of_itself(void **state)
{
    static const struct {
        int at;
        unsigned char byte;
        const char *says;
    } bad[] = {
        {2,    'B',  "no Blosc2 frame"}, /* magic */
        {0x0c, 1,    "cut off"        }, /* length of the header, 162 or so */
        {0x0b, 0x7f, "cut off"        },
        {0x10, 0x80, "cut off"        }, /* of the frame */
        {0x14, 0x7f, "cut off"        },
        {0x19, 0x52, "chunks of"      }, /* chunks of any length */
        {0x19, 0x92, "chunks of"      }, /* blocks of any length */
        {0x1a, 1,    "chunks of"      }, /* a folder */
        {0x1e, 0x80, "chunks of"      }, /* bytes */
        {0x25, 1,    "chunks of"      },
        {0x30, 0x80, "chunks of"      }, /* of an element */
        {0x35, 0x80, "blocks of -"    },
        {0x3a, 0x80, "chunks of -"    },
    };
    vox_buf b = VOX_BUF_INIT;

    (void)state;
    assert_int_equal(vox_file_read(&b, GOLDEN "image.b2nd"), VOX_OK);
    assert_int_equal(vox_store_frame_check(b.data, b.len, "x"), VOX_OK);
    assert_int_equal(vox_store_frame_check(b.data, b.len - 1, "x"), VOX_E_FORMAT);
    for (size_t n = 0; n < 100; n++)
        assert_int_equal(vox_store_frame_check(b.data, n, "x"), VOX_E_FORMAT);
    for (int i = 0; i < VOX_COUNT(bad); i++) {
        const char was = b.data[bad[i].at];

        b.data[bad[i].at] = (char)bad[i].byte;
        vox_error_clear();
        if (vox_store_frame_check(b.data, b.len, "x") != VOX_E_FORMAT ||
            !strstr(vox_error_text(), bad[i].says))
            fail_msg("row %d says \"%s\", wanted \"%s\"", i, vox_error_text(), bad[i].says);
        b.data[bad[i].at] = was;
    }
    memset(b.data + 0x3a, 0, 4); /* the division by zero that the fuzzer found */
    assert_int_equal(vox_store_frame_check(b.data, b.len, "x"), VOX_E_FORMAT);
    vox_buf_release(&b);
}

static void frame_and_description_of_two_arrays(void **state)
{
    static const unsigned char forty[9] = {0xd3, 0, 0, 0, 0, 0, 0, 0, 40};
    vox_buf b = VOX_BUF_INIT;
    vox_store *s = NULL;
    size_t at = 0;

    (void)state;
    assert_int_equal(vox_file_read(&b, GOLDEN "image.b2nd"), VOX_OK);
    while (at < b.len - 9 && memcmp(b.data + at, forty, 9) != 0)
        at++;
    assert_true(at < 300);
    b.data[at + 8] = 60; /* three chunks along z, where the frame has two */
    assert_int_equal(vox_store_open_bytes(&s, b.data, b.len, "x"), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "its array needs 6 of"));
    b.data[at + 8] = 39; /* the same two */
    assert_int_equal(vox_store_open_bytes(&s, b.data, b.len, "x"), VOX_OK);
    vox_store_close(s);
    vox_buf_release(&b);
}

static void unwritable_leaves_nothing(void **state)
{
    static const int64_t shape[4] = {1, 2, 2, 2}, none[4] = {1, 0, 2, 2};
    static const float v[8] = {0};

    (void)state;
    assert_int_equal(vox_store_write("no/such/folder.b2nd", v, shape, NULL, NULL),
                     VOX_E_IO);
    assert_int_equal(vox_store_write("empty.b2nd", v, none, NULL, NULL), VOX_E_ARG);
    assert_false(vox_file_exists("empty.b2nd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_table),
        cmocka_unit_test(blocks_fit_any_shape),
        cmocka_unit_test(boxes_come_back),
        cmocka_unit_test(reads_other_writers),
        cmocka_unit_test(what_a_frame_says_of_itself),
        cmocka_unit_test(what_a_frame_says_of_its_array),
        cmocka_unit_test(frame_and_description_of_two_arrays),
        cmocka_unit_test(damage_is_an_error),
        cmocka_unit_test(unwritable_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
