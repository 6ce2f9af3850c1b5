/* The convolution kernels of every path against the definition of a convolution: odd
 * extents, odd channel counts, strides, two sources, plain first and last layers, added
 * gradients; directly and by Winograd's tiles wherever those can do it. */
#include "support/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ops/conv3d.h"
#include "support/kernel_case.h"

typedef struct shape {
    int images, in, in2, out;
    int extent[3], kernel[3], stride[3];
    int bias;
    vox_put put;
} shape;

static const shape shapes[] = {
    {1, 32, 0,  32, {5, 6, 8},    {3, 3, 3}, {1, 1, 1}, 1, VOX_WRITE},
    {2, 16, 16, 48, {4, 4, 4},    {3, 3, 3}, {1, 1, 1}, 1, VOX_ADD  },
    {1, 20, 0,  12, {3, 7, 5},    {3, 3, 3}, {1, 1, 1}, 0, VOX_WRITE},
    {1, 32, 0,  64, {6, 8, 8},    {3, 3, 3}, {2, 2, 2}, 1, VOX_WRITE},
    {2, 24, 0,  33, {7, 5, 9},    {3, 3, 3}, {2, 2, 2}, 1, VOX_ADD  },
    {1, 16, 0,  16, {1, 1, 1},    {3, 3, 3}, {1, 1, 1}, 1, VOX_WRITE},
    {1, 16, 0,  16, {2, 1, 3},    {3, 3, 3}, {2, 2, 2}, 1, VOX_WRITE},
    {1, 64, 0,  32, {4, 5, 6},    {1, 1, 1}, {1, 1, 1}, 1, VOX_WRITE},
    {1, 32, 32, 40, {4, 5, 6},    {1, 1, 1}, {1, 1, 1}, 0, VOX_ADD  },
    {1, 8,  0,  8,  {6, 6, 6},    {1, 1, 1}, {2, 2, 2}, 1, VOX_WRITE},
    {1, 16, 0,  16, {4, 9, 7},    {1, 3, 3}, {1, 2, 2}, 1, VOX_WRITE},
    {1, 16, 0,  24, {9, 6, 5},    {3, 5, 7}, {3, 1, 2}, 1, VOX_WRITE},
    {1, 1,  0,  32, {9, 10, 12},  {3, 3, 3}, {1, 1, 1}, 1, VOX_ADD  },
    {2, 3,  0,  20, {5, 6, 7},    {3, 3, 3}, {2, 2, 2}, 1, VOX_WRITE},
    {1, 32, 0,  1,  {6, 7, 8},    {1, 1, 1}, {1, 1, 1}, 1, VOX_ADD  },
    {2, 40, 0,  5,  {4, 6, 7},    {3, 3, 3}, {1, 1, 1}, 1, VOX_WRITE},
    {1, 2,  0,  3,  {5, 5, 5},    {3, 3, 3}, {1, 1, 1}, 1, VOX_WRITE},
    {1, 16, 0,  16, {18, 20, 40}, {3, 3, 3}, {1, 1, 1}, 1, VOX_WRITE},
    {2, 24, 40, 56, {9, 10, 11},  {3, 3, 3}, {1, 1, 1}, 1, VOX_ADD  },
    {1, 48, 0,  16, {1, 17, 30},  {3, 3, 3}, {1, 1, 1}, 0, VOX_WRITE},
    {2, 64, 0,  96, {7, 8, 2},    {3, 3, 3}, {1, 1, 1}, 1, VOX_ADD  },
};

/* Everything about one shape, plain. */
typedef struct setup {
    const shape *s;
    vox_winograd_use winograd;
    vox_conv3d_attr attr;
    int64_t in, out, taps, x_count, x2_count, y_count, w_count; /* in: channels of both */
    int64_t coarse[3];
    float *x, *x2, *w, *b, *dy;
    float *y, *dx, *dx2, *dw, *db; /* wanted */
    float *got, *dx_before, *dx2_before, *dw_before, *db_before;
} setup;

static float *values(int64_t count, uint32_t seed)
{
    float *v = vox_alloc((size_t)count + 1, sizeof *v);

    assert_non_null(v);
    kernel_case_fill(v, count, seed);
    return v;
}

