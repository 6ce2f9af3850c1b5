/* Every method of the table, on a small net of each kind it works on: its samples fill its
 * graph, ten steps on one batch lower the loss, and pieces give the whole batch's
 * gradient. */
#include "support/unit.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/engine.h"
#include "train/optim.h"

enum { BATCH = 3, EDGE = 16 };

/* A small net of each kind; NULL: there is none yet. */
static const char *const small_net[] = {
    [VOX_NET_CONV] = "resenc_xs",
    [VOX_NET_TOKENS] = NULL,
};

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

/* Something with structure: waves of another direction for each sample and case. */
static float *image(vox_shape shape, int64_t sample, int which)
{
    float *v = vox_alloc((size_t)vox_shape_count(shape), sizeof *v);
    const double a = 0.2 + 0.05 * (double)sample, b = 0.3 + 0.1 * which;
    int64_t i = 0;

    assert_non_null(v);
    for (int64_t c = 0; c < shape.n[0]; c++) {
        for (int64_t z = 0; z < shape.n[1]; z++) {
            for (int64_t y = 0; y < shape.n[2]; y++) {
                for (int64_t x = 0; x < shape.n[3]; x++)
                    v[i++] = (float)(sin(a * (double)z + b * (double)x) +
                                     cos(b * (double)y - a * (double)x));
            }
        }
    }
    return v;
}

static void prepare(fixture *f, const vox_pretext *p, int64_t slot)
{
    const vox_method *m = p->method;
    const vox_shape extent = m->extent ? m->extent(p) : p->patch;
    vox_cases cases = {.count = m->cases_per_sample};
    vox_sample s = VOX_SAMPLE_INIT;

    for (int i = 0; i < cases.count; i++)
        cases.item[i] = (vox_case){
            .id = "case",
            .image = image(extent, slot, i),
            .shape = extent,
            .spacing = {1, 1, 1}
        };
    ok(m->prepare(&s, &cases, p, vox_rng_at(1, VOX_STREAM("train"), (uint64_t)slot)));
    ok(vox_batch_put(&f->b, slot, &s, m->weight ? m->weight(&s, p) : 1.0));
    for (int i = 0; i < cases.count; i++)
        vox_free((void *)(uintptr_t)cases.item[i].image);
    vox_sample_release(&s);
}

static void open_fixture(fixture *f, const char *method, const char *net, int64_t micro)
{
    const int64_t patch[3] = {EDGE, EDGE, 2 * EDGE};
    vox_engine_cfg cfg = {.setup = &f->s, .batch = BATCH, .micro = micro};
    vox_pretext p;

    *f = (fixture){0};
    memcpy(cfg.patch, patch, sizeof cfg.patch);
    ok(vox_setup_init(&f->s, method, net, NULL));
    ok(vox_device_open(&f->dev, &(vox_device_cfg){.name = "cpu", .threads = 2}));
    ok(vox_engine_open(&f->e, &cfg, f->dev));
    ok(vox_engine_start(&f->e, 1));
    ok(vox_batch_init(&f->b, BATCH));
    p = vox_setup_pretext(&f->s, VOX_TRAINING, patch, BATCH);
    for (int64_t i = 0; i < BATCH; i++)
        prepare(f, &p, i);
}

static void close_fixture(fixture *f)
{
    vox_engine_close(&f->e);
    vox_batch_release(&f->b);
    vox_device_close(f->dev);
    vox_setup_release(&f->s);
}

static void loss_falls(const char *method, const char *net)
{
    const vox_optim_cfg cfg = {VOX_OPTIM_SGD, 0, 0.9, 1, {0}, 0, 12};
    double loss, first = 0;
    vox_optim *o;
    fixture f;

    open_fixture(&f, method, net, BATCH);
    ok(vox_optim_new(&o, f.e.params, &cfg));
    for (int i = 0; i < 10; i++) {
        ok(vox_engine_gradient(&f.e, &f.b, &loss));
        ok(vox_optim_step(o, 0.01, NULL));
        first = i == 0 ? loss : first;
    }
    print_message("%s on %s: loss %.4f, after 10 steps %.4f\n", method, net, first, loss);
    assert_true(loss < 0.9 * first);
    vox_optim_free(o);
    close_fixture(&f);
}

/* Pieces of 2 and 1 samples; 1e-5 is the order of f32 sums. */
static void pieces_agree(const char *method, const char *net)
{
    double loss[2], norm[2];

    if (vox_method_find(method)->couples)
        return;
    for (int i = 0; i < 2; i++) {
        fixture f;

        open_fixture(&f, method, net, i ? 2 : BATCH);
        ok(vox_engine_gradient(&f.e, &f.b, &loss[i]));
        ok(vox_params_grad_norm(f.e.params, &norm[i]));
        close_fixture(&f);
    }
    assert_true(fabs(loss[1] - loss[0]) <= 1e-5 * loss[0]);
    assert_true(fabs(norm[1] - norm[0]) <= 1e-4 * norm[0]);
}

static void methods_train(void **state)
{
    (void)state;
    for (int i = 0; vox_method_at(i); i++) {
        const vox_method *m = vox_method_at(i);

        for (int kind = 0; kind < VOX_COUNT(small_net); kind++) {
            if (!(m->nets & 1u << kind) || !small_net[kind])
                continue;
            loss_falls(m->name, small_net[kind]);
            pieces_agree(m->name, small_net[kind]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(methods_train)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
