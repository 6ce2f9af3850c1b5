/* optim: the worked values of methods.md 10.5, clipping, parameters without gradient; on
 * both devices. */
#include "support/unit.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/optim.h"

/* The same thing with the kernels' best path and on the device whose memory faults. */
static const vox_device_cfg devices[] = {
    {.name = "cpu",  .path = NULL,        .threads = 2},
    {.name = "cpu",  .path = "reference", .threads = 1},
    {.name = "fake", .path = NULL,        .threads = 2}
};

/* g(n, a): sin(a i), i = 1..n, in f32. */
static void wave(float *out, int n, double a, double scale)
{
    for (int i = 0; i < n; i++)
        out[i] = (float)(scale * sin(a * (i + 1)));
}

typedef struct fixture {
    vox_device *dev;
    vox_params *p;
    vox_optim *o;
} fixture;

/* Three parameters of n, n2 and 3 values: "a", "b", "idle". */
static void open_fixture(fixture *f, const vox_device_cfg *dev, const vox_optim_cfg *cfg,
                         int n, int n2)
{
    const vox_init zero = {VOX_INIT_CONST, 0.5, 0};

    assert_int_equal(vox_device_open(&f->dev, dev), VOX_OK);
    assert_int_equal(vox_params_new(&f->p, f->dev), VOX_OK);
    assert_int_equal(vox_params_add(f->p, "a", VOX_SHAPE(n), zero), VOX_OK);
    assert_int_equal(vox_params_add(f->p, "idle", VOX_SHAPE(3), zero), VOX_OK);
    assert_int_equal(vox_params_add(f->p, "b", VOX_SHAPE(n2), zero), VOX_OK);
    assert_int_equal(vox_params_seal(f->p), VOX_OK);
    assert_int_equal(vox_params_init(f->p, 1), VOX_OK);
    assert_int_equal(vox_optim_new(&f->o, f->p, cfg), VOX_OK);
}

static void close_fixture(fixture *f)
{
    vox_optim_free(f->o);
    vox_params_free(f->p);
    vox_device_close(f->dev);
}

static void set_grad(fixture *f, int param, const float *host)
{
    assert_int_equal(vox_params_set(f->p, f->p->grad, param, host), VOX_OK);
    f->p->param[param].touched = 1;
}

static void assert_near(const float *found, const double *want, int n, double rtol)
{
    for (int i = 0; i < n; i++) {
        if (fabs((double)found[i] - want[i]) > rtol * fabs(want[i]))
            fail_msg("value %d is %.9g, wanted %.9g", i, (double)found[i], want[i]);
    }
}

/* Three steps; "b" takes the same, "idle" none. rtol: one rounding of f32 per step and
 * operand. */
static void three_steps(const vox_device_cfg *dev, const vox_optim_cfg *cfg, double lr,
                        const double want[3][2])
{
    fixture f;
    float v[3];

    open_fixture(&f, dev, cfg, 2, 2);
    wave(v, 2, 0.37, 1);
    for (int i = 0; i < 3; i += 2)
        assert_int_equal(vox_params_set(f.p, f.p->value, i, v), VOX_OK);
    for (int s = 0; s < 3; s++) {
        wave(v, 2, 0.91 + 0.1 * s, 1);
        vox_params_begin_step(f.p);
        set_grad(&f, 0, v);
        set_grad(&f, 2, v);
        assert_int_equal(vox_optim_step(f.o, lr, NULL), VOX_OK);
        for (int i = 0; i < 3; i += 2) {
            assert_int_equal(vox_params_get(f.p, f.p->value, i, v), VOX_OK);
            assert_near(v, want[s], 2, 3e-7);
        }
    }
    assert_int_equal(vox_params_get(f.p, f.p->value, 1, v), VOX_OK);
    for (int i = 0; i < 3; i++)
        assert_true(v[i] == 0.5f);
    assert_int_equal(f.o->age[0], 3);
    assert_int_equal(f.o->age[1], 0);
    close_fixture(&f);
}

static void sgd_has_its_values(void **state)
{
    static const double want[3][2] = {
        {0.3459040916607191,  0.6550022374135407},
        {0.3213138989695912,  0.6275776250328726},
        {0.28752875053117755, 0.5934932783464095}
    };
    vox_optim_cfg cfg = VOX_OPTIM_SGD_INIT;

    (void)state;
    cfg.clip = 0;
    for (int d = 0; d < VOX_COUNT(devices); d++)
        three_steps(&devices[d], &cfg, 1e-2, want);
}

