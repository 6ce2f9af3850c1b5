/* volume: files on disk, the writer read back, endings, messages. */
#include "support/unit.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/volume.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static vox_volume make_volume(int64_t channels)
{
    vox_volume v = VOX_VOLUME_INIT;
    const double spacing[3] = {2.5, 0.75, 1.0}, origin[3] = {-10.0, 20.5, 3.0};

    v.info.shape = VOX_SHAPE(channels, 3, 5, 7);
    v.data = vox_alloc((size_t)vox_shape_count(v.info.shape), sizeof *v.data);
    assert_non_null(v.data);
    for (int64_t i = 0; i < vox_shape_count(v.info.shape); i++)
        v.data[i] = (float)i * 0.37f - 5.0f;
    memcpy(v.info.spacing, spacing, sizeof spacing);
    memcpy(v.info.origin, origin, sizeof origin);
    for (int i = 0; i < 9; i++)
        v.info.direction[i] = i % 4 == 0;
    return v;
}

static void rotate(double r[9], double a, double b, double c)
{
    const double ca = cos(a), sa = sin(a), cb = cos(b), sb = sin(b), cc = cos(c),
                 sc = sin(c);
    const double m[9] = {cb * cc,
                         sa * sb * cc - ca * sc,
                         ca * sb * cc + sa * sc,
                         cb * sc,
                         sa * sb * sc + ca * cc,
                         ca * sb * sc - sa * cc,
                         -sb,
                         sa * cb,
                         ca * cb};

    memcpy(r, m, sizeof m);
}

static void what_is_written_is_read(void **state)
{
    static const char *const name[] = {"a.nii", "a.nii.gz", "B.NII.GZ"};

    (void)state;
    for (int i = 0; i < 6; i++) {
        vox_volume v = make_volume(i < 3 ? 1 : 2), back = VOX_VOLUME_INIT;

        assert_int_equal(vox_volume_write(&v, name[i % 3]), VOX_OK);
        assert_int_equal(vox_volume_read(&back, name[i % 3]), VOX_OK);
        assert_true(vox_shape_equal(v.info.shape, back.info.shape));
        assert_memory_equal(v.data, back.data,
                            sizeof(float) * (size_t)vox_shape_count(v.info.shape));
        assert_memory_equal(v.info.spacing, back.info.spacing, sizeof v.info.spacing);
        assert_memory_equal(v.info.origin, back.info.origin, sizeof v.info.origin);
        assert_memory_equal(v.info.direction, back.info.direction, sizeof v.info.direction);
        vox_volume_release(&v);
        vox_volume_release(&back);
    }
}

/* Rotations all round, with and without a flip: sform and qform must say the same. */
static void directions_survive(void **state)
{
    (void)state;
    for (int i = 0; i < 64; i++) {
        vox_volume v = make_volume(1);
        vox_volume_info back;

        rotate(v.info.direction, i * 0.7, i * 1.1, i * 0.3);
        for (int j = 2; j < 9 && i % 2; j += 3)
            v.info.direction[j] = -v.info.direction[j];
        assert_int_equal(vox_volume_write(&v, "turn.nii"), VOX_OK);
        for (int only_q = 0; only_q < 2; only_q++) {
            if (only_q) { /* wipe the sform code */
                vox_buf b = VOX_BUF_INIT;

                assert_int_equal(vox_file_read(&b, "turn.nii"), VOX_OK);
                b.data[254] = 0;
                assert_int_equal(vox_file_write("turn.nii", b.data, b.len), VOX_OK);
                vox_buf_release(&b);
            }
            assert_int_equal(vox_volume_read_info(&back, "turn.nii"), VOX_OK);
            assert_int_equal(back.qform, 1);
            for (int j = 0; j < 9; j++)
                assert_true(fabs(back.direction[j] - v.info.direction[j]) < 1e-6);
        }
        vox_volume_release(&v);
    }
}

static void a_sheared_direction_has_no_qform(void **state)
{
    vox_volume v = make_volume(1);
    vox_volume_info back;

    (void)state;
    v.info.direction[1] = 0.5;
    assert_int_equal(vox_volume_write(&v, "shear.nii"), VOX_OK);
    assert_int_equal(vox_volume_read_info(&back, "shear.nii"), VOX_OK);
    assert_int_equal(back.qform, 0);
    assert_int_equal(back.oblique, 1);
    vox_volume_release(&v);
}

