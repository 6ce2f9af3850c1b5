/* images: one image in every format, as SimpleITK, nibabel and pynrrd write it. */
#include <math.h>

#include "image/volume.h"
#include "support/unit.h"

#define GOLDEN VOX_SOURCE_DIR "/tests/golden/images/"

static void check_geometry(const vox_volume_info *info)
{
    static const double spacing[3] = {2.0, 0.75, 0.5}, origin[3] = {-10.0, 20.0, 30.0};
    static const double direction[9] = {0, 1, 0, -1, 0, 0, 0, 0, 1};

    for (int i = 0; i < 3; i++) {
        assert_true(fabs(info->spacing[i] - spacing[i]) < 1e-6);
        assert_true(fabs(info->origin[i] - origin[i]) < 1e-6);
    }
    for (int i = 0; i < 9; i++)
        assert_true(fabs(info->direction[i] - direction[i]) < 1e-6);
    assert_int_equal(info->oblique, 0);
    assert_true(info->unit == 1.0);
}

static void check_voxels(const vox_volume *v, int64_t channels)
{
    const float *at = v->data;

    assert_true(vox_shape_equal(v->info.shape, VOX_SHAPE(channels, 3, 4, 5)));
    assert_string_equal(v->info.stored, "i16");
    assert_int_equal(v->info.nonfinite, 0);
    for (int64_t c = 0; c < channels; c++) {
        for (int z = 0; z < 3; z++) {
            for (int y = 0; y < 4; y++) {
                for (int x = 0; x < 5; x++, at++)
                    assert_true(*at == (float)((7 * z + 3 * y + 5 * x) % 11 - 3 + 100 * c));
            }
        }
    }
}

static void the_same_image_from_every_library_and_format(void **state)
{
    static const char *const files[] = {
        GOLDEN "sitk.nrrd",         GOLDEN "sitk_raw.nrrd",    GOLDEN "sitk.nhdr",
        GOLDEN "sitk_gz.nhdr",      GOLDEN "sitk.mha",         GOLDEN "sitk_raw.mha",
        GOLDEN "sitk.mhd",          GOLDEN "sitk_z.mhd",       GOLDEN "sitk.hdr",
        GOLDEN "sitk.nii.gz",       GOLDEN "nib_be.nii",       GOLDEN "nib2.nii.gz",
        GOLDEN "nib_pair.hdr",      GOLDEN "nib2_pair.hdr.gz", GOLDEN "pynrrd.nrrd",
        GOLDEN "pynrrd_txt.nrrd",   GOLDEN "pynrrd.nhdr",      GOLDEN "sitk_channels.nrrd",
        GOLDEN "sitk_channels.mha",
    };
    const int with_channels = VOX_COUNT(files) - 2;

    (void)state;
    for (int i = 0; i < VOX_COUNT(files); i++) {
        vox_volume v = VOX_VOLUME_INIT;
        vox_volume_info info;

        assert_int_equal(vox_volume_read(&v, files[i]), 0);
        check_voxels(&v, i < with_channels ? 1 : 2);
        check_geometry(&v.info);
        assert_int_equal(vox_volume_read_info(&info, files[i]), 0);
        assert_true(vox_shape_equal(info.shape, v.info.shape));
        check_geometry(&info);
        vox_volume_release(&v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_image_from_every_library_and_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
