/* schedule: the worked values of methods.md 10.4. */
#include "support/unit.h"

#include <math.h>
#include <string.h>

#include "base/compiler.h"
#include "base/error.h"
#include "train/schedule.h"

typedef struct point {
    int64_t epoch;
    double lr;
} point;

static void check(const vox_schedule *s, const point *want, int n)
{
    for (int i = 0; i < n; i++) {
        const double lr = vox_schedule_lr(s, want[i].epoch);

        if (fabs(lr - want[i].lr) > 1e-14 * want[i].lr)
            fail_msg("epoch %lld: %.17g, wanted %.17g", (long long)want[i].epoch, lr,
                     want[i].lr);
    }
}

static void poly_has_its_values(void **state)
{
    static const point want[] = {
        {0,   1e-2                 },
        {1,   0.009990999549834914 },
        {2,   0.009981998198678612 },
        {500, 0.005358867312681466 },
        {998, 3.723291133272141e-05},
        {999, 1.995262314968881e-05},
    };
    const vox_schedule s = {VOX_SCHEDULE_POLY, 1e-2, 1000, 0};

    (void)state;
    check(&s, want, VOX_COUNT(want));
    assert_true(vox_schedule_lr(&s, 1000) == 0.0);
}

static void warmup_has_its_values(void **state)
{
    static const point want[] = {
        {0,   6e-06                 },
        {1,   1.2e-05               },
        {24,  1.5e-4                },
        {48,  2.94e-4               },
        {49,  3e-4                  },
        {50,  3e-4                  },
        {51,  0.0002997157745094588 },
        {525, 0.00016076601938044396},
        {998, 1.1697606450785404e-06},
        {999, 6.268592084572873e-07 },
    };
    const vox_schedule s = {VOX_SCHEDULE_WARMUP, 3e-4, 1000, 50};
    const vox_schedule brief = {VOX_SCHEDULE_WARMUP, 3e-4, 20, 50};

    (void)state;
    check(&s, want, VOX_COUNT(want));
    check(&brief, want, 2);
    assert_true(vox_schedule_lr(&brief, 19) < 3e-4);
}

static void kinds_have_names(void **state)
{
    vox_schedule_kind k;

    (void)state;
    assert_int_equal(vox_schedule_kind_find(&k, "warmup_poly"), VOX_OK);
    assert_int_equal(k, VOX_SCHEDULE_WARMUP);
    assert_int_equal(vox_schedule_kind_find(&k, "cosine"), VOX_E_USAGE);
    assert_non_null(strstr(vox_error_text(), "cosine"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poly_has_its_values),
        cmocka_unit_test(warmup_has_its_values),
        cmocka_unit_test(kinds_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
