/* nifti: every type and byte order, scaling, what is refused, damage at every length. */
#include "support/unit.h"

#include "base/error.h"
#include "base/mem.h"
#include "image/gzip.h"
#include "image/volume.h"
#include "support/nifti.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VOXELS = 24 };

static const vox_format *nifti(void)
{
    return vox_format_of("x.nii");
}

static int read_buf(vox_volume *v, const vox_buf *b)
{
    unsigned char *exact = malloc(b->len ? b->len : 1); /* so that ASan sees the end */
    int rc;

    if (b->len)
        memcpy(exact, b->data, b->len);
    rc = nifti()->read(v, &(vox_bytes){exact, b->len, "x.nii"}, NULL, 0);
    free(exact);
    return rc;
}

typedef struct number_type {
    int code, size, is_real;
    double lo, hi; /* extreme values, exact in float */
    const char *name;
} number_type;

static const number_type numbers[] = {
    {2,    1, 0, 0,                      255,                   "u8" },
    {256,  1, 0, -128,                   127,                   "i8" },
    {4,    2, 0, -32768,                 32767,                 "i16"},
    {512,  2, 0, 0,                      65535,                 "u16"},
    {8,    4, 0, -2147483648.0,          16777215,              "i32"},
    {768,  4, 0, 0,                      4278190080.0,          "u32"},
    {1024, 8, 0, -9223372036854775808.0, 1099511627776.0,       "i64"},
    {1280, 8, 0, 0,                      1152921504606846976.0, "u64"},
    {16,   4, 1, -1e30f,                 3.25,                  "f32"},
    {64,   8, 1, -0.15625,               65504.5,               "f64"},
};

static double value_at(const number_type *t, int i)
{
    return i == 0 ? t->lo : i == 1 ? t->hi : (double)(i * 5);
}

static void build(vox_buf *b, const nifti_file *f, const number_type *t)
{
    nifti_header(b, f);
    for (int i = 0; i < VOXELS; i++) {
        if (t->is_real)
            nifti_put_real(b, f, t->size, value_at(t, i));
        else
            nifti_put_int(b, f, t->size, (int64_t)value_at(t, i));
    }
}

static void every_type_version_byte_order_and_packing(void **state)
{
    (void)state;
    for (int i = 0; i < VOX_COUNT(numbers) * 8; i++) {
        const number_type *t = &numbers[i / 8];
        const nifti_file f = nifti_small(1 + (i & 1), i >> 1 & 1, t->code);
        vox_buf plain = VOX_BUF_INIT, packed = VOX_BUF_INIT;
        vox_volume v = VOX_VOLUME_INIT;

        build(&plain, &f, t);
        assert_int_equal(vox_gzip(&packed, plain.data, plain.len), VOX_OK);
        assert_int_equal(read_buf(&v, i >> 2 & 1 ? &packed : &plain), VOX_OK);
        assert_string_equal(v.info.stored, t->name);
        assert_string_equal(v.info.format, f.version == 1 ? "nifti1" : "nifti2");
        assert_true(vox_shape_equal(v.info.shape, VOX_SHAPE(1, 2, 3, 4)));
        assert_int_equal(v.info.nonfinite, 0);
        for (int j = 0; j < VOXELS; j++)
            assert_true(v.data[j] == (float)value_at(t, j));
        vox_volume_release(&v);
        vox_buf_release(&plain);
        vox_buf_release(&packed);
    }
}

/* Any length shorter than the whole is refused, plain and packed, and nothing is leaked. */
static void truncation_at_every_length(void **state)
{
    const nifti_file f = nifti_small(1, 0, 4);
    vox_buf files[2] = {VOX_BUF_INIT, VOX_BUF_INIT};
    const int64_t blocks = vox_mem_blocks();

    (void)state;
    build(&files[0], &f, &numbers[2]);
    assert_int_equal(vox_gzip(&files[1], files[0].data, files[0].len), VOX_OK);
    for (int k = 0; k < 2; k++) {
        vox_volume v = VOX_VOLUME_INIT;
        const size_t whole = files[k].len;

        for (size_t len = 0; len < whole; len++) {
            files[k].len = len;
            assert_int_equal(read_buf(&v, &files[k]), VOX_E_FORMAT);
            assert_non_null(strstr(vox_error_text(), "x.nii: "));
            assert_null(v.data);
        }
        files[k].len = whole;
        assert_int_equal(read_buf(&v, &files[k]), VOX_OK);
        vox_volume_release(&v);
    }
    for (int k = 0; k < 2; k++)
        vox_buf_release(&files[k]);
    assert_int_equal(vox_mem_blocks(), blocks);
}

