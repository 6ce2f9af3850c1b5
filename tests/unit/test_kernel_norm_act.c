/* norm_act on volumes of many tiles and far from zero, which the problems of tests/ops are
 * too small for: statistics against f64, same bits on any number of threads. */
#include "support/unit.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "ops/norm_act.h"
#include "support/kernel_case.h"

enum { CHANNELS = 19 };

static const vox_norm_act_attr attr = {1e-5f, 0.01f};

/* A volume whose channels have means from -3 * far to 3 * far and deviations near 0.6. */
typedef struct setup {
    vox_shape shape;
    int64_t voxels, count;
    float *x, *dy, *y, *dx, gamma[CHANNELS], beta[CHANNELS];
    float dgamma[CHANNELS], dbeta[CHANNELS];
} setup;

static float *values(int64_t count, uint32_t seed)
{
    float *v = vox_alloc((size_t)count, sizeof *v);

    assert_non_null(v);
    kernel_case_fill(v, count, seed);
    return v;
}

static setup setup_of(int64_t d, int64_t h, int64_t w, float far)
{
    setup s = {.shape = VOX_SHAPE(2, CHANNELS, d, h, w), .voxels = d * h * w};

    s.count = 2 * CHANNELS * s.voxels;
    s.x = values(s.count, 1), s.dy = values(s.count, 2);
    s.y = values(s.count, 0), s.dx = values(s.count, 0);
    kernel_case_fill(s.gamma, CHANNELS, 3);
    kernel_case_fill(s.beta, CHANNELS, 4);
    for (int64_t i = 0; i < s.count; i++)
        s.x[i] += far * (float)(i / s.voxels % 7 - 3);
    return s;
}

static void release(setup *s)
{
    vox_free(s->x), vox_free(s->dy), vox_free(s->y), vox_free(s->dx);
}

static void run(setup *s, const char *path, int threads)
{
    kernel_case k;

    kernel_case_init(&k, path, "norm_act", &attr, threads);
    kernel_case_in(&k, VOX_NORM_ACT_X, VOX_ROLE_ACTIVATION, s->shape, s->x, VOX_WRITE,
                   NULL);
    kernel_case_in(&k, VOX_NORM_ACT_GAMMA, VOX_ROLE_PARAM, VOX_SHAPE(CHANNELS), s->gamma,
                   VOX_WRITE, NULL);
    kernel_case_in(&k, VOX_NORM_ACT_BETA, VOX_ROLE_PARAM, VOX_SHAPE(CHANNELS), s->beta,
                   VOX_WRITE, NULL);
    kernel_case_out(&k, s->shape, s->dy, 2 * CHANNELS * 2 * sizeof(float));
    assert_true(kernel_case_prepare(&k));
    kernel_case_run(&k, k.kernel->forward);
    kernel_case_run(&k, k.kernel->backward);
    kernel_case_get_out(&k, s->y);
    kernel_case_get_din(&k, VOX_NORM_ACT_X, s->dx);
    kernel_case_get_din(&k, VOX_NORM_ACT_GAMMA, s->dgamma);
    kernel_case_get_din(&k, VOX_NORM_ACT_BETA, s->dbeta);
    kernel_case_release(&k);
}

static void moments(const float *x, int64_t n, double *mean, double *rstd)
{
    double sum = 0.0, square = 0.0;

    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i];
    *mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        square += ((double)x[i] - *mean) * ((double)x[i] - *mean);
    *rstd = 1.0 / sqrt(square / (double)n + (double)attr.eps);
}

/* f32 holds x - mean to about 6e-8 * (|x| + |mean|); deviations are near 0.6. */
static double tolerance(double mean)
{
    return 1e-5 + 4e-7 * fabs(mean);
}

static void check_map(const setup *s, int64_t map)
{
    const int64_t c = map % CHANNELS, at = map * s->voxels;
    const double gamma = (double)s->gamma[c], beta = (double)s->beta[c];
    double mean, rstd, sum[2] = {0.0, 0.0};

    moments(s->x + at, s->voxels, &mean, &rstd);
    for (int64_t i = at; i < at + s->voxels; i++) {
        const double v = ((double)s->x[i] - mean) * rstd * gamma + beta;
        const double d = (double)s->dy[i] * (s->y[i] > 0.0f ? 1.0 : (double)attr.slope);

        assert_true(fabs((double)s->y[i] - (v > 0.0 ? v : (double)attr.slope * v)) <=
                    tolerance(mean));
        sum[0] += d;
        sum[1] += d * ((double)s->x[i] - mean) * rstd;
    }
    for (int64_t i = at; i < at + s->voxels; i++) {
        const double d = (double)s->dy[i] * (s->y[i] > 0.0f ? 1.0 : (double)attr.slope);
        const double xhat = ((double)s->x[i] - mean) * rstd, n = (double)s->voxels;

        assert_true(
            fabs((double)s->dx[i] - gamma * rstd * (d - sum[0] / n - xhat * sum[1] / n)) <=
            2.0 * tolerance(mean));
    }
}

static void agrees_far_from_zero(void **state)
{
    static const float fars[] = {0.0f, 100.0f, 3000.0f};

    (void)state;
    for (int i = 0; i < VOX_COUNT(fars); i++) {
        setup s = setup_of(17, 16, 21, fars[i]);

        for (const char *const *path = kernel_case_paths(); *path; path++) {
            run(&s, *path, 1 + i);
            for (int64_t map = 0; map < 2 * CHANNELS; map++)
                check_map(&s, map);
        }
        release(&s);
    }
}

/* One voxel that dwarfs the others must not cost their digits. */
static void survives_an_outlier(void **state)
{
    setup s = setup_of(8, 8, 8, 0.0f);

    (void)state;
    for (int64_t map = 0; map < 2 * CHANNELS; map++)
        s.x[map * s.voxels] = 1e4f;
    for (const char *const *path = kernel_case_paths(); *path; path++) {
        run(&s, *path, 2);
        for (int64_t map = 0; map < 2 * CHANNELS; map++)
            check_map(&s, map);
    }
    release(&s);
}

static void threads_do_not_change_bits(void **state)
{
    setup one = setup_of(9, 31, 33, 2.0f), many = setup_of(9, 31, 33, 2.0f);
    const size_t bytes = (size_t)one.count * sizeof(float);

    (void)state;
    for (const char *const *path = kernel_case_paths(); *path; path++) {
        run(&one, *path, 1);
        run(&many, *path, 5);
        assert_memory_equal(one.y, many.y, bytes);
        assert_memory_equal(one.dx, many.dx, bytes);
        assert_memory_equal(one.dgamma, many.dgamma, sizeof one.dgamma);
        assert_memory_equal(one.dbeta, many.dbeta, sizeof one.dbeta);
    }
    release(&one);
    release(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_far_from_zero),
        cmocka_unit_test(survives_an_outlier),
        cmocka_unit_test(threads_do_not_change_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
