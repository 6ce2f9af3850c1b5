/* tiny_net: two levels with a skip and a residual, and its masked autoencoder. */
#include "support/tiny_net.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/rng.h"
#include "ops/conv3d.h"
#include "ops/conv_transpose3d.h"
#include "ops/mask_blocks.h"
#include "ops/masked_mse.h"
#include "ops/norm_act.h"

enum { MAX_TESTS = 32 };

static void add_unit(vox_params *p, const char *name, int in, int out, int k, int norm)
{
    const double a = 1.0 / sqrt((double)in * k * k * k);
    char key[64];

    snprintf(key, sizeof key, "%s.weight", name);
    assert_int_equal(vox_params_add(p, key, VOX_SHAPE(out, in, k, k, k),
                                    (vox_init){VOX_INIT_UNIFORM, a, 0}),
                     VOX_OK);
    snprintf(key, sizeof key, "%s.bias", name);
    assert_int_equal(
        vox_params_add(p, key, VOX_SHAPE(out), (vox_init){VOX_INIT_UNIFORM, a, 0}), VOX_OK);
    if (!norm)
        return;
    snprintf(key, sizeof key, "%s.gamma", name);
    assert_int_equal(
        vox_params_add(p, key, VOX_SHAPE(out), (vox_init){VOX_INIT_NORMAL, 1, 0}), VOX_OK);
    snprintf(key, sizeof key, "%s.beta", name);
    assert_int_equal(
        vox_params_add(p, key, VOX_SHAPE(out), (vox_init){VOX_INIT_NORMAL, 0.3, 0}),
        VOX_OK);
}

vox_params *tiny_params(vox_device *dev)
{
    vox_params *p;

    assert_int_equal(vox_params_new(&p, dev), VOX_OK);
    add_unit(p, "stem", 1, TINY_CHANNELS, 3, 1);
    add_unit(p, "down", TINY_CHANNELS, 2 * TINY_CHANNELS, 3, 1);
    assert_int_equal(vox_params_add(p, "up.weight",
                                    VOX_SHAPE(2 * TINY_CHANNELS, TINY_CHANNELS, 2, 2, 2),
                                    (vox_init){VOX_INIT_UNIFORM, 0.2, 0}),
                     VOX_OK);
    assert_int_equal(vox_params_add(p, "up.bias", VOX_SHAPE(TINY_CHANNELS),
                                    (vox_init){VOX_INIT_UNIFORM, 0.2, 0}),
                     VOX_OK);
    add_unit(p, "fuse", 2 * TINY_CHANNELS, TINY_CHANNELS, 3, 1);
    add_unit(p, "head", TINY_CHANNELS, 1, 1, 0);
    assert_int_equal(vox_params_alias(p, "decoder.stem.weight", "stem.weight"), VOX_OK);
    assert_int_equal(vox_params_seal(p), VOX_OK);
    assert_int_equal(vox_params_init(p, 5), VOX_OK);
    return p;
}

static vox_node *get(vox_graph *g, vox_params *p, const char *unit, const char *what)
{
    char key[64];

    snprintf(key, sizeof key, "%s.%s", unit, what);
    return vox_param_node(g, p, key);
}

vox_node *tiny_unit(vox_graph *g, vox_params *p, const char *name, vox_node *x,
                    vox_node *x2, int stride, vox_node *residual, vox_node *active)
{
    vox_node *y;

    vox_graph_scope(g, name);
    y = vox_conv3d(g, x, x2, get(g, p, name, "weight"), get(g, p, name, "bias"), stride,
                   active);
    return vox_norm_act(g, y, get(g, p, name, "gamma"), get(g, p, name, "beta"), residual,
                        active, 1e-5f, 0.01f);
}

vox_node *tiny_net(vox_graph *g, vox_params *p, vox_node *x)
{
    vox_node *a = tiny_unit(g, p, "stem", x, NULL, 1, NULL, NULL);
    vox_node *b = tiny_unit(g, p, "down", a, NULL, 2, NULL, NULL);
    vox_node *u = vox_conv_transpose3d(g, b, vox_param_node(g, p, "up.weight"),
                                       vox_param_node(g, p, "up.bias"));
    vox_node *f = tiny_unit(g, p, "fuse", u, a, 1, a, NULL);

    vox_graph_scope(g, "head");
    return vox_conv3d(g, f, NULL, get(g, p, "head", "weight"), get(g, p, "head", "bias"), 1,
                      NULL);
}

const char *const tiny_keep[] = {"y", NULL};