/* A flipped bit anywhere in the packed stream is noticed: the checksum covers all of it.
 * Only a bit that codes nothing, which some versions of libdeflate write, may pass: then
 * nothing changed. */
static void a_damaged_stream_is_noticed(void **state)
{
    const nifti_file f = nifti_small(1, 0, 4);
    vox_buf plain = VOX_BUF_INIT, packed = VOX_BUF_INIT;
    int idle = 0;

    (void)state;
    build(&plain, &f, &numbers[2]);
    assert_int_equal(vox_gzip(&packed, plain.data, plain.len), VOX_OK);
    for (size_t i = 10; i < packed.len; i++) { /* after the ten bytes of gzip's header */
        vox_volume v = VOX_VOLUME_INIT;
        int rc;

        packed.data[i] ^= 1;
        rc = read_buf(&v, &packed);
        packed.data[i] ^= 1;
        if (rc != VOX_OK) {
            assert_int_equal(rc, VOX_E_FORMAT);
            continue;
        }
        idle++;
        for (int j = 0; j < VOXELS; j++)
            assert_true(v.data[j] == (float)value_at(&numbers[2], j));
        vox_volume_release(&v);
    }
    assert_in_range(idle, 0, 1);
    vox_buf_release(&plain);
    vox_buf_release(&packed);
}

static void members_and_surplus_bytes(void **state)
{
    const nifti_file f = nifti_small(2, 0, 4);
    vox_buf plain = VOX_BUF_INIT, packed = VOX_BUF_INIT;
    vox_volume v = VOX_VOLUME_INIT;

    (void)state;
    build(&plain, &f, &numbers[2]);
    /* three members, cut in the header and among the voxels, then zero padding */
    assert_int_equal(vox_gzip(&packed, plain.data, 100), VOX_OK);
    assert_int_equal(vox_gzip(&packed, plain.data + 100, 451), VOX_OK);
    assert_int_equal(vox_gzip(&packed, plain.data + 551, plain.len - 551), VOX_OK);
    assert_int_equal(vox_buf_add(&packed, "\0\0\0\0", 4), VOX_OK);
    assert_int_equal(read_buf(&v, &packed), VOX_OK);
    assert_true(v.data[1] == 32767.0f && v.data[23] == 115.0f);
    /* more voxels than the header says are checked and dropped */
    packed.len -= 4;
    assert_int_equal(vox_gzip(&packed, plain.data, 300), VOX_OK);
    assert_int_equal(read_buf(&v, &packed), VOX_OK);
    assert_true(v.data[23] == 115.0f);
    packed.data[packed.len - 6] ^= 4; /* its checksum */
    assert_int_equal(read_buf(&v, &packed), VOX_E_FORMAT);
    vox_volume_release(&v);
    vox_buf_release(&plain);
    vox_buf_release(&packed);
}

typedef struct scaling_case {
    double slope, inter, raw, want;
} scaling_case;

static void scaling_as_itk_does_it(void **state)
{
    static const scaling_case row[] = {
        {0,        0,        100, 100},
        {2,        0,        100, 200},
        {0.5,      -3,       100, 47 },
        {0,        7,        100, 107},
        {NAN,      7,        100, 107},
        {INFINITY, 0,        100, 100},
        {2,        INFINITY, 100, 200},
        {1,        0,        -7,  -7 },
        {-1,       1,        100, -99},
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(row); i++) {
        nifti_file f = nifti_small(1, 0, 4);
        vox_buf b = VOX_BUF_INIT;
        vox_volume v = VOX_VOLUME_INIT;

        f.slope = row[i].slope;
        f.inter = row[i].inter;
        nifti_header(&b, &f);
        for (int j = 0; j < VOXELS; j++)
            nifti_put_int(&b, &f, 2, (int64_t)row[i].raw);
        assert_int_equal(read_buf(&v, &b), VOX_OK);
        assert_true(v.data[0] == (float)row[i].want && v.data[23] == (float)row[i].want);
        vox_volume_release(&v);
        vox_buf_release(&b);
    }
}

