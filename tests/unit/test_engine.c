/*
 * engine: what nets and methods will ask of graph, plan and params, on a tiny net, on every
 * kernel path of this machine, on `cpu` and on `fake`.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "ops/add.h"
#include "ops/gather.h"
#include "ops/mask_blocks.h"
#include "ops/masked_mse.h"
#include "support/tiny_net.h"

enum { C = TINY_CHANNELS, E = TINY_EDGE };

/* The device a test runs on: cmocka's state. */
static vox_device *device(void **state)
{
    return *state;
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
    tiny_run r = tiny_open(p, 2, E);
    const double h = 1e-2;
    float *grad, *value, *direction;
    double dot = 0, loss[2];

    tiny_compile(&r, dev, &block, NULL);
    tiny_step(&r, 0, 2, E, 1.0f);
    grad = tiny_gradients(p);
    value = vox_alloc((size_t)p->count, sizeof *value);
    direction = vox_alloc((size_t)p->count, sizeof *direction);
    tiny_noise(direction, p->count, 3);
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
    tiny_close(&r);
    vox_block_release(&block);
    vox_params_free(p);
}

static void micro_batches_add_up(void **state)
{
    vox_device *dev = device(state);
    vox_params *p = tiny_params(dev);
    vox_block block = VOX_BLOCK_INIT;
    tiny_run whole = tiny_open(p, 4, E), part = tiny_open(p, 1, E);
    float *a, *b;
    double loss, sum = 0;

    tiny_compile(&whole, dev, &block, NULL);
    loss = tiny_step(&whole, 0, 4, E, 1.0f);
    a = tiny_gradients(p);
    tiny_compile(&part, dev, &block, NULL);
    vox_params_begin_step(p);
    for (int i = 0; i < 4; i++)
        sum += 0.25 * tiny_step(&part, i, 1, E, 0.25f);
    b = tiny_gradients(p);
    assert_true(fabs(sum - loss) < 1e-6 * loss);
    assert_true(distance(b, a, p->count) < 1e-5);
    vox_free(a);
    vox_free(b);
    tiny_close(&whole);
    tiny_close(&part);
    vox_block_release(&block);
    vox_params_free(p);
}

/* Both plans' net on one set of weights, twice in one graph. */
static tiny_run twice_graph(vox_params *p)
{
    const vox_shape shape = VOX_SHAPE(1, 1, E, E, E);
    vox_node *x, *k;
    tiny_run r = {0};

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
    float *grad = tiny_gradients(p);
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
    tiny_run r = tiny_open(p, 1, E), twice = twice_graph(p);
    const int up = vox_params_find(p, "up.bias");
    const float set[C] = {1e3f};

    tiny_compile(&r, dev, &block, NULL);
    tiny_compile(&twice, dev, &other, NULL);
    vox_params_begin_step(p);
    for (int i = 0; i < 4; i++) {
        tiny_step(i % 2 ? &twice : &r, i, 1, E, 0.25f);
        for (int k = 0; k < p->n_param; k++)
            assert_int_equal(p->param[k].squares != NULL, gathers);
        check_norm(p);
    }
    assert_int_equal(vox_params_set(p, p->grad, up, set), VOX_OK);
    assert_null(p->param[up].squares);
    check_norm(p);
    tiny_close(&r);
    tiny_close(&twice);
    vox_block_release(&block);
    vox_block_release(&other);
    vox_params_free(p);
}

