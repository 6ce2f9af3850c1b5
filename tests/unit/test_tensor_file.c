/* tensor_file: views read right whatever their strides, types and alignment; names are
 * distinct. */
#include "support/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/tensor_file.h"

static void strided_views_are_packed_in_c_order(void **state)
{
    /* A [2, 3, 4] block, its axes turned to [4, 2, 3]. */
    int32_t block[24] = {0}, packed[24];
    vox_view t = vox_view_of(VOX_I32, VOX_SHAPE(4, 2, 3), block);
    const int64_t stride[3] = {1, 12, 4};

    (void)state;
    for (int i = 0; i < 24; i++)
        block[i] = i;
    assert_true(vox_view_contiguous(&t));
    memcpy(t.stride, stride, sizeof stride);
    assert_false(vox_view_contiguous(&t));
    vox_view_pack(packed, &t);
    for (int w = 0; w < 4; w++)
        for (int d = 0; d < 2; d++)
            for (int h = 0; h < 3; h++)
                assert_int_equal(packed[(w * 2 + d) * 3 + h], d * 12 + h * 4 + w);
}

static void every_type_becomes_f32(void **state)
{
    static const uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000};
    static const float half_value[] = {1.0f, -2.0f, 0x1p-24f, 65504.0f, INFINITY, -0.0f};
    static const uint16_t brain[] = {0x3f80, 0xc049};
    static const double wide[] = {0.1, -1e300};
    static const int8_t small[] = {-128, 127};
    static const int64_t large[] = {-5, (int64_t)1 << 40};
    static const struct {
        vox_dtype dtype;
        const void *data;
        float want[2];
    } rows[] = {
        {VOX_BF16, brain, {1.0f, -3.140625f}},
        {VOX_F64,  wide,  {0.1f, -INFINITY} },
        {VOX_I8,   small, {-128.0f, 127.0f} },
        {VOX_U8,   small, {128.0f, 127.0f}  },
        {VOX_I64,  large, {-5.0f, 0x1p40f}  },
    };
    float got[6];
    vox_view t = vox_view_of(VOX_F16, VOX_SHAPE(6), half);

    (void)state;
    vox_view_f32(got, &t);
    assert_memory_equal(got, half_value, sizeof half_value);
    for (int i = 0; i < VOX_COUNT(rows); i++) {
        t = vox_view_of(rows[i].dtype, VOX_SHAPE(2), rows[i].data);
        vox_view_f32(got, &t);
        assert_memory_equal(got, rows[i].want, sizeof rows[i].want);
    }
}

static void unaligned_data_is_read(void **state)
{
    char bytes[13] = {0};
    const float want[3] = {1.5f, -2.0f, 3.25f};
    float got[3];
    const vox_view t = vox_view_of(VOX_F32, VOX_SHAPE(3), bytes + 1);

    (void)state;
    memcpy(bytes + 1, want, sizeof want);
    vox_view_f32(got, &t);
    assert_memory_equal(got, want, sizeof want);
}

static void empty_and_scalar_tensors(void **state)
{
    const float one = 7.0f;
    float got = 0.0f;
    const vox_view none = vox_view_of(VOX_F32, VOX_SHAPE(0, INT64_MAX / 2, 64), NULL);
    const vox_view scalar = vox_view_of(VOX_F32, (vox_shape){0}, &one);

    (void)state;
    vox_view_f32(&got, &none);
    assert_true(got == 0.0f);
    vox_view_f32(&got, &scalar);
    assert_true(got == 7.0f);
}

static void a_set_finds_by_name_and_refuses_doubles(void **state)
{
    vox_tensors ts = VOX_TENSORS_INIT;
    const vox_view *t;
    char name[32];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "layer.%d.weight", i);
        int64_t *v = vox_tensors_new(&ts, name, VOX_I64, VOX_SHAPE(1));

        assert_non_null(v);
        *v = i;
    }
    for (int i = 999; i >= 0; i--) {
        snprintf(name, sizeof name, "layer.%d.weight", i);
        t = vox_tensors_find(&ts, name);
        assert_non_null(t);
        assert_int_equal(*(const int64_t *)t->data, i);
    }
    assert_null(vox_tensors_find(&ts, "layer.1000.weight"));
    assert_int_equal(vox_tensors_add(&ts, "layer.7.weight", VOX_F32, VOX_SHAPE(1), NULL),
                     VOX_E_EXISTS);
    assert_int_equal(vox_tensors_add(&ts, "big", VOX_F32, VOX_SHAPE(INT64_MAX, 4), NULL),
                     VOX_E_ARG);
    assert_int_equal(vox_tensors_need(&t, &ts, "layer.3.weight", VOX_F32, VOX_SHAPE(1)),
                     VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "layer.3.weight"));
    assert_int_equal(vox_tensors_need(&t, &ts, "head", VOX_F32, VOX_SHAPE(1)),
                     VOX_E_MISSING);
    vox_tensors_release(&ts);
}

static void metadata_is_replaced(void **state)
{
    vox_tensors ts = VOX_TENSORS_INIT;

    (void)state;
    assert_null(vox_tensors_meta(&ts, "format"));
    assert_int_equal(vox_tensors_set_meta(&ts, "format", "np"), VOX_OK);
    assert_int_equal(vox_tensors_set_meta(&ts, "other", "x"), VOX_OK);
    assert_int_equal(vox_tensors_set_meta(&ts, "format", "pt"), VOX_OK);
    assert_string_equal(vox_tensors_meta(&ts, "format"), "pt");
    assert_int_equal(ts.n_meta, 2);
    vox_tensors_release(&ts);
    assert_int_equal(vox_mem_blocks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strided_views_are_packed_in_c_order),
        cmocka_unit_test(every_type_becomes_f32),
        cmocka_unit_test(unaligned_data_is_read),
        cmocka_unit_test(empty_and_scalar_tensors),
        cmocka_unit_test(a_set_finds_by_name_and_refuses_doubles),
        cmocka_unit_test(metadata_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