static void setup_init(setup *u, const shape *s)
{
    int64_t fine = 1, coarse = 1;

    *u = (setup){.s = s, .in = s->in + s->in2, .out = s->out, .taps = 1};
    u->attr.out = s->out;
    u->attr.kernel.count = u->attr.stride.count = u->attr.pad.count = 3;
    for (int i = 0; i < 3; i++) {
        u->attr.kernel.v[i] = s->kernel[i];
        u->attr.stride.v[i] = s->stride[i];
        u->attr.pad.v[i] = (s->kernel[i] - 1) / 2;
        u->taps *= s->kernel[i];
        u->coarse[i] =
            (s->extent[i] + 2 * u->attr.pad.v[i] - s->kernel[i]) / s->stride[i] + 1;
        fine *= s->extent[i];
        coarse *= u->coarse[i];
    }
    u->x_count = s->images * s->in * fine;
    u->x2_count = s->images * s->in2 * fine;
    u->y_count = s->images * u->out * coarse;
    u->w_count = u->out * u->in * u->taps;
    u->x = values(u->x_count, 1), u->x2 = values(u->x2_count, 2);
    u->w = values(u->w_count, 3), u->b = values(u->out, 4), u->dy = values(u->y_count, 5);
    u->dx_before = values(u->x_count, 6), u->dx2_before = values(u->x2_count, 7);
    u->dw_before = values(u->w_count, 8), u->db_before = values(u->out, 9);
    u->y = values(u->y_count, 0), u->dx = values(u->x_count, 0),
    u->dx2 = values(u->x2_count, 0);
    u->dw = values(u->w_count, 0), u->db = values(u->out, 0);
    u->got = values(u->x_count + u->x2_count + u->y_count + u->w_count, 0);
}

static void setup_release(setup *u)
{
    float *all[] = {u->x,         u->x2,         u->w,         u->b,         u->dy,
                    u->dx_before, u->dx2_before, u->dw_before, u->db_before, u->y,
                    u->dx,        u->dx2,        u->dw,        u->db,        u->got};

    for (int i = 0; i < VOX_COUNT(all); i++)
        vox_free(all[i]);
}

/* Index in x or x2 of voxel `at` of channel c, -1 outside; *second says which. */
static int64_t fine_index(const setup *u, int64_t n, int64_t c, const int64_t at[3],
                          int *second)
{
    const int *e = u->s->extent;
    const int64_t channels = c >= u->s->in ? u->s->in2 : u->s->in;

    *second = c >= u->s->in;
    for (int i = 0; i < 3; i++) {
        if (at[i] < 0 || at[i] >= e[i])
            return -1;
    }
    c -= *second ? u->s->in : 0;
    return (((n * channels + c) * e[0] + at[0]) * e[1] + at[1]) * e[2] + at[2];
}

/* Call fn for every product of the convolution: y index, x index, w index. */
typedef void product_fn(setup *u, int64_t y, int64_t x, int second, int64_t w, void *arg);
static void products(setup *u, product_fn *fn, void *arg)
{
    const int *k = u->s->kernel, *s = u->s->stride;
    const int64_t voxels = u->coarse[0] * u->coarse[1] * u->coarse[2];

    for (int64_t y = 0; y < u->y_count; y++) {
        const int64_t v = y % voxels, o = y / voxels % u->out, n = y / voxels / u->out;
        const int64_t at[3] = {v / u->coarse[2] / u->coarse[1],
                               v / u->coarse[2] % u->coarse[1], v % u->coarse[2]};

        for (int64_t c = 0; c < u->in; c++) {
            for (int64_t t = 0; t < u->taps; t++) {
                const int64_t tap[3] = {t / k[2] / k[1], t / k[2] % k[1], t % k[2]};
                int64_t from[3];
                int second;
                int64_t x;

                for (int i = 0; i < 3; i++)
                    from[i] = at[i] * s[i] + tap[i] - u->attr.pad.v[i];
                x = fine_index(u, n, c, from, &second);
                if (x >= 0)
                    fn(u, y, x, second, (o * u->in + c) * u->taps + t, arg);
            }
        }
    }
}

typedef struct sums {
    double *y, *dx, *dx2, *dw;
} sums;

