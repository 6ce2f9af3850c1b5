/* normalise: statistics of awkward values, each scheme, constant images. */
#include "support/unit.h"

#include "base/error.h"
#include "base/rng.h"
#include "image/normalise.h"

#include <math.h>
#include <string.h>

static void statistics_of_a_small_list(void **state)
{
    const float x[] = {2, 4, 4, 4, 5, 5, 7, 9, 1000};
    const uint8_t skip[] = {0, 0, 0, 0, 0, 0, 0, 0, 1};
    const vox_stats s = vox_stats_of(x, 9, skip), all = vox_stats_of(x, 8, NULL);

    (void)state;
    assert_int_equal(s.count, 8);
    assert_true(s.mean == 5.0 && s.std == 2.0 && s.lo == 2.0f && s.hi == 9.0f);
    assert_true(all.mean == 5.0 && all.std == 2.0);
    assert_int_equal(vox_stats_of(x, 0, NULL).count, 0);
}

/* A large offset with a small spread: one-pass sums of squares would lose it all. */
static void a_large_mean_does_not_hurt(void **state)
{
    enum { N = 100003 };
    static float x[N];
    vox_stats s;

    (void)state;
    for (int i = 0; i < N; i++)
        x[i] = 8388608.0f + (float)(i % 2);
    s = vox_stats_of(x, N, NULL);
    assert_true(fabs(s.mean - (8388608.0 + 50001.0 / N)) < 1e-7);
    assert_true(fabs(s.std - 0.5) < 1e-9);
}

static void zscores_have_mean_0_and_deviation_1(void **state)
{
    enum { N = 10007 };
    static float x[N];
    vox_rng rng = vox_rng_at(1, 0, 0);
    vox_stats s;

    (void)state;
    for (int i = 0; i < N; i++)
        x[i] = (float)(300.0 + 40.0 * vox_rng_normal(&rng));
    assert_int_equal(vox_normalise(x, N, VOX_NORM_ZSCORE, NULL, &s), VOX_OK);
    assert_true(fabs(s.mean - 300.0) < 2.0 && fabs(s.std - 40.0) < 2.0);
    s = vox_stats_of(x, N, NULL);
    assert_true(fabs(s.mean) < 1e-6 && fabs(s.std - 1.0) < 1e-6);
}

static void skipped_values_keep_their_bits(void **state)
{
    float x[] = {1, 2, 3, 77, 5};
    const uint8_t skip[] = {0, 0, 0, 1, 0};

    (void)state;
    assert_int_equal(vox_normalise(x, 5, VOX_NORM_ZSCORE, skip, NULL), VOX_OK);
    assert_true(x[3] == 77.0f);
    assert_true(fabsf(x[0] + x[1] + x[2] + x[4]) < 1e-6f);
}

static void the_other_schemes(void **state)
{
    float x[] = {-1, 0, 3}, y[] = {0, 51, 255}, z[] = {5, 6, 7}, flat[] = {4, 4, 4};

    (void)state;
    assert_int_equal(vox_normalise(x, 3, VOX_NORM_RESCALE, NULL, NULL), VOX_OK);
    assert_true(x[0] == 0.0f && x[1] == 0.25f && x[2] == 1.0f);
    assert_int_equal(vox_normalise(y, 3, VOX_NORM_RGB, NULL, NULL), VOX_OK);
    assert_true(y[0] == 0.0f && fabsf(y[1] - 0.2f) < 1e-7f && y[2] == 1.0f);
    assert_int_equal(vox_normalise(z, 3, VOX_NORM_NONE, NULL, NULL), VOX_OK);
    assert_true(z[0] == 5.0f && z[2] == 7.0f);
    assert_int_equal(vox_normalise(flat, 3, VOX_NORM_RESCALE, NULL, NULL), VOX_OK);
    assert_true(flat[0] == 0.0f && flat[2] == 0.0f);
    x[0] = -1.0f;
    assert_int_equal(vox_normalise(x, 3, VOX_NORM_RGB, NULL, NULL), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "-1 to"));
}

static void constant_images_are_refused(void **state)
{
    static const float values[] = {0.0f, 1.0f, -3.5f, 0.1f, 1e-20f, 1e30f, 16777216.0f};
    float x[333];

    (void)state;
    for (int i = 0; i < VOX_COUNT(values); i++) {
        for (int j = 0; j < VOX_COUNT(x); j++)
            x[j] = values[i];
        assert_int_equal(vox_normalise(x, VOX_COUNT(x), VOX_NORM_ZSCORE, NULL, NULL),
                         VOX_E_FORMAT);
        assert_non_null(strstr(vox_error_text(), "constant"));
        assert_true(x[7] == values[i]);
    }
    x[5] *= 1.5f;
    assert_int_equal(vox_normalise(x, VOX_COUNT(x), VOX_NORM_ZSCORE, NULL, NULL), VOX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_of_a_small_list),
        cmocka_unit_test(a_large_mean_does_not_hurt),
        cmocka_unit_test(zscores_have_mean_0_and_deviation_1),
        cmocka_unit_test(skipped_values_keep_their_bits),
        cmocka_unit_test(the_other_schemes),
        cmocka_unit_test(constant_images_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
