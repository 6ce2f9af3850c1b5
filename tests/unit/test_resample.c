/* resample: the worked example, decisions, paths against the double reference. */
#include "support/unit.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "image/resample.h"
#include "image/spline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const paths[] = {"reference", "plain", "avx2", "avx512"};
static const vox_isa needs[] = {VOX_ISA_BASE, VOX_ISA_BASE, VOX_ISA_AVX2, VOX_ISA_AVX512};

static vox_volume volume_of(float *data, int64_t d, int64_t h, int64_t w)
{
    vox_volume v = VOX_VOLUME_INIT;

    v.info.shape = VOX_SHAPE(1, d, h, w);
    v.data = data;
    return v;
}

/* data.md 7.6.2, with the line along each of the axes. */
static void the_worked_example(void **state)
{
    static const double up[8] = {0,
                                 5.0427083593,
                                 9.9829882842,
                                 5.0685599799,
                                 3.5211795363,
                                 6.9249520018,
                                 4.1625558317,
                                 0.3528332962};
    static const double down[3] = {3.6754726196, 3.0, 3.3129024577};
    float x[5] = {0, 10, 3, 7, 1};

    (void)state;
    for (int p = 0; p < VOX_COUNT(paths); p++) {
        if (!vox_cpu_has(needs[p]))
            continue;
        setenv("VOX_CPU", paths[p], 1);
        for (int axis = 0; axis < 3; axis++) {
            int64_t n[3] = {1, 1, 1}, m[3] = {1, 1, 1};
            vox_volume in, out = VOX_VOLUME_INIT;

            n[axis] = 5;
            in = volume_of(x, n[0], n[1], n[2]);
            m[axis] = 8;
            assert_int_equal(vox_volume_resample(&out, &in, m, -1), VOX_OK);
            for (int k = 0; k < 8; k++)
                assert_true(fabs((double)out.data[k] - up[k]) < 4e-6);
            m[axis] = 3;
            assert_int_equal(vox_volume_resample(&out, &in, m, -1), VOX_OK);
            for (int k = 0; k < 3; k++)
                assert_true(fabs((double)out.data[k] - down[k]) < 4e-6);
            vox_volume_release(&out);
        }
    }
    unsetenv("VOX_CPU");
}

/* Before clipping, to the digits of the document, and the first of them shows the boundary.
 */
static void the_worked_example_unclipped(void **state)
{
    static const double want[8] = {-1.0230890846, 5.0427083593, 9.9829882842, 5.0685599799,
                                   3.5211795363,  6.9249520018, 4.1625558317, 0.3528332962};
    const int64_t m[3] = {1, 1, 8};
    const vox_spline_map open = {0, 1, 0, -INFINITY, INFINITY};
    float x[5] = {0, 10, 3, 7, 1}, y[8];
    vox_volume v = volume_of(x, 1, 1, 5);
    const vox_grid g = vox_volume_grid(&v, 0);
    vox_spline_space space = VOX_SPLINE_SPACE_INIT;

    (void)state;
    assert_int_equal(vox_spline_grid(y, &g, m, &open, &space, NULL), VOX_OK);
    for (int k = 0; k < 8; k++)
        assert_true(fabs((double)y[k] - want[k]) < 5e-7);
    assert_int_equal(vox_spline_grid(y, &g, m, &open, &space, vox_spline_kernel_choose()),
                     VOX_OK);
    for (int k = 0; k < 8; k++)
        assert_true(fabs((double)y[k] - want[k]) < 4e-6);
    vox_spline_space_release(&space);
}

