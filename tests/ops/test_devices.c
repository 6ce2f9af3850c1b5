/*
 * devices: every problem of every op through graph, plan and device, on every path of "cpu"
 * and of "fake", against direct calls of the reference.
 *
 * The graph is the op between identities (so that operands are blocked where the path
 * blocks) and a squared error to a target. What this finds is not wrong sums
 * (test_kernels.c does) but wrong wiring: layouts, copies around references, write or add,
 * host pointers. And one tensor as two operands: their gradients are one buffer.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "graph/plan.h"
#include "ops/leaky_relu.h"
#include "ops/masked_mse.h"
#include "support/op_case.h"
#include "support/unit.h"

static const char *const devices[] = {"cpu", "fake"};

/* A case with the target that makes its gradient, and what must come out. */
typedef struct expected {
    op_case c;
    float *target; /* NULL when the op is a loss itself */
    op_result wanted, magnitude;
    int twin, of; /* operand `twin` is the tensor of operand `of`; 0: all differ */
} expected;

static op_result run_reference(const op_case *c)
{
    vox_device *dev = op_device("reference", 2);
    const op_how how = op_how_write(dev, NULL);
    const op_result r = op_case_run(c, &how);

    vox_device_close(dev);
    return r;
}

/*
 * The target is as far from the output as the output's terms are large, so that rounding of
 * the output moves the gradient by not many roundings; but at a kink it is on the output.
 * Leaves in dout the gradient's size: the magnitude is taken from it.
 */
static void set_target(expected *e)
{
    const int64_t n = op_case_count_out(&e->c, 0);
    vox_rng rng = vox_rng_at(31, VOX_STREAM(e->c.text), 0);
    op_result scale = op_case_magnitude(&e->c), y = run_reference(&e->c);

    e->target = vox_alloc((size_t)n, sizeof *e->target);
    assert_non_null(e->target);
    for (int64_t i = 0; i < n; i++) {
        const double far = e->c.dout[0][i] != 0.0f ? (double)scale.out[0][i] : 0;
        const double side = vox_rng_below(&rng, 2) ? 1 : -1;

        e->target[i] = (float)((double)y.out[0][i] + side * far);
        e->c.dout[0][i] = 2 * scale.out[0][i] / (float)n;
    }
    e->magnitude = op_case_magnitude(&e->c);
    op_result_mix(&e->c, &e->magnitude);
    for (int64_t i = 0; i < n; i++)
        e->c.dout[0][i] =
            (float)(2 * ((double)y.out[0][i] - (double)e->target[i]) / (double)n);
    op_result_free(&scale);
    op_result_free(&y);
}

/* The second of two activations of one shape, or 0. */
static int find_twin(const op_case *c, int *of)
{
    const vox_value *v = c->spec.in;

    for (int i = 1; i < c->spec.n_in; i++) {
        for (*of = 0; *of < i; ++*of) {
            if (op_case_has_grad(c, i) && op_case_has_grad(c, *of) &&
                v[i].role == VOX_ROLE_ACTIVATION && v[*of].role == VOX_ROLE_ACTIVATION &&
                vox_shape_equal(v[i].shape, v[*of].shape))
                return i;
        }
    }
    return 0;
}

/* The gradient of the one tensor is the sum of its operands'. */
static void join(const expected *e, op_result *r)
{
    for (int64_t k = 0; k < op_case_count_in(&e->c, e->of); k++)
        r->din[e->of][k] += r->din[e->twin][k];
    vox_free(r->din[e->twin]);
    r->din[e->twin] = NULL;
}

static expected expect(const vox_op *op, const char *text, int twins)
{
    expected e = {.c = op_case_new(op, text, 41, 0)};

    if (twins)
        e.twin = find_twin(&e.c, &e.of);
    if (e.twin)
        memcpy(e.c.in[e.twin], e.c.in[e.of],
               (size_t)op_case_count_in(&e.c, e.of) * sizeof(float));
    if (strcmp(op->name, "masked_mse") == 0) {
        e.c.dout[0][0] = 1.0f;
        e.magnitude = op_case_magnitude(&e.c);
    } else {
        set_target(&e);
    }
    e.wanted = run_reference(&e.c);
    if (e.twin) {
        join(&e, &e.wanted);
        join(&e, &e.magnitude);
    }
    return e;
}

static void release(expected *e)
{
    op_result_free(&e->wanted);
    op_result_free(&e->magnitude);
    vox_free(e->target);
    op_case_free(&e->c);
}

