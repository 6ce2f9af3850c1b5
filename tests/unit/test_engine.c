/*
 * engine: what nets and methods will ask of graph, plan and params, on a tiny net, on every
 * kernel path of this machine, on `cpu` and on `fake`.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "graph/plan.h"
#include "ops/add.h"
#include "ops/avg_pool3d.h"
#include "ops/conv3d.h"
#include "ops/conv_transpose3d.h"
#include "ops/gather.h"
#include "ops/mask_blocks.h"
#include "ops/masked_mse.h"
#include "ops/norm_act.h"
#include "support/unit.h"

enum { C = 11, E = 8 }; /* channels that are no multiple of a vector, edge of the patch */

/* The device a test runs on: cmocka's state. */
static vox_device *device(void **state)
{
    return *state;
}

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

static vox_params *tiny_params(vox_device *dev)
{
    vox_params *p;

    assert_int_equal(vox_params_new(&p, dev), VOX_OK);
    add_unit(p, "stem", 1, C, 3, 1);
    add_unit(p, "down", C, 2 * C, 3, 1);
    assert_int_equal(vox_params_add(p, "up.weight", VOX_SHAPE(2 * C, C, 2, 2, 2),
                                    (vox_init){VOX_INIT_UNIFORM, 0.2, 0}),
                     VOX_OK);
    assert_int_equal(
        vox_params_add(p, "up.bias", VOX_SHAPE(C), (vox_init){VOX_INIT_UNIFORM, 0.2, 0}),
        VOX_OK);
    add_unit(p, "fuse", 2 * C, C, 3, 1);
    add_unit(p, "head", C, 1, 1, 0);
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

static vox_node *unit(vox_graph *g, vox_params *p, const char *name, vox_node *x,
                      vox_node *x2, int stride, vox_node *residual, vox_node *active)
{
    vox_node *y;

    vox_graph_scope(g, name);
    y = vox_conv3d(g, x, x2, get(g, p, name, "weight"), get(g, p, name, "bias"), stride,
                   active);
    return vox_norm_act(g, y, get(g, p, name, "gamma"), get(g, p, name, "beta"), residual,
                        active, 1e-5f, 0.01f);
}

/* Two levels, a skip, a residual, pooling: every op of the real nets once. */
static vox_node *tiny_net(vox_graph *g, vox_params *p, vox_node *x)
{
    vox_node *a = unit(g, p, "stem", x, NULL, 1, NULL, NULL);
    vox_node *b = unit(g, p, "down", a, NULL, 2, NULL, NULL);
    vox_node *u = vox_conv_transpose3d(g, b, vox_param_node(g, p, "up.weight"),
                                       vox_param_node(g, p, "up.bias"));
    vox_node *f = unit(g, p, "fuse", u, a, 1, a, NULL);

    vox_graph_scope(g, "head");
    return vox_conv3d(g, f, NULL, get(g, p, "head", "weight"), get(g, p, "head", "bias"), 1,
                      NULL);
}

/* A graph with its plan, and what it needs to run. */
typedef struct run {
    vox_graph *g;
    vox_plan *plan;
    vox_node *loss;
} run;

static const char *const keep[] = {"y", NULL};

static run mae_graph(vox_params *p, int64_t batch, int64_t edge)
{
    run r = {0};
    vox_node *x, *k, *y;

    assert_int_equal(vox_graph_new(&r.g), VOX_OK);
    x = vox_input(r.g, "x", VOX_F32, VOX_SHAPE(batch, 1, edge, E, E));
    k = vox_input(r.g, "keep", VOX_U8, VOX_SHAPE(batch, 1, edge / 4, 2, 2));
    y = tiny_net(r.g, p, vox_mask_blocks(r.g, x, k));
    vox_graph_name(r.g, y, "y");
    r.loss = vox_masked_mse(r.g, y, x, k);
    if (vox_graph_status(r.g) != VOX_OK)
        fail_msg("%s", vox_error_text());
    return r;
}

static void compile(run *r, vox_device *dev, vox_block *block, const char *recompute)
{
    const vox_plan_cfg cfg = {
        .dev = dev, .loss = r->loss, .keep = keep, .recompute = recompute};

    if (vox_plan_new(&r->plan, r->g, &cfg) != VOX_OK ||
        vox_plan_bind(r->plan, block) != VOX_OK)
        fail_msg("%s", vox_error_text());
}

static void free_run(run *r)
{
    vox_plan_free(r->plan);
    vox_graph_free(r->g);
}

static void random_floats(float *v, int64_t n, uint64_t seed)
{
    vox_rng rng = vox_rng_at(seed, VOX_STREAM("test"), 0);

    for (int64_t i = 0; i < n; i++)
        v[i] = (float)vox_rng_normal(&rng);
}

/* Fill rows of the MAE inputs: image number `first + n` is the same whoever asks. */
static void feed(vox_plan *plan, int64_t first, int64_t batch, int64_t edge)
{
    const int64_t voxels = edge * E * E, blocks = edge;
    float *x = vox_alloc((size_t)(batch * voxels), sizeof *x);
    uint8_t *k = vox_alloc((size_t)(batch * blocks), 1);

    for (int64_t n = 0; n < batch; n++) {
        random_floats(x + n * voxels, voxels, (uint64_t)(100 + first + n));
        for (int64_t i = 0; i < blocks; i++)
            k[n * blocks + i] =
                (i + first + n) % 4 == 0; /* 3 of 4 hidden, as in training */
    }
    assert_int_equal(vox_plan_set(plan, "x", VOX_F32, VOX_SHAPE(batch, 1, edge, E, E), x),
                     VOX_OK);
    assert_int_equal(
        vox_plan_set(plan, "keep", VOX_U8, VOX_SHAPE(batch, 1, edge / 4, 2, 2), k), VOX_OK);
    vox_free(x);
    vox_free(k);
}

static double step(run *r, int64_t first, int64_t batch, int64_t edge, float seed)
{
    double loss;

    feed(r->plan, first, batch, edge);
    assert_int_equal(vox_plan_forward(r->plan), VOX_OK);
    assert_int_equal(vox_plan_backward(r->plan, seed), VOX_OK);
    assert_int_equal(vox_plan_loss(r->plan, &loss), VOX_OK);
    return loss;
}

static float *all_gradients(vox_params *p)
{
    float *host = vox_alloc((size_t)p->count, sizeof *host);

    vox_device_sync(p->dev);
    for (int i = 0; i < p->n_param; i++) {
        assert_true(p->param[i].touched);
        assert_int_equal(vox_params_get(p, p->grad, i, host + p->param[i].offset), VOX_OK);
    }
    return host;
}

/* Relative L2 distance over all parameters. */
static double distance(const float *a, const float *b, int64_t n)
{
    double d = 0, s = 0;

    for (int64_t i = 0; i < n; i++) {
        d += pow((double)a[i] - (double)b[i], 2);
        s += pow((double)b[i], 2);
    }
    return sqrt(d / s);
}

/* ---- the tests ---- */

static void gradient_is_the_derivative(void **state)
{
    vox_device *dev = device(state);
    vox_params *p = tiny_params(dev);
    vox_block block = VOX_BLOCK_INIT;
    run r = mae_graph(p, 2, E);
    const double h = 1e-2;
    float *grad, *value, *direction;
    double dot = 0, loss[2];

    compile(&r, dev, &block, NULL);
    step(&r, 0, 2, E, 1.0f);
    grad = all_gradients(p);
    value = vox_alloc((size_t)p->count, sizeof *value);
    direction = vox_alloc((size_t)p->count, sizeof *direction);
    random_floats(direction, p->count, 3);
    for (int i = 0; i < p->n_param; i++)
        assert_int_equal(vox_params_get(p, p->value, i, value + p->param[i].offset),
                         VOX_OK);
    for (int64_t i = 0; i < p->count; i++) {
        direction[i] *= 0.01f; /* far below the scale of the weights */
        dot += (double)grad[i] * (double)direction[i];
    }
    for (int side = 0; side < 2; side++) {
        float *moved = vox_alloc((size_t)p->count, sizeof *moved);

        for (int64_t i = 0; i < p->count; i++)
            moved[i] = value[i] + (float)((side ? -h : h) * (double)direction[i]);
        for (int i = 0; i < p->n_param; i++)
            assert_int_equal(vox_params_set(p, p->value, i, moved + p->param[i].offset),
                             VOX_OK);
        assert_int_equal(vox_plan_forward(r.plan), VOX_OK);
        assert_int_equal(vox_plan_loss(r.plan, &loss[side]), VOX_OK);
        vox_free(moved);
    }
    /* central difference in f32: the loss is near 1, so its rounding is 1e-7 / 2e-2 of the
     * slope, which is near 1e-2; kinks of the ReLU add as much */
    assert_true(fabs((loss[0] - loss[1]) / (2 * h) - dot) < 2e-2 * fabs(dot) + 2e-5);
    vox_free(grad);
    vox_free(value);
    vox_free(direction);
    free_run(&r);
    vox_block_release(&block);
    vox_params_free(p);
}

static void micro_batches_add_up(void **state)
{
    vox_device *dev = device(state);
    vox_params *p = tiny_params(dev);
    vox_block block = VOX_BLOCK_INIT;
    run whole = mae_graph(p, 4, E), part = mae_graph(p, 1, E);
    float *a, *b;
    double loss, sum = 0;

    compile(&whole, dev, &block, NULL);
    loss = step(&whole, 0, 4, E, 1.0f);
    a = all_gradients(p);
    compile(&part, dev, &block, NULL);
    vox_params_begin_step(p);
    for (int i = 0; i < 4; i++)
        sum += 0.25 * step(&part, i, 1, E, 0.25f);
    b = all_gradients(p);
    assert_true(fabs(sum - loss) < 1e-6 * loss);
    assert_true(distance(b, a, p->count) < 1e-5);
    vox_free(a);
    vox_free(b);
    free_run(&whole);
    free_run(&part);
    vox_block_release(&block);
    vox_params_free(p);
}

/* Both plans' net on one set of weights, twice in one graph. */
static run twice_graph(vox_params *p)
{
    const vox_shape shape = VOX_SHAPE(1, 1, E, E, E);
    vox_node *x, *k;
    run r = {0};

    assert_int_equal(vox_graph_new(&r.g), VOX_OK);
    x = vox_input(r.g, "x", VOX_F32, shape);
    k = vox_input(r.g, "keep", VOX_U8, VOX_SHAPE(1, 1, 2, 2, 2));
    r.loss =
        vox_add(r.g, vox_masked_mse(r.g, tiny_net(r.g, p, x), x, k),
                vox_masked_mse(r.g, tiny_net(r.g, p, vox_mask_blocks(r.g, x, k)), x, k));
    vox_graph_name(r.g, r.loss, "y");
    assert_int_equal(vox_graph_status(r.g), VOX_OK);
    return r;
}

static void check_norm(vox_params *p)
{
    float *grad = all_gradients(p);
    double sum = 0, norm;

    for (int64_t i = 0; i < p->count; i++)
        sum += (double)grad[i] * (double)grad[i];
    assert_int_equal(vox_params_grad_norm(p, &norm), VOX_OK);
    assert_true(fabs(norm - sqrt(sum)) <= 1e-6 * norm);
    vox_free(grad);
}

/* Kernels leave the squares of what they write and add; the last word on a parameter
 * counts, and none does once the gradient was set from outside. */
static void norms_are_gathered(void **state)
{
    vox_device *dev = device(state);
    const int gathers = strcmp(dev->path, "reference") != 0;
    vox_params *p = tiny_params(dev);
    vox_block block = VOX_BLOCK_INIT, other = VOX_BLOCK_INIT;
    run r = mae_graph(p, 1, E), twice = twice_graph(p);
    const int up = vox_params_find(p, "up.bias");
    const float set[C] = {1e3f};

    compile(&r, dev, &block, 0, NULL);
    compile(&twice, dev, &other, 0, NULL);
    vox_params_begin_step(p);
    for (int i = 0; i < 4; i++) {
        step(i % 2 ? &twice : &r, i, 1, E, 0.25f);
        for (int k = 0; k < p->n_param; k++)
            assert_int_equal(p->param[k].squares != NULL, gathers);
        check_norm(p);
    }
    assert_int_equal(vox_params_set(p, p->grad, up, set), VOX_OK);
    assert_null(p->param[up].squares);
    check_norm(p);
    free_run(&r);
    free_run(&twice);
    vox_block_release(&block);
    vox_block_release(&other);
    vox_params_free(p);
}

static void plans_of_two_sizes_share_parameters(void **state)
{
    vox_device *dev = device(state);
    vox_params *p = tiny_params(dev);
    vox_block block = VOX_BLOCK_INIT, other = VOX_BLOCK_INIT;
    run small = mae_graph(p, 1, E), large = mae_graph(p, 1, 2 * E);
    float *a, *b, *both;

    compile(&small, dev, &block, NULL);
    compile(&large, dev, &other, NULL);
    step(&small, 0, 1, E, 1.0f);
    a = all_gradients(p);
    vox_params_begin_step(p);
    step(&large, 1, 1, 2 * E, 1.0f);
    b = all_gradients(p);
    vox_params_begin_step(p);
    step(&small, 0, 1, E, 1.0f);
    step(&large, 1, 1, 2 * E, 1.0f);
    both = all_gradients(p);
    for (int64_t i = 0; i < p->count; i++)
        a[i] += b[i];
    assert_true(distance(both, a, p->count) < 1e-6);
    vox_free(a);
    vox_free(b);
    vox_free(both);
    free_run(&small);
    free_run(&large);
    vox_block_release(&block);
    vox_block_release(&other);
    vox_params_free(p);
}

/* net(x) and net(t) on one set of weights, with a frozen teacher as target. */
static void a_net_called_twice_and_its_teacher(void **state)
{
    vox_device *dev = device(state);
    vox_params *p = tiny_params(dev), *teacher;
    vox_block block = VOX_BLOCK_INIT;
    const vox_shape shape = VOX_SHAPE(1, 1, E, E, E);
    float x[E * E * E], *twice, *sum = NULL;
    run r = {0};

    assert_int_equal(vox_params_clone(&teacher, p), VOX_OK);
    for (int which = 0; which < 3; which++) { /* first call, second call, both */
        vox_node *a, *b, *l1, *l2, *target;
        float *grad;

        assert_int_equal(vox_graph_new(&r.g), VOX_OK);
        a = vox_input(r.g, "a", VOX_F32, shape);
        b = vox_input(r.g, "b", VOX_F32, shape);
        target = tiny_net(r.g, teacher, b);
        l1 = vox_masked_mse(r.g, tiny_net(r.g, p, a), target, NULL);
        l2 = vox_masked_mse(r.g, tiny_net(r.g, p, b), a, NULL);
        r.loss = which == 0 ? l1 : which == 1 ? l2 : vox_add(r.g, l1, l2);
        r.plan = NULL;
        {
            const vox_plan_cfg cfg = {.dev = dev, .loss = r.loss};

            assert_int_equal(vox_plan_new(&r.plan, r.g, &cfg), VOX_OK);
        }
        assert_int_equal(vox_plan_bind(r.plan, &block), VOX_OK);
        random_floats(x, E * E * E, 1);
        assert_int_equal(vox_plan_set(r.plan, "a", VOX_F32, shape, x), VOX_OK);
        random_floats(x, E * E * E, 2);
        assert_int_equal(vox_plan_set(r.plan, "b", VOX_F32, shape, x), VOX_OK);
        vox_params_begin_step(p);
        assert_int_equal(vox_plan_forward(r.plan), VOX_OK);
        assert_int_equal(vox_plan_backward(r.plan, 1.0f), VOX_OK);
        grad = all_gradients(p);
        if (which == 0) {
            sum = grad;
        } else if (which == 1) {
            for (int64_t i = 0; i < p->count; i++)
                sum[i] += grad[i];
            vox_free(grad);
        } else {
            twice = grad;
            assert_true(distance(twice, sum, p->count) < 1e-6);
            vox_free(twice);
        }
        free_run(&r);
    }
    for (int i = 0; i < teacher->n_param; i++)
        assert_false(teacher->param[i].touched);
    assert_null(teacher->grad);
    vox_free(sum);
    vox_block_release(&block);
    vox_params_free(teacher);
    vox_params_free(p);
}

static void teacher_follows_slowly(void **state)
{
    vox_device *dev = device(state);
    vox_params *p = tiny_params(dev), *teacher;
    float a[C], b[C], c[C], two[C];

    assert_int_equal(vox_params_clone(&teacher, p), VOX_OK);
    assert_int_equal(vox_params_get(teacher, teacher->value, 3, a), VOX_OK);
    for (int i = 0; i < C; i++)
        two[i] = a[i] + 2.0f;
    assert_int_equal(vox_params_set(p, p->value, 3, two), VOX_OK);
    assert_int_equal(vox_params_get(teacher, teacher->value, 3, b), VOX_OK);
    assert_memory_equal(a, b, sizeof a); /* it is a copy */
    assert_int_equal(vox_params_ema(teacher, p, 0.75f), VOX_OK);
    assert_int_equal(vox_params_get(teacher, teacher->value, 3, c), VOX_OK);
    for (int i = 0; i < C; i++)
        assert_true(fabs((double)(c[i] - a[i]) - 0.5) < 1e-6);
    vox_params_free(teacher);
    vox_params_free(p);
}

static void rebuilding_changes_no_bit(void **state)
{
    vox_device *dev = device(state);
    vox_params *p = tiny_params(dev);
    vox_block block = VOX_BLOCK_INIT;
    static const char *const how[] = {"none", "cheap", "stem", "down,fuse", "all"};
    enum { N = sizeof how / sizeof *how };
    float *grad[N];
    size_t bytes[N];
    double loss[N];

    for (int i = 0; i < N; i++) {
        run r = mae_graph(p, 2, E);

        compile(&r, dev, &block, how[i]);
        bytes[i] = vox_plan_bytes(r.plan);
        vox_params_begin_step(p);
        loss[i] = step(&r, 0, 2, E, 1.0f);
        grad[i] = all_gradients(p);
        free_run(&r);
    }
    for (int i = 1; i < N; i++) {
        assert_true(loss[i] == loss[0]);
        assert_memory_equal(grad[i], grad[0], (size_t)p->count * sizeof(float));
        assert_true(bytes[i] <= bytes[0]);
    }
    for (int i = 0; i < N; i++)
        vox_free(grad[i]);
    vox_block_release(&block);
    vox_params_free(p);
}

static void gather_by_an_input(void **state)
{
    vox_device *dev = device(state);
    vox_block block = VOX_BLOCK_INIT;
    static const int64_t index[6] = {4, 0, 2, 1, 1, 3}, bad[6] = {0, 1, 2, 3, 4, 5};
    float x[2 * 5 * 3], want[2 * 3 * 3], y[2 * 3 * 3], grad[2 * 5 * 3];
    vox_graph *g;
    vox_plan *plan;
    vox_node *nx, *ni, *ny;
    const char *const names[] = {"y", NULL}, *const inputs[] = {"x", NULL};
    vox_plan_cfg cfg = {.dev = dev, .keep = names, .keep_grad = inputs};

    random_floats(x, 30, 1);
    assert_int_equal(vox_graph_new(&g), VOX_OK);
    nx = vox_input(g, "x", VOX_F32, VOX_SHAPE(2, 5, 3));
    ni = vox_input(g, "index", VOX_I64, VOX_SHAPE(2, 3));
    ny = vox_graph_name(g, vox_gather(g, nx, ni), "y");
    cfg.loss = vox_masked_mse(g, ny, vox_input(g, "t", VOX_F32, VOX_SHAPE(2, 3, 3)), NULL);
    if (vox_graph_status(g) != VOX_OK || vox_plan_new(&plan, g, &cfg) != VOX_OK)
        fail_msg("%s", vox_error_text());
    assert_int_equal(vox_plan_bind(plan, &block), VOX_OK);
    memset(want, 0, sizeof want);
    assert_int_equal(vox_plan_set(plan, "t", VOX_F32, VOX_SHAPE(2, 3, 3), want), VOX_OK);
    assert_int_equal(vox_plan_set(plan, "x", VOX_F32, VOX_SHAPE(2, 5, 3), x), VOX_OK);
    assert_int_equal(vox_plan_set(plan, "index", VOX_I64, VOX_SHAPE(2, 3), bad), VOX_E_ARG);
    assert_string_equal(vox_error_text(), "input \"index\": index 5, wanted 0 to 4");
    assert_int_equal(vox_plan_set(plan, "index", VOX_I64, VOX_SHAPE(2, 3), index), VOX_OK);
    assert_int_equal(vox_plan_forward(plan), VOX_OK);
    assert_int_equal(vox_plan_backward(plan, 1.0f), VOX_OK);
    assert_int_equal(vox_plan_get(plan, "y", y), VOX_OK);
    for (int k = 0; k < 6; k++)
        memcpy(want + 3 * k, x + (k / 3 * 5 + index[k]) * 3, 3 * sizeof *x);
    assert_memory_equal(y, want, sizeof y);
    assert_int_equal(vox_plan_get_grad(plan, "x", grad), VOX_OK);
    for (int row = 0; row < 10; row++) {
        int times = 0;

        for (int k = 0; k < 6; k++)
            times += k / 3 * 5 + index[k] == row;
        for (int c = 0; c < 3; c++)
            assert_true(fabs((double)grad[row * 3 + c] -
                             times * 2.0 / 18.0 * (double)x[row * 3 + c]) < 1e-6);
    }
    vox_plan_free(plan);
    vox_graph_free(g);
    vox_block_release(&block);
}

/* Convolution and norm that see only the active blocks: hidden voxels cannot matter. */
static void active_blocks_only(void **state)
{
    vox_device *dev = device(state);
    vox_params *p = tiny_params(dev);
    vox_block block = VOX_BLOCK_INIT;
    const vox_shape shape = VOX_SHAPE(1, 1, E, E, E);
    uint8_t active[8] = {1, 0, 0, 1, 1, 0, 1, 0};
    float x[E * E * E], y[2][C * E * E * E];
    run r = {0};

    for (int side = 0; side < 2; side++) {
        vox_node *nx, *na, *ny;
        const vox_plan_cfg cfg = {.dev = dev, .keep = keep};

        assert_int_equal(vox_graph_new(&r.g), VOX_OK);
        nx = vox_input(r.g, "x", VOX_F32, shape);
        na = vox_input(r.g, "active", VOX_U8, VOX_SHAPE(1, 1, 2, 2, 2));
        ny = unit(r.g, p, "stem", vox_mask_blocks(r.g, nx, na), NULL, 1, NULL, na);
        vox_graph_name(r.g, ny, "y");
        if (vox_plan_new(&r.plan, r.g, &cfg) != VOX_OK)
            fail_msg("%s", vox_error_text());
        assert_int_equal(vox_plan_bind(r.plan, &block), VOX_OK);
        random_floats(x, E * E * E, 1);
        for (int i = 0; side && i < E * E * E; i++) {
            const int b = i / (E * E) / 4 * 4 + i / E % E / 4 * 2 + i % E / 4;

            x[i] = active[b] ? x[i] : 1000.0f;
        }
        assert_int_equal(vox_plan_set(r.plan, "x", VOX_F32, shape, x), VOX_OK);
        assert_int_equal(
            vox_plan_set(r.plan, "active", VOX_U8, VOX_SHAPE(1, 1, 2, 2, 2), active),
            VOX_OK);
        assert_int_equal(vox_plan_forward(r.plan), VOX_OK);
        assert_int_equal(vox_plan_get(r.plan, "y", y[side]), VOX_OK);
        free_run(&r);
    }
    assert_memory_equal(y[0], y[1], sizeof y[0]);
    for (int i = 0; i < C * E * E * E; i++) {
        const int v = i % (E * E * E),
                  b = v / (E * E) / 4 * 4 + v / E % E / 4 * 2 + v % E / 4;

        assert_true(active[b] ? isfinite(y[0][i]) : y[0][i] == 0.0f);
    }
    vox_block_release(&block);
    vox_params_free(p);
}

static void inputs_are_checked(void **state)
{
    vox_device *dev = device(state);
    vox_params *p = tiny_params(dev);
    vox_block block = VOX_BLOCK_INIT;
    run r = mae_graph(p, 2, E);
    float x[1];

    compile(&r, dev, &block, NULL);
    assert_int_equal(vox_plan_set(r.plan, "z", VOX_F32, VOX_SHAPE(1), x), VOX_E_MISSING);
    assert_int_equal(vox_plan_set(r.plan, "x", VOX_F32, VOX_SHAPE(2, 1, E, E, 4), x),
                     VOX_E_ARG);
    assert_string_equal(vox_error_text(), "input \"x\" is 2x1x8x8x4, wanted 2x1x8x8x8");
    assert_int_equal(vox_plan_set(r.plan, "x", VOX_U8, VOX_SHAPE(2, 1, E, E, E), x),
                     VOX_E_ARG);
    assert_string_equal(vox_error_text(),
                        "input \"x\" is u8 2x1x8x8x8, wanted f32 2x1x8x8x8");
    free_run(&r);
    vox_block_release(&block);
    vox_params_free(p);
}

static void same_bits_for_any_thread_count(void **state)
{
    static const int threads[] = {1, 2, 3, 8, 64};
    const vox_device *like = device(state);
    float *first = NULL;

    for (int i = 0; i < VOX_COUNT(threads); i++) {
        const vox_device_cfg cfg = {
            .name = like->type->name, .path = like->path, .threads = threads[i]};
        vox_block block = VOX_BLOCK_INIT;
        vox_device *dev;
        vox_params *p;
        float *grad;
        run r;

        assert_int_equal(vox_device_open(&dev, &cfg), VOX_OK);
        p = tiny_params(dev);
        r = mae_graph(p, 2, E);
        compile(&r, dev, &block, NULL);
        step(&r, 0, 2, E, 1.0f);
        grad = all_gradients(p);
        if (first)
            assert_memory_equal(grad, first, (size_t)p->count * sizeof *grad);
        if (!first)
            first = grad;
        else
            vox_free(grad);
        free_run(&r);
        vox_block_release(&block);
        vox_params_free(p);
        vox_device_close(dev);
    }
    vox_free(first);
}

static int run_on(const char *device_name, const char *path)
{
    const vox_device_cfg cfg = {.name = device_name, .path = path, .threads = 2};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_is_the_derivative),
        cmocka_unit_test(micro_batches_add_up),
        cmocka_unit_test(norms_are_gathered),
        cmocka_unit_test(plans_of_two_sizes_share_parameters),
        cmocka_unit_test(a_net_called_twice_and_its_teacher),
        cmocka_unit_test(teacher_follows_slowly),
        cmocka_unit_test(rebuilding_changes_no_bit),
        cmocka_unit_test(gather_by_an_input),
        cmocka_unit_test(active_blocks_only),
        cmocka_unit_test(inputs_are_checked),
        cmocka_unit_test(same_bits_for_any_thread_count),
    };
    struct CMUnitTest here[sizeof tests / sizeof *tests];
    const int64_t blocks = vox_mem_blocks();
    vox_device *dev;
    int failed;

    if (vox_device_open(&dev, &cfg) != VOX_OK) {
        printf("# skipped: %s\n", vox_error_text());
        return 0;
    }
    printf("# device %s, path %s\n", device_name, path);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
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

int main(void)
{
    static const char *const devices[] = {"cpu", "fake"};
    static const char *const paths[] = {"reference", "plain", "avx2", "avx512"};
    int failed = 0;

    for (int d = 0; d < 2; d++) {
        for (int k = 0; k < 4; k++)
            failed += run_on(devices[d], paths[k]);
    }
    return failed;
}