tiny_run tiny_open(vox_params *p, int64_t batch, int64_t edge)
{
    tiny_run r = {0};
    vox_node *x, *k, *y;

    assert_int_equal(vox_graph_new(&r.g), VOX_OK);
    x = vox_input(r.g, "x", VOX_F32, VOX_SHAPE(batch, 1, edge, TINY_EDGE, TINY_EDGE));
    k = vox_input(r.g, "keep", VOX_U8, VOX_SHAPE(batch, 1, edge / 4, 2, 2));
    y = tiny_net(r.g, p, vox_mask_blocks(r.g, x, k));
    vox_graph_name(r.g, y, "y");
    r.loss = vox_masked_mse(r.g, y, x, k);
    if (vox_graph_status(r.g) != VOX_OK)
        fail_msg("%s", vox_error_text());
    return r;
}

void tiny_compile(tiny_run *r, vox_device *dev, vox_block *block, const char *recompute)
{
    const vox_plan_cfg cfg = {
        .dev = dev, .loss = r->loss, .keep = tiny_keep, .recompute = recompute};

    if (vox_plan_new(&r->plan, r->g, &cfg) != VOX_OK ||
        vox_plan_bind(r->plan, block) != VOX_OK)
        fail_msg("%s", vox_error_text());
}

void tiny_close(tiny_run *r)
{
    vox_plan_free(r->plan);
    vox_graph_free(r->g);
}

void tiny_noise(float *v, int64_t n, uint64_t seed)
{
    vox_rng rng = vox_rng_at(seed, VOX_STREAM("test"), 0);

    for (int64_t i = 0; i < n; i++)
        v[i] = (float)vox_rng_normal(&rng);
}

/* Fill rows of the MAE inputs: image number `first + n` is the same whoever asks. */
static void feed(vox_plan *plan, int64_t first, int64_t batch, int64_t edge)
{
    const int64_t voxels = edge * TINY_EDGE * TINY_EDGE, blocks = edge;
    float *x = vox_alloc((size_t)(batch * voxels), sizeof *x);
    uint8_t *k = vox_alloc((size_t)(batch * blocks), 1);

    for (int64_t n = 0; n < batch; n++) {
        tiny_noise(x + n * voxels, voxels, (uint64_t)(100 + first + n));
        for (int64_t i = 0; i < blocks; i++)
            k[n * blocks + i] =
                (i + first + n) % 4 == 0; /* 3 of 4 hidden, as in training */
    }
    assert_int_equal(vox_plan_set(plan, "x", VOX_F32,
                                  VOX_SHAPE(batch, 1, edge, TINY_EDGE, TINY_EDGE), x),
                     VOX_OK);
    assert_int_equal(
        vox_plan_set(plan, "keep", VOX_U8, VOX_SHAPE(batch, 1, edge / 4, 2, 2), k), VOX_OK);
    vox_free(x);
    vox_free(k);
}

double tiny_step(tiny_run *r, int64_t first, int64_t batch, int64_t edge, float seed)
{
    double loss;

    feed(r->plan, first, batch, edge);
    assert_int_equal(vox_plan_forward(r->plan), VOX_OK);
    assert_int_equal(vox_plan_backward(r->plan, seed), VOX_OK);
    assert_int_equal(vox_plan_loss(r->plan, &loss), VOX_OK);
    return loss;
}

float *tiny_gradients(vox_params *p)
{
    float *host = vox_alloc((size_t)p->count, sizeof *host);

    vox_device_sync(p->dev);
    for (int i = 0; i < p->n_param; i++) {
        assert_true(p->param[i].touched);
        assert_int_equal(vox_params_get(p, p->grad, i, host + p->param[i].offset), VOX_OK);
    }
    return host;
}

static int run_on(const struct CMUnitTest *tests, int n, const char *name, const char *path)
{
    const vox_device_cfg cfg = {.name = name, .path = path, .threads = 2};
    struct CMUnitTest here[MAX_TESTS] = {0}; /* empty ones are passed over */
    const int64_t blocks = vox_mem_blocks();
    vox_device *dev;
    int failed;

    if (vox_device_open(&dev, &cfg) != VOX_OK) {
        printf("# skipped: %s\n", vox_error_text());
        return 0;
    }
    printf("# device %s, path %s\n", name, path);
    VOX_ASSERT(n <= MAX_TESTS);
    for (int i = 0; i < n; i++) {
        here[i] = tests[i];
        here[i].initial_state = dev;
    }
    failed = cmocka_run_group_tests(here, NULL, NULL);
    vox_device_close(dev);
    if (vox_mem_blocks() != blocks) {
        printf("# %lld blocks leaked\n", (long long)(vox_mem_blocks() - blocks));
        failed++;
    }
    return failed;
}

int tiny_everywhere(const struct CMUnitTest *tests, int n)
{
    static const char *const devices[] = {"cpu", "fake"};
    static const char *const paths[] = {"reference", "plain", "avx2", "avx512"};
    int failed = 0;

    for (int d = 0; d < 2; d++) {
        for (int k = 0; k < 4; k++)
            failed += run_on(tests, n, devices[d], paths[k]);
    }
    return failed;
}
