/*
 * precision: training with activations stored as bf16: what it saves, how near it stays to
 * f32, and that neither threads, device nor recompute change a bit of it.
 */
#include "support/unit.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/engine.h"
#include "train/optim.h"

enum { BATCH = 2, EDGE = 16, STEPS = 100 };

typedef struct fixture {
    vox_device *dev;
    vox_setup s;
    vox_engine e;
    vox_batch b;
} fixture;

static void ok(int rc)
{
    if (rc != VOX_OK)
        fail_msg("%s", vox_error_text());
}

/* Waves of another direction for each sample. */
static void draw(float *v, vox_shape shape, int64_t sample)
{
    const double a = 0.2 + 0.05 * (double)(sample % 16), b = 0.3 + 0.02 * (double)sample;

    for (int64_t i = 0; i < vox_shape_count(shape); i++) {
        const double x = (double)(i % shape.n[3]),
                     y = (double)(i / shape.n[3] % shape.n[2]);
        const double z = (double)(i / shape.n[3] / shape.n[2] % shape.n[1]);

        v[i] = (float)(sin(a * z + b * x) + cos(b * y - a * x));
    }
}

/* Samples number `first` and following into the batch. */
static void fill(fixture *f, int64_t first)
{
    const vox_pretext p =
        vox_setup_pretext(&f->s, VOX_TRAINING, f->e.cfg.patch, f->e.cfg.batch);
    const vox_shape extent = p.method->extent ? p.method->extent(&p) : p.patch;
    float *v = vox_alloc((size_t)vox_shape_count(extent), sizeof *v);
    vox_cases cases = {.count = 1};
    vox_sample s = VOX_SAMPLE_INIT;

    assert_non_null(v);
    cases.item[0] = (vox_case){
        .id = "waves", .image = v, .shape = extent, .spacing = {1, 1, 1}
    };
    for (int64_t i = 0; i < BATCH; i++) {
        const uint64_t number = (uint64_t)(first + i);

        draw(v, extent, first + i);
        vox_sample_clear(&s);
        ok(p.method->prepare(&s, &cases, &p, vox_rng_at(1, VOX_STREAM("train"), number)));
        ok(vox_batch_put(&f->b, i, &s, p.method->weight ? p.method->weight(&s, &p) : 1));
    }
    vox_sample_release(&s);
    vox_free(v);
}

/* A net so small that a hundred steps are quick, wide enough to have blocks. */
static void open_net(fixture *f)
{
    json_object *options = json_tokener_parse("{\"resenc_unet.features\": [8, 16, 24],"
                                              " \"resenc_unet.blocks\": [1, 2, 1],"
                                              " \"mae.block\": 4}");

    ok(vox_setup_init(&f->s, "mae", "resenc_unet", options));
    json_object_put(options);
}

static void open_fixture(fixture *f, vox_device_cfg dev, vox_dtype store,
                         const char *recompute)
{
    const vox_engine_cfg cfg = {
        .setup = &f->s,
        .patch = {EDGE, EDGE, EDGE},
        .batch = BATCH,
        .micro = BATCH,
        .recompute = recompute,
        .store = store
    };

    *f = (fixture){0};
    open_net(f);
    ok(vox_device_open(&f->dev, &dev));
    ok(vox_engine_open(&f->e, &cfg, f->dev));
    ok(vox_engine_start(&f->e, 1));
    ok(vox_batch_init(&f->b, BATCH));
}

static void close_fixture(fixture *f)
{
    vox_engine_close(&f->e);
    vox_batch_release(&f->b);
    vox_device_close(f->dev);
    vox_setup_release(&f->s);
}

static const vox_device_cfg cpu = {.name = "cpu", .threads = 2};

/* The path may be one without kernels. */
static int has_kernels(void)
{
    vox_device *dev;
    int any;

    ok(vox_device_open(&dev, &cpu));
    any = dev->kernels[0] != NULL;
    vox_device_close(dev);
    return any;
}

/* Of a patch so large that the workspace does not count. */
static size_t bytes_of(vox_dtype store, const char *recompute)
{
    vox_engine_cfg cfg = {
        .patch = {8 * EDGE, 8 * EDGE, 8 * EDGE},
          .batch = 1, .micro = 1
    };
    size_t bytes;
    fixture f = {0};

    cfg.setup = &f.s;
    cfg.store = store;
    cfg.recompute = recompute;
    ok(vox_setup_init(&f.s, "mae", "resenc_xs", NULL));
    ok(vox_device_open(&f.dev, &cpu));
    ok(vox_engine_open(&f.e, &cfg, f.dev));
    bytes = vox_engine_bytes(&f.e);
    close_fixture(&f);
    return bytes;
}

/* Gradients stay f32. */
static void activations_take_half_the_memory(void **state)
{
    static const char *const recompute[] = {"none", "cheap"};

    (void)state;
    for (int i = 0; i < VOX_COUNT(recompute); i++) {
        const size_t f32 = bytes_of(VOX_F32, recompute[i]);
        const size_t bf16 = bytes_of(VOX_BF16, recompute[i]);

        print_message("recompute %s: %zu bytes, as bf16 %zu\n", recompute[i], f32, bf16);
        assert_true(bf16 < f32 * 2 / 3);
    }
}

