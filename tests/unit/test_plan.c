/*
 * plan: random programs of elementwise ops against a naive model that keeps everything in
 * f64.
 *
 * Finds what a memory plan can get wrong: something overwritten while it is still read, a
 * gradient written where it should be added, a value rebuilt too early or not at all.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "graph/plan.h"
#include "support/unit.h"

enum { LEN = 37, NODES = 40, PARAMS = 4 };

/* ---- ops of this test: sum, product, sine, and the total ---- */

static int infer_pair(vox_infer *io)
{
    if (!vox_shape_equal(io->in[0]->shape, io->in[1]->shape))
        return vox_fail(VOX_E_ARG, "shapes differ");
    io->out[0].shape = io->in[0]->shape;
    return VOX_OK;
}

static int infer_one(vox_infer *io)
{
    io->out[0].shape = io->in[0]->shape;
    io->saved = sizeof(float) * LEN;
    return VOX_OK;
}

static int infer_total(vox_infer *io)
{
    io->out[0].shape = VOX_SHAPE(1);
    return VOX_OK;
}

static void add_forward(const vox_call *c)
{
    float *y = vox_call_out(c, 0);

    VOX_SHARE(i, LEN)
        y[i] = vox_call_in(c, 0)[i] + vox_call_in(c, 1)[i];
}

static void add_backward(const vox_call *c)
{
    for (int k = 0; k < 2; k++) {
        const vox_grad d = vox_call_din(c, k);

        if (d.put == VOX_SKIP)
            continue;
        VOX_SHARE(i, LEN)
            vox_grad_put(d, i, vox_call_dout(c, 0)[i]);
        vox_barrier(); /* the operands may be one tensor */
    }
}

static void mul_forward(const vox_call *c)
{
    float *y = vox_call_out(c, 0);

    VOX_SHARE(i, LEN)
        y[i] = vox_call_in(c, 0)[i] * vox_call_in(c, 1)[i];
}

static void mul_backward(const vox_call *c)
{
    for (int k = 0; k < 2; k++) {
        const vox_grad d = vox_call_din(c, k);

        if (d.put == VOX_SKIP)
            continue;
        VOX_SHARE(i, LEN)
            vox_grad_put(d, i, vox_call_dout(c, 0)[i] * vox_call_in(c, 1 - k)[i]);
        vox_barrier();
    }
}

/* Saves its argument, reads output and saved: exercises both. */
static void sin_forward(const vox_call *c)
{
    float *y = vox_call_out(c, 0), *saved = c->saved;

    VOX_SHARE(i, LEN) {
        const float x = vox_call_in(c, 0)[i];

        saved[i] = x;
        y[i] = sinf(x);
    }
}

static void sin_rebuild(const vox_call *c)
{
    const float *saved = c->saved;

    VOX_SHARE(i, LEN)
        vox_call_out(c, 0)[i] = sinf(saved[i]);
}

static void sin_backward(const vox_call *c)
{
    const float *saved = c->saved;
    const vox_grad d = vox_call_din(c, 0);

    if (d.put == VOX_SKIP)
        return;
    VOX_SHARE(i, LEN) { /* sign of the cosine from x, its size from y */
        const float y = vox_call_out(c, 0)[i], cosine = sqrtf(fmaxf(0.0f, 1.0f - y * y));

        vox_grad_put(d, i, vox_call_dout(c, 0)[i] * copysignf(cosine, cosf(saved[i])));
    }
}

static void total_forward(const vox_call *c)
{
    VOX_SHARE(one, 1) {
        double s = 0;

        for (int64_t i = 0; i < LEN; i++)
            s += (double)vox_call_in(c, 0)[i];
        vox_call_out(c, 0)[0] = (float)s;
    }
}

static void total_backward(const vox_call *c)
{
    const vox_grad d = vox_call_din(c, 0);

    if (d.put == VOX_SKIP)
        return;
    VOX_SHARE(i, LEN)
        vox_grad_put(d, i, vox_call_dout(c, 0)[0]);
}

static const vox_op op_add = {.name = "t_add",
                              .n_in_min = 2,
                              .n_in_max = 2,
                              .n_out = 1,
                              .may_alias = VOX_ALIAS(0, 0) | VOX_ALIAS(0, 1),
                              .infer = infer_pair,
                              .forward = add_forward,
                              .backward = add_backward};
static const vox_op op_mul = {.name = "t_mul",
                              .n_in_min = 2,
                              .n_in_max = 2,
                              .n_out = 1,
                              .may_alias = VOX_ALIAS(0, 0) | VOX_ALIAS(0, 1),
                              .backward_reads = VOX_IN(0) | VOX_IN(1),
                              .infer = infer_pair,
                              .forward = mul_forward,
                              .backward = mul_backward};
static const vox_op op_sin = {.name = "t_sin",
                              .n_in_min = 1,
                              .n_in_max = 1,
                              .n_out = 1,
                              .may_alias = VOX_ALIAS(0, 0),
                              .backward_reads = VOX_OUT(0) | VOX_SAVED,
                              .infer = infer_one,
                              .forward = sin_forward,
                              .rebuild = sin_rebuild,
                              .backward = sin_backward};
