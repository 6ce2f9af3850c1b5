/*
 * graph: what ordinary nets do not do and the engine still promises: ops with two outputs,
 * an operand used twice, scalars, parts of a batch, ops without a gradient, absurd sizes.
 */
#include <string.h>

#include "graph/plan.h"
#include "support/unit.h"

enum { LEN = 16 };

/* ---- ops of this test ---- */

static int infer_same_all(vox_infer *io)
{
    for (int k = 0; k < io->n_out; k++)
        io->out[k].shape = io->in[0]->shape;
    return VOX_OK;
}

static int infer_total(vox_infer *io)
{
    io->out[0].shape = VOX_SHAPE(1);
    return VOX_OK;
}

/* Both outputs are the input: twice, three times. */
static void split_forward(const vox_call *c)
{
    VOX_SHARE(i, c->in[0].count) {
        vox_call_out(c, 0)[i] = 2 * vox_call_in(c, 0)[i];
        vox_call_out(c, 1)[i] = 3 * vox_call_in(c, 0)[i];
    }
}

static void split_backward(const vox_call *c)
{
    const float *a = vox_call_dout(c, 0), *b = vox_call_dout(c, 1);

    VOX_SHARE(i, c->in[0].count)
        vox_grad_put(vox_call_din(c, 0), i, (a ? 2 * a[i] : 0) + (b ? 3 * b[i] : 0));
}

static void mul_forward(const vox_call *c)
{
    VOX_SHARE(i, c->in[0].count)
        vox_call_out(c, 0)[i] = vox_call_in(c, 0)[i] * vox_call_in(c, 1)[i];
}

static void mul_backward(const vox_call *c)
{
    for (int k = 0; k < 2; k++) {
        const vox_grad d = vox_call_din(c, k);

        if (d.put == VOX_SKIP)
            continue;
        VOX_SHARE(i, c->in[0].count)
            vox_grad_put(d, i, vox_call_dout(c, 0)[i] * vox_call_in(c, 1 - k)[i]);
        vox_barrier(); /* the operands may be one tensor */
    }
}

static void total_forward(const vox_call *c)
{
    VOX_SHARE(one, 1) {
        vox_call_out(c, 0)[0] = 0;
        for (int64_t i = 0; i < c->in[0].count; i++)
            vox_call_out(c, 0)[0] += vox_call_in(c, 0)[i];
    }
}

static void total_backward(const vox_call *c)
{
    if (vox_call_din(c, 0).put == VOX_SKIP)
        return;
    VOX_SHARE(i, c->in[0].count)
        vox_grad_put(vox_call_din(c, 0), i, vox_call_dout(c, 0)[0]);
}

static const vox_op op_split = {.name = "t_split",
                                .n_in_min = 1,
                                .n_in_max = 1,
                                .n_out = 2,
                                .infer = infer_same_all,
                                .forward = split_forward,
                                .backward = split_backward};
static const vox_op op_mul = {.name = "t_mul",
                              .n_in_min = 2,
                              .n_in_max = 2,
                              .n_out = 1,
                              .backward_reads = VOX_IN(0) | VOX_IN(1),
                              .infer = infer_same_all,
                              .forward = mul_forward,
                              .backward = mul_backward};
static const vox_op op_total = {.name = "t_total",
                                .n_in_min = 1,
                                .n_in_max = 1,
                                .n_out = 1,
                                .infer = infer_total,
                                .forward = total_forward,
                                .backward = total_backward};
static const vox_op op_stop = {.name = "t_stop", /* no gradient flows through */
                               .n_in_min = 1,
                               .n_in_max = 1,
                               .n_out = 2,
                               .infer = infer_same_all,
                               .forward = split_forward};

/* ---- a graph with its plan ---- */

typedef struct rig {
    vox_device *dev;
    vox_graph *g;
    vox_plan *plan;
    vox_block block;
} rig;

static rig rig_open(const char *device, const char *path)
{
    const vox_device_cfg cfg = {.name = device, .path = path, .threads = 2};
    rig r = {.block = VOX_BLOCK_INIT};

    assert_int_equal(vox_device_open(&r.dev, &cfg), VOX_OK);
    assert_int_equal(vox_graph_new(&r.g), VOX_OK);
    return r;
}

static void rig_plan(rig *r, vox_node *loss, const char *const *keep,
                     const char *const *keep_grad)
{
    const vox_plan_cfg cfg = {
        .dev = r->dev, .loss = loss, .keep = keep, .keep_grad = keep_grad};

    assert_int_equal(vox_plan_new(&r->plan, r->g, &cfg), VOX_OK);
    assert_int_equal(vox_plan_bind(r->plan, &r->block), VOX_OK);
}

static void rig_close(rig *r)
{
    vox_plan_free(r->plan);
    vox_graph_free(r->g);
    vox_block_release(&r->block);
    vox_device_close(r->dev);
}