static void bad_voxels_become_zero_before_scaling_and_are_counted(void **state)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};

    (void)state;
    for (int k = 0; k < 2; k++) {
        nifti_file f = nifti_small(1, k, k ? 64 : 16);
        vox_buf b = VOX_BUF_INIT;
        vox_volume v = VOX_VOLUME_INIT;

        f.slope = 2;
        f.inter = 5;
        nifti_header(&b, &f);
        for (int j = 0; j < VOXELS; j++)
            nifti_put_real(&b, &f, k ? 8 : 4, j < 3 ? bad[j] : j);
        assert_int_equal(read_buf(&v, &b), VOX_OK);
        assert_int_equal(v.info.nonfinite, 3);
        for (int j = 0; j < VOXELS; j++)
            assert_true(v.data[j] == (j < 3 ? 5.0f : (float)(2 * j + 5)));
        vox_volume_release(&v);
        vox_buf_release(&b);
    }
}

static void a_double_beyond_float_is_a_bad_voxel(void **state)
{
    const nifti_file f = nifti_small(2, 0, 64);
    vox_buf b = VOX_BUF_INIT;
    vox_volume v = VOX_VOLUME_INIT;

    (void)state;
    nifti_header(&b, &f);
    for (int j = 0; j < VOXELS; j++)
        nifti_put_real(&b, &f, 8, j == 4 ? 1e300 : 1.0);
    assert_int_equal(read_buf(&v, &b), VOX_OK);
    assert_int_equal(v.info.nonfinite, 1);
    assert_true(v.data[4] == 0.0f && v.data[5] == 1.0f);
    vox_volume_release(&v);
    vox_buf_release(&b);
}

/* What find_shape says to a header's dim; a channel count, or the text of a refusal. */
typedef struct dim_case {
    int64_t dim[8];
    int64_t channels; /* 0: refused */
    const char *says;
} dim_case;

static void dimensions(void **state)
{
    static const dim_case row[] = {
        {{3, 4, 3, 2, 0, 0, 0, 0},                 1, ""              },
        {{4, 4, 3, 2, 1, 0, 0, 0},                 1, ""              },
        {{7, 4, 3, 2, 1, 1, 0, 1},                 1, ""              },
        {{4, 4, 3, 1, 2, 0, 0, 0},                 2, ""              },
        {{2, 4, 6, 1, 1, 1, 1, 1},                 0, "2-D"           },
        {{1, 24, 1, 1, 1, 1, 1, 1},                0, "1-D"           },
        {{5, 4, 1, 2, 1, 3, 0, 0},                 3, ""              },
        {{5, 2, 2, 2, 1, 3, 0, 0},                 3, ""              },
        {{5, 2, 2, 2, 3, 1, 0, 0},                 3, ""              },
        {{5, 2, 2, 2, 1, -3, 0, 0},                1, ""              },
        {{5, 2, 1, 2, 2, 3, 0, 0},                 0, "5-D"           },
        {{6, 4, 3, 1, 1, 1, 2, 0},                 0, "6-D"           },
        {{7, 4, 3, 1, 1, 1, 1, 2},                 0, "7-D"           },
        {{0, 4, 3, 2, 1, 1, 1, 1},                 0, "0 dimensions"  },
        {{8, 4, 3, 2, 1, 1, 1, 1},                 0, "8 dimensions"  },
        {{-3, 4, 3, 2, 1, 1, 1, 1},                0, "-3 dimensions" },
        {{3, 4, 0, 2, 1, 1, 1, 1},                 0, "extent 2 is 0" },
        {{3, 4, 3, -2, 1, 1, 1, 1},                0, "extent 3 is -2"},
        {{3, 32767, 32767, 32767, 1, 1, 1, 1},     0, "32767x32767"   },
        {{4, 32767, 32767, 32767, 32767, 1, 1, 1}, 0, "32767x32767"   },
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(row); i++) {
        nifti_file f = nifti_small(1, 0, 4);
        vox_buf b = VOX_BUF_INIT, packed = VOX_BUF_INIT;
        vox_volume v = VOX_VOLUME_INIT;

        memcpy(f.dim, row[i].dim, sizeof f.dim);
        build(&b, &f, &numbers[2]);
        assert_int_equal(vox_gzip(&packed, b.data, b.len), VOX_OK);
        for (int k = 0; k < 2; k++) {
            const int rc = read_buf(&v, k ? &packed : &b);

            assert_int_equal(rc, row[i].channels ? VOX_OK : VOX_E_FORMAT);
            if (rc == VOX_OK)
                assert_int_equal(v.info.shape.n[0], row[i].channels);
            else
                assert_non_null(strstr(vox_error_text(), row[i].says));
        }
        vox_volume_release(&v);
        vox_buf_release(&b);
        vox_buf_release(&packed);
    }
}

