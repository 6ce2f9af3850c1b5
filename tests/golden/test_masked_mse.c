/* The reconstruction losses of methods.md 10.1 (the peer's modules in float64), with
 * gradients from their formula, on every kernel path. */
#include "support/unit.h"

#include <math.h>

#include "base/error.h"
#include "graph/plan.h"
#include "ops/masked_mse.h"

enum { COUNT = 2 * 64 };

/* g(shape, a): sin(a i), i = 1..n. */
static void wave(float *out, double a)
{
    for (int i = 0; i < COUNT; i++)
        out[i] = (float)sin(a * (i + 1));
}

/* Blocks of 4 / n voxels, visible where their flat index is a multiple of 3. */
typedef struct loss_case {
    int n; /* blocks per axis; 0: no mask */
    double want;
} loss_case;

static int hidden(const loss_case *c, int i)
{
    const int z = i / 16 % 4, y = i / 4 % 4, x = i % 4, edge = c->n ? 4 / c->n : 1;

    if (!c->n)
        return 1;
    return (((i / 64 * c->n + z / edge) * c->n + y / edge) * c->n + x / edge) % 3 != 0;
}

static vox_plan *make_plan(vox_graph *g, vox_device *dev, const loss_case *c)
{
    const vox_shape shape = VOX_SHAPE(2, 1, 4, 4, 4);
    vox_node *p = vox_input(g, "p", VOX_F32, shape), *t = vox_input(g, "t", VOX_F32, shape);
    vox_node *keep =
        c->n ? vox_input(g, "keep", VOX_U8, VOX_SHAPE(2, 1, c->n, c->n, c->n)) : NULL;
    vox_plan *plan;

    assert_int_equal(vox_plan_new(&plan, g,
                                  &(vox_plan_cfg){
                                      .dev = dev,
                                      .loss = vox_masked_mse(g, p, t, keep),
                                      .keep_grad = (const char *const[]){"p", NULL}
    }),
                     VOX_OK);
    return plan;
}

static void check_grad(vox_plan *plan, const loss_case *c, const float *p, const float *t)
{
    float found[COUNT];
    int count = 0;

    for (int i = 0; i < COUNT; i++)
        count += hidden(c, i);
    assert_int_equal(vox_plan_backward(plan, 1.0f), VOX_OK);
    assert_int_equal(vox_plan_get_grad(plan, "p", found), VOX_OK);
    for (int i = 0; i < COUNT; i++)
        assert_float_equal(found[i], 2 * (p[i] - t[i]) * (float)hidden(c, i) / (float)count,
                           1e-8f);
}

static void check(vox_device *dev, const loss_case *c)
{
    const vox_shape shape = VOX_SHAPE(2, 1, 4, 4, 4);
    vox_block block = VOX_BLOCK_INIT;
    float p[COUNT], t[COUNT];
    uint8_t keep[COUNT];
    vox_plan *plan;
    vox_graph *g;
    double loss;

    wave(p, 0.37);
    wave(t, 0.91);
    for (int i = 0; i < COUNT; i++)
        keep[i] = i % 3 == 0;
    assert_int_equal(vox_graph_new(&g), VOX_OK);
    plan = make_plan(g, dev, c);
    assert_int_equal(vox_plan_bind(plan, &block), VOX_OK);
    assert_int_equal(vox_plan_set(plan, "p", VOX_F32, shape, p), VOX_OK);
    assert_int_equal(vox_plan_set(plan, "t", VOX_F32, shape, t), VOX_OK);
    if (c->n)
        assert_int_equal(
            vox_plan_set(plan, "keep", VOX_U8, VOX_SHAPE(2, 1, c->n, c->n, c->n), keep),
            VOX_OK);
    assert_int_equal(vox_plan_forward(plan), VOX_OK);
    assert_int_equal(vox_plan_loss(plan, &loss), VOX_OK);
    assert_true(fabs(loss - c->want) <= 3e-7 * c->want); /* inputs are rounded to f32 */
    check_grad(plan, c, p, t);
    vox_plan_free(plan);
    vox_graph_free(g);
    vox_block_release(&block);
}

static void losses_are_the_peers(void **state)
{
    static const char *const paths[] = {"reference", "plain", "avx2", "avx512"};
    static const loss_case cases[] = {
        {4, 1.010695837699796 }, /* MAEMSELoss */
        {2, 1.0085181184123013}, /* SparkLoss, block mask */
        {0, 0.9993451285440798}, /* MSELoss_NoMask */
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(paths); i++) {
        vox_device *dev;

        if (vox_device_open(
                &dev, &(vox_device_cfg){.name = "cpu", .path = paths[i], .threads = 2}) !=
            VOX_OK)
            continue; /* not on this CPU */
        for (int k = 0; k < VOX_COUNT(cases); k++)
            check(dev, &cases[k]);
        vox_device_close(dev);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(losses_are_the_peers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