static void endings(void **state)
{
    (void)state;
    assert_non_null(vox_format_of("/data/a.nii"));
    assert_non_null(vox_format_of("a.NII.gz"));
    assert_string_equal(vox_format_of("a.NRRD")->name, "nrrd");
    assert_string_equal(vox_format_of("a.nhdr")->name, "nrrd");
    assert_string_equal(vox_format_of("a.mha")->name, "meta");
    assert_string_equal(vox_format_of("a.mhd")->name, "meta");
    assert_string_equal(vox_format_of("a.hdr.gz")->name, "nifti");
    assert_null(vox_format_of("a.img"));
    assert_null(vox_format_of("a.nii.txt"));
    assert_null(vox_format_of("nii"));
    assert_null(vox_format_of(".nii")); /* a name that is all ending */
    assert_null(vox_format_of(""));
    for (int i = 0; vox_format_at(i); i++)
        assert_non_null(vox_format_at(i)->read);
}

static void put(const char *path, const char *head, const void *bytes, size_t len)
{
    vox_buf b = VOX_BUF_INIT;

    vox_buf_add(&b, head, strlen(head));
    if (len)
        vox_buf_add(&b, bytes, len);
    assert_int_equal(vox_file_write(path, b.data ? b.data : "", b.len), VOX_OK);
    vox_buf_release(&b);
}

#define META "NDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\nElementDataFile = "

static int parts_of(const char *path, int64_t count, const char *last)
{
    vox_strs parts = {0};
    int rc = vox_volume_parts(&parts, path);

    if (rc == VOX_OK &&
        (parts.count != count || (count && strcmp(parts.v[count - 1], last))))
        rc = VOX_E_ARG;
    vox_strs_release(&parts);
    return rc;
}

/* Parts lie beside the header, in folders below, or where a whole path says. */
static void voxels_in_other_files(void **state)
{
    static const unsigned char voxels[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    vox_volume v = VOX_VOLUME_INIT;
    char here[4096], head[8192];

    (void)state;
    unlink("set/below/scan.raw"); /* of an earlier run */
    assert_int_equal(vox_mkdirs("set/below"), VOX_OK);
    put("set/scan.mhd", META "below/scan.raw\n", NULL, 0);
    assert_int_equal(vox_volume_read(&v, "set/scan.mhd"), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "set/scan.mhd: its voxels are in "
                                             "set/below/scan.raw, which is not there"));
    assert_int_equal(parts_of("set/scan.mhd", 1, ""), VOX_E_MISSING);
    put("set/below/scan.raw", "", voxels, 8);
    assert_int_equal(vox_volume_read(&v, "set/scan.mhd"), VOX_OK);
    assert_true(v.data[0] == 0.0f && v.data[7] == 7.0f);
    assert_int_equal(parts_of("set/scan.mhd", 1, "set/below/scan.raw"), VOX_OK);
    put("set/below/scan.raw", "", voxels, 7);
    assert_int_equal(vox_volume_read(&v, "set/scan.mhd"), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "set/below/scan.raw: truncated"));
    assert_non_null(getcwd(here, sizeof here));
    snprintf(head, sizeof head, META "%s/set/whole%%02d.raw 1 2 1\n", here);
    put("whole.mhd", head, NULL, 0);
    put("set/whole01.raw", "", voxels, 4);
    put("set/whole02.raw", "", voxels + 4, 4);
    assert_int_equal(vox_volume_read(&v, "whole.mhd"), VOX_OK);
    assert_true(v.data[0] == 0.0f && v.data[7] == 7.0f);
    assert_int_equal(parts_of("set/below/scan.raw", 0, ""), VOX_E_FORMAT); /* no format */
    put("folder.mhd", META "set\n", NULL, 0);
    assert_int_equal(vox_volume_read(&v, "folder.mhd"), VOX_E_IO);
    assert_non_null(strstr(vox_error_text(), "is a folder"));
    vox_volume_release(&v);
}

/* The .img of a pair may be packed, and may be so whether the .hdr is or not. */
static void a_pair_on_disk(void **state)
{
    vox_volume v = make_volume(1), back = VOX_VOLUME_INIT;
    vox_buf file = VOX_BUF_INIT;

    (void)state;
    unlink("pair.img");
    unlink("pair.img.gz");
    assert_int_equal(vox_volume_write(&v, "single.nii.gz"), VOX_OK);
    assert_int_equal(vox_volume_write(&v, "single.nii"), VOX_OK);
    assert_int_equal(parts_of("single.nii", 0, ""), VOX_OK);
    assert_int_equal(vox_file_read(&file, "single.nii"), VOX_OK);
    memcpy(file.data + 344, "ni1", 4);
    assert_int_equal(vox_file_write("pair.hdr", file.data, 348), VOX_OK);
    assert_int_equal(vox_volume_read(&back, "pair.hdr"), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "pair.img"));
    /* vox_offset is 352 here, so the .img is the single file itself */
    assert_int_equal(rename("single.nii.gz", "pair.img.gz"), 0);
    assert_int_equal(vox_volume_read(&back, "pair.hdr"), VOX_OK);
    assert_int_equal(parts_of("pair.hdr", 1, "pair.img.gz"), VOX_OK);
    assert_memory_equal(v.data, back.data,
                        sizeof(float) * (size_t)vox_shape_count(v.info.shape));
    assert_int_equal(rename("single.nii", "pair.img"), 0); /* the name as it stands wins */
    assert_int_equal(parts_of("pair.hdr", 1, "pair.img"), VOX_OK);
    assert_int_equal(vox_volume_read(&back, "pair.hdr"), VOX_OK);
    vox_buf_release(&file);
    vox_volume_release(&v);
    vox_volume_release(&back);
}

