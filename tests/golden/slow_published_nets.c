/*
 * ResEnc-L with and without skips against the published golden values (networks.md 19):
 * all named outputs and encoder stages, and gradients of mean(y^2), 64^3, computed by the
 * peer in float64. The gradients without skips are not published; those are from
 * tools/golden/net_values.py --published, which reproduces all that are.
 *
 * On every kernel path but the reference, which takes minutes, with Winograd's tiles and
 * without; VOX_CPU picks one path.
 * Weights are ordinary: rounding flips signs in front of leaky ReLUs, so the limits are
 * those two right f32 implementations meet (replay.md): outputs 1e-4, gradients 5e-2 at
 * worst.
 */
#include "support/unit.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "support/net_run.h"

enum { OUTPUTS = 11, GRADS = 8 };

typedef struct published {
    const char *net;
    const char *keep[OUTPUTS + 1];
    double outputs[OUTPUTS][6]; /* mean, root mean square, elements 0, n/3, 2n/3, n-1 */
    struct {
        const char *name;
        double norm, first;
    } grads[GRADS];
    double loss, grad_norm, grad_norm_x;
} published;

static const published resenc_l = {
    .net = "resenc_l",
    .keep = {"y",                                                                         "seg_1", "seg_2", "seg_3", "seg_4", "enc_0", "enc_1", "enc_2", "enc_3",
             "enc_4", "enc_5"},
    .outputs =
        {
             {-3.8227839e-01, 6.3176594e-01, -0.584190, -0.398321, -0.208128, -0.163055},
             {5.8709424e-01, 8.5644221e-01, -0.173324, 1.029754, -0.399620, -0.001769},
             {1.2294709e-01, 6.1351735e-01, 0.441897, 0.520406, 0.626674, 0.954464},
             {-1.0043547e-01, 5.9317621e-01, -0.811379, -0.336479, -0.321728, 0.047387},
             {-4.5548915e-01, 7.6652207e-01, -1.012354, -0.256753, -2.330912, -0.483386},
             {6.8976549e-01, 1.0888277e+00, 0.397902, -0.009095, -0.008556, 0.921499},
             {1.0486663e+00, 1.5739035e+00, 2.540269, 1.593855, -0.015247, 1.569004},
             {1.2335774e+00, 1.8093013e+00, 4.189772, -0.025027, 1.403864, 0.555525},
             {1.5572647e+00, 2.2294800e+00, 0.458509, 1.768423, 5.822616, 0.969116},
             {1.5810454e+00, 2.2733791e+00, 1.957147, 1.669000, 2.273693, -0.003977},
             {2.2109275e+00, 2.9465459e+00, 1.440688, 4.209086, -0.007583, -0.000954},
             },
    .grads =
        {
             {"encoder.stem.convs.0.conv.weight", 6.911888e-02, 1.116753e-03},
             {"encoder.stages.1.blocks.0.skip.1.conv.weight", 4.664787e-03, 1.037880e-04},
             {"encoder.stages.3.blocks.2.conv1.norm.weight", 3.041802e-05, -1.912498e-06},
             {"encoder.stages.5.blocks.5.conv2.conv.weight", 7.988500e-05, -7.074661e-10},
             {"decoder.transpconvs.0.weight", 1.280028e-04, 4.994783e-08},
             {"decoder.transpconvs.4.bias", 6.300264e-03, -7.358143e-04},
             {"decoder.stages.2.convs.0.norm.bias", 1.876233e-04, -2.914968e-06},
             {"decoder.seg_layers.4.weight", 1.953220, -5.505424e-01},
             },
    .loss = 3.99128208e-01,
    .grad_norm = 2.36681726,
    .grad_norm_x = 1.970468e-03,
};

static const published noskip = {
    .net = "resenc_l_noskip",
    .keep = {"y",                                                                    "dec_0", "dec_1", "dec_2", "dec_3", "enc_0", "enc_1", "enc_2", "enc_3",
             "enc_4", "enc_5"},
    .outputs =
        {
             {4.3180925e-01, 7.2458207e-01, 0.220935, 0.786576, 1.675317, 0.059783},
             {3.9134186e-01, 7.1425710e-01, 0.396570, -0.008619, 1.002674, 0.970813},
             {3.9263459e-01, 7.2077262e-01, 0.571133, 1.208912, 0.040484, -0.002323},
             {3.9346659e-01, 7.2280790e-01, 0.369216, 0.479383, -0.031188, 0.277025},
             {4.0890801e-01, 7.4812188e-01, 0.694105, 0.058147, 0.425084, 0.486204},
             {6.8976549e-01, 1.0888277e+00, 0.397902, -0.009095, -0.008556, 0.921499},
             {1.0486663e+00, 1.5739035e+00, 2.540269, 1.593855, -0.015247, 1.569004},
             {1.2335774e+00, 1.8093013e+00, 4.189772, -0.025027, 1.403864, 0.555525},
             {1.5572647e+00, 2.2294800e+00, 0.458509, 1.768423, 5.822616, 0.969116},
             {1.5810454e+00, 2.2733791e+00, 1.957147, 1.669000, 2.273693, -0.003977},
             {2.2109275e+00, 2.9465459e+00, 1.440688, 4.209086, -0.007583, -0.000954},
             },
    .grads =
        {
             {"encoder.stem.convs.0.conv.weight", 1.487179e-01, 7.378323e-04},
             {"encoder.stages.1.blocks.0.skip.1.conv.weight", 6.428686e-02, 1.296620e-03},
             {"encoder.stages.3.blocks.2.conv1.norm.weight", 1.873921e-03, 3.756751e-05},
             {"encoder.stages.5.blocks.5.conv2.conv.weight", 5.916051e-02, -2.091256e-07},
             {"decoder.transpconvs.0.weight", 9.596301e-02, 6.739058e-05},
             {"decoder.transpconvs.4.bias", 2.944974e-02, -6.654137e-03},
             {"decoder.stages.2.convs.0.norm.bias", 1.816884e-02, 4.199572e-04},
             {"decoder.seg_layer.weight", 2.401679, 2.044414e-01},
             },
    .loss = 5.25019177e-01,
    .grad_norm = 3.80028539,
    .grad_norm_x = 2.471492e-02,
};

