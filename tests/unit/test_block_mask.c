/* block_mask: the number hidden is exact, every block is hidden equally often. */
#include "support/unit.h"

#include "base/error.h"
#include "transforms/block_mask.h"

#include <string.h>

static int64_t hidden_of(vox_shape patch, int block, double hidden, uint64_t sample,
                         int64_t *cells)
{
    vox_sample s = VOX_SAMPLE_INIT;
    const vox_rng rng = vox_rng_at(7, VOX_STREAM("test"), sample);
    const vox_array *a;
    int64_t zeros = 0;

    assert_int_equal(vox_block_mask_draw(&s, "keep", patch, block, hidden, rng), VOX_OK);
    a = vox_sample_find(&s, "keep");
    assert_non_null(a);
    assert_int_equal(a->dtype, VOX_U8);
    *cells = vox_shape_count(a->shape);
    for (int64_t i = 0; i < *cells; i++) {
        const uint8_t v = ((const uint8_t *)a->data)[i];

        assert_true(v <= 1);
        zeros += v == 0;
    }
    vox_sample_release(&s);
    return zeros;
}

static void the_table_of_the_reference(void **state)
{
    static const struct {
        int block;
        int64_t cells, at_75, at_60;
    } row[] = {
        {4,  64000, 48000, 38400},
        {8,  8000,  6000,  4800 },
        {16, 1000,  750,   600  },
        {32, 125,   93,    75   },
    };
    const vox_shape patch = VOX_SHAPE(1, 160, 160, 160);
    int64_t cells;

    (void)state;
    for (int i = 0; i < VOX_COUNT(row); i++) {
        assert_int_equal(hidden_of(patch, row[i].block, 0.75, 1, &cells), row[i].at_75);
        assert_int_equal(cells, row[i].cells);
        assert_int_equal(hidden_of(patch, row[i].block, 0.60, 2, &cells), row[i].at_60);
    }
}

static void none_and_all(void **state)
{
    const vox_shape patch = VOX_SHAPE(2, 16, 32, 48);
    int64_t cells;

    (void)state;
    assert_int_equal(hidden_of(patch, 8, 0.0, 0, &cells), 0);
    assert_int_equal(cells, 2 * 4 * 6);
    assert_int_equal(hidden_of(patch, 8, 1.0, 0, &cells), cells);
}

static void every_block_is_hidden_equally_often(void **state)
{
    enum { CELLS = 12, DRAWS = 20000 };
    const vox_shape patch = VOX_SHAPE(1, 2, 4, 6);
    vox_sample s = VOX_SAMPLE_INIT;
    double chi2 = 0.0;
    int count[CELLS] = {0};

    (void)state;
    for (uint64_t i = 0; i < DRAWS; i++) {
        const uint8_t *keep;

        vox_sample_clear(&s);
        assert_int_equal(vox_block_mask_draw(&s, "keep", patch, 2, 0.75,
                                             vox_rng_at(3, VOX_STREAM("test"), i)),
                         VOX_OK);
        assert_int_equal(vox_sample_find(&s, "keep")->shape.n[3], 3);
        keep = vox_sample_find(&s, "keep")->data;
        for (int j = 0; j < CELLS / 2; j++)
            count[j] += !keep[j];
    }
    vox_sample_release(&s);
    /* six cells, four hidden (trunc 4.5), so each with probability 2/3 */
    for (int j = 0; j < CELLS / 2; j++) {
        const double want = DRAWS * 2.0 / 3.0, off = count[j] - want;

        chi2 += off * off / (want / 3.0);
    }
    assert_true(chi2 < 20.5); /* 0.999 quantile of chi-square with 5 degrees is 20.5 */
}

static void same_key_same_mask(void **state)
{
    const vox_shape patch = VOX_SHAPE(1, 64, 64, 64);
    vox_sample s = VOX_SAMPLE_INIT;
    const char *name[] = {"a", "b", "c"};
    const uint64_t key[] = {5, 5, 6};

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(vox_block_mask_draw(&s, name[i], patch, 16, 0.5,
                                             vox_rng_at(1, VOX_STREAM("mask"), key[i])),
                         VOX_OK);
    assert_memory_equal(s.array[0].data, s.array[1].data, 64);
    assert_memory_not_equal(s.array[0].data, s.array[2].data, 64);
    vox_sample_release(&s);
}

static void bad_arguments_are_named(void **state)
{
    vox_sample s = VOX_SAMPLE_INIT;
    const vox_rng rng = vox_rng_at(1, VOX_STREAM("mask"), 0);
    const vox_shape patch = VOX_SHAPE(1, 32, 40, 32);

    (void)state;
    assert_int_equal(vox_block_mask_draw(&s, "keep", patch, 16, 0.5, rng), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "40"));
    assert_int_equal(vox_block_mask_draw(&s, "keep", patch, 8, 1.5, rng), VOX_E_ARG);
    assert_int_equal(vox_block_mask_draw(&s, "keep", patch, 0, 0.5, rng), VOX_E_ARG);
    assert_int_equal(vox_block_mask_draw(&s, "keep", VOX_SHAPE(8, 8, 8), 8, 0.5, rng),
                     VOX_E_ARG);
    assert_int_equal(s.count, 0);
    vox_sample_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_the_reference),
        cmocka_unit_test(none_and_all),
        cmocka_unit_test(every_block_is_hidden_equally_often),
        cmocka_unit_test(same_key_same_mask),
        cmocka_unit_test(bad_arguments_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