static void adamw_has_its_values(void **state)
{
    static const double want[3][2] = {
        {0.3613100077372824,  0.6739777973125664},
        {0.36100432530607246, 0.6736683538020027},
        {0.3606982399509889,  0.6733608583263724}
    };
    vox_optim_cfg cfg = VOX_OPTIM_ADAMW_INIT;

    (void)state;
    cfg.clip = 0;
    for (int d = 0; d < VOX_COUNT(devices); d++)
        three_steps(&devices[d], &cfg, 3e-4, want);
}

/* A plain step of rate 1 from zero shows the clipped gradient. */
static void clipping_uses_the_global_norm(void **state)
{
    static const double want_a[] = {2.5264042876865296, 4.710871606932972,
                                    6.257744553878775};
    static const double want_b[] = {5.515820003197496, 6.770622163815652};
    const vox_optim_cfg cfg = {.kind = VOX_OPTIM_SGD, .clip = 12};
    float a[3] = {0}, b[2] = {0};
    double norm;

    (void)state;
    for (int d = 0; d < VOX_COUNT(devices); d++) {
        fixture f;

        open_fixture(&f, &devices[d], &cfg, 3, 2);
        for (int i = 0; i < 3; i++)
            a[i] = 0;
        b[0] = b[1] = 0;
        assert_int_equal(vox_params_set(f.p, f.p->value, 0, a), VOX_OK);
        assert_int_equal(vox_params_set(f.p, f.p->value, 2, b), VOX_OK);
        wave(a, 3, 0.37, -20);
        wave(b, 2, 0.91, -20);
        set_grad(&f, 0, a);
        set_grad(&f, 2, b);
        assert_int_equal(vox_optim_step(f.o, 1.0, &norm), VOX_OK);
        assert_float_equal(norm, 34.352261658271466, 1e-5);
        assert_int_equal(vox_params_get(f.p, f.p->value, 0, a), VOX_OK);
        assert_int_equal(vox_params_get(f.p, f.p->value, 2, b), VOX_OK);
        assert_near(a, want_a, 3, 3e-7);
        assert_near(b, want_b, 2, 3e-7);
        close_fixture(&f);
    }
}

static void a_bad_norm_changes_nothing(void **state)
{
    const vox_optim_cfg cfg = VOX_OPTIM_SGD_INIT;
    float v[2] = {1.0f, NAN};
    double norm;
    fixture f;

    (void)state;
    open_fixture(&f, &devices[0], &cfg, 2, 1);
    set_grad(&f, 0, v);
    assert_int_equal(vox_optim_step(f.o, 1.0, &norm), VOX_E_NUMERIC);
    assert_true(isnan(norm));
    assert_int_equal(vox_params_get(f.p, f.p->value, 0, v), VOX_OK);
    assert_true(v[0] == 0.5f && v[1] == 0.5f);
    assert_int_equal(f.o->age[0], 0);
    close_fixture(&f);
}

/* A parameter that starts late has a young state beside old neighbours. */
static void ages_may_differ(void **state)
{
    const vox_optim_cfg cfg = {
        VOX_OPTIM_ADAMW, 0, 0, 0, {0.9, 0.999},
            1e-8, 0
    };
    float one[3] = {1, 1, 1}, v[3];
    fixture f;

    (void)state;
    open_fixture(&f, &devices[0], &cfg, 2, 2);
    for (int s = 0; s < 3; s++) {
        vox_params_begin_step(f.p);
        set_grad(&f, 0, one);
        if (s == 2)
            set_grad(&f, 1, one);
        set_grad(&f, 2, one);
        assert_int_equal(vox_optim_step(f.o, 0.1, NULL), VOX_OK);
    }
    assert_int_equal(vox_params_get(f.p, f.p->value, 0, v), VOX_OK);
    assert_float_equal(v[0], 0.2, 1e-6); /* a constant gradient moves by the rate */
    assert_int_equal(vox_params_get(f.p, f.p->value, 1, v), VOX_OK);
    assert_float_equal(v[0], 0.4, 1e-6);
    assert_int_equal(f.o->age[1], 1);
    assert_int_equal(f.o->age[2], 3);
    close_fixture(&f);
}

static void kinds_have_names(void **state)
{
    vox_optim_kind k;

    (void)state;
    assert_int_equal(vox_optim_kind_find(&k, "adamw"), VOX_OK);
    assert_int_equal(k, VOX_OPTIM_ADAMW);
    assert_int_equal(vox_optim_kind_find(&k, "adam"), VOX_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_has_its_values),
        cmocka_unit_test(adamw_has_its_values),
        cmocka_unit_test(clipping_uses_the_global_norm),
        cmocka_unit_test(a_bad_norm_changes_nothing),
        cmocka_unit_test(ages_may_differ),
        cmocka_unit_test(kinds_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