/* Extents of NIfTI-2 are 64 bits wide: products must not wrap. */
static void hostile_extents(void **state)
{
    static const int64_t huge[][4] = {
        {INT64_MAX,  1,          1,         1},
        {INT64_MAX,  INT64_MAX,  INT64_MAX, 1},
        {1ll << 32,  1ll << 32,  1,         1},
        {1ll << 21,  1ll << 21,  1ll << 21, 2},
        {3037000500, 3037000500, 1,         1},
        {1ll << 60,  1,          1,         1},
    };
    const int64_t blocks = vox_mem_blocks();

    (void)state;
    for (int i = 0; i < VOX_COUNT(huge); i++) {
        nifti_file f = nifti_small(2, i & 1, 2);
        vox_buf b = VOX_BUF_INIT;
        vox_volume v = VOX_VOLUME_INIT;

        memcpy(f.dim + 1, huge[i], sizeof huge[i]);
        f.dim[0] = 4;
        nifti_header(&b, &f);
        assert_int_equal(read_buf(&v, &b), VOX_E_FORMAT);
        vox_buf_release(&b);
    }
    assert_int_equal(vox_mem_blocks(), blocks);
}

static void hostile_offsets(void **state)
{
    static const double row[] = {1e20, -1e20, NAN, INFINITY, 1e15, 353.0};

    (void)state;
    for (int i = 0; i < VOX_COUNT(row); i++) {
        const nifti_file f = nifti_small(1, 0, 2);
        vox_buf b = VOX_BUF_INIT;
        vox_volume v = VOX_VOLUME_INIT;
        const float offset = (float)row[i];
        int rc;

        build(&b, &f, &numbers[0]);
        memcpy(b.data + 108, &offset, 4);
        rc = read_buf(&v, &b);
        /* below the header means right after it, as the format's own library takes it */
        assert_int_equal(rc, row[i] < 0.0 ? VOX_OK : VOX_E_FORMAT);
        vox_volume_release(&v);
        vox_buf_release(&b);
    }
}

static void kinds_of_voxels_that_are_refused(void **state)
{
    static const struct {
        int code;
        const char *says;
    } row[] = {
        {128,  "RGB"        },
        {2304, "RGBA"       },
        {32,   "complex"    },
        {1792, "complex"    },
        {2048, "complex"    },
        {1536, "128-bit"    },
        {1,    "one-bit"    },
        {0,    "datatype 0" },
        {77,   "datatype 77"}
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(row); i++) {
        const nifti_file f = nifti_small(1, 0, row[i].code);
        vox_buf b = VOX_BUF_INIT;
        vox_volume v = VOX_VOLUME_INIT;

        build(&b, &f, &numbers[9]);
        assert_int_equal(read_buf(&v, &b), VOX_E_FORMAT);
        assert_non_null(strstr(vox_error_text(), row[i].says));
        vox_buf_release(&b);
    }
}

static void not_nifti_at_all(void **state)
{
    vox_buf b = VOX_BUF_INIT, packed = VOX_BUF_INIT;
    vox_volume v = VOX_VOLUME_INIT;
    nifti_file f = nifti_small(1, 0, 2);

    (void)state;
    assert_int_equal(read_buf(&v, &b), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "empty"));
    assert_int_equal(vox_buf_printf(&b, "%-400s", "just some text"), VOX_OK);
    assert_int_equal(read_buf(&v, &b), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "6a 75 73 74"));
    assert_int_equal(vox_gzip(&packed, b.data, b.len), VOX_OK);
    assert_int_equal(read_buf(&v, &packed), VOX_E_FORMAT);
    b.len = 0;
    build(&b, &f, &numbers[0]);
    memcpy(b.data + 344, "\0\0\0", 4);
    assert_int_equal(read_buf(&v, &b), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "magic"));
    vox_buf_release(&b);
    vox_buf_release(&packed);
}

