/* chain and mirror: crop position, flips against index arithmetic, streams, messages. */
#include "support/unit.h"

#include "base/error.h"
#include "base/mem.h"
#include "transforms/chain.h"
#include "transforms/transform.h"

#include <string.h>

static void fill(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)i;
}

static vox_cases one_case(const float *image, vox_shape shape)
{
    vox_cases cases = {.count = 1};

    cases.item[0].id = "img";
    cases.item[0].image = image;
    cases.item[0].shape = shape;
    return cases;
}

static void the_centre_starts_at_half_the_rest_rounded_down(void **state)
{
    const vox_shape shape = VOX_SHAPE(2, 5, 6, 9), patch = VOX_SHAPE(2, 4, 3, 5);
    vox_sample s = VOX_SAMPLE_INIT;
    float image[2 * 5 * 6 * 9];
    const float *x;
    vox_cases cases;

    (void)state;
    fill(image, vox_shape_count(shape));
    cases = one_case(image, shape);
    assert_int_equal(vox_chain_apply(&s, "x", &cases, "", patch, vox_rng_at(0, 0, 0)),
                     VOX_OK);
    x = vox_sample_find(&s, "x")->data;
    assert_true(vox_shape_equal(s.array[0].shape, patch));
    for (int c = 0; c < 2; c++)
        for (int z = 0; z < 4; z++)
            for (int y = 0; y < 3; y++)
                for (int i = 0; i < 5; i++)
                    assert_true(x[((c * 4 + z) * 3 + y) * 5 + i] ==
                                (float)(((c * 5 + z) * 6 + y + 1) * 9 + i + 2));
    vox_sample_release(&s);
}

/* Every combination of flips, odd and even extents, against plain index arithmetic. */
static void mirror_is_index_reversal(void **state)
{
    const vox_transform *t = vox_transform_find("mirror");
    static const int64_t shapes[][4] = {
        {2, 3, 4, 5},
        {1, 4, 1, 2},
        {1, 1, 1, 1},
        {1, 5, 5, 6}
    };

    (void)state;
    assert_non_null(t);
    for (int i = 0; i < 8 * VOX_COUNT(shapes); i++) {
        const int64_t *n = shapes[i / 8];
        const vox_shape shape = VOX_SHAPE(n[0], n[1], n[2], n[3]);
        const int flip[3] = {i & 1, i >> 1 & 1, i >> 2 & 1};
        float image[512];
        int64_t at = 0;

        fill(image, vox_shape_count(shape));
        t->apply(flip, image, shape);
        for (int64_t c = 0; c < n[0]; c++)
            for (int64_t z = 0; z < n[1]; z++)
                for (int64_t y = 0; y < n[2]; y++)
                    for (int64_t x = 0; x < n[3]; x++, at++) {
                        const int64_t a = flip[0] ? n[1] - 1 - z : z;
                        const int64_t b = flip[1] ? n[2] - 1 - y : y;
                        const int64_t d = flip[2] ? n[3] - 1 - x : x;

                        assert_true(image[at] ==
                                    (float)(((c * n[1] + a) * n[2] + b) * n[3] + d));
                    }
    }
}

static void each_axis_is_flipped_half_of_the_time(void **state)
{
    enum { DRAWS = 10000 };
    const vox_transform *t = vox_transform_find("mirror");
    int count[3] = {0}, together = 0;

    (void)state;
    for (uint64_t i = 0; i < DRAWS; i++) {
        int flip[3];

        assert_int_equal(t->draw_size, sizeof flip);
        t->draw(flip, VOX_SHAPE(1, 8, 8, 8), vox_rng_at(11, VOX_STREAM("mirror"), i));
        for (int a = 0; a < 3; a++)
            count[a] += flip[a];
        together += flip[0] && flip[1] && flip[2];
    }
    for (int a = 0; a < 3; a++)
        assert_in_range(count[a], 4800, 5200); /* four standard deviations */
    assert_in_range(together, 1118, 1382);
}

static void same_rng_same_sample_other_rng_another(void **state)
{
    const vox_shape shape = VOX_SHAPE(1, 6, 6, 6);
    vox_sample s = VOX_SAMPLE_INIT;
    float image[6 * 6 * 6];
    vox_cases cases;
    int differ = 0;

    (void)state;
    fill(image, vox_shape_count(shape));
    cases = one_case(image, shape);
    for (uint64_t i = 0; i < 8; i++) {
        vox_sample_clear(&s);
        for (int j = 0; j < 3; j++)
            assert_int_equal(
                vox_chain_apply(&s,
                                j == 0   ? "a"
                                : j == 1 ? "b"
                                         : "c",
                                &cases, " mirror ", shape,
                                vox_rng_at(1, VOX_STREAM("chain"), j == 2 ? i + 1 : i)),
                VOX_OK);
        assert_memory_equal(s.array[0].data, s.array[1].data, sizeof image);
        differ += memcmp(s.array[0].data, s.array[2].data, sizeof image) != 0;
    }
    assert_true(differ >= 4);
    vox_sample_release(&s);
}

static void twice_in_a_chain_draws_twice(void **state)
{
    const vox_shape shape = VOX_SHAPE(1, 4, 4, 4);
    vox_sample s = VOX_SAMPLE_INIT;
    float image[64];
    vox_cases cases;
    int changed = 0;

    (void)state;
    fill(image, 64);
    cases = one_case(image, shape);
    for (uint64_t i = 0; i < 16; i++) {
        vox_sample_clear(&s);
        assert_int_equal(vox_chain_apply(&s, "x", &cases, "mirror mirror", shape,
                                         vox_rng_at(1, VOX_STREAM("chain"), i)),
                         VOX_OK);
        changed += memcmp(s.array[0].data, image, sizeof image) != 0;
    }
    assert_true(changed > 0); /* one stream for both would undo every flip */
    vox_sample_release(&s);
}

static void bad_chains_and_shapes_are_named(void **state)
{
    const vox_shape shape = VOX_SHAPE(1, 4, 4, 4);
    const vox_rng rng = vox_rng_at(0, 0, 0);
    vox_sample s = VOX_SAMPLE_INIT;
    float image[64] = {0};
    vox_cases cases = one_case(image, shape);

    (void)state;
    assert_int_equal(vox_chain_apply(&s, "x", &cases, "miror", shape, rng), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "mirror"));
    vox_sample_clear(&s);
    assert_int_equal(vox_chain_apply(&s, "x", &cases, "", VOX_SHAPE(1, 4, 5, 4), rng),
                     VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "1x4x5x4"));
    assert_int_equal(vox_chain_apply(&s, "x", &cases, "", VOX_SHAPE(2, 4, 4, 4), rng),
                     VOX_E_ARG);
    assert_int_equal(s.count, 0);
    vox_sample_release(&s);
}

static void the_table_lists_what_find_finds(void **state)
{
    int count = 0;

    (void)state;
    for (const vox_transform *t; (t = vox_transform_at(count)) != NULL; count++) {
        assert_ptr_equal(vox_transform_find(t->name), t);
        assert_true(t->draw_size <= VOX_DRAW_MAX);
    }
    assert_true(count >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_centre_starts_at_half_the_rest_rounded_down),
        cmocka_unit_test(mirror_is_index_reversal),
        cmocka_unit_test(each_axis_is_flipped_half_of_the_time),
        cmocka_unit_test(same_rng_same_sample_other_rng_another),
        cmocka_unit_test(twice_in_a_chain_draws_twice),
        cmocka_unit_test(bad_chains_and_shapes_are_named),
        cmocka_unit_test(the_table_lists_what_find_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
