/*
 * simd_checks: what base/simd.h promises, checked lane by lane against plain C. Included by
 * one test per path, after VOX_PATH, VOX_PATH_ID and VOX_LANES are set.
 */
#ifndef VOX_TESTS_SUPPORT_SIMD_CHECKS_H
#define VOX_TESTS_SUPPORT_SIMD_CHECKS_H

#include "support/unit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/cpu.h"
#include "base/simd.h"

enum { LANES = VOX_LANES };

static float a[LANES], b[LANES], c[LANES], out[LANES];

/* Values that tell lanes, signs and sides apart; some lanes are equal in a and b. */
static void fill(void)
{
    for (int i = 0; i < LANES; i++) {
        a[i] = (float)(i * i % 11) - 4.25f;
        b[i] = i % 3 == 0 ? a[i] : 0.5f * (float)(i - 3);
        c[i] = 100.0f + (float)i;
    }
}

static void check(vec v, float (*want)(float x, float y, float z))
{
    vec_store(out, v);
    for (int i = 0; i < LANES; i++)
        assert_float_equal(out[i], want(a[i], b[i], c[i]), 1e-6f * fabsf(out[i]));
}

#define EXPECT(name, expression)                 \
    static float name(float x, float y, float z) \
    {                                            \
        (void)x, (void)y, (void)z;               \
        return expression;                       \
    }
EXPECT(want_zero, 0.0f)
EXPECT(want_load, x)
EXPECT(want_set, 2.5f)
EXPECT(want_add, x + y)
EXPECT(want_sub, x - y)
EXPECT(want_mul, x *y)
EXPECT(want_div, x / z)
EXPECT(want_neg, -x)
EXPECT(want_abs, fabsf(x))
EXPECT(want_sqrt, sqrtf(z))
EXPECT(want_max, x > y ? x : y)
EXPECT(want_min, x < y ? x : y)
EXPECT(want_fma, x *y + z)
EXPECT(want_fnma, z - x * y)
EXPECT(want_pick, x > y ? z : y)
EXPECT(want_leaky, x > 0 ? x : 0.1f * x)

static void arithmetic(void **state)
{
    (void)state;
    fill();
    const vec x = vec_load(a), y = vec_load(b), z = vec_load(c);

    check(vec_zero(), want_zero);
    check(x, want_load);
    check(vec_set1(2.5f), want_set);
    check(vec_add(x, y), want_add);
    check(vec_sub(x, y), want_sub);
    check(vec_mul(x, y), want_mul);
    check(vec_div(x, z), want_div);
    check(vec_neg(x), want_neg);
    check(vec_abs(x), want_abs);
    check(vec_sqrt(z), want_sqrt);
    check(vec_max(x, y), want_max);
    check(vec_min(x, y), want_min);
    check(vec_fma(x, y, z), want_fma);
    check(vec_fnma(x, y, z), want_fnma);
    check(vec_select(vec_gt(x, y), z, y), want_pick);
    check(vec_leaky(x, vec_set1(0.1f)), want_leaky);
}

static void reductions(void **state)
{
    double sum = 0;
    float top = -FLT_MAX;

    (void)state;
    fill();
    for (int i = 0; i < LANES; i++) {
        sum += (double)a[i];
        top = a[i] > top ? a[i] : top;
    }
    assert_float_equal(vec_sum(vec_load(a)), (float)sum, 1e-5f);
    assert_true(vec_top(vec_load(a)) == top);
    assert_true(vec_top(vec_neg(vec_load(c))) == -100.0f);
    assert_true(vec_none(vec_gt(vec_load(a), vec_load(c))));
    assert_false(vec_none(vec_gt(vec_load(c), vec_load(a))));
    assert_true(vec_none(vec_gt(vec_set1(NAN), vec_zero())));
}