static void ramp(float v[LEN])
{
    for (int i = 0; i < LEN; i++)
        v[i] = (float)(i + 1);
}

static const char *const only_x[] = {"x", NULL}, *const only_y[] = {"y", NULL};

/* ---- tests ---- */

/* total(2x * 3x): gradient 12 x. On "plain" the image is blocked and both ops are staged.
 */
static void two_outputs(void **state)
{
    static const char *const devices[] = {"cpu", "fake"};
    static const char *const paths[] = {"reference", "plain"};
    const vox_shape shape = VOX_SHAPE(1, 8, 1, 1, 2);
    float x[LEN], got[LEN];

    (void)state;
    ramp(x);
    for (int k = 0; k < 4; k++) {
        rig r = rig_open(devices[k / 2], paths[k % 2]);
        vox_node *a =
            vox_graph_add1(r.g, &op_split, NULL, vox_input(r.g, "x", VOX_F32, shape));
        vox_node *b = vox_graph_name(r.g, vox_node_out(r.g, a, 1), "y");
        vox_node *y = vox_graph_add(r.g, &op_mul, NULL, 2, (vox_node *const[]){a, b});

        rig_plan(&r, vox_graph_add1(r.g, &op_total, NULL, y), only_y, only_x);
        assert_int_equal(vox_plan_set(r.plan, "x", VOX_F32, shape, x), VOX_OK);
        assert_int_equal(vox_plan_forward(r.plan), VOX_OK);
        assert_int_equal(vox_plan_backward(r.plan, 1.0f), VOX_OK);
        assert_int_equal(vox_plan_get(r.plan, "y", got), VOX_OK);
        for (int i = 0; i < LEN; i++)
            assert_true(got[i] == 3 * x[i]);
        assert_int_equal(vox_plan_get_grad(r.plan, "x", got), VOX_OK);
        for (int i = 0; i < LEN; i++)
            assert_true(got[i] == 12 * x[i]);
        rig_close(&r);
    }
}

static void outputs_are_counted(void **state)
{
    rig r = rig_open("cpu", "reference");
    vox_node *a =
        vox_graph_add1(r.g, &op_split, NULL, vox_input(r.g, "x", VOX_F32, VOX_SHAPE(LEN)));

    (void)state;
    assert_ptr_equal(vox_node_out(r.g, a, 0), a);
    assert_int_equal(vox_graph_status(r.g), VOX_OK);
    vox_node_out(r.g, a, 2);
    assert_int_equal(vox_graph_status(r.g), VOX_E_ARG);
    rig_close(&r);
}

/* y = 2x, total(y * y): the gradient of y comes through both operands of one call. */
static void an_operand_used_twice(void **state)
{
    static const char *const paths[] = {"reference", "plain"};
    const vox_shape shape = VOX_SHAPE(1, 8, 1, 1, 2);
    float x[LEN], got[LEN];

    (void)state;
    ramp(x);
    for (int k = 0; k < 2; k++) {
        rig r = rig_open("fake", paths[k]);
        vox_node *y =
            vox_graph_add1(r.g, &op_split, NULL, vox_input(r.g, "x", VOX_F32, shape));
        vox_node *square = vox_graph_add(r.g, &op_mul, NULL, 2, (vox_node *const[]){y, y});

        rig_plan(&r, vox_graph_add1(r.g, &op_total, NULL, square), NULL, only_x);
        assert_int_equal(vox_plan_set(r.plan, "x", VOX_F32, shape, x), VOX_OK);
        assert_int_equal(vox_plan_forward(r.plan), VOX_OK);
        assert_int_equal(vox_plan_backward(r.plan, 1.0f), VOX_OK);
        assert_int_equal(vox_plan_get_grad(r.plan, "x", got), VOX_OK);
        for (int i = 0; i < LEN; i++)
            assert_true(got[i] == 8 * x[i]);
        rig_close(&r);
    }
}

static void a_scalar_is_an_input(void **state)
{
    const vox_shape scalar = {0};
    const float seven = 7;
    float got = 0;
    rig r = rig_open("fake", "reference");

    (void)state;
    vox_graph_name(
        r.g, vox_graph_add1(r.g, &op_total, NULL, vox_input(r.g, "x", VOX_F32, scalar)),
        "y");
    rig_plan(&r, NULL, only_y, NULL);
    assert_int_equal(vox_plan_set(r.plan, "x", VOX_F32, scalar, &seven), VOX_OK);
    assert_int_equal(vox_plan_forward(r.plan), VOX_OK);
    assert_int_equal(vox_plan_get(r.plan, "y", &got), VOX_OK);
    assert_true(got == 7);
    rig_close(&r);
}