static void the_table_of_weights(void **state)
{
    static const double row[8][5] = {
        {-0.1875, 0.0010986, 0.2746989, 0.6348063, 0.0893962},
        {0.4375,  0.0296631, 0.5171305, 0.4392497, 0.0139567},
        {1.0625,  0.1373291, 0.6628825, 0.1997477, 0.0000407},
        {1.6875,  0.0050863, 0.3564860, 0.5842692, 0.0541585},
        {2.3125,  0.0541585, 0.5842692, 0.3564860, 0.0050863},
        {2.9375,  0.0000407, 0.1997477, 0.6628825, 0.1373291},
        {3.5625,  0.0139567, 0.4392497, 0.5171305, 0.0296631},
        {4.1875,  0.0893962, 0.6348063, 0.2746989, 0.0010986},
    };
    static const int first[8] = {-2, -1, 0, 0, 1, 1, 2, 3};
    vox_spline_axis a;

    (void)state;
    assert_int_equal(vox_spline_axis_init(&a, 5, 8), VOX_OK);
    for (int k = 0; k < 8; k++) {
        assert_true(vox_spline_place(k, 5, 8) == row[k][0]);
        assert_int_equal(a.first[k], first[k]);
        for (int i = 0; i < 4; i++)
            assert_true(fabs((double)a.weight[4 * k + i] / 6.0 - row[k][1 + i]) < 1e-7);
    }
    vox_spline_axis_release(&a);
}

static void thick_slices_by_the_table(void **state)
{
    static const struct {
        double from[3], to[3];
        int axis;
    } row[] = {
        {{1, 1, 1},          {4, 1, 1}, 0 },
        {{3, 1, 1},          {1, 1, 1}, -1},
        {{3.0001, 1, 1},     {1, 1, 1}, 0 },
        {{4, 4, 1},          {1, 1, 1}, -1},
        {{0.24, 1.25, 1.25}, {1, 1, 1}, -1},
        {{1, 1, 3.5},        {1, 1, 1}, 2 },
        {{4, 4, 1},          {1, 9, 1}, -1}, /* the first anisotropic spacing decides */
        {{1, 1.1, 1},        {1, 1, 1}, -1},
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(row); i++)
        assert_int_equal(vox_resample_thick_axis(row[i].from, row[i].to), row[i].axis);
}

static void shapes_round_half_to_even(void **state)
{
    const double half[3] = {0.5, 0.5, 0.5}, one[3] = {1, 1, 1};
    const double a[3] = {0.7, 0.4, 1.5}, b[3] = {0.1, 1.0, 1.0};
    const double tiny[3] = {1e-9, 1, 1}, small[3] = {0.001, 0.001, 0.001};
    const int64_t n[3] = {5, 7, 3}, k[3] = {5, 1, 7};
    int64_t m[3];

    (void)state;
    assert_int_equal(vox_resample_shape(m, n, half, one), VOX_OK);
    assert_true(m[0] == 2 && m[1] == 4 && m[2] == 2);
    assert_int_equal(vox_resample_shape(m, k, a, b), VOX_OK);
    assert_true(m[0] == 35 && m[1] == 1 && m[2] == 10);
    assert_int_equal(vox_resample_shape(m, n, one, tiny), VOX_E_FORMAT);
    assert_int_equal(vox_resample_shape(m, n, one, small), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "too many"));
}

static float *random_values(vox_rng *rng, int64_t n)
{
    float *x = vox_alloc((size_t)n, sizeof *x);

    assert_non_null(x);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)vox_rng_range(rng, -1.0, 1.0);
    return x;
}

