/*
 * recompute: what backward makes again changes no bit, on every kernel path of this machine,
 * on `cpu` and on `fake`, and saves what it is said to save.
 */
#include <string.h>

#include "base/mem.h"
#include "support/tiny_net.h"

enum { E = TINY_EDGE };

static const char *const how[] = {"none", "cheap", "stem", "down,fuse", "all"};
enum { N = VOX_COUNT(how), NONE = 0, CHEAP = 1, ALL = N - 1 };

/* One step under every choice. */
typedef struct results {
    float *grad[N];
    size_t bytes[N], live[N];
    double loss[N];
} results;

static void run_all(results *r, vox_device *dev, vox_params *p, vox_block *block)
{
    for (int i = 0; i < N; i++) {
        tiny_run run = tiny_open(p, 2, E);

        tiny_compile(&run, dev, block, how[i]);
        r->bytes[i] = vox_plan_bytes(run.plan);
        r->live[i] = vox_plan_live(run.plan);
        vox_params_begin_step(p);
        r->loss[i] = tiny_step(&run, 0, 2, E, 1.0f);
        r->grad[i] = tiny_gradients(p);
        tiny_close(&run);
    }
}

static void same_bits_for_less_memory(void **state)
{
    vox_device *dev = *state;
    vox_params *p = tiny_params(dev);
    vox_block block = VOX_BLOCK_INIT;
    results r;

    run_all(&r, dev, p, &block);
    for (int i = 1; i < N; i++) {
        assert_true(r.loss[i] == r.loss[0]);
        assert_memory_equal(r.grad[i], r.grad[0], (size_t)p->count * sizeof(float));
        assert_true(r.live[i] <= r.live[NONE]);
        assert_true(r.live[i] <= r.bytes[i] && r.bytes[i] < r.live[i] + r.live[i] / 8);
    }
    assert_true(r.live[CHEAP] < r.live[NONE]);
    assert_true(r.live[ALL] < r.live[CHEAP]);
    for (int i = 0; i < N; i++)
        vox_free(r.grad[i]);
    vox_block_release(&block);
    vox_params_free(p);
}

static void nothing_said_is_cheap(void **state)
{
    vox_device *dev = *state;
    vox_params *p = tiny_params(dev);
    vox_block block = VOX_BLOCK_INIT;
    size_t bytes[2];

    for (int i = 0; i < 2; i++) {
        tiny_run run = tiny_open(p, 1, E);

        tiny_compile(&run, dev, &block, i ? "cheap" : NULL);
        bytes[i] = vox_plan_bytes(run.plan);
        tiny_close(&run);
    }
    assert_int_equal(bytes[0], bytes[1]);
    vox_block_release(&block);
    vox_params_free(p);
}

static void scopes_must_exist(void **state)
{
    vox_device *dev = *state;
    vox_params *p = tiny_params(dev);
    tiny_run run = tiny_open(p, 1, E);
    const vox_plan_cfg cfg = {.dev = dev, .loss = run.loss, .recompute = "stem,ste"};

    assert_int_equal(vox_plan_new(&run.plan, run.g, &cfg), VOX_E_USAGE);
    assert_non_null(strstr(vox_error_text(), "nothing is called \"ste\""));
    tiny_close(&run);
    vox_params_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_for_less_memory),
        cmocka_unit_test(nothing_said_is_cheap),
        cmocka_unit_test(scopes_must_exist),
    };

    return tiny_everywhere(tests, VOX_COUNT(tests));
}
