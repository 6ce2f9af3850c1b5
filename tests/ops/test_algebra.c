/*
 * algebra: what must hold for linear ops whatever the numbers, on every path of this
 * machine.
 *
 *     adjoint     <A x, y> = <x, A' y>, and the same in the weights
 *     linearity   A (a x + b z) = a A x + b A z, without bias
 *     shift       a moved input moves the output, away from the borders
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "support/op_case.h"
#include "support/unit.h"

static const char *const linear[][2] = {
    {"conv3d",           "2x9x5x6x7 out=17"                       },
    {"conv3d",           "1x16x6x6x8 out=16"                      },
    {"conv3d",           "1x3x8x5x6 out=8 stride=2"               },
    {"conv3d",           "2x8x6x7x5 out=16 stride=2"              },
    {"conv3d",           "1x12x4x4x4 out=20 kernel=1 pad=0 in=0,1"},
    {"conv3d",           "1x1x9x8x7 out=3 kernel=5 pad=2"         },
    {"conv3d",           "1x8x4x6x4 out=8 in=0,1,4"               },
    {"conv_transpose3d", "2x16x3x4x2 out=8"                       },
    {"conv_transpose3d", "1x9x2x3x5 out=17"                       },
    {"avg_pool3d",       "2x9x5x6x7"                              },
    {"avg_pool3d",       "1x16x4x8x6"                             },
    {"mask_blocks",      "2x9x4x6x4"                              },
    {"gather",           "2x8x12"                                 },
    {"linear",           "2x7x24 out=33"                          },
    {"linear",           "1x40x9 out=5"                           },
};

static void for_all(void (*check)(op_case *c, const op_how *how))
{
    for (int k = 0; k < VOX_COUNT(linear); k++) {
        for (int i = 0; i < OP_WAYS; i++) {
            op_case c = op_case_new(vox_op_find(linear[k][0]), linear[k][1], 21, 0);
            vox_device *dev = op_way_open(&op_ways[i], 2);

            if (dev && op_way_is_for(&op_ways[i], &c.spec)) {
                const op_how how = op_how_write(dev, op_pick(dev, &c));

                check(&c, &how);
            }
            vox_device_close(dev);
            op_case_free(&c);
        }
    }
}

/* <a, b>; *scale: the sum of magnitudes. */
static double dot(const float *a, const float *b, int64_t n, double *scale)
{
    double sum = 0;

    *scale = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
        *scale += fabs((double)a[i] * (double)b[i]);
    }
    return sum;
}

/* Values are rounded to f32, and sums of up to 17 * 27 terms may be made in f32. */
static void check_adjoint(op_case *c, const op_how *how)
{
    op_result r = op_case_run(c, how);
    double scale[2];
    const double forward = dot(r.out[0], c->dout[0], op_case_count_out(c, 0), &scale[0]);

    for (int i = 0; i < c->spec.n_in; i++) {
        double back;

        if (!r.din[i])
            continue;
        back = dot(c->in[i], r.din[i], op_case_count_in(c, i), &scale[1]);
        if (!(fabs(forward - back) <= 1e-6 * (scale[0] + scale[1])))
            fail_msg("%s on %s: <Ax, y> = %.9g, <x, A'y> = %.9g (operand %d)", c->text,
                     how->dev->path, forward, back, i);
    }
    op_result_free(&r);
}

static void transposes_are_adjoint(void **state)
{
    (void)state;
    for_all(check_adjoint);
}

/* Operand 0 times a, plus b times z. */
static void mix(op_case *c, const float *x, const float *z, float a, float b)
{
    float *in = c->in[0];

    for (int64_t i = 0; i < op_case_count_in(c, 0); i++)
        in[i] = a * x[i] + b * z[i];
}

static float *copy_of(const float *v, int64_t n)
{
    float *copy = vox_alloc((size_t)n, sizeof *copy);

    assert_non_null(copy);
    memcpy(copy, v, (size_t)n * sizeof *copy);
    return copy;
}

static void check_linear(op_case *c, const op_how *how)
{
    const int64_t n = op_case_count_in(c, 0);
    float *x = copy_of(c->in[0], n), *z = copy_of(c->in[0], n);
    op_case other = op_case_new(c->spec.op, c->problem, 22, 0);
    op_result magnitude, ax, az, mixed;

    memcpy(z, other.in[0], (size_t)n * sizeof *z);
    ax = op_case_run(c, how);
    mix(c, x, z, 0, 1);
    az = op_case_run(c, how);
    mix(c, x, z, 2, -3);
    mixed = op_case_run(c, how);
    for (int64_t i = 0; i < n; i++)
        x[i] = 2 * fabsf(x[i]) + 3 * fabsf(z[i]);
    mix(c, x, z, 1, 0);
    magnitude = op_case_magnitude(c);
    op_result_mix(c, &magnitude);
    for (int64_t i = 0; i < op_case_count_out(c, 0); i++)
        ax.out[0][i] = 2 * ax.out[0][i] - 3 * az.out[0][i];
    for (int i = 0; i < c->spec.n_in; i++) { /* gradients are not compared here */
        vox_free(ax.din[i]);
        ax.din[i] = NULL;
    }
    op_result_compare(c, how->dev->path, &mixed, &ax, &magnitude);
    op_result_free(&ax);
    op_result_free(&az);
    op_result_free(&mixed);
    op_result_free(&magnitude);
    op_case_free(&other);
    vox_free(x);
    vox_free(z);
}

