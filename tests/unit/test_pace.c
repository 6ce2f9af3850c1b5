/* pace: there is one on every path, and memory that ends is an error. What it is, no test
 * decides. */
#include "train/pace.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "support/unit.h"

typedef struct fixture {
    vox_device *dev;
    vox_setup setup;
    vox_engine engine;
} fixture;

/* @return 0 where this machine lacks the path */
static int open_fixture(fixture *f, const char *device, const char *path, int micro)
{
    const vox_device_cfg dev = {.name = device, .path = path, .threads = 2};
    vox_engine_cfg cfg = {
        .setup = &f->setup, .patch = {16, 16, 16},
             .batch = 2, .micro = micro
    };
    const int rc = vox_device_open(&f->dev, &dev);

    if (rc == VOX_E_MISSING)
        return 0;
    assert_int_equal(rc, VOX_OK);
    assert_int_equal(vox_setup_init(&f->setup, "mae", "resenc_xs", NULL), VOX_OK);
    assert_int_equal(vox_engine_open(&f->engine, &cfg, f->dev), VOX_OK);
    return 1;
}

static void close_fixture(fixture *f)
{
    vox_engine_close(&f->engine);
    vox_setup_release(&f->setup);
    vox_device_close(f->dev);
}

static void every_path_has_a_pace(void **state)
{
    static const char *const paths[] = {"reference", "plain", "avx2", "avx512"};
    static const char *const devices[] = {"cpu", "fake"};
    const vox_optim_cfg sgd = VOX_OPTIM_SGD_INIT, adamw = VOX_OPTIM_ADAMW_INIT;

    (void)state;
    for (int i = 0; i < 2 * VOX_COUNT(paths); i++) {
        vox_pace pace;
        fixture f;

        if (!open_fixture(&f, devices[i % 2], paths[i / 2], 1 + i % 2))
            continue;
        assert_int_equal(vox_pace_measure(&pace, &f.engine, i % 2 ? &sgd : &adamw), VOX_OK);
        assert_true(isfinite(pace.step) && pace.forward > 0 && pace.step > pace.forward);
        close_fixture(&f);
    }
}

/* The machine's peak, which only says how much is enough, may stay unknown. */
static void no_memory_is_an_error_and_nothing_leaks(void **state)
{
    const vox_optim_cfg sgd = VOX_OPTIM_SGD_INIT;
    int64_t blocks, calls, refused = 0, tried = 0;
    vox_pace pace;
    fixture f;

    (void)state;
    assert_true(open_fixture(&f, "cpu", "plain", 2));
    blocks = vox_mem_blocks();
    calls = vox_mem_calls();
    assert_int_equal(vox_pace_measure(&pace, &f.engine, &sgd), VOX_OK);
    calls = vox_mem_calls() - calls;
    for (int64_t n = 1; n <= calls; n += 1 + calls / 20) {
        int rc;

        vox_mem_fail_at(n);
        rc = vox_pace_measure(&pace, &f.engine, &sgd);
        vox_mem_fail_at(0);
        assert_true(rc == VOX_OK || rc == VOX_E_NOMEM);
        assert_int_equal(vox_mem_blocks(), blocks);
        refused += rc != VOX_OK;
        tried++;
    }
    assert_true(refused >= tried - 1);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_has_a_pace),
        cmocka_unit_test(no_memory_is_an_error_and_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