/* Random shapes, sizes 1 to 70, all axes: the paths agree with the double reference. */
static void paths_agree_on_random_shapes(void **state)
{
    vox_rng rng = vox_rng_at(5, VOX_STREAM("resample"), 0);

    (void)state;
    for (int i = 0; i < 60; i++) {
        int64_t n[3], m[3], count;
        vox_volume in, want = VOX_VOLUME_INIT, got = VOX_VOLUME_INIT;
        const int thick = (int)vox_rng_below(&rng, 6) - 3;

        for (int a = 0; a < 3; a++) {
            n[a] = 1 + (int64_t)vox_rng_below(&rng, i % 3 == a ? 70 : 20);
            m[a] = vox_rng_below(&rng, 4) ? 1 + (int64_t)vox_rng_below(&rng, 40) : n[a];
        }
        in = volume_of(random_values(&rng, n[0] * n[1] * n[2]), n[0], n[1], n[2]);
        setenv("VOX_CPU", "reference", 1);
        assert_int_equal(vox_volume_resample(&want, &in, m, thick < 0 ? -1 : thick),
                         VOX_OK);
        count = m[0] * m[1] * m[2];
        for (int p = 1; p < VOX_COUNT(paths); p++) {
            if (!vox_cpu_has(needs[p]))
                continue;
            setenv("VOX_CPU", paths[p], 1);
            assert_int_equal(vox_volume_resample(&got, &in, m, thick < 0 ? -1 : thick),
                             VOX_OK);
            for (int64_t j = 0; j < count; j++)
                assert_true(fabsf(got.data[j] - want.data[j]) < 4e-6f);
        }
        vox_volume_release(&in);
        vox_volume_release(&want);
        vox_volume_release(&got);
    }
    unsetenv("VOX_CPU");
}

static void the_same_shape_is_the_same_image(void **state)
{
    float x[24];
    const int64_t m[3] = {2, 3, 4};
    vox_volume in = volume_of(x, 2, 3, 4), out = VOX_VOLUME_INIT;

    (void)state;
    for (int i = 0; i < 24; i++)
        x[i] = (float)(i * i) * 0.1f;
    for (int thick = -1; thick < 3; thick++) {
        assert_int_equal(vox_volume_resample(&out, &in, m, thick), VOX_OK);
        assert_memory_equal(out.data, x, sizeof x);
        assert_int_equal(vox_volume_resample_labels(&out, &in, m, thick), VOX_OK);
        assert_memory_equal(out.data, x, sizeof x);
    }
    vox_volume_release(&out);
}

/* data.md 7.6.3: 6 to 30 repeats five times, 4 to 2 takes 1 and 3, 9 to 4 takes 1, 3, 5, 7.
 */
static void nearest_slices(void **state)
{
    static const struct {
        int64_t n, m;
        int want[30];
    } row[] = {
        {4, 2,  {1, 3}                                                      },
        {9, 4,  {1, 3, 5, 7}                                                },
        {6, 30, {0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2,
                 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5}},
    };
    float x[18];

    (void)state;
    for (int i = 0; i < 18; i++)
        x[i] = (float)(i / 2);
    for (int i = 0; i < VOX_COUNT(row); i++) {
        const int64_t m[3] = {row[i].m, 1, 2};
        vox_volume in = volume_of(x, row[i].n, 1, 2), out = VOX_VOLUME_INIT;

        assert_int_equal(vox_volume_resample(&out, &in, m, 0), VOX_OK);
        for (int64_t k = 0; k < row[i].m; k++)
            assert_true(out.data[2 * k] == (float)row[i].want[k]);
        assert_int_equal(vox_volume_resample_labels(&out, &in, m, 0), VOX_OK);
        for (int64_t k = 0; k < row[i].m; k++)
            assert_true(out.data[2 * k + 1] == (float)row[i].want[k]);
        vox_volume_release(&out);
    }
}

static void channels_are_clipped_each_to_its_own_range(void **state)
{
    float x[2 * 6] = {0, 0, 1, 1, 0, 0, 100, 100, 200, 200, 100, 100};
    const int64_t m[3] = {1, 1, 17};
    vox_volume in = VOX_VOLUME_INIT, out = VOX_VOLUME_INIT;

    (void)state;
    in.info.shape = VOX_SHAPE(2, 1, 1, 6);
    in.data = x;
    assert_int_equal(vox_volume_resample(&out, &in, m, -1), VOX_OK);
    for (int k = 0; k < 17; k++) {
        assert_true(out.data[k] >= 0.0f && out.data[k] <= 1.0f);
        assert_true(out.data[17 + k] >= 100.0f && out.data[17 + k] <= 200.0f);
    }
    assert_true(out.data[17 + 8] == 200.0f); /* the overshoot was there, and clipped */
    vox_volume_release(&out);
}

