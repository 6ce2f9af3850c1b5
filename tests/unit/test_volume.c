/* volume: files on disk, the writer read back, endings, messages. */
#include "support/unit.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/volume.h"

#include <math.h>
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
    assert_null(vox_format_of("a.nii.txt"));
    assert_null(vox_format_of("nii"));
    assert_null(vox_format_of(".nii")); /* a name that is all ending */
    assert_null(vox_format_of(""));
    for (int i = 0; vox_format_at(i); i++)
        assert_non_null(vox_format_at(i)->read);
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
        cmocka_unit_test(failures_name_the_file),
        cmocka_unit_test(writing_refuses_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