static void rows_stay_inside(void **state)
{
    static const struct {
        int64_t first, rows;
        int rc;
    } row[] = {
        {0,  4, VOX_OK   },
        {1,  2, VOX_OK   },
        {3,  1, VOX_OK   },
        {1,  4, VOX_E_ARG},
        {4,  1, VOX_E_ARG},
        {-1, 4, VOX_E_ARG},
        {-1, 1, VOX_E_ARG},
        {0,  5, VOX_E_ARG},
    };
    float x[5 * 4] = {0};
    rig r = rig_open("cpu", "reference");

    (void)state;
    vox_graph_add1(r.g, &op_split, NULL, vox_input(r.g, "x", VOX_F32, VOX_SHAPE(4, 4)));
    rig_plan(&r, NULL, NULL, NULL);
    for (int i = 0; i < VOX_COUNT(row); i++)
        assert_int_equal(vox_plan_set_rows(r.plan, "x", VOX_F32, VOX_SHAPE(row[i].rows, 4),
                                           row[i].first, x),
                         row[i].rc);
    rig_close(&r);
}

/* A kept gradient behind an op without backward: nothing flows on, nothing is called. */
static void a_gradient_stops(void **state)
{
    const vox_shape shape = VOX_SHAPE(LEN);
    float x[LEN], got[LEN];
    rig r = rig_open("cpu", "reference");
    vox_node *y = vox_graph_add1(r.g, &op_stop, NULL, vox_input(r.g, "x", VOX_F32, shape));

    (void)state;
    ramp(x);
    vox_graph_name(r.g, y, "y");
    rig_plan(&r, vox_graph_add1(r.g, &op_total, NULL, y), NULL,
             (const char *const[]){"x", "y", NULL});
    assert_int_equal(vox_plan_set(r.plan, "x", VOX_F32, shape, x), VOX_OK);
    assert_int_equal(vox_plan_forward(r.plan), VOX_OK);
    assert_int_equal(vox_plan_backward(r.plan, 5.0f), VOX_OK);
    assert_int_equal(vox_plan_get_grad(r.plan, "y", got), VOX_OK);
    for (int i = 0; i < LEN; i++)
        assert_true(got[i] == 5);
    assert_int_equal(vox_plan_get_grad(r.plan, "x", got), VOX_E_MISSING);
    rig_close(&r);
}

/* The gradient of the loss itself is the seed. */
static void the_loss_has_a_gradient(void **state)
{
    const vox_shape shape = VOX_SHAPE(LEN);
    float x[LEN], got[LEN];
    rig r = rig_open("cpu", "reference");
    vox_node *loss =
        vox_graph_add1(r.g, &op_total, NULL, vox_input(r.g, "x", VOX_F32, shape));

    (void)state;
    ramp(x);
    vox_graph_name(r.g, loss, "y");
    rig_plan(&r, loss, NULL, (const char *const[]){"x", "y", NULL});
    assert_int_equal(vox_plan_set(r.plan, "x", VOX_F32, shape, x), VOX_OK);
    assert_int_equal(vox_plan_forward(r.plan), VOX_OK);
    assert_int_equal(vox_plan_backward(r.plan, 0.5f), VOX_OK);
    assert_int_equal(vox_plan_get_grad(r.plan, "y", got), VOX_OK);
    assert_true(got[0] == 0.5f);
    rig_close(&r);
}

static void names_are_given_once(void **state)
{
    rig r = rig_open("cpu", "reference");
    vox_node *x = vox_input(r.g, "x", VOX_F32, VOX_SHAPE(LEN));

    (void)state;
    vox_graph_name(r.g, x, "y");
    assert_int_equal(vox_graph_status(r.g), VOX_E_EXISTS);
    assert_string_equal(vox_error_text(), "node \"x\" cannot be named \"y\" too");
    assert_ptr_equal(vox_graph_find(r.g, "x"), x);
    rig_close(&r);
}

/* An output that cannot be counted is an error of the graph, not of the memory plan. */
static int infer_absurd(vox_infer *io)
{
    io->out[0].shape = VOX_SHAPE((int64_t)1 << 40, (int64_t)1 << 40);
    return VOX_OK;
}

static void absurd_sizes_are_refused(void **state)
{
    static const vox_op absurd = {.name = "t_absurd",
                                  .n_in_min = 1,
                                  .n_in_max = 1,
                                  .n_out = 1,
                                  .infer = infer_absurd};
    rig r = rig_open("cpu", "reference");

    (void)state;
    vox_graph_add1(r.g, &absurd, NULL, vox_input(r.g, "x", VOX_F32, VOX_SHAPE(1)));
    assert_int_equal(vox_graph_status(r.g), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "t_absurd: output 0 is 1099511627776x"));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_outputs),
        cmocka_unit_test(outputs_are_counted),
        cmocka_unit_test(an_operand_used_twice),
        cmocka_unit_test(a_scalar_is_an_input),
        cmocka_unit_test(rows_stay_inside),
        cmocka_unit_test(a_gradient_stops),
        cmocka_unit_test(the_loss_has_a_gradient),
        cmocka_unit_test(names_are_given_once),
        cmocka_unit_test(absurd_sizes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
