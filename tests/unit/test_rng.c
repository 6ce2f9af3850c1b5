/* rng: the published known answers, independence of streams, fairness. */
#include <math.h>

#include "base/rng.h"
#include "support/unit.h"

static void known_answers(void **state)
{
    /* Random123's kat_vectors for philox4x32-10 */
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } kat[] = {
        {{0, 0, 0, 0},                                     {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}                                                          },
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}                                                          },
    };

    (void)state;
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];

        vox_philox4x32(out, kat[i].counter, kat[i].key);
        assert_memory_equal(out, kat[i].out, sizeof out);
    }
}

static void a_draw_depends_on_its_key_only(void **state)
{
    vox_rng a = vox_rng_at(7, VOX_STREAM("mirror"), 3);
    vox_rng b = vox_rng_at(7, VOX_STREAM("mirror"), 3);
    vox_rng c = vox_rng_at(7, VOX_STREAM("mask"), 3),
            d = vox_rng_at(7, VOX_STREAM("mirror"), 4);
    vox_rng e = vox_rng_stream(a, VOX_STREAM("x"), 0),
            f = vox_rng_stream(a, VOX_STREAM("x"), 1);
    const uint32_t first = vox_rng_u32(&a);

    (void)state;
    assert_int_equal(first, vox_rng_u32(&b));
    assert_int_not_equal(first, vox_rng_u32(&c));
    assert_int_not_equal(first, vox_rng_u32(&d));
    assert_int_not_equal(vox_rng_u32(&e), vox_rng_u32(&f));
}

static void below_is_fair(void **state)
{
    vox_rng r = vox_rng_at(1, 2, 3);
    int count[7] = {0};
    double chi = 0;

    (void)state;
    for (int i = 0; i < 70000; i++)
        count[vox_rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        chi += (count[i] - 10000.0) * (count[i] - 10000.0) / 10000.0;
    assert_true(chi < 22.5); /* 6 degrees of freedom: 0.1 % */
    assert_int_equal(vox_rng_below(&r, 1), 0);
}

static void moments(void **state)
{
    vox_rng r = vox_rng_at(1, 2, 3);
    double sum = 0, square = 0, uniform = 0;
    const int n = 100000;

    (void)state;
    for (int i = 0; i < n; i++) {
        const double v = vox_rng_normal(&r), u = vox_rng_uniform(&r);

        assert_true(u >= 0.0 && u < 1.0);
        sum += v;
        square += v * v;
        uniform += u;
    }
    assert_true(fabs(sum / n) < 4.0 / sqrt(n));
    assert_true(fabs(square / n - 1.0) < 4.0 * sqrt(2.0 / n));
    assert_true(fabs(uniform / n - 0.5) < 4.0 * sqrt(1.0 / 12.0 / n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(a_draw_depends_on_its_key_only),
        cmocka_unit_test(below_is_fair),
        cmocka_unit_test(moments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
