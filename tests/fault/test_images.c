/* images: every allocation fails once while an image of each format is read; there is a
 * message, nothing leaks, the next try succeeds. */
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/case_geometry.h"
#include "image/volume.h"
#include "support/unit.h"

#define GOLDEN VOX_SOURCE_DIR "/tests/golden/"

static int read_image(const char *path)
{
    vox_volume v = VOX_VOLUME_INIT;
    int rc = vox_volume_read(&v, path);

    vox_volume_release(&v);
    return rc;
}

static int read_peer(const char *path)
{
    static const int64_t shape[4] = {1, 20, 29, 33};
    vox_properties p;

    return vox_case_properties(&p, path, shape);
}

/* Make allocation 1, 2, 3, ... of the task fail until it passes without one failing. */
static void sweep(int (*task)(const char *), const char *path, int64_t at_least)
{
    for (int64_t n = 1;; n++) {
        const int64_t blocks = vox_mem_blocks(), calls = vox_mem_calls();
        int rc;

        vox_error_clear();
        vox_mem_fail_at(n);
        rc = task(path);
        vox_mem_fail_at(0);
        assert_int_equal(vox_mem_blocks(), blocks);
        if (vox_mem_calls() - calls < n) {
            assert_int_equal(rc, VOX_OK);
            assert_true(n > at_least);
            return;
        }
        assert_int_equal(rc, VOX_E_NOMEM);
        assert_true(*vox_error_text());
    }
}

static void images(void **state)
{
    static const char *const files[] = {
        GOLDEN "images/sitk.nii.gz",   GOLDEN "images/nib2_pair.hdr.gz",
        GOLDEN "images/sitk_raw.nrrd", GOLDEN "images/pynrrd_txt.nrrd",
        GOLDEN "images/sitk_gz.nhdr",  GOLDEN "images/sitk_channels.mha",
        GOLDEN "images/sitk_z.mhd",
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(files); i++)
        sweep(read_image, files[i], 2);
}

/* The peer's pickle, with plans above it. */
static void properties(void **state)
{
    vox_buf b = VOX_BUF_INIT;

    (void)state;
    assert_int_equal(vox_mkdirs("D/plans_x/c"), VOX_OK);
    assert_int_equal(vox_file_read(&b, GOLDEN "store/peer.pkl"), VOX_OK);
    assert_int_equal(vox_file_write("D/plans_x/c/a.pkl", b.data, b.len), VOX_OK);
    b.len = 0;
    assert_int_equal(vox_file_read(&b, VOX_SOURCE_DIR "/fuzz/corpus/plans/plans.json"),
                     VOX_OK);
    assert_int_equal(vox_file_write("D/plans.json", b.data, b.len), VOX_OK);
    vox_buf_release(&b);
    sweep(read_peer, "D/plans_x/c/a.b2nd", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images),
        cmocka_unit_test(properties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
