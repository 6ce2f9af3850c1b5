/*
 * reference: the ops' own functions, for every op of the table and every problem of it.
 *
 * They are the truth for all kernels, so what they are compared with is not code of ours
 * but what must hold: finite differences, the same bits for any number of threads,
 * gradients left out, written and added as told.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "support/op_case.h"
#include "support/unit.h"

static const int64_t small = 3000; /* elements of random problems */

/* Run `check` on every op's problems and some random ones, near zero and far from it. */
static void for_all(void (*check)(op_case *c), int n_random)
{
    for (int k = 0; vox_op_at(k); k++) {
        const vox_op *op = vox_op_at(k);
        vox_rng rng = vox_rng_at(7, VOX_STREAM(op->name), 0);
        char text[256];

        assert_non_null(op->problems[0]);
        for (int i = 0; op->problems[i]; i++) {
            for (int far = 0; far < 2; far++) {
                op_case c = op_case_new(op, op->problems[i], 1, far);

                check(&c);
                op_case_free(&c);
            }
        }
        for (int i = 0; i < op_random_count(n_random); i++) {
            op_case c;

            op_random_text(text, op, &rng, small);
            c = op_case_new(op, text, 2, i % 4 == 3);
            check(&c);
            op_case_free(&c);
        }
    }
}

/* ---- threads ---- */

static void check_threads(op_case *c)
{
    static const int counts[] = {2, 3, 8};
    vox_device *one = op_device("reference", 1);
    const op_how how = op_how_write(one, NULL);
    op_result wanted = op_case_run(c, &how);

    for (int i = 0; i < VOX_COUNT(counts); i++) {
        vox_device *many = op_device("reference", counts[i]);
        const op_how other = op_how_write(many, NULL);
        op_result found = op_case_run(c, &other);

        op_result_same(c, "other threads", &wanted, &found);
        op_result_free(&found);
        vox_device_close(many);
    }
    op_result_free(&wanted);
    vox_device_close(one);
}

static void threads_do_not_change_bits(void **state)
{
    (void)state;
    for_all(check_threads, 5);
}

/* ---- leave out, write, add; overwriting an operand ---- */

static void check_put(op_case *c)
{
    vox_device *dev = op_device("reference", 2);
    op_how how = op_how_write(dev, NULL);
    op_result written = op_case_run(c, &how), found;

    for (int i = 0; i < c->spec.n_in;
         i++) { /* without gradient i the others are the same */
        how = op_how_write(dev, NULL);
        how.put[i] = VOX_SKIP;
        found = op_case_run(c, &how);
        assert_null(found.din[i]);
        op_result_same(c, "one gradient left out", &written, &found);
        op_result_free(&found);
    }
    how.base = 0.625f;
    for (int i = 0; i < VOX_MAX_IN; i++)
        how.put[i] = VOX_ADD;
    found = op_case_run(c, &how);
    op_result_add_base(c, &written, how.base);
    op_result_same(c, "gradients added", &written, &found);
    op_result_free(&found);
    op_result_free(&written);
    vox_device_close(dev);
}

static void gradients_are_put_as_told(void **state)
{
    (void)state;
    for_all(check_put, 5);
}

static void check_alias(op_case *c)
{
    vox_device *dev = op_device("reference", 2);
    op_how how = op_how_write(dev, NULL);
    op_result wanted = op_case_run(c, &how);

    for (int i = 0; i < c->spec.n_in; i++) {
        op_result found;

        if (!c->in[i] || !(c->spec.op->may_alias & VOX_ALIAS(0, i)))
            continue;
        how.alias = i;
        found = op_case_run(c, &how);
        op_result_same(c, "output over an operand", &wanted, &found);
        op_result_free(&found);
    }
    op_result_free(&wanted);
    vox_device_close(dev);
}

static void outputs_may_overwrite_as_declared(void **state)
{
    (void)state;
    for_all(check_alias, 5);
}

/* ---- finite differences ---- */

enum { POINTS = 4 };
static const double offset[POINTS] = {-2, -1, 1, 2}; /* in steps */
static const double weight[POINTS] = {1, -8, 8, -1}; /* / 12 steps: 4th order */
static const double step = 0x1p-5;

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