/* Fails beyond the limit; the largest share of a limit is what gets printed. */
static void within(double *worst, double off, double limit, const char *name)
{
    *worst = fmax(*worst, off / limit);
    if (!(off <= limit))
        fail_msg("%s is off by %.2e, limit %.2e", name, off, limit);
}

static void compare_outputs(net_run *r, const published *want)
{
    double worst = 0;

    for (int i = 0; i < OUTPUTS; i++) {
        const double *w = want->outputs[i];
        double found[6];
        int64_t n;
        float *v = net_run_value(r, want->keep[i], &n);

        net_run_stats(found, v, n);
        vox_free(v);
        for (int k = 0; k < 6; k++)
            within(&worst, fabs(found[k] - w[k]), 1e-4 * w[1], want->keep[i]);
    }
    within(&worst, fabs(net_run_loss(r) - want->loss), 1e-4 * want->loss, "the loss");
    print_message("  outputs: %.1e of their root mean square at worst\n", 1e-4 * worst);
}

static double norm_of(const float *v, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (double)v[i] * (double)v[i];
    return sqrt(sum);
}

/* A single element may be off by more than its tensor, a tenth of the root mean square. */
static void compare_grads(net_run *r, const published *want)
{
    double norms = 0, elements = 0;

    for (int i = 0; i < GRADS; i++) {
        const char *name = want->grads[i].name;
        const double w_norm = want->grads[i].norm, w_first = want->grads[i].first;
        int64_t n;
        float *v = net_run_grad(r, vox_params_find(r->params, name), &n);
        const double norm = norm_of(v, n), first = (double)v[0];

        vox_free(v);
        within(&norms, fabs(norm - w_norm), 5e-2 * w_norm, name);
        within(&elements, fabs(first - w_first),
               1e-1 * (fabs(w_first) + w_norm / sqrt((double)n)), name);
    }
    print_message("  gradients: norms %.1e, elements %.1e at worst\n", 5e-2 * norms,
                  1e-1 * elements);
}

static void compare_whole_norms(net_run *r, const published *want)
{
    double norm, worst = 0;
    int64_t n;
    float *dx = net_run_grad(r, r->params->n_param, &n);
    const double norm_x = norm_of(dx, n);

    vox_free(dx);
    assert_int_equal(vox_params_grad_norm(r->params, &norm), 0);
    print_message("  whole gradient %.8f, wanted %.8f; of the input %.6e, wanted %.6e\n",
                  norm, want->grad_norm, norm_x, want->grad_norm_x);
    within(&worst, fabs(norm - want->grad_norm), 5e-3 * want->grad_norm, "the gradient");
    within(&worst, fabs(norm_x - want->grad_norm_x), 5e-2 * want->grad_norm_x,
           "the input's gradient");
}

static void compare(const published *want, const char *path, vox_winograd_use winograd)
{
    const net_case c = {
        .device = {.name = "cpu", .path = path, .winograd = winograd},
        .net = want->net,
        .batch = 1,
        .patch = {64,            64,           64                  },
        .keep = want->keep,
        .zero_target = 1
    };
    net_run r;

    net_run_open(&r, &c);
    print_message("%s, %s, %s:\n", want->net, r.dev->path,
                  winograd == VOX_WINOGRAD_NEVER ? "direct" : "Winograd where it pays");
    compare_outputs(&r, want);
    compare_grads(&r, want);
    compare_whole_norms(&r, want);
    net_run_close(&r);
}

/* path NULL: VOX_CPU's. */
static void compare_on(const published *want, const char *path)
{
    compare(want, path, VOX_WINOGRAD_AUTO);
    compare(want, path, VOX_WINOGRAD_NEVER);
}

static void compare_on_all_paths(const published *want)
{
    static const char *const paths[] = {"plain", "avx2", "avx512"};
    const vox_cpu_path *path;

    if (getenv("VOX_CPU")) {
        compare_on(want, NULL);
        return;
    }
    for (int i = 0; i < VOX_COUNT(paths); i++) {
        if (vox_cpu_path_find(&path, paths[i]) == VOX_OK)
            compare_on(want, paths[i]);
    }
}

static void resenc_l_is_the_published_one(void **state)
{
    (void)state;
    compare_on_all_paths(&resenc_l);
}

static void the_net_without_skips_is_the_published_one(void **state)
{
    (void)state;
    compare_on_all_paths(&noskip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resenc_l_is_the_published_one),
        cmocka_unit_test(the_net_without_skips_is_the_published_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
