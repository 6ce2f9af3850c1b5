/* trial: a problem with data, timed: which passes there are, and that they compute. */
#include "support/unit.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "graph/trial.h"
#include "ops/conv3d.h"
#include "ops/norm_act.h"

/* A trial of a text on a device. */
typedef struct made {
    vox_device *dev;
    vox_problem_spec spec;
    vox_trial trial;
} made;

static void make(made *m, const char *device, const char *path, const char *op,
                 const char *text, unsigned grads, unsigned bf16)
{
    const vox_device_cfg cfg = {.name = device, .path = path, .threads = 2};

    if (vox_device_open(&m->dev, &cfg) != VOX_OK ||
        vox_problem_parse(&m->spec, vox_op_find(op), text) != VOX_OK ||
        vox_trial_init(&m->trial, &m->spec, m->dev, grads, bf16) != VOX_OK)
        fail_msg("%s", vox_error_text());
}

static void release(made *m)
{
    vox_trial_release(&m->trial);
    vox_problem_release(&m->spec);
    vox_device_close(m->dev);
}

static void assert_passes(const made *m, const char *wanted)
{
    char found[64] = "";

    for (int pass = 0; pass < VOX_TRIAL_PASSES; pass++) {
        if (vox_trial_has(&m->trial, (vox_trial_pass)pass))
            strcat(strcat(found, " "), vox_trial_pass_name((vox_trial_pass)pass));
    }
    assert_string_equal(found, wanted);
}

static void passes_follow_from_op_and_gradients(void **state)
{
    static const struct {
        const char *op, *text;
        unsigned grads;
        const char *passes;
    } all[] = {
        {"conv3d",     "1x8x4x4x4 in=0,1,2", ~0u,                     " forward data weight"},
        {"conv3d",     "1x8x4x4x4",          ~(1u << VOX_CONV3D_X),   " forward weight"     },
        {"conv3d",     "1x8x4x4x4",          1u << VOX_CONV3D_X,      " forward data"       },
        {"conv3d",     "1x8x4x4x4",          0,                       " forward"            },
        {"norm_act",   "1x8x4x4x4 in=0,1,2", ~0u,                     " forward backward"   },
        {"norm_act",   "1x8x4x4x4 in=0,1,2", 1u << VOX_NORM_ACT_BETA, " forward backward"   },
        {"norm_act",   "1x8x4x4x4 in=0,1,2", 0,                       " forward"            },
        {"masked_mse", "1x1x4x4x4 in=0,1,2", 1u << 2,                 " forward"            },
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(all); i++) {
        made m;

        make(&m, "cpu", "plain", all[i].op, all[i].text, all[i].grads, 0);
        assert_passes(&m, all[i].passes);
        release(&m);
    }
}

/* 8 -> 16 channels, 27 taps, 4^3 voxels, with bias. */
static void operations_and_bytes_are_counted(void **state)
{
    const double x = 8 * 64, y = 16 * 64, w = 16 * 8 * 27, b = 16;
    made m;

    (void)state;
    make(&m, "cpu", "plain", "conv3d", "1x8x4x4x4 out=16 in=0,1,2", ~0u, 0);
    for (vox_trial_pass pass = VOX_TRIAL_DATA; pass <= VOX_TRIAL_WEIGHT; pass++)
        assert_true(vox_trial_flops(&m.trial, pass) == 2 * w * 64);
    assert_true(vox_trial_flops(&m.trial, VOX_TRIAL_FORWARD) == 2 * w * 64);
    assert_true(vox_trial_flops(&m.trial, VOX_TRIAL_BACKWARD) == 0);
    assert_true(vox_trial_bytes(&m.trial, VOX_TRIAL_FORWARD) == 4 * (x + w + b + y));
    assert_true(vox_trial_bytes(&m.trial, VOX_TRIAL_DATA) == 4 * (y + w + x));
    assert_true(vox_trial_bytes(&m.trial, VOX_TRIAL_WEIGHT) == 4 * (y + x + w + b));
    release(&m);
    make(&m, "cpu", "plain", "conv3d", "1x8x4x4x4 out=16 in=0,1,2", ~0u, ~0u);
    assert_true(vox_trial_bytes(&m.trial, VOX_TRIAL_FORWARD) ==
                2 * x + 4 * (w + b) + 2 * y);
    assert_true(vox_trial_bytes(&m.trial, VOX_TRIAL_DATA) == 4 * (y + w + x));
    assert_true(vox_trial_bytes(&m.trial, VOX_TRIAL_WEIGHT) == 4 * (y + w + b) + 2 * x);
    release(&m);
    make(&m, "cpu", "plain", "leaky_relu", "1x9x4x4x4", ~0u, 0); /* 16 channels stored */
    assert_true(vox_trial_flops(&m.trial, VOX_TRIAL_FORWARD) == 0);
    assert_true(vox_trial_bytes(&m.trial, VOX_TRIAL_FORWARD) == 4 * 2 * 2 * x);
    assert_true(vox_trial_bytes(&m.trial, VOX_TRIAL_BACKWARD) == 4 * 3 * 2 * x);
    release(&m);
}

