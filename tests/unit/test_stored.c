/* stored: voxels that stay as they are mean what the reader of volumes makes of them, for
 * every type, byte order, scaling and packing; memory is used again. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/gzip.h"
#include "image/stored.h"
#include "support/nifti.h"
#include "support/unit.h"

static const struct {
    int code, size, stays; /* stays: unless scaled, -1 for what never does */
    vox_voxel voxel;
} types[] = {
    {2,   1, 1,  VOX_VOXEL_U8 },
    {256, 1, 1,  VOX_VOXEL_I8 },
    {512, 2, 1,  VOX_VOXEL_U16},
    {4,   2, 1,  VOX_VOXEL_I16},
    {16,  4, 0,  VOX_VOXEL_F32},
    {8,   4, -1, VOX_VOXEL_F32},
    {64,  8, -1, VOX_VOXEL_F32},
};

enum { PLAIN, SCALED, BIG, PACKED, SHIFTED, KINDS }; /* how a file is stored */

static void write_file(const char *path, int type, int kind)
{
    nifti_file f = nifti_small(1, kind == BIG, types[type].code);
    const int real = types[type].code == 16 || types[type].code == 64;
    vox_buf b = VOX_BUF_INIT, gz = VOX_BUF_INIT;

    f.slope = kind == SCALED ? -0.5 : 1;
    f.inter = kind == SCALED ? 3 : 0;
    if (kind == SHIFTED)
        f.vox_offset = 353; /* voxels of two bytes and more are not aligned */
    nifti_header(&b, &f);
    if (kind == SHIFTED)
        vox_buf_add(&b, "x", 1);
    for (int i = 0; i < 24; i++) {
        if (real)
            nifti_put_real(&b, &f, types[type].size, i == 7 ? (double)NAN : i * 0.25 - 2);
        else
            nifti_put_int(&b, &f, types[type].size, 3 * i);
    }
    if (kind == PACKED) {
        assert_int_equal(vox_gzip(&gz, b.data, b.len), VOX_OK);
        assert_int_equal(vox_file_write(path, gz.data, gz.len), VOX_OK);
    } else {
        assert_int_equal(vox_file_write(path, b.data, b.len), VOX_OK);
    }
    vox_buf_release(&b);
    vox_buf_release(&gz);
}

static int must_stay(int type, int kind)
{
    if (types[type].stays < 0 || (kind == SCALED && types[type].stays == 0))
        return 0;
    return types[type].size == 1 || (kind != BIG && kind != SHIFTED);
}

static void check(const vox_stored *s, const char *path)
{
    static const int as_is[3] = {0, 1, 2};
    const vox_grid g = vox_stored_grid(s, 0);
    vox_volume v = VOX_VOLUME_INIT;
    float got[24];

    assert_int_equal(vox_volume_read(&v, path), VOX_OK);
    assert_memory_equal(&v.info, &s->info, sizeof v.info);
    vox_grid_copy(got, &g, as_is, 0, 1);
    for (int i = 0; i < 24; i++)
        assert_true((float)((double)got[i] * g.slope + g.inter) == v.data[i]);
    vox_volume_release(&v);
}

static void they_mean_the_same(void **state)
{
    vox_stored s = VOX_STORED_INIT;
    const int64_t blocks = vox_mem_blocks();

    (void)state;
    for (int i = 0; i < VOX_COUNT(types) * KINDS; i++) {
        const int type = i / KINDS, kind = i % KINDS;
        const char *path = kind == PACKED ? "a.nii.gz" : "a.nii";

        write_file(path, type, kind);
        assert_int_equal(vox_stored_read(&s, path), VOX_OK);
        assert_int_equal(s.converted == NULL, must_stay(type, kind));
        if (must_stay(type, kind))
            assert_int_equal(s.voxel, types[type].voxel);
        check(&s, path);
    }
    vox_stored_release(&s);
    assert_int_equal(vox_mem_blocks(), blocks);
}

/* The voxels of a header's other file, which is not kept. */
static void of_a_part(void **state)
{
    static const char header[] = "NRRD0004\ntype: short\ndimension: 3\nsizes: 4 3 2\n"
                                 "endian: little\nencoding: raw\ndata file: part.raw\n";
    unsigned char voxels[48];
    vox_stored s = VOX_STORED_INIT;

    (void)state;
    for (int i = 0; i < 48; i++)
        voxels[i] = i % 2 ? 0 : (unsigned char)i;
    assert_int_equal(vox_file_write("a.nhdr", header, sizeof header - 1), VOX_OK);
    assert_int_equal(vox_file_write("part.raw", voxels, sizeof voxels), VOX_OK);
    assert_int_equal(vox_stored_read(&s, "a.nhdr"), VOX_OK);
    assert_int_equal(s.voxel, VOX_VOXEL_I16);
    assert_null(s.converted);
    check(&s, "a.nhdr");
    vox_stored_release(&s);
}

static void what_cannot_be_read(void **state)
{
    vox_stored s = VOX_STORED_INIT;

    (void)state;
    write_file("a.nii", 0, PLAIN);
    assert_int_equal(vox_stored_read(&s, "a.nii"), VOX_OK);
    assert_int_equal(vox_file_write("b.nii", "short", 5), VOX_OK);
    assert_int_equal(vox_stored_read(&s, "b.nii"), VOX_E_FORMAT);
    assert_null(s.voxels); /* nothing of the file before */
    assert_int_equal(vox_stored_read(&s, "none.nii"), VOX_E_MISSING);
    assert_int_equal(vox_stored_read(&s, "."), VOX_E_IO);
    assert_int_equal(vox_stored_read(&s, "a.nii"), VOX_OK);
    vox_stored_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_mean_the_same),
        cmocka_unit_test(of_a_part),
        cmocka_unit_test(what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
