/* Outputs and gradients of small residual U-Nets against PyTorch in float64, on every
 * kernel path of this machine and on the fake device. Values and limits:
 * tools/golden/net_values.py. */
#include "support/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/npy.h"
#include "support/fill.h"
#include "support/net_run.h"

static const char *const xs_outputs[] = {"enc_0", "enc_1", "enc_2", "enc_3",
                                         "y",     "seg_1", "seg_2", NULL};

static const net_case xs = {
    .net = "resenc_xs", .batch = 2, .patch = {8, 16, 24},
            .keep = xs_outputs
};
static const net_case odd = {
    .net = "resenc_unet",
    .options = {{"features", "[4,6,6,10]"},
                {"blocks", "[2,1,2,1]"},
                {"strides", "[1,2,1,2]"},
                {"decoder_blocks", "[1,2,3]"}},
    .in_channels = 2,
    .out_channels = 3,
    .batch = 1,
    .patch = {8,                          12,                     4},
    .keep = xs_outputs
};

static const char *const noskip_outputs[] = {"enc_0", "enc_1", "enc_2", "enc_3",
                                             "y",     "dec_0", "dec_1", NULL};

/* Its coarsest map is 2x1x3. */
static const net_case noskip = {
    .net = "resenc_unet",
    .options = {{"features", "[4,6,6,10]"},
                {"blocks", "[2,1,2,1]"},
                {"strides", "[1,2,1,2]"},
                {"decoder_blocks", "[1,2,1]"},
                {"skips", "false"}},
    .in_channels = 2,
    .out_channels = 3,
    .batch = 2,
    .patch = {8,         4,    12  },
    .keep = noskip_outputs
};

/* An array of f64 rows; `rows` are wanted. */
static double *load(const char *name, const char *file, int64_t rows, int64_t columns)
{
    vox_npy npy = VOX_NPY_INIT;
    char path[512];
    double *v = vox_alloc((size_t)(rows * columns), sizeof *v);

    snprintf(path, sizeof path, VOX_SOURCE_DIR "/tests/golden/nets/%s/%s", name, file);
    assert_int_equal(vox_npy_open(&npy, path), VOX_OK);
    assert_int_equal(npy.tensor.dtype, VOX_F64);
    assert_int_equal(vox_shape_count(npy.tensor.shape), rows * columns);
    vox_view_pack(v, &npy.tensor);
    vox_npy_close(&npy);
    return v;
}

static void compare_outputs(net_run *r, const char *name, const char *const *outputs)
{
    double *want = load(name, "outs.npy", 7, 6);
    double *loss = load(name, "loss.npy", 1, 1);

    assert_true(fabs(net_run_loss(r) - loss[0]) <= 1e-4 * loss[0]);
    for (int i = 0; outputs[i]; i++) {
        const double *w = want + 6 * i, limit = 1e-4 * w[1];
        double found[6];
        int64_t n;
        float *v = net_run_value(r, outputs[i], &n);

        net_run_stats(found, v, n);
        for (int k = 0; k < 6; k++) {
            if (!(fabs(found[k] - w[k]) <= limit))
                fail_msg("%s: %s statistic %d is %.9g, wanted %.9g", name, outputs[i], k,
                         found[k], w[k]);
        }
        vox_free(v);
    }
    vox_free(loss);
    vox_free(want);
}

/* Norm, first element and product with a fixed vector: one number per direction that
 * matters. */
static void grad_row(double out[3], const float *g, int64_t n, int t)
{
    double squares = 0;

    out[2] = 0;
    for (int64_t i = 0; i < n; i++) {
        squares += (double)g[i] * (double)g[i];
        out[2] += (double)g[i] * fill_signed(2000000u + (uint32_t)t, (uint32_t)i);
    }
    out[0] = sqrt(squares);
    out[1] = (double)g[0];
}

