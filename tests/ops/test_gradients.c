/*
 * gradients: backward of every op, for every operand that has a gradient, against finite
 * differences of its own forward along random directions; the reference and the kernel that
 * each path of this machine picks.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "support/op_case.h"
#include "support/unit.h"

enum { POINTS = 4, DIRECTIONS = 2 };
static const double offset[POINTS] = {-2, -1, 1, 2}; /* in steps */
static const double weight[POINTS] = {1, -8, 8, -1}; /* / 12 steps: 4th order */
static const double step = 0x1p-5;
static const int64_t small = 3000; /* elements of random problems */

/* The slope along a direction, and what rounding does to it: single outputs and gradients
 * are off independently of each other, so it is their root mean square. */
typedef struct slope {
    double value, noise;
} slope;

/* Rounding of one value: the reference sums in f64 and rounds once, taken 8-fold; a kernel
 * may be off by what test_kernels.c allows. `i` is a gradient or OP_OUT. */
static double rounding(const op_case *c, const op_how *how, int i, float value,
                       float magnitude)
{
    return 0x1p-24 * (how->kernel ? op_case_units(c, i) * (double)magnitude
                                  : 8 * fabs((double)value));
}

/* Move operand i along v by t, keep the values really reached in `at`. */
static void move(const op_case *c, int i, const float *from, const double *v, double t,
                 double *at)
{
    float *x = c->in[i];

    for (int64_t k = 0; k < op_case_count_in(c, i); k++) {
        x[k] = (float)((double)from[k] + t * v[k]);
        at[k] = (double)x[k];
    }
}

/* Outputs whose sign differs between points stand at a kink: no gradient from them. */
static void mute_kinks(op_case *c, op_result point[POINTS])
{
    for (int64_t k = 0; k < op_case_count_out(c, 0); k++) {
        int positive = 0;

        for (int p = 0; p < POINTS; p++)
            positive += point[p].out[0][k] > 0.0f;
        if (positive != 0 && positive != POINTS)
            c->dout[0][k] = 0.0f;
    }
}

/* Slope of <out, dout> from the points. */
static slope measure(const op_case *c, const op_how *how, const op_result point[POINTS],
                     const op_result *magnitude)
{
    slope s = {0, 0};
    double square = 0;

    for (int p = 0; p < POINTS; p++) {
        for (int64_t k = 0; k < op_case_count_out(c, 0); k++) {
            const double factor = weight[p] * (double)c->dout[0][k] / (12 * step);
            const float out = point[p].out[0][k];

            s.value += factor * (double)out;
            square += pow(factor * rounding(c, how, OP_OUT, out, magnitude->out[0][k]), 2);
        }
    }
    s.noise = sqrt(square);
    return s;
}

/* <din, direction>, the direction being the one really taken. 1e-5 of the terms is for the
 * order 5 of curved ops. */
static slope predict(const op_case *c, const op_how *how, const float *din,
                     double *const at[POINTS], int i, const op_result *magnitude)
{
    slope s = {0, 0};
    double square = 0;

    for (int64_t k = 0; k < op_case_count_in(c, i); k++) {
        double direction = 0, off;

        for (int p = 0; p < POINTS; p++)
            direction += weight[p] * at[p][k] / (12 * step);
        s.value += direction * (double)din[k];
        off =
            rounding(c, how, i, din[k], magnitude->din[i][k]) + 1e-5 * fabs((double)din[k]);
        square += pow(direction * off, 2);
    }
    s.noise = sqrt(square);
    return s;
}

static void *room(int64_t n, size_t size)
{
    void *p = vox_alloc((size_t)n, size);

    assert_non_null(p);
    return p;
}

static void check_direction(op_case *c, const op_how *full, int i, vox_rng *rng,
                            const op_result *magnitude)
{
    const int64_t n = op_case_count_in(c, i);
    op_how forward = *full;
    float *from = room(n, sizeof *from);
    double *v = room(n, sizeof *v), *at[POINTS];
    op_result point[POINTS], r;
    slope wanted, found;

    memcpy(from, c->in[i], (size_t)n * sizeof *from);
    for (int64_t k = 0; k < n; k++)
        v[k] = vox_rng_normal(rng);
    forward.forward_only = 1;
    for (int p = 0; p < POINTS; p++) {
        at[p] = room(n, sizeof **at);
        move(c, i, from, v, offset[p] * step, at[p]);
        point[p] = op_case_run(c, &forward);
    }
    memcpy(c->in[i], from, (size_t)n * sizeof *from);
    mute_kinks(c, point);
    r = op_case_run(c, full);
    wanted = measure(c, full, point, magnitude);
    found = predict(c, full, r.din[i], at, i, magnitude);
    if (!(fabs(found.value - wanted.value) <= wanted.noise + found.noise + 1e-30))
        fail_msg("%s on %s: gradient %d along a direction is %.9g, by differences %.9g "
                 "(noise %.3g, %.3g)",
                 c->text, full->dev->path, i, found.value, wanted.value, found.noise,
                 wanted.noise);
    op_result_free(&r);
    for (int p = 0; p < POINTS; p++) {
        op_result_free(&point[p]);
        vox_free(at[p]);
    }
    vox_free(from);
    vox_free(v);
}

static void check_way(op_case *c, const op_way *way, const op_result *magnitude)
{
    vox_device *dev = op_way_open(way, 2);
    vox_rng rng = vox_rng_at(3, VOX_STREAM(c->text), 0);
    const vox_kernel *kernel = dev ? op_pick(dev, c) : NULL;

    if (dev && (kernel || way == op_ways)) {
        const op_how how = op_how_write(dev, kernel);

        for (int i = 0; i < c->spec.n_in; i++) {
            for (int k = 0; op_case_has_grad(c, i) && k < DIRECTIONS; k++)
                check_direction(c, &how, i, &rng, magnitude);
        }
    }
    vox_device_close(dev);
}

/* Near zero only: far from it the f32 mean of norm_act moves all outputs together. */
static void check_problem(const vox_op *op, const char *text)
{
    op_case c = op_case_new(op, text, 2, 0);
    op_result magnitude;

    if (op->opts && vox_opts_find(op->opts, "eps")) /* two voxels: no bends */
        assert_int_equal(vox_opts_set(op->opts, c.spec.attr, "eps", "1"), VOX_OK);
    magnitude = op_case_magnitude(&c);
    op_result_mix(&c, &magnitude);
    for (int i = 0; i < OP_WAYS; i++) {
        if (op_way_is_for(&op_ways[i], &c.spec))
            check_way(&c, &op_ways[i], &magnitude);
    }
    op_result_free(&magnitude);
    op_case_free(&c);
}

static void gradients_agree_with_differences(void **state)
{
    (void)state;
    for (int k = 0; vox_op_at(k); k++) {
        const vox_op *op = vox_op_at(k);
        vox_rng rng = vox_rng_at((uint64_t)op_random_seed(7), VOX_STREAM(op->name), 1);

        for (int i = 0; op->backward && op->problems[i]; i++)
            check_problem(op, op->problems[i]);
        for (int i = 0; op->backward && i < op_random_count(20); i++) {
            char text[256];

            op_random_text(text, op, &rng, small);
            check_problem(op, text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_differences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