/* Order 1 of the worked example crosses one half between the same outputs. */
static void labels_vote(void **state)
{
    float x[4] = {0, 1, 2, 2}, y[4] = {3, 1, 2, 0}, z[2] = {-1, -1};
    const int64_t two[3] = {1, 1, 2}, seven[3] = {1, 1, 7};
    vox_volume in = volume_of(x, 1, 1, 4), out = VOX_VOLUME_INIT;

    (void)state;
    assert_int_equal(vox_volume_resample_labels(&out, &in, two, -1), VOX_OK);
    assert_true(out.data[0] == 1.0f && out.data[1] == 2.0f); /* a tie: the larger */
    in = volume_of(y, 1, 2, 2);
    assert_int_equal(vox_volume_resample_labels(&out, &in, (int64_t[]){1, 1, 1}, -1),
                     VOX_OK);
    assert_true(out.data[0] == 0.0f); /* a quarter each: none */
    in = volume_of(z, 1, 1, 2);
    assert_int_equal(vox_volume_resample_labels(&out, &in, seven, -1), VOX_OK);
    for (int k = 0; k < 7; k++)
        assert_true(out.data[k] == -1.0f);
    vox_volume_release(&out);
}

static void bad_arguments(void **state)
{
    float x[8] = {0};
    const int64_t zero[3] = {1, 0, 1}, two[3] = {2, 2, 2};
    vox_volume in = volume_of(x, 2, 2, 2), out = VOX_VOLUME_INIT;
    const int64_t blocks = vox_mem_blocks();

    (void)state;
    assert_int_equal(vox_volume_resample(&out, &in, zero, -1), VOX_E_ARG);
    assert_int_equal(vox_volume_resample(&out, &in, two, 3), VOX_E_ARG);
    assert_int_equal(vox_volume_resample_labels(&out, &in, zero, -1), VOX_E_ARG);
    assert_null(out.data);
    assert_int_equal(vox_mem_blocks(), blocks);
}

/* Every allocation fails once; nothing leaks, a message is left. */
static void without_memory(void **state)
{
    float x[60];
    const int64_t shapes[3][3] = {
        {5, 6, 7},
        {3, 8, 5},
        {3, 4, 9}
    };
    const int64_t blocks = vox_mem_blocks();

    (void)state;
    for (int i = 0; i < 60; i++)
        x[i] = (float)(i % 7);
    for (int i = 0; i < 18; i++) {
        vox_volume in = volume_of(x, 3, 4, 5), out = VOX_VOLUME_INIT;
        int rc = VOX_E_NOMEM;

        setenv("VOX_CPU", i / 9 ? "reference" : "plain", 1);
        for (int k = 1; k < 40 && rc != VOX_OK; k++) {
            vox_mem_fail_at(k);
            rc = i % 3 == 2 ? vox_volume_resample_labels(&out, &in, shapes[i / 3 % 3], 0)
                            : vox_volume_resample(&out, &in, shapes[i / 3 % 3], i % 3 - 1);
            vox_mem_fail_at(0);
            assert_true(rc == VOX_OK || (rc == VOX_E_NOMEM && vox_error_text()[0]));
        }
        assert_int_equal(rc, VOX_OK);
        vox_volume_release(&out);
        assert_int_equal(vox_mem_blocks(), blocks);
    }
    unsetenv("VOX_CPU");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example),
        cmocka_unit_test(the_worked_example_unclipped),
        cmocka_unit_test(the_table_of_weights),
        cmocka_unit_test(thick_slices_by_the_table),
        cmocka_unit_test(shapes_round_half_to_even),
        cmocka_unit_test(paths_agree_on_random_shapes),
        cmocka_unit_test(the_same_shape_is_the_same_image),
        cmocka_unit_test(nearest_slices),
        cmocka_unit_test(channels_are_clipped_each_to_its_own_range),
        cmocka_unit_test(labels_vote),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