static void compare_grads(net_run *r, const char *name, double rtol)
{
    const int n = r->params->n_param + 1;
    double *want = load(name, "grads.npy", n, 3), total = 0;

    for (int i = 0; i < n; i++)
        total += want[3 * i] > 0 ? want[3 * i] * want[3 * i] : 0;
    for (int i = 0; i < n; i++) {
        const char *param = i < n - 1 ? r->params->param[i].name : "x";
        const double *w = want + 3 * i, limit = rtol * w[0] + 1e-6 * sqrt(total);
        double found[3];
        int64_t count;
        float *g;

        if (w[0] < 0) { /* no gradient reaches it */
            assert_int_equal(r->params->param[i].touched, 0);
            continue;
        }
        g = net_run_grad(r, i, &count);
        grad_row(found, g, count, i);
        for (int k = 0; k < 3; k++) {
            if (!(fabs(found[k] - w[k]) <= limit))
                fail_msg("%s: gradient of %s, column %d is %.9g, wanted %.9g +- %.2g", name,
                         param, k, found[k], w[k], limit);
        }
        vox_free(g);
    }
    vox_free(want);
}

/* One net on every device and path there is. */
static void run_all(const net_case *base, const char *name, int smooth)
{
    static const vox_device_cfg devices[] = {
        {.name = "cpu",                    .path = "reference", .threads = 1},
        {.name = "cpu",                    .path = "plain",     .threads = 2},
        {.name = "cpu",                    .path = "avx2",      .threads = 2},
        {.name = "cpu",                    .path = "avx512",    .threads = 2},
        {.name = "cpu",                    .path = "plain",     .threads = 2, .winograd = VOX_WINOGRAD_ALWAYS},
        {.name = "cpu",                                .path = "avx2",                                       .threads = 2,      .winograd = VOX_WINOGRAD_ALWAYS},
        {.name = "cpu", .path = "avx512",                    .threads = 2,               .winograd = VOX_WINOGRAD_ALWAYS},
        {.name = "fake",                    .path = "plain",.threads = 2},
    };

    for (int d = 0; d < VOX_COUNT(devices); d++) {
        const vox_cpu_path *path;
        net_case c = *base;
        net_run r;

        if (vox_cpu_path_find(&path, devices[d].path) != VOX_OK)
            continue; /* not on this CPU */
        c.device = devices[d];
        c.smooth = smooth;
        net_run_open(&r, &c);
        compare_outputs(&r, name, c.keep);
        compare_grads(&r, name, smooth ? 1e-3 : 1e-2);
        net_run_close(&r);
    }
}

static void resenc_xs_with_smooth_weights(void **state)
{
    (void)state;
    run_all(&xs, "resenc_xs_smooth", 1);
}

static void resenc_xs_with_ordinary_weights(void **state)
{
    (void)state;
    run_all(&xs, "resenc_xs_ordinary", 0);
}

static void an_odd_net(void **state)
{
    (void)state;
    run_all(&odd, "odd_smooth", 1);
    run_all(&odd, "odd_ordinary", 0);
}

static void a_net_without_skips(void **state)
{
    (void)state;
    run_all(&noskip, "noskip_smooth", 1);
    run_all(&noskip, "noskip_ordinary", 0);
}

/* networks.md 19. */
static void the_fill_is_the_published_one(void **state)
{
    static const double want[] = {0.80317107, 0.99439870, 0.84446097, 0.70216357};

    (void)state;
    for (uint32_t i = 0; i < 4; i++)
        assert_true(fabs((fill_signed(0, i) + 1) / 2 - want[i]) < 1e-8);
    assert_true(fabs((fill_signed(7, 2) + 1) / 2 - 0.27708795) < 1e-8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fill_is_the_published_one),
        cmocka_unit_test(resenc_xs_with_smooth_weights),
        cmocka_unit_test(resenc_xs_with_ordinary_weights),
        cmocka_unit_test(an_odd_net),
        cmocka_unit_test(a_net_without_skips),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