/* The header of a pair, voxels in a part of any offset, plain or packed by its name. */
static void a_pair_has_its_voxels_in_a_part(void **state)
{
    (void)state;
    for (int i = 0; i < 16; i++) {
        nifti_file f = nifti_small(1 + (i & 1), i >> 1 & 1, 4);
        const int packed = i >> 2 & 1, gap = i >> 3 ? 5 : 0;
        vox_buf b = VOX_BUF_INIT, img = VOX_BUF_INIT, gz = VOX_BUF_INIT;
        vox_volume v = VOX_VOLUME_INIT;
        vox_strs names = {0};
        vox_bytes file, part;

        f.vox_offset = gap ? gap : -1;
        f.pair = 1;
        nifti_header(&b, &f);
        assert_int_equal(vox_buf_resize(&img, (size_t)gap), VOX_OK);
        for (int j = 0; j < VOXELS; j++)
            nifti_put_int(&img, &f, 2, j == 0 ? -29921 : j); /* begins as gzip does */
        assert_int_equal(vox_gzip(&gz, img.data, img.len), VOX_OK);
        file = (vox_bytes){b.data, b.len - 4, packed ? "a/x.HDR" : "x.hdr.gz"};
        part = packed ? (vox_bytes){gz.data, gz.len, "x.img.gz"}
                      : (vox_bytes){img.data, img.len, "x.img"};
        assert_int_equal(nifti()->parts(&names, &file), VOX_OK);
        assert_int_equal(names.count, 1);
        assert_string_equal(names.v[0], packed ? "x.IMG" : "x.img.gz");
        assert_int_equal(nifti()->read(&v, &file, &part, 1), VOX_OK);
        assert_true(v.data[0] == -29921.0f && v.data[23] == 23.0f);
        assert_int_equal(nifti()->read(&v, &file, NULL, 0), VOX_E_FORMAT);
        part.len--;
        assert_int_equal(nifti()->read(&v, &file, &part, 1), VOX_E_FORMAT);
        assert_non_null(strstr(vox_error_text(), part.name));
        file.name = "x.nii";
        assert_int_equal(nifti()->parts(&names, &file), VOX_E_FORMAT);
        vox_strs_release(&names);
        vox_volume_release(&v);
        vox_buf_release(&b);
        vox_buf_release(&img);
        vox_buf_release(&gz);
    }
}

static vox_volume_info info_of(const nifti_file *f)
{
    vox_volume_info info;
    vox_buf b = VOX_BUF_INIT;

    nifti_header(&b, f);
    assert_int_equal(nifti()->info(&info, &(vox_bytes){b.data, b.len - 4, "x.nii"}),
                     VOX_OK);
    vox_buf_release(&b);
    return info;
}

static void spacing_is_pixdim_in_mm(void **state)
{
    nifti_file f = nifti_small(1, 0, 2);
    vox_volume_info info;

    (void)state;
    f.pixdim[1] = 0.9;
    f.pixdim[2] = -2.0;
    f.pixdim[3] = 0.0;
    f.sform = 1;
    f.srow[0] = 5.0; /* of no account */
    info = info_of(&f);
    assert_true(info.spacing[0] == 1.0);
    assert_true(info.spacing[1] == 2.0);
    assert_true(info.spacing[2] == 0.8999999761581421);
    f.units = 1; /* metre */
    f.pixdim[3] = NAN;
    assert_true(info_of(&f).spacing[1] == 2000.0);
    assert_true(info_of(&f).spacing[0] == 1.0);
    f.units = 3 | 8; /* micrometre, seconds */
    f.pixdim[3] = INFINITY;
    assert_true(info_of(&f).spacing[1] == 0.002);
    assert_true(info_of(&f).spacing[0] == 1.0);
}

static void assert_direction(const vox_volume_info *info, const double want[9])
{
    for (int i = 0; i < 9; i++)
        assert_true(fabs(info->direction[i] - want[i]) < 1e-6);
}