/* A header of text may be longer than what is read of it first. */
static void a_long_header(void **state)
{
    vox_buf head = VOX_BUF_INIT;
    vox_volume_info info;

    (void)state;
    vox_buf_printf(&head, "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\n");
    while (head.len < 100000)
        vox_buf_printf(&head, "key%zu:=%0900d\n", head.len, 0);
    vox_buf_printf(&head, "encoding: raw\n\n12345678");
    assert_int_equal(vox_file_write("long.nrrd", head.data, head.len), VOX_OK);
    assert_int_equal(vox_volume_read_info(&info, "long.nrrd"), VOX_OK);
    assert_true(vox_shape_equal(info.shape, VOX_SHAPE(1, 2, 2, 2)));
    vox_buf_release(&head);
}

/* So may a list of files, which looks whole wherever it is cut. */
static void a_long_list(void **state)
{
    vox_buf head = VOX_BUF_INIT;
    char name[1001];

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        name[i] = i % 2 ? '/' : '.';
    memcpy(name + 996, "s.u8", 5);
    vox_buf_printf(&head, "NDims = 3\nDimSize = 1 1 70\nElementType = MET_UCHAR\n"
                          "ElementDataFile = LIST\n");
    for (int i = 0; i < 70; i++)
        vox_buf_printf(&head, "%s\n", name);
    assert_int_equal(vox_file_write("s.u8", "a", 1), VOX_OK);
    assert_int_equal(vox_file_write("long.mhd", head.data, head.len), VOX_OK);
    assert_int_equal(parts_of("long.mhd", 70, name), VOX_OK);
    vox_buf_release(&head);
}

static void failures_name_the_file(void **state)
{
    vox_volume v = VOX_VOLUME_INIT;
    vox_volume_info info;

    (void)state;
    assert_int_equal(vox_volume_read(&v, "absent.nii"), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "absent.nii"));
    assert_int_equal(vox_volume_read_info(&info, "absent.nii.gz"), VOX_E_MISSING);
    assert_int_equal(vox_volume_read(&v, "photo.jpg"), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "photo.jpg"));
    assert_non_null(strstr(vox_error_text(), ".nii.gz, .nii, "));
    assert_non_null(strstr(vox_error_text(), ".mhd")); /* the last one fits, too */
    assert_int_equal(vox_file_write("text.nii.gz", "no image", 8), VOX_OK);
    assert_int_equal(vox_volume_read(&v, "text.nii.gz"), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "text.nii.gz"));
    assert_int_equal(vox_mkdirs("folder.nii"), VOX_OK);
    assert_int_equal(vox_volume_read(&v, "folder.nii"), VOX_E_IO);
    assert_null(v.data);
}

static void writing_refuses_and_leaves_nothing(void **state)
{
    vox_volume v = make_volume(1);

    (void)state;
    assert_int_equal(vox_volume_write(&v, "a.mha"), VOX_E_ARG);
    assert_int_equal(vox_volume_write(&v, "z"), VOX_E_ARG);
    assert_int_equal(vox_volume_write(&v, "a.hdr"), VOX_E_ARG);
    assert_int_equal(vox_volume_write(&v, "a.HDR.gz"), VOX_E_ARG);
    assert_int_equal(vox_file_exists("a.hdr"), 0);
    assert_int_equal(vox_volume_write(&v, "no/such/folder/a.nii"), VOX_E_IO);
    assert_int_equal(vox_volume_write(&v, "no/such/folder/a.nii.gz"), VOX_E_IO);
    v.info.shape = VOX_SHAPE(1, 1, 1, 40000);
    assert_int_equal(vox_volume_write(&v, "long.nii"), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "40000"));
    assert_int_equal(vox_file_exists("long.nii"), 0);
    vox_volume_release(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(directions_survive),
        cmocka_unit_test(a_sheared_direction_has_no_qform),
        cmocka_unit_test(endings),
        cmocka_unit_test(voxels_in_other_files),
        cmocka_unit_test(a_pair_on_disk),
        cmocka_unit_test(a_long_header),
        cmocka_unit_test(a_long_list),
        cmocka_unit_test(failures_name_the_file),
        cmocka_unit_test(writing_refuses_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