/* Copied from where the device has it. */
static float *fetch(const made *m, const void *at, int64_t count)
{
    float *v = vox_alloc((size_t)count, sizeof *v);
    int found = 0;

    assert_non_null(v);
    for (int i = 0; i < m->trial.n_memory; i++) {
        void *data = m->trial.memory[i].data;

        if (m->dev->type->real(m->dev, data) != at)
            continue;
        assert_int_equal(vox_device_download(m->dev, v, data, (size_t)count * sizeof *v),
                         VOX_OK);
        found = 1;
    }
    assert_true(found);
    return v;
}

/* Every gradient was written, by finite numbers that are not all zero. */
static void assert_computes(const char *device, const char *path, unsigned bf16)
{
    static const char *const name[] = {"conv3d", "norm_act"};

    for (int k = 0; k < VOX_COUNT(name); k++) {
        double seconds[3] = {-1, -1, -1};
        made m;

        make(&m, device, path, name[k], "1x9x5x4x6 in=0,1,2", ~0u, bf16);
        assert_int_equal(vox_trial_is_bf16(&m.trial), bf16 && m.trial.kernel);
        for (int pass = VOX_TRIAL_PASSES - 1; pass >= 0; pass--) { /* forward runs itself */
            if (!vox_trial_has(&m.trial, (vox_trial_pass)pass))
                continue;
            vox_trial_time(&m.trial, (vox_trial_pass)pass, 3, seconds);
            for (int i = 0; i < 3; i++)
                assert_true(seconds[i] >= 0 && seconds[i] < 60);
        }
        for (int i = 0; i < 3; i++) {
            const int64_t n = m.trial.call.in[i].count;
            float *v = fetch(&m, m.trial.din[i].data, n);
            double sum = 0;

            for (int64_t j = 0; j < n; j++)
                sum += fabs((double)v[j]);
            assert_true(sum > 0 && isfinite(sum));
            vox_free(v);
        }
        release(&m);
    }
}

static void passes_compute_on_every_path(void **state)
{
    static const char *const paths[] = {"reference", "plain", "avx2", "avx512"};
    const vox_cpu_path *path;

    (void)state;
    for (int i = 0; i < VOX_COUNT(paths); i++) {
        if (vox_cpu_path_find(&path, paths[i]) != VOX_OK)
            continue;
        assert_computes("cpu", paths[i], 0);
        assert_computes("fake", paths[i], ~0u);
    }
}

static void the_kernel_is_the_plans(void **state)
{
    made m;

    (void)state;
    make(&m, "cpu", "reference", "norm_act", "1x8x4x4x4", ~0u, 0);
    assert_string_equal(vox_trial_kernel(&m.trial), "reference");
    assert_int_equal(m.trial.call.in[0].layout, VOX_PLAIN);
    release(&m);
    make(&m, "cpu", "plain", "norm_act", "1x8x4x4x4", ~0u, 0);
    assert_ptr_equal(m.trial.kernel, vox_device_kernel(m.dev, &m.trial.problem));
    assert_string_equal(vox_trial_kernel(&m.trial), "norm_act");
    assert_int_equal(m.trial.call.in[0].layout, VOX_BLOCKED8);
    release(&m);
    make(&m, "cpu", "plain", "add", "7x8", ~0u, 0); /* rank 2: no kernel, plain tensors */
    assert_ptr_equal(m.trial.kernel, vox_device_kernel(m.dev, &m.trial.problem));
    release(&m);
}

static void no_memory_is_an_error_and_nothing_leaks(void **state)
{
    const vox_device_cfg cfg = {.name = "cpu", .path = "plain", .threads = 1};
    vox_trial t = VOX_TRIAL_INIT;
    vox_problem_spec spec;
    vox_device *dev;
    int64_t blocks;

    (void)state;
    assert_int_equal(vox_device_open(&dev, &cfg), VOX_OK);
    assert_int_equal(vox_problem_parse(&spec, vox_op_find("avg_pool3d"), "1x8x4x4x4"),
                     VOX_OK);
    blocks = vox_mem_blocks();
    for (int64_t n = 1; n < 100; n++) {
        int rc;

        vox_mem_fail_at(n);
        rc = vox_trial_init(&t, &spec, dev, ~0u, ~0u);
        vox_mem_fail_at(0);
        vox_trial_release(&t);
        assert_int_equal(vox_mem_blocks(), blocks);
        if (rc == VOX_OK)
            break;
        assert_int_equal(rc, VOX_E_NOMEM);
        assert_true(n < 50);
    }
    vox_problem_release(&spec);
    vox_device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_follow_from_op_and_gradients),
        cmocka_unit_test(operations_and_bytes_are_counted),
        cmocka_unit_test(passes_compute_on_every_path),
        cmocka_unit_test(the_kernel_is_the_plans),
        cmocka_unit_test(no_memory_is_an_error_and_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