static const vox_op op_total = {.name = "t_total",
                                .n_in_min = 1,
                                .n_in_max = 1,
                                .n_out = 1,
                                .infer = infer_total,
                                .forward = total_forward,
                                .backward = total_backward};

/* ---- a random program, as a graph and as a naive model ---- */

typedef struct step {
    int op, a, b; /* op 0 add, 1 mul, 2 sin; operands are earlier values */
} step;

typedef struct program {
    step step[NODES];
    float leaf[PARAMS + 1][LEN]; /* parameters, then the input */
} program;

static void make_program(program *q, uint64_t seed)
{
    vox_rng r = vox_rng_at(seed, VOX_STREAM("program"), 0);

    for (int i = 0; i < NODES; i++) {
        const uint64_t n = (uint64_t)(PARAMS + 1 + i);

        q->step[i].op = (int)vox_rng_below(&r, 3);
        q->step[i].a = (int)(n - 1 - vox_rng_below(&r, n < 8 ? n : 8)); /* mostly recent */
        q->step[i].b = (int)vox_rng_below(&r, n);
    }
    for (int k = 0; k <= PARAMS; k++) {
        for (int i = 0; i < LEN; i++)
            q->leaf[k][i] = (float)vox_rng_range(&r, -1, 1);
    }
}

/* The total of the last value, and its gradient by every leaf. */
static double naive(const program *q, double grad[PARAMS + 1][LEN])
{
    static double v[PARAMS + 1 + NODES][LEN], d[PARAMS + 1 + NODES][LEN];
    double total = 0;

    memset(d, 0, sizeof d);
    for (int k = 0; k <= PARAMS; k++) {
        for (int i = 0; i < LEN; i++)
            v[k][i] = (double)q->leaf[k][i];
    }
    for (int n = 0; n < NODES; n++) {
        const step s = q->step[n];

        for (int i = 0; i < LEN; i++)
            v[PARAMS + 1 + n][i] = s.op == 0   ? v[s.a][i] + v[s.b][i]
                                   : s.op == 1 ? v[s.a][i] * v[s.b][i]
                                               : sin(v[s.a][i]);
    }
    for (int i = 0; i < LEN; i++) {
        total += v[PARAMS + NODES][i];
        d[PARAMS + NODES][i] = 1;
    }
    for (int n = NODES - 1; n >= 0; n--) {
        const step s = q->step[n];
        const double *dy = d[PARAMS + 1 + n];

        for (int i = 0; i < LEN; i++) {
            const double a = v[s.a][i], b = v[s.b][i];

            d[s.a][i] += dy[i] * (s.op == 0 ? 1 : s.op == 1 ? b : cos(a));
            if (s.op < 2)
                d[s.b][i] += dy[i] * (s.op == 0 ? 1 : a);
        }
    }
    memcpy(grad, d, sizeof(double) * (PARAMS + 1) * LEN);
    return total;
}

static vox_params *make_params(vox_device *dev, const program *q)
{
    static const char *const names[PARAMS] = {"p0", "p1", "p2", "p3"};
    vox_params *p;

    assert_int_equal(vox_params_new(&p, dev), VOX_OK);
    for (int k = 0; k < PARAMS; k++)
        assert_int_equal(vox_params_add(p, names[k], VOX_SHAPE(LEN), (vox_init){0}),
                         VOX_OK);
    assert_int_equal(vox_params_seal(p), VOX_OK);
    for (int k = 0; k < PARAMS; k++)
        assert_int_equal(vox_params_set(p, p->value, k, q->leaf[k]), VOX_OK);
    return p;
}

static vox_node *make_graph(vox_graph *g, vox_params *p, const program *q)
{
    vox_node *v[PARAMS + 1 + NODES];

    for (int k = 0; k < PARAMS; k++)
        v[k] = vox_param_node(g, p, p->param[k].name);
    v[PARAMS] = vox_input(g, "x", VOX_F32, VOX_SHAPE(LEN));
    for (int n = 0; n < NODES; n++) {
        const step s = q->step[n];
        vox_node *const in[2] = {v[s.a], v[s.b]};

        vox_graph_scope(g, n < NODES / 2 ? "first" : "second");
        v[PARAMS + 1 + n] = s.op == 2
                                ? vox_graph_add1(g, &op_sin, NULL, in[0])
                                : vox_graph_add(g, s.op ? &op_mul : &op_add, NULL, 2, in);
    }
    return vox_graph_add1(g, &op_total, NULL, v[PARAMS + NODES]);
}

static int near(double got, double want)
{
    return fabs(got - want) <= 2e-4 * (1 + fabs(want)); /* f32 through 40 ops */
}

