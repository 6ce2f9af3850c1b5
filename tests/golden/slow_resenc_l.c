/*
 * ResEnc-L against the published golden values (networks.md 19): all named outputs and
 * encoder stages, and gradients of mean(y^2), 64^3, computed by the peer in float64.
 *
 * The path is VOX_CPU's or the best. Weights are ordinary: rounding flips signs in front of
 * leaky ReLUs, so the limits are those two right f32 implementations meet (replay.md):
 * outputs 1e-4, gradients 5e-2 at worst.
 */
#include "support/unit.h"

#include <math.h>

#include "base/mem.h"
#include "support/net_run.h"

static const char *const keep[] = {"y",     "seg_1", "seg_2", "seg_3", "seg_4", "enc_0",
                                   "enc_1", "enc_2", "enc_3", "enc_4", "enc_5", NULL};

static const net_case resenc_l = {
    .device = {"cpu", NULL, 0 },
    .net = "resenc_l",
    .batch = 1,
    .patch = {64,    64,   64},
    .keep = keep,
    .zero_target = 1,
};

/* Mean, root mean square, elements 0, n/3, 2n/3, n-1. */
static const double outputs[][6] = {
    {-3.8227839e-01, 6.3176594e-01, -0.584190, -0.398321, -0.208128, -0.163055},
    {5.8709424e-01,  8.5644221e-01, -0.173324, 1.029754,  -0.399620, -0.001769},
    {1.2294709e-01,  6.1351735e-01, 0.441897,  0.520406,  0.626674,  0.954464 },
    {-1.0043547e-01, 5.9317621e-01, -0.811379, -0.336479, -0.321728, 0.047387 },
    {-4.5548915e-01, 7.6652207e-01, -1.012354, -0.256753, -2.330912, -0.483386},
    {6.8976549e-01,  1.0888277e+00, 0.397902,  -0.009095, -0.008556, 0.921499 },
    {1.0486663e+00,  1.5739035e+00, 2.540269,  1.593855,  -0.015247, 1.569004 },
    {1.2335774e+00,  1.8093013e+00, 4.189772,  -0.025027, 1.403864,  0.555525 },
    {1.5572647e+00,  2.2294800e+00, 0.458509,  1.768423,  5.822616,  0.969116 },
    {1.5810454e+00,  2.2733791e+00, 1.957147,  1.669000,  2.273693,  -0.003977},
    {2.2109275e+00,  2.9465459e+00, 1.440688,  4.209086,  -0.007583, -0.000954},
};

static const struct {
    const char *name;
    double norm, first;
} grads[] = {
    {"encoder.stem.convs.0.conv.weight",             6.911888e-02, 1.116753e-03 },
    {"encoder.stages.1.blocks.0.skip.1.conv.weight", 4.664787e-03, 1.037880e-04 },
    {"encoder.stages.3.blocks.2.conv1.norm.weight",  3.041802e-05, -1.912498e-06},
    {"encoder.stages.5.blocks.5.conv2.conv.weight",  7.988500e-05, -7.074661e-10},
    {"decoder.transpconvs.0.weight",                 1.280028e-04, 4.994783e-08 },
    {"decoder.transpconvs.4.bias",                   6.300264e-03, -7.358143e-04},
    {"decoder.stages.2.convs.0.norm.bias",           1.876233e-04, -2.914968e-06},
    {"decoder.seg_layers.4.weight",                  1.953220,     -5.505424e-01},
};

static net_run run;

static int open_run(void **state)
{
    (void)state;
    net_run_open(&run, &resenc_l);
    return 0;
}

static int close_run(void **state)
{
    (void)state;
    net_run_close(&run);
    return 0;
}

static void outputs_are_the_published_ones(void **state)
{
    (void)state;
    for (int i = 0; keep[i]; i++) {
        const double limit = 1e-4 * outputs[i][1];
        double found[6];
        int64_t n;
        float *v = net_run_value(&run, keep[i], &n);

        net_run_stats(found, v, n);
        vox_free(v);
        for (int k = 0; k < 6; k++) {
            const double d = fabs(found[k] - outputs[i][k]);

            print_message("%s statistic %d: off by %.1e of the root mean square\n", keep[i],
                          k, d / outputs[i][1]);
            assert_true(d <= limit);
        }
    }
    assert_true(fabs(net_run_loss(&run) - 3.99128208e-01) <= 1e-4 * 3.99128208e-01);
}

static double norm_of(const float *v, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (double)v[i] * (double)v[i];
    return sqrt(sum);
}

/* A single element may be off by more than its tensor's share: 5e-2 of the root mean
 * square. */
static void gradients_are_the_published_ones(void **state)
{
    (void)state;
    for (int i = 0; i < VOX_COUNT(grads); i++) {
        int64_t n;
        float *v = net_run_grad(&run, vox_params_find(run.params, grads[i].name), &n);
        const double norm = norm_of(v, n), first = (double)v[0];

        vox_free(v);
        print_message("%s: norm off by %.1e, first element by %.1e\n", grads[i].name,
                      fabs(norm / grads[i].norm - 1), fabs(first / grads[i].first - 1));
        assert_true(fabs(norm - grads[i].norm) <= 5e-2 * grads[i].norm);
        assert_true(fabs(first - grads[i].first) <=
                    5e-2 * (fabs(grads[i].first) + grads[i].norm / sqrt((double)n)));
    }
}

static void whole_norms_are_the_published_ones(void **state)
{
    double norm;
    int64_t n;
    float *dx = net_run_grad(&run, run.params->n_param, &n);

    (void)state;
    assert_int_equal(vox_params_grad_norm(run.params, &norm), 0);
    print_message(
        "gradient %.8f, wanted 2.36681726; of the input %.6e, wanted 1.970468e-03\n", norm,
        norm_of(dx, n));
    assert_true(fabs(norm - 2.36681726) <= 5e-3 * 2.36681726);
    assert_true(fabs(norm_of(dx, n) - 1.970468e-03) <= 5e-2 * 1.970468e-03);
    vox_free(dx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_the_published_ones),
        cmocka_unit_test(gradients_are_the_published_ones),
        cmocka_unit_test(whole_norms_are_the_published_ones),
    };

    return cmocka_run_group_tests(tests, open_run, close_run);
}