static void outputs_are_linear(void **state)
{
    (void)state;
    for_all(check_linear);
}

/* ---- shift ---- */

/* Map of an image [N, C, D, H, W] moved by `by` voxels per axis; what comes in is zero. */
static void move_image(float *dst, const float *src, vox_shape s, const int64_t by[3])
{
    for (int64_t i = 0; i < vox_shape_count(s); i++) {
        const int64_t x = i % s.n[4] - by[2], y = i / s.n[4] % s.n[3] - by[1];
        const int64_t z = i / s.n[4] / s.n[3] % s.n[2] - by[0];
        const int in = x >= 0 && y >= 0 && z >= 0 && x < s.n[4] && y < s.n[3] && z < s.n[2];

        dst[i] = in ? src[i - (by[0] * s.n[3] + by[1]) * s.n[4] - by[2]] : 0.0f;
    }
}

/* Zero a border `margin` wide, so that nothing is lost by a move. */
static void clear_border(float *v, vox_shape s, int64_t margin)
{
    for (int64_t i = 0; i < vox_shape_count(s); i++) {
        const int64_t at[3] = {i / s.n[4] / s.n[3] % s.n[2], i / s.n[4] % s.n[3],
                               i % s.n[4]};

        for (int a = 0; a < 3; a++) {
            if (at[a] < margin || at[a] >= s.n[2 + a] - margin)
                v[i] = 0.0f;
        }
    }
}

/* in: voxels the input moves, out: voxels the output then moves. */
static void check_shift(const char *op, const char *text, const int64_t in[3],
                        const int64_t out[3], const op_way *way)
{
    op_case c = op_case_new(vox_op_find(op), text, 23, 0);
    vox_device *dev = op_way_open(way, 2);
    op_how how;
    op_result plain, moved, magnitude;
    float *x;

    if (!dev || !op_way_is_for(way, &c.spec)) {
        vox_device_close(dev);
        op_case_free(&c);
        return;
    }
    how = op_how_write(dev, op_pick(dev, &c));
    how.forward_only = 1;
    clear_border(c.in[0], c.spec.in[0].shape, 4);
    plain = op_case_run(&c, &how);
    x = copy_of(c.in[0], op_case_count_in(&c, 0));
    move_image(c.in[0], x, c.spec.in[0].shape, in);
    moved = op_case_run(&c, &how);
    magnitude = op_case_magnitude(&c);
    op_result_mix(&c, &magnitude);
    memcpy(c.dout[0], plain.out[0], (size_t)op_case_count_out(&c, 0) * sizeof(float));
    move_image(plain.out[0], c.dout[0], c.spec.out[0].shape, out);
    op_result_compare(&c, way->name, &moved, &plain, &magnitude);
    op_result_free(&plain);
    op_result_free(&moved);
    op_result_free(&magnitude);
    vox_free(x);
    vox_device_close(dev);
    op_case_free(&c);
}

static void moved_inputs_move_outputs(void **state)
{
    (void)state;
    for (int i = 0; i < OP_WAYS; i++) {
        check_shift("conv3d", "1x9x12x11x13 out=10", (int64_t[]){1, -2, 3},
                    (int64_t[]){1, -2, 3}, &op_ways[i]);
        check_shift("conv3d", "1x8x12x12x12 out=8 stride=2", (int64_t[]){2, -2, 2},
                    (int64_t[]){1, -1, 1}, &op_ways[i]);
        check_shift("conv3d", "1x1x11x12x13 out=2 kernel=5 pad=2", (int64_t[]){-1, 1, -2},
                    (int64_t[]){-1, 1, -2}, &op_ways[i]);
        check_shift("conv_transpose3d", "1x8x10x9x11 out=9", (int64_t[]){1, -1, 2},
                    (int64_t[]){2, -2, 4}, &op_ways[i]);
        check_shift("avg_pool3d", "1x9x12x10x14", (int64_t[]){2, -2, 2},
                    (int64_t[]){1, -1, 1}, &op_ways[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transposes_are_adjoint),
        cmocka_unit_test(outputs_are_linear),
        cmocka_unit_test(moved_inputs_move_outputs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