static void check_gradients(vox_plan *plan, vox_params *p, double grad[PARAMS + 1][LEN],
                            double times)
{
    float got[LEN];

    for (int k = 0; k <= PARAMS; k++) {
        if (k < PARAMS && !p->param[k].touched) {
            for (int i = 0; i < LEN; i++)
                assert_true(grad[k][i] == 0);
            continue;
        }
        if (k < PARAMS)
            assert_int_equal(vox_params_get(p, p->grad, k, got), VOX_OK);
        else if (vox_plan_get_grad(plan, "x", got) != VOX_OK)
            continue; /* no path from x to the total */
        for (int i = 0; i < LEN; i++)
            assert_true(near((double)got[i], (k < PARAMS ? times : 1) * grad[k][i]));
    }
}

static void run_program(vox_device *dev, uint64_t seed, const char *recompute)
{
    static const char *const inputs[] = {"x", NULL};
    static program q;
    static double grad[PARAMS + 1][LEN];
    vox_block block = VOX_BLOCK_INIT;
    vox_params *p;
    vox_graph *g;
    vox_plan *plan;
    vox_plan_cfg cfg = {.dev = dev, .keep_grad = inputs, .recompute = recompute};
    double want, got;

    make_program(&q, seed);
    want = naive(&q, grad);
    p = make_params(dev, &q);
    assert_int_equal(vox_graph_new(&g), VOX_OK);
    cfg.loss = make_graph(g, p, &q);
    assert_int_equal(vox_plan_new(&plan, g, &cfg), VOX_OK);
    assert_int_equal(vox_plan_bind(plan, &block), VOX_OK);
    assert_int_equal(vox_plan_set(plan, "x", VOX_F32, VOX_SHAPE(LEN), q.leaf[PARAMS]),
                     VOX_OK);
    for (int pass = 1; pass <= 2;
         pass++) { /* the second adds to the parameters' gradients */
        assert_int_equal(vox_plan_forward(plan), VOX_OK);
        assert_int_equal(vox_plan_backward(plan, 1.0f), VOX_OK);
        assert_int_equal(vox_plan_loss(plan, &got), VOX_OK);
        assert_true(near(got, want));
        check_gradients(plan, p, grad, pass);
    }
    vox_plan_free(plan);
    vox_graph_free(g);
    vox_block_release(&block);
    vox_params_free(p);
}

static void random_programs(void **state)
{
    static const char *const devices[] = {"cpu", "fake"};
    static const char *const recompute[] = {NULL,    "none",   "cheap",       "all",
                                            "first", "second", "second,first"};

    (void)state;
    for (int d = 0; d < 2; d++) {
        const vox_device_cfg cfg = {.name = devices[d], .path = "reference", .threads = 2};
        vox_device *dev;

        assert_int_equal(vox_device_open(&dev, &cfg), VOX_OK);
        for (uint64_t seed = 0; seed < 60; seed++) {
            for (int k = 0; k < VOX_COUNT(recompute); k++)
                run_program(dev, seed, recompute[k]);
        }
        vox_device_close(dev);
    }
}

static void first_error_stays(void **state)
{
    vox_graph *g;
    vox_node *a, *b;

    (void)state;
    assert_int_equal(vox_graph_new(&g), VOX_OK);
    a = vox_input(g, "a", VOX_F32, VOX_SHAPE(2));
    b = vox_input(g, "b", VOX_F32, VOX_SHAPE(3));
    vox_graph_scope(g, "net.stage");
    a = vox_graph_add(g, &op_add, NULL, 2, (vox_node *const[]){a, b});
    a = vox_graph_add1(g, &op_sin, NULL, a); /* harmless */
    vox_input(g, "b", VOX_F32, VOX_SHAPE(1));
    assert_int_equal(vox_graph_status(g), VOX_E_ARG);
    assert_string_equal(vox_error_text(), "net.stage: shapes differ");
    vox_graph_free(g);
}

static void allocation_failures_are_clean(void **state)
{
    const vox_device_cfg dev_cfg = {.name = "cpu", .path = "reference", .threads = 1};
    static program q;
    vox_device *dev;
    int failed = 1;

    (void)state;
    make_program(&q, 1);
    assert_int_equal(vox_device_open(&dev, &dev_cfg), VOX_OK);
    for (int64_t n = 1; failed; n++) {
        const int64_t blocks = vox_mem_blocks();
        vox_params *p = make_params(dev, &q);
        vox_graph *g = NULL;
        vox_plan *plan = NULL;
        vox_block block = VOX_BLOCK_INIT;
        int rc;

        vox_mem_fail_at(n);
        rc = vox_graph_new(&g);
        if (rc == VOX_OK) {
            const vox_plan_cfg cfg = {.dev = dev, .loss = make_graph(g, p, &q)};

            rc = vox_plan_new(&plan, g, &cfg);
        }
        if (rc == VOX_OK)
            rc = vox_plan_bind(plan, &block);
        failed = rc != VOX_OK;
        assert_true(!failed || rc == VOX_E_NOMEM);
        vox_mem_fail_at(0);
        vox_plan_free(plan);
        vox_graph_free(g);
        vox_block_release(&block);
        vox_params_free(p);
        assert_int_equal(vox_mem_blocks(), blocks);
    }
    vox_device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_programs),
        cmocka_unit_test(first_error_stays),
        cmocka_unit_test(allocation_failures_are_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
