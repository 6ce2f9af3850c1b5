/* tensor_files: files written by PyTorch, NumPy and safetensors themselves hold the same
 * bits. */
#include "support/unit.h"

#include <string.h>

#include "base/error.h"
#include "io/npy.h"
#include "io/safetensors.h"

#define FOLDER VOX_SOURCE_DIR "/tests/golden/tensor_files/"

static void safetensors_of_the_library(void **state)
{
    static const float f32[6] = {0.0f, 0.25f, 0.5f, 0.75f, 1.0f, 1.25f};
    static const double f64 = 0.1;
    static const uint16_t f16[2] = {0x3e00, 0xc000};
    static const int64_t i64[2] = {-1, (int64_t)1 << 40};
    static const uint8_t u8[5] = {0, 1, 2, 3, 4}, truth[2] = {1, 0};
    /* clang-format off */
    const struct {
        const char *name;
        vox_dtype dtype;
        vox_shape shape;
        const void *want;
    } rows[] = {
        {"f32",   VOX_F32,  VOX_SHAPE(2, 3), f32  },
        {"f64",   VOX_F64,  {0},             &f64 },
        {"f16",   VOX_F16,  VOX_SHAPE(2),    f16  },
        {"i64",   VOX_I64,  VOX_SHAPE(2),    i64  },
        {"u8",    VOX_U8,   VOX_SHAPE(5),    u8   },
        {"bool",  VOX_BOOL, VOX_SHAPE(2),    truth},
        {"empty", VOX_I32,  VOX_SHAPE(0, 4), u8   },
    };
    /* clang-format on */
    vox_tensors ts;

    (void)state;
    assert_int_equal(vox_safetensors_read(&ts, FOLDER "plain.safetensors"), VOX_OK);
    assert_int_equal(ts.count, VOX_COUNT(rows));
    for (int i = 0; i < VOX_COUNT(rows); i++) {
        unsigned char got[64];
        const vox_view *t;
        const size_t n =
            (size_t)vox_shape_count(rows[i].shape) * vox_dtype_size(rows[i].dtype);

        assert_int_equal(
            vox_tensors_need(&t, &ts, rows[i].name, rows[i].dtype, rows[i].shape), VOX_OK);
        vox_view_pack(got, t);
        assert_memory_equal(got, rows[i].want, n);
    }
    assert_string_equal(vox_tensors_meta(&ts, "\xc3\xa4"), "{\"a\": \"x\\n\"}");
    vox_tensors_release(&ts);
}

static void npy_of_numpy(void **state)
{
    vox_npy npy;
    int64_t block[24];
    float f32[6];

    (void)state;
    assert_int_equal(vox_npy_open(&npy, FOLDER "fortran.npy"), VOX_OK);
    assert_true(vox_shape_equal(npy.tensor.shape, VOX_SHAPE(2, 3, 4)));
    assert_false(vox_view_contiguous(&npy.tensor));
    vox_view_pack(block, &npy.tensor);
    for (int i = 0; i < 24; i++)
        assert_int_equal(block[i], i);
    vox_npy_close(&npy);
    assert_int_equal(vox_npy_open(&npy, FOLDER "f32.npy"), VOX_OK);
    vox_view_f32(f32, &npy.tensor);
    for (int i = 0; i < 6; i++)
        assert_true(f32[i] == (float)i / 4.0f);
    vox_npy_close(&npy);
    assert_int_equal(vox_npy_open(&npy, FOLDER "scalar.npy"), VOX_OK);
    assert_int_equal(npy.tensor.shape.rank, 0);
    vox_view_f32(f32, &npy.tensor);
    assert_true(f32[0] == 0.1f);
    vox_npy_close(&npy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safetensors_of_the_library),
        cmocka_unit_test(npy_of_numpy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