/* ---- the same through a plan ---- */

typedef struct setup {
    const expected *e;
    vox_device *dev;
    vox_params *params;
    vox_graph *g;
    vox_plan *plan;
    vox_block block;
} setup;

/* Is operand i a tensor of its own? */
static int is_own(const expected *e, int i)
{
    return e->c.in[i] && (e->twin == 0 || i != e->twin);
}

/* "a0", "a1", ...: operand i, as input or parameter. */
static const char *name_of(int i)
{
    static const char *const names[VOX_MAX_IN] = {"a0", "a1", "a2", "a3",
                                                  "a4", "a5", "a6", "a7"};

    return names[i];
}

static int is_param(const op_case *c, int i)
{
    return c->in[i] && c->spec.in[i].role == VOX_ROLE_PARAM;
}

static void ok(int rc)
{
    if (rc != VOX_OK)
        fail_msg("%s", vox_error_text());
}

static void make_params(setup *s)
{
    const op_case *c = &s->e->c;

    ok(vox_params_new(&s->params, s->dev));
    for (int i = 0; i < c->spec.n_in; i++) {
        if (is_param(c, i))
            ok(vox_params_add(s->params, name_of(i), c->spec.in[i].shape,
                              (vox_init){VOX_INIT_CONST, 0, 0}));
    }
    ok(vox_params_seal(s->params));
    for (int i = 0; i < c->spec.n_in; i++) {
        if (is_param(c, i))
            ok(vox_params_set(s->params, s->params->value,
                              vox_params_find(s->params, name_of(i)), c->in[i]));
    }
}

static vox_node *operand(setup *s, int i)
{
    const vox_value *v = &s->e->c.spec.in[i];
    vox_node *node;

    if (!s->e->c.in[i])
        return NULL;
    if (is_param(&s->e->c, i))
        return vox_param_node(s->g, s->params, name_of(i));
    node = vox_input(s->g, name_of(i), v->dtype, v->shape);
    return v->dtype == VOX_F32 ? vox_leaky_relu(s->g, node, 1.0f) : node;
}

static void make_plan(setup *s)
{
    const op_case *c = &s->e->c;
    const char *keep_grad[VOX_MAX_IN + 1] = {NULL};
    vox_plan_cfg cfg = {
        .dev = s->dev, .keep = (const char *const[]){"y", NULL},
               .keep_grad = keep_grad
    };
    vox_node *in[VOX_MAX_IN], *y;
    int n = 0;

    ok(vox_graph_new(&s->g));
    for (int i = 0; i < c->spec.n_in; i++) {
        in[i] = is_own(s->e, i) || !c->in[i] ? operand(s, i) : in[s->e->of];
        if (op_case_has_grad(c, i) && is_own(s->e, i) && !is_param(c, i))
            keep_grad[n++] = name_of(i);
    }
    y = vox_graph_add(s->g, c->spec.op, c->spec.attr, c->spec.n_in, in);
    vox_graph_name(s->g, y, "y");
    cfg.loss = y;
    if (s->e->target)
        cfg.loss = vox_masked_mse(
            s->g, y, vox_input(s->g, "target", VOX_F32, c->spec.out[0].shape), NULL);
    ok(vox_graph_status(s->g));
    ok(vox_plan_new(&s->plan, s->g, &cfg));
    ok(vox_plan_bind(s->plan, &s->block));
}

static void set_inputs(setup *s)
{
    const op_case *c = &s->e->c;

    for (int i = 0; i < c->spec.n_in; i++) {
        const vox_value *v = &c->spec.in[i];

        if (is_own(s->e, i) && !is_param(c, i))
            ok(vox_plan_set(s->plan, name_of(i), v->dtype, v->shape, c->in[i]));
    }
    if (s->e->target)
        ok(vox_plan_set(s->plan, "target", VOX_F32, c->spec.out[0].shape, s->e->target));
}

static op_result fetch(setup *s)
{
    const op_case *c = &s->e->c;
    op_result r = {{0}, {0}, {0}};

    r.out[0] = vox_alloc((size_t)op_case_count_out(c, 0), sizeof(float));
    ok(vox_plan_get(s->plan, "y", r.out[0]));
    for (int i = 0; i < c->spec.n_in; i++) {
        if (!op_case_has_grad(c, i) || !is_own(s->e, i))
            continue;
        r.din[i] = vox_alloc((size_t)op_case_count_in(c, i), sizeof(float));
        if (is_param(c, i))
            ok(vox_params_get(s->params, s->params->grad,
                              vox_params_find(s->params, name_of(i)), r.din[i]));
        else
            ok(vox_plan_get_grad(s->plan, name_of(i), r.din[i]));
    }
    return r;
}