static void direction_by_the_rule_of_itk(void **state)
{
    static const double itk[9] = {-1, 0, 0, 0, -1, 0, 0, 0, 1}; /* identity in its world */
    static const double swap[9] = {0, -1, 0, 1, 0, 0, 0, 0, 1}; /* quarter turn about z */
    static const double half[9] = {-1, 0, 0, 0, -1, 0, 0, 0, 1};
    static const double turn[12] = {0, -2, 0, 10, 3, 0, 0, 20, 0, 0, 4, 30};
    nifti_file f = nifti_small(2, 1, 2);
    vox_volume_info info = info_of(&f);

    (void)state;
    assert_direction(&info, itk); /* both codes 0 */
    assert_int_equal(info.oblique, 0);
    f.sform = 2;
    memcpy(f.srow, turn, sizeof turn);
    info = info_of(&f); /* sform alone */
    assert_direction(&info, swap);
    assert_true(info.origin[0] == 10.0 && info.origin[1] == 20.0 && info.origin[2] == 30.0);
    f.qform = 1;
    f.quatern[2] = 1.0;
    f.qoffset[0] = 7.0;
    info = info_of(&f); /* they differ, sform is not "scanner": qform */
    assert_direction(&info, half);
    assert_true(info.origin[0] == 7.0);
    f.sform = 1;
    info = info_of(&f); /* "scanner": sform */
    assert_direction(&info, swap);
    f.srow[1] = 1.5;
    f.srow[5] = 0.5;
    info = info_of(&f); /* sheared: qform */
    assert_direction(&info, half);
    assert_int_equal(info.oblique, 0);
    f.qform = 0;
    info = info_of(&f); /* sheared and no qform: accepted and marked */
    assert_int_equal(info.oblique, 1);
    f.srow[0] = NAN;
    info = info_of(&f);
    assert_int_equal(info.oblique, 1);
    assert_direction(&info, itk);
}

/* A quarter turn about x by quaternion, with the third axis flipped. */
static void quaternion_with_flip(void **state)
{
    static const double want[9] = {1, 0, 0, 0, 0, 1, 0, 1, 0};
    nifti_file f = nifti_small(1, 0, 2);
    vox_volume_info info;

    (void)state;
    f.qform = 1;
    f.quatern[0] = sqrt(0.5);
    f.pixdim[0] = -1.0;
    info = info_of(&f);
    assert_direction(&info, want);
}

static void header_alone_is_enough_for_info(void **state)
{
    const nifti_file f = nifti_small(1, 0, 4);
    vox_buf b = VOX_BUF_INIT, packed = VOX_BUF_INIT;
    vox_volume_info info;

    (void)state;
    build(&b, &f, &numbers[2]);
    assert_int_equal(vox_gzip(&packed, b.data, b.len), VOX_OK);
    packed.len -= 20;
    assert_int_equal(nifti()->info(&info, &(vox_bytes){packed.data, packed.len, "x.nii"}),
                     VOX_OK);
    assert_int_equal(info.shape.n[3], 4);
    vox_buf_release(&b);
    vox_buf_release(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_version_byte_order_and_packing),
        cmocka_unit_test(truncation_at_every_length),
        cmocka_unit_test(a_damaged_stream_is_noticed),
        cmocka_unit_test(members_and_surplus_bytes),
        cmocka_unit_test(scaling_as_itk_does_it),
        cmocka_unit_test(bad_voxels_become_zero_before_scaling_and_are_counted),
        cmocka_unit_test(a_double_beyond_float_is_a_bad_voxel),
        cmocka_unit_test(dimensions),
        cmocka_unit_test(hostile_extents),
        cmocka_unit_test(hostile_offsets),
        cmocka_unit_test(kinds_of_voxels_that_are_refused),
        cmocka_unit_test(not_nifti_at_all),
        cmocka_unit_test(a_pair_has_its_voxels_in_a_part),
        cmocka_unit_test(spacing_is_pixdim_in_mm),
        cmocka_unit_test(direction_by_the_rule_of_itk),
        cmocka_unit_test(quaternion_with_flip),
        cmocka_unit_test(header_alone_is_enough_for_info),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
