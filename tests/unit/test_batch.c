/* batch, baseline: stacking refuses what does not fit; the two reference losses by hand. */
#include "support/unit.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "train/baseline.h"
#include "train/batch.h"

/* x = 1..8 in a 2x2x2 crop, keep hides the first half. */
static void fill(vox_sample *s, float first, uint8_t first_kept)
{
    float *x;
    uint8_t *keep;

    vox_sample_clear(s);
    x = vox_sample_add(s, "x", VOX_F32, VOX_SHAPE(1, 2, 2, 2));
    keep = vox_sample_add(s, "keep", VOX_U8, VOX_SHAPE(1, 2, 1, 1));
    assert_non_null(x);
    assert_non_null(keep);
    for (int i = 0; i < 8; i++)
        x[i] = first + (float)i;
    keep[0] = first_kept;
    keep[1] = !first_kept;
}

static void test_stacks_by_name(void **state)
{
    vox_sample s = VOX_SAMPLE_INIT;
    vox_batch b;
    const vox_array *x;

    (void)state;
    assert_int_equal(vox_batch_init(&b, 2), VOX_OK);
    fill(&s, 1, 0);
    assert_int_equal(vox_batch_put(&b, 0, &s, 4), VOX_OK);
    fill(&s, 11, 1);
    assert_int_equal(vox_batch_put(&b, 1, &s, 2), VOX_OK);
    x = vox_sample_find(&b.stack, "x");
    assert_int_equal(x->shape.rank, 5);
    assert_int_equal(x->shape.n[0], 2);
    assert_true(((const float *)vox_batch_row(x, 1))[7] == 18.0f);
    assert_true(vox_batch_weight(&b, 0, 2) == 6.0);
    assert_true(vox_batch_weight(&b, 1, 1) == 2.0);
    assert_int_equal(vox_batch_bytes(&b), 2 * (8 * 4 + 2));
    vox_batch_release(&b);
    vox_sample_release(&s);
}

static void test_refuses_another_shape_or_name(void **state)
{
    vox_sample s = VOX_SAMPLE_INIT;
    vox_batch b;

    (void)state;
    assert_int_equal(vox_batch_init(&b, 2), VOX_OK);
    fill(&s, 1, 0);
    assert_int_equal(vox_batch_put(&b, 0, &s, 1), VOX_OK);
    s.array[0].shape = VOX_SHAPE(1, 2, 4, 1);
    assert_int_equal(vox_batch_put(&b, 1, &s, 1), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "2x1x2x4x1"));
    assert_non_null(strstr(vox_error_text(), "2x1x2x2x2"));
    fill(&s, 1, 0);
    strcpy(s.array[1].name, "mask");
    assert_int_equal(vox_batch_put(&b, 1, &s, 1), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "\"mask\""));
    fill(&s, 1, 0);
    s.count = 1;
    assert_int_equal(vox_batch_put(&b, 1, &s, 1), VOX_E_ARG);
    s.count = 2;
    vox_batch_release(&b);
    vox_sample_release(&s);
}

static void test_baseline_by_hand(void **state)
{
    vox_sample s = VOX_SAMPLE_INIT;
    double zero, mean;
    vox_masked m;
    vox_batch b;

    (void)state;
    assert_int_equal(vox_batch_init(&b, 2), VOX_OK);
    fill(&s, 1, 0); /* hidden 1 2 3 4, visible mean 6.5 */
    assert_int_equal(vox_batch_put(&b, 0, &s, 1), VOX_OK);
    fill(&s, 0, 1); /* hidden 4 5 6 7, visible mean 1.5 */
    assert_int_equal(vox_batch_put(&b, 1, &s, 1), VOX_OK);
    assert_int_equal(vox_baseline(&b, &zero, &mean), 1);
    assert_float_equal((float)zero, (30.0f + 126.0f) / 8, 1e-6f);
    assert_float_equal((float)mean, (69.0f + 69.0f) / 8, 1e-6f);
    assert_int_equal(vox_masked_of(&m, &b, 0), 1);
    assert_true(vox_masked_hidden(&m, 0, 1, 1));
    assert_false(vox_masked_hidden(&m, 1, 0, 0));
    vox_batch_release(&b);
    vox_sample_release(&s);
}

static void test_baseline_of_another_kind(void **state)
{
    vox_sample s = VOX_SAMPLE_INIT;
    double zero, mean;
    vox_batch b;

    (void)state;
    assert_int_equal(vox_batch_init(&b, 1), VOX_OK);
    assert_non_null(vox_sample_add(&s, "x", VOX_F32, VOX_SHAPE(1, 1, 1, 1)));
    ((float *)s.array[0].data)[0] = 0;
    assert_int_equal(vox_batch_put(&b, 0, &s, 1), VOX_OK);
    assert_int_equal(vox_baseline(&b, &zero, &mean), 0);
    assert_true(isnan(zero) && isnan(mean));
    vox_batch_release(&b);
    vox_sample_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stacks_by_name),
        cmocka_unit_test(test_refuses_another_shape_or_name),
        cmocka_unit_test(test_baseline_by_hand),
        cmocka_unit_test(test_baseline_of_another_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