static void add_product(setup *u, int64_t y, int64_t x, int second, int64_t w, void *arg)
{
    sums *s = arg;
    const double xv = (double)(second ? u->x2[x] : u->x[x]);

    s->y[y] += xv * (double)u->w[w];
    (second ? s->dx2 : s->dx)[x] += (double)u->dy[y] * (double)u->w[w];
    s->dw[w] += xv * (double)u->dy[y];
}

static void finish(float *out, double *sum, int64_t count, const float *before)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)(sum[i] + (before ? (double)before[i] : 0.0));
    vox_free(sum);
}

/* What the definition says. */
static void compute_wanted(setup *u)
{
    const int add = u->s->put == VOX_ADD;
    sums s = {vox_zalloc((size_t)u->y_count, 8), vox_zalloc((size_t)u->x_count, 8),
              vox_zalloc((size_t)u->x2_count + 1, 8), vox_zalloc((size_t)u->w_count, 8)};
    double *db = vox_zalloc((size_t)u->out, 8);
    const int64_t voxels = u->y_count / u->s->images / u->out;

    for (int64_t i = 0; i < u->y_count; i++) {
        const int64_t o = i / voxels % u->out;

        s.y[i] = u->s->bias ? (double)u->b[o] : 0.0;
        db[o] += (double)u->dy[i];
    }
    products(u, add_product, &s);
    finish(u->y, s.y, u->y_count, NULL);
    finish(u->dx, s.dx, u->x_count, add ? u->dx_before : NULL);
    finish(u->dx2, s.dx2, u->x2_count, add ? u->dx2_before : NULL);
    finish(u->dw, s.dw, u->w_count, add ? u->dw_before : NULL);
    finish(u->db, db, u->out, add ? u->db_before : NULL);
}

/* f32 sums of n values near 1 are off by about sqrt(n) * 6e-8 * their size. */
static void compare(const setup *u, const char *path, const char *what, const float *want,
                    int64_t count)
{
    double worst = 0.0, scale = 0.0;
    int64_t at = 0;

    for (int64_t i = 0; i < count; i++) {
        const double off = fabs((double)u->got[i] - (double)want[i]);

        if (!(off <= worst)) { /* NaN too */
            worst = off;
            at = i;
        }
        scale += (double)want[i] * (double)want[i];
    }
    scale = sqrt(scale / (double)count) + 1e-3;
    if (!(worst <= 2e-5 * scale))
        fail_msg("%s%s %s of %d+%d->%d %dx%dx%d kernel %d stride %d: off by %g of %g at "
                 "%lld",
                 path, u->winograd == VOX_WINOGRAD_ALWAYS ? ", winograd," : "", what,
                 u->s->in, u->s->in2, u->s->out, u->s->extent[0], u->s->extent[1],
                 u->s->extent[2], u->s->kernel[0], u->s->stride[0], worst, scale,
                 (long long)at);
}

static void make_case(kernel_case *k, const setup *u, const char *path, int threads)
{
    const shape *s = u->s;
    const vox_shape x =
        VOX_SHAPE(s->images, s->in, s->extent[0], s->extent[1], s->extent[2]);
    const vox_role role = s->in < 8 ? VOX_ROLE_INPUT : VOX_ROLE_ACTIVATION;
    vox_shape x2 = x;

    x2.n[1] = s->in2;
    kernel_case_init(k, path, "conv3d", &u->attr, threads);
    k->problem.winograd = u->winograd;
    kernel_case_in(k, VOX_CONV3D_X, role, x, u->x, s->put, u->dx_before);
    kernel_case_in(k, VOX_CONV3D_W, VOX_ROLE_PARAM,
                   VOX_SHAPE(s->out, u->in, s->kernel[0], s->kernel[1], s->kernel[2]), u->w,
                   s->put, u->dw_before);
    if (s->bias)
        kernel_case_in(k, VOX_CONV3D_B, VOX_ROLE_PARAM, VOX_SHAPE(s->out), u->b, s->put,
                       u->db_before);
    if (s->in2)
        kernel_case_in(k, VOX_CONV3D_X2, role, x2, u->x2, s->put, u->dx2_before);
    kernel_case_out(k,
                    VOX_SHAPE(s->images, s->out, u->coarse[0], u->coarse[1], u->coarse[2]),
                    u->dy, 0);
}