/* Slope of <out, dout> along the direction; *noise: what rounding the outputs does to it.
 */
static double measure_slope(const op_case *c, const op_result point[POINTS], double *noise)
{
    double slope = 0, square = 0;

    for (int p = 0; p < POINTS; p++) {
        for (int64_t k = 0; k < op_case_count_out(c, 0); k++) {
            const double term = weight[p] * (double)point[p].out[0][k] *
                                (double)c->dout[0][k] / (12 * step);

            slope += term;
            square += term * term;
        }
    }
    *noise = 0x1p-24 * sqrt(square);
    return slope;
}

/* <din, direction>, the direction being the one really taken; *noise as above. */
static double predict_slope(const op_case *c, const float *din, double *const at[POINTS],
                            int i, double *noise)
{
    double slope = 0, square = 0;

    for (int64_t k = 0; k < op_case_count_in(c, i); k++) {
        double direction = 0, term;

        for (int p = 0; p < POINTS; p++)
            direction += weight[p] * at[p][k] / (12 * step);
        term = direction * (double)din[k];
        slope += term;
        square += term * term;
    }
    *noise = 0x1p-24 * sqrt(square);
    return slope;
}

/*
 * Rounding of single outputs and gradients is independent: the noise is their root mean
 * square, taken 8-fold. 1e-5 of the terms is for the order 5 of curved ops.
 */
static void check_direction(op_case *c, vox_device *dev, int i, vox_rng *rng)
{
    const int64_t n = op_case_count_in(c, i);
    op_how how = op_how_write(dev, NULL);
    float *from = vox_alloc((size_t)n, sizeof *from);
    double *v = vox_alloc((size_t)n, sizeof *v), *at[POINTS], noise[2], found, wanted;
    op_result point[POINTS], r;

    memcpy(from, c->in[i], (size_t)n * sizeof *from);
    for (int64_t k = 0; k < n; k++)
        v[k] = vox_rng_normal(rng);
    how.forward_only = 1;
    for (int p = 0; p < POINTS; p++) {
        at[p] = vox_alloc((size_t)n, sizeof **at);
        move(c, i, from, v, offset[p] * step, at[p]);
        point[p] = op_case_run(c, &how);
    }
    memcpy(c->in[i], from, (size_t)n * sizeof *from);
    mute_kinks(c, point);
    how.forward_only = 0;
    r = op_case_run(c, &how);
    wanted = measure_slope(c, point, &noise[0]);
    found = predict_slope(c, r.din[i], at, i, &noise[1]);
    if (!(fabs(found - wanted) <= 8 * noise[0] + (8 + 1e-5 * 0x1p24) * noise[1] + 1e-30))
        fail_msg("%s: gradient %d along a direction is %.9g, by differences %.9g (noise "
                 "%.3g, %.3g)",
                 c->text, i, found, wanted, noise[0], noise[1]);
    op_result_free(&r);
    for (int p = 0; p < POINTS; p++) {
        op_result_free(&point[p]);
        vox_free(at[p]);
    }
    vox_free(from);
    vox_free(v);
}

static void check_differences(op_case *c)
{
    vox_device *dev;
    vox_rng rng = vox_rng_at(3, VOX_STREAM(c->text), 0);

    if (c->far) /* the f32 mean of norm_act moves all outputs together */
        return;
    if (c->spec.op->opts &&
        vox_opts_find(c->spec.op->opts, "eps")) /* two voxels: no bends */
        assert_int_equal(vox_opts_set(c->spec.op->opts, c->spec.attr, "eps", "1"), VOX_OK);
    dev = op_device("reference", 2);
    for (int i = 0; i < c->spec.n_in; i++) {
        for (int k = 0; op_case_has_grad(c, i) && k < 2; k++)
            check_direction(c, dev, i, &rng);
    }
    vox_device_close(dev);
}

static void gradients_agree_with_differences(void **state)
{
    (void)state;
    for_all(check_differences, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_change_bits),
        cmocka_unit_test(gradients_are_put_as_told),
        cmocka_unit_test(outputs_may_overwrite_as_declared),
        cmocka_unit_test(gradients_agree_with_differences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
