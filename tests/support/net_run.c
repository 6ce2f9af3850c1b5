/* net_run: see net_run.h. */
#include "support/unit.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "ops/masked_mse.h"
#include "support/fill.h"
#include "support/net_run.h"

enum { INPUT = 1000000, TARGET = 1000002 }; /* tensor numbers of the fill */

static void ok(int rc)
{
    if (rc != VOX_OK)
        fail_msg("%s", vox_error_text());
}

static void open_model(net_run *r, const net_case *c)
{
    ok(vox_device_open(&r->dev, &c->device));
    ok(vox_model_init(&r->model, c->net));
    r->model.in_channels = c->in_channels ? c->in_channels : 1;
    r->model.out_channels = c->out_channels ? c->out_channels : 1;
    for (int i = 0; c->options[i][0]; i++)
        ok(vox_opts_set(r->model.net->opts, r->model.cfg, c->options[i][0],
                        c->options[i][1]));
    ok(vox_params_new(&r->params, r->dev));
    ok(r->model.net->declare(&r->model, r->params));
    ok(vox_params_seal(r->params));
    fill_params(r->params, c->smooth);
}

static void build(net_run *r, const net_case *c)
{
    const int64_t *n = c->patch;
    const vox_shape in = VOX_SHAPE(c->batch, r->model.in_channels, n[0], n[1], n[2]);
    vox_plan_cfg cfg = {
        .dev = r->dev, .keep = c->keep, .keep_grad = (const char *const[]){"x", NULL}
    };
    vox_node *x, *y, *target;

    ok(vox_graph_new(&r->g));
    x = vox_input(r->g, "x", VOX_F32, in);
    y = vox_net_run(&r->model, r->g, r->params, x);
    ok(vox_graph_status(r->g));
    target = vox_input(r->g, "target", VOX_F32, vox_node_shape(y));
    cfg.loss = vox_masked_mse(r->g, y, target, NULL);
    ok(vox_plan_new(&r->plan, r->g, &cfg));
    ok(vox_plan_bind(r->plan, &r->block));
}

static void set_input(net_run *r, const char *name, uint32_t t, double factor)
{
    const vox_shape shape = vox_node_shape(vox_graph_find(r->g, name));
    const int64_t n = vox_shape_count(shape);
    float *v = vox_alloc((size_t)n, sizeof *v);

    assert_non_null(v);
    fill_values(v, n, t, factor);
    ok(vox_plan_set(r->plan, name, VOX_F32, shape, v));
    vox_free(v);
}

void net_run_open(net_run *r, const net_case *c)
{
    *r = (net_run){0};
    open_model(r, c);
    build(r, c);
    set_input(r, "x", INPUT, 2);
    set_input(r, "target", TARGET, c->zero_target ? 0 : 1);
    vox_params_begin_step(r->params);
    ok(vox_plan_forward(r->plan));
    ok(vox_plan_backward(r->plan, 1.0f));
}

void net_run_close(net_run *r)
{
    vox_plan_free(r->plan);
    vox_graph_free(r->g);
    vox_block_release(&r->block);
    vox_params_free(r->params);
    vox_model_release(&r->model);
    vox_device_close(r->dev);
}

float *net_run_value(net_run *r, const char *name, int64_t *count)
{
    const vox_node *node = vox_graph_find(r->g, name);
    float *v;

    assert_non_null(node);
    *count = vox_shape_count(vox_node_shape(node));
    v = vox_alloc((size_t)*count, sizeof *v);
    assert_non_null(v);
    ok(vox_plan_get(r->plan, name, v));
    return v;
}

float *net_run_grad(net_run *r, int i, int64_t *count)
{
    const int input = i == r->params->n_param;
    float *v;

    *count = input ? vox_shape_count(vox_node_shape(vox_graph_find(r->g, "x")))
                   : r->params->param[i].count;
    v = vox_alloc((size_t)*count, sizeof *v);
    assert_non_null(v);
    ok(input ? vox_plan_get_grad(r->plan, "x", v)
             : vox_params_get(r->params, r->params->grad, i, v));
    return v;
}

double net_run_loss(net_run *r)
{
    double loss;

    ok(vox_plan_loss(r->plan, &loss));
    return loss;
}

void net_run_stats(double out[6], const float *v, int64_t n)
{
    double sum = 0, squares = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += (double)v[i];
        squares += (double)v[i] * (double)v[i];
    }
    out[0] = sum / (double)n;
    out[1] = sqrt(squares / (double)n);
    for (int k = 0; k < 4; k++)
        out[2 + k] = (double)v[k == 3 ? n - 1 : k * n / 3];
}