static void check(setup *u, const char *path, int threads)
{
    kernel_case k;

    make_case(&k, u, path, threads);
    assert_true(kernel_case_prepare(&k));
    kernel_case_run(&k, k.kernel->forward);
    kernel_case_get_out(&k, u->got);
    compare(u, path, "y", u->y, u->y_count);
    kernel_case_run(&k, k.kernel->backward);
    kernel_case_get_din(&k, VOX_CONV3D_X, u->got);
    compare(u, path, "dx", u->dx, u->x_count);
    if (u->s->in2) {
        kernel_case_get_din(&k, VOX_CONV3D_X2, u->got);
        compare(u, path, "dx2", u->dx2, u->x2_count);
    }
    kernel_case_get_din(&k, VOX_CONV3D_W, u->got);
    compare(u, path, "dw", u->dw, u->w_count);
    if (u->s->bias) {
        kernel_case_get_din(&k, VOX_CONV3D_B, u->got);
        compare(u, path, "db", u->db, u->out);
    }
    kernel_case_release(&k);
}

/* Both ways of computing the same. */
static const vox_winograd_use ways[] = {VOX_WINOGRAD_NEVER, VOX_WINOGRAD_ALWAYS};

static void agrees_with_the_definition(void **state)
{
    (void)state;
    for (int i = 0; i < VOX_COUNT(shapes); i++) {
        setup u;

        setup_init(&u, &shapes[i]);
        compute_wanted(&u);
        for (const char *const *path = kernel_case_paths(); *path; path++) {
            for (int k = 0; k < VOX_COUNT(ways); k++) {
                u.winograd = ways[k];
                check(&u, *path, 1 + i % 3);
            }
        }
        setup_release(&u);
    }
}

/* All results of a case as one run of bits. */
static void results(const setup *u, const char *path, int threads, float *out)
{
    kernel_case k;

    make_case(&k, u, path, threads);
    assert_true(kernel_case_prepare(&k));
    kernel_case_run(&k, k.kernel->forward);
    kernel_case_run(&k, k.kernel->backward);
    kernel_case_get_out(&k, out);
    kernel_case_get_din(&k, VOX_CONV3D_X, out + u->y_count);
    kernel_case_get_din(&k, VOX_CONV3D_W, out + u->y_count + u->x_count);
    kernel_case_release(&k);
}

static void threads_do_not_change_bits(void **state)
{
    static const int counts[] = {2, 5, 64};

    (void)state;
    for (const char *const *path = kernel_case_paths(); *path; path++) {
        for (int i = 0; i < 2 * VOX_COUNT(shapes); i++) {
            setup u;
            float *one, *many;
            int64_t count;

            setup_init(&u, &shapes[i / 2]);
            u.winograd = ways[i % 2];
            count = u.y_count + u.x_count + u.w_count;
            one = values(count, 0), many = values(count, 0);
            results(&u, *path, 1, one);
            for (int k = 0; k < VOX_COUNT(counts); k++) {
                results(&u, *path, counts[k], many);
                assert_memory_equal(one, many, (size_t)count * sizeof *one);
            }
            vox_free(one), vox_free(many);
            setup_release(&u);
        }
    }
}

/* One of x and x2 may need no gradient. */
static void skips_what_nobody_needs(void **state)
{
    static const shape s = {
        1, 32, 32, 32, {4, 4, 4},
            {3, 3, 3},
            {1, 1, 1},
            1, VOX_WRITE
    };
    setup u;

    (void)state;
    setup_init(&u, &s);
    compute_wanted(&u);
    for (const char *const *path = kernel_case_paths(); *path; path++) {
        for (int i = 0; i < 4; i++) {
            const int skip = i % 2;
            kernel_case k;

            u.winograd = ways[i / 2];
            make_case(&k, &u, *path, 2);
            k.call.din[skip ? VOX_CONV3D_X : VOX_CONV3D_X2] = (vox_grad){.put = VOX_SKIP};
            assert_true(kernel_case_prepare(&k));
            kernel_case_run(&k, k.kernel->backward);
            kernel_case_get_din(&k, skip ? VOX_CONV3D_X2 : VOX_CONV3D_X, u.got);
            compare(&u, *path, "dx", skip ? u.dx2 : u.dx, u.x_count);
            kernel_case_release(&k);
        }
    }
    setup_release(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_definition),
        cmocka_unit_test(threads_do_not_change_bits),
        cmocka_unit_test(skips_what_nobody_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