/* After a second run in one step the gradients of parameters are twice as large. */
static void halve_params(const op_case *c, op_result *r)
{
    for (int i = 0; i < c->spec.n_in; i++) {
        for (int64_t k = 0; is_param(c, i) && k < op_case_count_in(c, i); k++)
            r->din[i][k] *= 0.5f;
    }
}

/* NaN in all memory of the plan, lanes above C too: what a run reads it has written. */
static void poison(setup *s)
{
    unsigned char *nan = vox_alloc(s->block.bytes + 1, 1);

    assert_non_null(nan);
    memset(nan, 0xff, s->block.bytes);
    ok(vox_device_upload(s->dev, s->block.data, nan, s->block.bytes));
    vox_free(nan);
}

static void run_plan(setup *s)
{
    const op_case *c = &s->e->c;
    char who[64];

    snprintf(who, sizeof who, "%s, path %s", s->dev->type->name, s->dev->path);
    vox_params_begin_step(s->params);
    for (int run = 0; run < 2; run++) {
        op_result found;

        poison(s);
        set_inputs(s);
        ok(vox_plan_forward(s->plan));
        ok(vox_plan_backward(s->plan, 1.0f));
        found = fetch(s);
        if (run == 1)
            halve_params(c, &found);
        op_result_compare(c, who, &found, &s->e->wanted, &s->e->magnitude);
        op_result_free(&found);
    }
}

static void check(const expected *e, const char *device, const op_way *way)
{
    const vox_device_cfg cfg = {
        .name = device, .path = way->path, .threads = 2, .winograd = way->winograd};
    setup s = {.e = e, .block = VOX_BLOCK_INIT};
    const int rc = vox_device_open(&s.dev, &cfg);

    if (rc == VOX_E_MISSING) /* not on this machine */
        return;
    ok(rc);
    make_params(&s);
    make_plan(&s);
    run_plan(&s);
    vox_plan_free(s.plan);
    vox_graph_free(s.g);
    vox_block_release(&s.block);
    vox_params_free(s.params);
    vox_device_close(s.dev);
}

/* @return were there twins? */
static int check_everywhere(const vox_op *op, const char *text, int twins)
{
    expected e = expect(op, text, twins);
    const int is_new = !twins || e.twin > 0;

    for (int d = 0; d < VOX_COUNT(devices); d++) {
        for (int i = 0; is_new && i < OP_WAYS; i++) {
            if (op_way_is_for(&op_ways[i], &e.c.spec))
                check(&e, devices[d], &op_ways[i]);
        }
    }
    release(&e);
    return is_new && twins;
}

static void plans_agree_with_direct_calls(void **state)
{
    (void)state;
    for (int k = 0; vox_op_at(k); k++) {
        const vox_op *op = vox_op_at(k);
        vox_rng rng = vox_rng_at(9, VOX_STREAM(op->name), 0);

        for (int i = 0; op->problems[i]; i++)
            check_everywhere(op, op->problems[i], 0);
        for (int i = 0; i < op_random_count(5); i++) {
            char text[256];

            op_random_text(text, op, &rng, 3000);
            check_everywhere(op, text, 0);
        }
    }
}

static void one_tensor_may_be_two_operands(void **state)
{
    static const struct {
        const char *op, *text;
    } more[] = {
        {"conv3d", "1x16x4x5x6 out=16 in=0,1,3"              },
        {"conv3d", "2x40x6x6x6 out=24 in=0,1,2,3"            },
        {"conv3d", "1x64x8x8x8 out=64 in=0,1,3"              },
        {"conv3d", "1x24x6x6x6 out=32 stride=2 in=0,1,3"     },
        {"conv3d", "1x24x5x6x6 out=8 kernel=1 pad=0 in=0,1,3"}
    };
    int n = 0;

    (void)state;
    for (int k = 0; vox_op_at(k); k++) {
        const vox_op *op = vox_op_at(k);

        for (int i = 0; op->problems[i]; i++)
            n += check_everywhere(op, op->problems[i], 1);
    }
    assert_true(n > 0);
    for (int i = 0; i < VOX_COUNT(more); i++)
        assert_true(check_everywhere(vox_op_find(more[i].op), more[i].text, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_agree_with_direct_calls),
        cmocka_unit_test(one_tensor_may_be_two_operands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