static void plans_of_two_sizes_share_parameters(void **state)
{
    vox_device *dev = device(state);
    vox_params *p = tiny_params(dev);
    vox_block block = VOX_BLOCK_INIT, other = VOX_BLOCK_INIT;
    tiny_run small = tiny_open(p, 1, E), large = tiny_open(p, 1, 2 * E);
    float *a, *b, *both;

    tiny_compile(&small, dev, &block, NULL);
    tiny_compile(&large, dev, &other, NULL);
    tiny_step(&small, 0, 1, E, 1.0f);
    a = tiny_gradients(p);
    vox_params_begin_step(p);
    tiny_step(&large, 1, 1, 2 * E, 1.0f);
    b = tiny_gradients(p);
    vox_params_begin_step(p);
    tiny_step(&small, 0, 1, E, 1.0f);
    tiny_step(&large, 1, 1, 2 * E, 1.0f);
    both = tiny_gradients(p);
    for (int64_t i = 0; i < p->count; i++)
        a[i] += b[i];
    assert_true(distance(both, a, p->count) < 1e-6);
    vox_free(a);
    vox_free(b);
    vox_free(both);
    tiny_close(&small);
    tiny_close(&large);
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
    tiny_run r = {0};

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
        tiny_noise(x, E * E * E, 1);
        assert_int_equal(vox_plan_set(r.plan, "a", VOX_F32, shape, x), VOX_OK);
        tiny_noise(x, E * E * E, 2);
        assert_int_equal(vox_plan_set(r.plan, "b", VOX_F32, shape, x), VOX_OK);
        vox_params_begin_step(p);
        assert_int_equal(vox_plan_forward(r.plan), VOX_OK);
        assert_int_equal(vox_plan_backward(r.plan, 1.0f), VOX_OK);
        grad = tiny_gradients(p);
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
        tiny_close(&r);
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

    tiny_noise(x, 30, 1);
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
    tiny_run r = {0};

    for (int side = 0; side < 2; side++) {
        vox_node *nx, *na, *ny;
        const vox_plan_cfg cfg = {.dev = dev, .keep = tiny_keep};

        assert_int_equal(vox_graph_new(&r.g), VOX_OK);
        nx = vox_input(r.g, "x", VOX_F32, shape);
        na = vox_input(r.g, "active", VOX_U8, VOX_SHAPE(1, 1, 2, 2, 2));
        ny = tiny_unit(r.g, p, "stem", vox_mask_blocks(r.g, nx, na), NULL, 1, NULL, na);
        vox_graph_name(r.g, ny, "y");
        if (vox_plan_new(&r.plan, r.g, &cfg) != VOX_OK)
            fail_msg("%s", vox_error_text());
        assert_int_equal(vox_plan_bind(r.plan, &block), VOX_OK);
        tiny_noise(x, E * E * E, 1);
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
        tiny_close(&r);
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
    tiny_run r = tiny_open(p, 2, E);
    float x[1];

    tiny_compile(&r, dev, &block, NULL);
    assert_int_equal(vox_plan_set(r.plan, "z", VOX_F32, VOX_SHAPE(1), x), VOX_E_MISSING);
    assert_int_equal(vox_plan_set(r.plan, "x", VOX_F32, VOX_SHAPE(2, 1, E, E, 4), x),
                     VOX_E_ARG);
    assert_string_equal(vox_error_text(), "input \"x\" is 2x1x8x8x4, wanted 2x1x8x8x8");
    assert_int_equal(vox_plan_set(r.plan, "x", VOX_U8, VOX_SHAPE(2, 1, E, E, E), x),
                     VOX_E_ARG);
    assert_string_equal(vox_error_text(),
                        "input \"x\" is u8 2x1x8x8x8, wanted f32 2x1x8x8x8");
    tiny_close(&r);
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
        tiny_run r;

        assert_int_equal(vox_device_open(&dev, &cfg), VOX_OK);
        p = tiny_params(dev);
        r = tiny_open(p, 2, E);
        tiny_compile(&r, dev, &block, NULL);
        tiny_step(&r, 0, 2, E, 1.0f);
        grad = tiny_gradients(p);
        if (first)
            assert_memory_equal(grad, first, (size_t)p->count * sizeof *grad);
        if (!first)
            first = grad;
        else
            vox_free(grad);
        tiny_close(&r);
        vox_block_release(&block);
        vox_params_free(p);
        vox_device_close(dev);
    }
    vox_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_is_the_derivative),
        cmocka_unit_test(micro_batches_add_up),
        cmocka_unit_test(norms_are_gathered),
        cmocka_unit_test(plans_of_two_sizes_share_parameters),
        cmocka_unit_test(a_net_called_twice_and_its_teacher),
        cmocka_unit_test(teacher_follows_slowly),
        cmocka_unit_test(gather_by_an_input),
        cmocka_unit_test(active_blocks_only),
        cmocka_unit_test(inputs_are_checked),
        cmocka_unit_test(same_bits_for_any_thread_count),
    };

    return tiny_everywhere(tests, VOX_COUNT(tests));
}