static void partial(void **state)
{
    float memory[LANES + 1];

    (void)state;
    fill();
    for (int count = 0; count <= LANES; count++) {
        vec_store(out, vec_load_part(a, count));
        for (int i = 0; i < LANES; i++)
            assert_true(out[i] == (i < count ? a[i] : 0.0f));
        memset(memory, 0, sizeof memory);
        vec_store_part(memory, vec_load(c), count);
        for (int i = 0; i <= LANES; i++)
            assert_true(memory[i] == (i < count ? c[i] : 0.0f));
        vec_store(out, vec_select(vec_first(count), vec_load(a), vec_load(c)));
        for (int i = 0; i < LANES; i++)
            assert_true(out[i] == (i < count ? a[i] : c[i]));
    }
}

static void transpose(void **state)
{
    vec square[LANES];

    (void)state;
    for (int i = 0; i < LANES; i++) {
        for (int k = 0; k < LANES; k++)
            out[k] = (float)(100 * i + k);
        square[i] = vec_load(out);
    }
    vec_transpose(square);
    for (int i = 0; i < LANES; i++) {
        vec_store(out, square[i]);
        for (int k = 0; k < LANES; k++)
            assert_true(out[k] == (float)(100 * k + i));
    }
}

static float f32_of_bits(uint32_t bits)
{
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

/* By its distances to the two neighbours; what rounds up from the largest is infinite. */
static uint16_t nearest_bf16(float v)
{
    uint32_t bits;
    uint16_t low;
    double below, above;

    memcpy(&bits, &v, sizeof bits);
    low = (uint16_t)(bits >> 16);
    below = fabs((double)f32_of_bits((uint32_t)low << 16));
    above = fabs((double)f32_of_bits((uint32_t)(low + 1) << 16));
    if (isinf(v))
        return low;
    above = isinf(above) ? 0x1p128 : above;
    if (fabs((double)v) - below == above - fabs((double)v))
        return (uint16_t)(low + (low & 1));
    return fabs((double)v) - below < above - fabs((double)v) ? low : (uint16_t)(low + 1);
}

static void check_bf16(float v)
{
    uint16_t stored[LANES + 1];

    for (int i = 0; i < LANES; i++)
        a[i] = i % 2 ? -v : v;
    stored[LANES] = 0x1234;
    vec_store_bf16(stored, vec_load(a));
    assert_int_equal(stored[LANES], 0x1234);
    vec_store(out, vec_load_bf16(stored));
    vec_expand_bf16(b, stored, LANES);
    for (int i = 0; i < LANES; i++) {
        const float wide = f32_of_bits((uint32_t)stored[i] << 16);

        assert_memory_equal(&out[i], &wide, sizeof wide);
        assert_memory_equal(&b[i], &wide, sizeof wide);
        if (isnan(v))
            assert_true(isnan(wide));
        else
            assert_int_equal(stored[i], nearest_bf16(a[i]));
    }
}

static void bf16(void **state)
{
    static const float values[] = {
        0.0f,    1.0f,    1.0f + 0x1p-8f, 1.0f + 0x3p-8f, 1.0f + 0x1.01p-8f, 0x1.fffp-3f,
        FLT_MAX, FLT_MIN, 0x1p-140f,      0x1.8p-134f,    0x1.feffffp127f,   INFINITY};
    static const uint32_t nans[] = {0x7fc00000, 0x7fffffff, 0x7f800001, 0x7f80ffff};
    uint32_t bits = 1;

    (void)state;
    for (int i = 0; i < VOX_COUNT(values); i++)
        check_bf16(values[i]);
    for (int i = 0; i < VOX_COUNT(nans); i++)
        check_bf16(f32_of_bits(nans[i]));
    for (int i = 0; i < 2000; i++) {
        bits = bits * 1664525u + 1013904223u;
        check_bf16(f32_of_bits(bits & 0x7fffffff));
    }
}

static int simd_checks(vox_isa needs)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic), cmocka_unit_test(reductions),
        cmocka_unit_test(partial),    cmocka_unit_test(transpose),
        cmocka_unit_test(bf16),
    };

    return vox_cpu_has(needs) ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}

#endif