/* Gradients of one step; caller frees. */
static float *gradients(vox_device_cfg dev, vox_dtype store, const char *recompute,
                        double *loss, int64_t *count)
{
    float *host;
    fixture f;

    open_fixture(&f, dev, store, recompute);
    fill(&f, 0);
    ok(vox_engine_gradient(&f.e, &f.b, loss));
    vox_device_sync(f.dev);
    *count = f.e.params->count;
    host = vox_alloc((size_t)*count, sizeof *host);
    assert_non_null(host);
    for (int i = 0; i < f.e.params->n_param; i++)
        ok(vox_params_get(f.e.params, f.e.params->grad, i,
                          host + f.e.params->param[i].offset));
    close_fixture(&f);
    return host;
}

/* bf16 holds 8 bits: each value is off by up to 2^-9 of it, and some ten layers follow
 * each other. */
static void gradients_are_near(void **state)
{
    double loss[2], d = 0, s = 0;
    int64_t n;
    float *a = gradients(cpu, VOX_F32, "none", &loss[0], &n);
    float *b = gradients(cpu, VOX_BF16, "none", &loss[1], &n);

    (void)state;
    for (int64_t i = 0; i < n; i++) {
        d += pow((double)a[i] - (double)b[i], 2);
        s += pow((double)a[i], 2);
    }
    print_message("loss off by %.2g, gradient by %.2g\n", fabs(loss[1] / loss[0] - 1),
                  sqrt(d / s));
    assert_true(fabs(loss[1] / loss[0] - 1) < 2e-2);
    assert_true(sqrt(d / s) < 5e-2);
    assert_true(d > 0);
    vox_free(a);
    vox_free(b);
}

static void nothing_else_changes_a_bit(void **state)
{
    static const struct {
        vox_device_cfg dev;
        const char *recompute;
    } others[] = {
        {{.name = "cpu", .threads = 1},  "none"},
        {{.name = "cpu", .threads = 3},  "none"},
        {{.name = "fake", .threads = 2}, "none"},
        {{.name = "cpu", .threads = 2},  "all" },
    };
    double loss, other;
    int64_t n;
    float *a = gradients(cpu, VOX_BF16, "none", &loss, &n);

    (void)state;
    for (int i = 0; i < VOX_COUNT(others); i++) {
        float *b = gradients(others[i].dev, VOX_BF16, others[i].recompute, &other, &n);

        assert_true(loss == other);
        assert_memory_equal(a, b, (size_t)n * sizeof *a);
        vox_free(b);
    }
    vox_free(a);
}

static void train(double loss[STEPS], vox_dtype store)
{
    const vox_optim_cfg cfg = {VOX_OPTIM_SGD, 3e-5, 0.9, 1, {0}, 0, 12};
    vox_optim *o;
    fixture f;

    open_fixture(&f, cpu, store, NULL);
    ok(vox_optim_new(&o, f.e.params, &cfg));
    for (int i = 0; i < STEPS; i++) {
        fill(&f, i % 8 * BATCH);
        ok(vox_engine_gradient(&f.e, &f.b, &loss[i]));
        ok(vox_optim_step(o, 0.01, NULL));
    }
    vox_optim_free(o);
    close_fixture(&f);
}

/* Mean relative distance of two curves' second halves, where rounding has had its time. */
static double apart(const double *a, const double *b)
{
    double sum = 0;

    for (int i = STEPS / 2; i < STEPS; i++)
        sum += fabs(a[i] - b[i]) / b[i];
    return sum / (STEPS - STEPS / 2);
}

static void a_hundred_steps_train_alike(void **state)
{
    double f32[STEPS], bf16[STEPS];

    (void)state;
    train(f32, VOX_F32);
    train(bf16, VOX_BF16);
    for (int i = 0; i < STEPS; i += 11)
        print_message("step %2d: %.5f, as bf16 %.5f\n", i, f32[i], bf16[i]);
    print_message("apart by %.2g\n", apart(bf16, f32));
    assert_true(f32[STEPS - 1] < 0.8 * f32[0]);
    assert_true(apart(bf16, f32) < 0.02);
}

static void the_reference_refuses(void **state)
{
    const vox_device_cfg reference = {.name = "cpu", .path = "reference", .threads = 1};
    vox_engine_cfg cfg = {
        .patch = {EDGE, EDGE, 2 * EDGE},
          .batch = 1, .micro = 1, .store = VOX_BF16
    };
    fixture f = {0};

    (void)state;
    ok(vox_setup_init(&f.s, "mae", "resenc_xs", NULL));
    ok(vox_device_open(&f.dev, &reference));
    cfg.setup = &f.s;
    assert_int_equal(vox_engine_open(&f.e, &cfg, f.dev), VOX_E_USAGE);
    assert_non_null(strstr(vox_error_text(), "bf16"));
    assert_non_null(strstr(vox_error_text(), "reference"));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_take_half_the_memory),
        cmocka_unit_test(gradients_are_near),
        cmocka_unit_test(nothing_else_changes_a_bit),
        cmocka_unit_test(a_hundred_steps_train_alike),
    };
    const struct CMUnitTest always[] = {cmocka_unit_test(the_reference_refuses)};
    const int failed = cmocka_run_group_tests(always, NULL, NULL);

    return failed || !has_kernels() ? failed : cmocka_run_group_tests(tests, NULL, NULL);
}
