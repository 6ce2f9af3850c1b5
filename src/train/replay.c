/*
 * replay: a bundle's steps through the engine and the optimizer that training uses.
 *
 * Source: replay.md.
 */
#include "train/replay.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/version.h"
#include "train/replay_impl.h"

/* ---- opening ---- */

static int read_bundle(vox_replay_run *r)
{
    const char *text;
    int rc;

    VOX_TRY(vox_safetensors_read(&r->in, r->path));
    text = vox_tensors_meta(&r->in, "voxmind.replay");
    if (!text)
        return vox_fail(VOX_E_MISSING, "%s: the metadata have no \"voxmind.replay\"",
                        r->path);
    rc = vox_replay_spec_parse(&r->spec, text, strlen(text));
    return rc == VOX_OK ? rc : vox_fail_in(rc, "%s", r->path);
}

/* Batch, channels and patch are those of the first step's x. */
static int find_sizes(vox_replay_run *r)
{
    const vox_view *x = vox_tensors_find(&r->in, "step0/x");
    char text[128];

    if (!x)
        return vox_fail(VOX_E_MISSING, "%s: \"step0/x\" is missing", r->path);
    if (x->shape.rank != 5 || vox_shape_count(x->shape) <= 0 || x->shape.n[1] > 4096)
        return vox_fail(VOX_E_FORMAT, "%s: \"step0/x\" is %s, wanted [B, C, D, H, W]",
                        r->path, vox_shape_text(x->shape, text));
    r->size = x->shape.n[0];
    r->setup.model.in_channels = (int)x->shape.n[1];
    memcpy(r->patch, x->shape.n + 2, sizeof r->patch);
    return VOX_OK;
}

/* Names of the net's outputs, from a graph that only says them. */
static int list_outputs(vox_replay_run *r)
{
    const vox_model *m = &r->setup.model;
    const vox_shape x = VOX_SHAPE(1, m->in_channels, r->patch[0], r->patch[1], r->patch[2]);
    vox_features feats = {0}, outs = {0};
    vox_params *p = NULL;
    vox_graph *g = NULL;
    int rc = vox_params_new(&p, NULL);

    if (rc == VOX_OK)
        rc = m->net->declare(m, p);
    if (rc == VOX_OK)
        rc = vox_graph_new(&g);
    if (rc == VOX_OK) {
        m->net->encode(m, g, p, vox_input(g, "x", VOX_F32, x), &feats);
        m->net->decode(m, g, p, &feats, &outs);
        rc = vox_graph_status(g);
    }
    for (int i = 0; i < outs.count && rc == VOX_OK; i++)
        rc = vox_strs_add(&r->names, outs.item[i].name);
    vox_graph_free(g);
    vox_params_free(p);
    return rc;
}

/* What is fetched from each piece: outputs, then activations. */
static int list_kept(vox_replay_run *r)
{
    if (r->spec.want & VOX_WANT_OUT)
        VOX_TRY(list_outputs(r));
    r->n_out = (int)r->names.count;
    for (int64_t i = 0; i < r->spec.activations.count; i++)
        VOX_TRY(vox_strs_add(&r->names, r->spec.activations.v[i]));
    if (r->names.count > VOX_ENGINE_KEEP)
        return vox_fail(VOX_E_USAGE,
                        "%lld outputs and activations are wanted, at most %d fit",
                        (long long)r->names.count, VOX_ENGINE_KEEP);
    for (int64_t i = 0; i < r->names.count; i++)
        r->keep[i] = r->names.v[i];
    return VOX_OK;
}

static int look(void *arg, const vox_pass *pass, int64_t first, int64_t count);

static int open_engine(vox_replay_run *r, const vox_replay_cfg *cfg)
{
    const vox_recipe *recipe = &r->spec.recipe;
    vox_engine_cfg e = {.setup = &r->setup,
                        .batch = r->size,
                        .micro = cfg->micro && cfg->micro < r->size ? cfg->micro : r->size,
                        .keep = r->keep,
                        .look = look,
                        .look_arg = r};
    vox_optim_cfg optim;
    vox_pretext pretext;

    memcpy(e.patch, r->patch, sizeof e.patch);
    pretext = vox_setup_pretext(&r->setup, VOX_TRAINING, r->patch, e.micro);
    VOX_TRY(vox_pretext_check(&pretext));
    VOX_TRY(list_kept(r));
    VOX_TRY(vox_engine_open(&r->engine, &e, r->dev));
    VOX_TRY(vox_replay_check(r));
    VOX_TRY(vox_engine_start(&r->engine, 1));
    VOX_TRY(vox_replay_load(r));
    if (!r->spec.update)
        return VOX_OK;
    VOX_TRY(vox_recipe_optim(&optim, recipe));
    return vox_optim_new(&r->optim, r->engine.params, &optim);
}

static int set_options(vox_recipe *recipe, const vox_strs *set)
{
    for (int64_t i = 0; set && i < set->count; i++)
        VOX_TRY(vox_recipe_set_word(recipe, set->v[i]));
    return VOX_OK;
}

static int open_run(vox_replay_run *r, const vox_replay_cfg *cfg)
{
    vox_recipe *recipe = &r->spec.recipe;
    vox_device_cfg dev;
    int rc;

    VOX_TRY(read_bundle(r));
    VOX_TRY(set_options(recipe, cfg->set));
    VOX_TRY(vox_setup_init(&r->setup, recipe->method, recipe->net, recipe->options));
    dev = vox_setup_device(&r->setup, cfg->device);
    VOX_TRY(vox_device_open(&r->dev, &dev));
    VOX_TRY(find_sizes(r));
    rc = open_engine(r, cfg);
    return rc == VOX_OK || rc == VOX_E_NOMEM ? rc : vox_fail_in(rc, "%s", r->path);
}

/* ---- a step ---- */

/* Row `b` of a stacked tensor. */
static vox_view row_of(const vox_view *t, int64_t b)
{
    vox_view row = *t;
    const size_t skip = (size_t)(b * t->stride[0]) * vox_dtype_size(t->dtype);

    row.shape.rank--;
    memmove(row.shape.n, t->shape.n + 1, (size_t)row.shape.rank * sizeof *row.shape.n);
    memmove(row.stride, t->stride + 1, (size_t)row.shape.rank * sizeof *row.stride);
    row.data = (const char *)t->data + skip;
    return row;
}

/* Sample `b` of the step's batch. */
static int read_sample(vox_sample *s, const vox_replay_run *r, int64_t b)
{
    char prefix[32];
    const int n = snprintf(prefix, sizeof prefix, "step%d/", r->step);

    vox_sample_clear(s);
    for (int64_t i = 0; i < r->in.count; i++) {
        const vox_view *t = &r->in.item[i];
        vox_view row;
        void *data;

        if (strncmp(t->name, prefix, (size_t)n) != 0)
            continue;
        row = row_of(t, b);
        data = vox_sample_add(s, t->name + n, t->dtype, row.shape);
        if (!data)
            return VOX_E_NOMEM;
        vox_view_pack(data, &row);
    }
    return VOX_OK;
}

static int read_batch(vox_replay_run *r)
{
    const vox_pretext p = vox_setup_pretext(&r->setup, VOX_TRAINING, r->patch, r->size);
    const vox_method *m = r->setup.method;
    vox_sample s = VOX_SAMPLE_INIT;
    int rc = VOX_OK;

    for (int64_t b = 0; b < r->size && rc == VOX_OK; b++) {
        rc = read_sample(&s, r, b);
        if (rc == VOX_OK)
            rc = vox_batch_put(&r->batch, b, &s, m->weight ? m->weight(&s, &p) : 1.0);
    }
    vox_sample_release(&s);
    return rc;
}

/* A new tensor of the output bundle, "step<k>/<what><name>". */
static float *new_out(vox_replay_run *r, const char *what, const char *name,
                      vox_shape shape)
{
    char full[256];

    snprintf(full, sizeof full, "step%d/%s%s", r->step, what, name);
    return vox_tensors_new(&r->out, full, VOX_F32, shape);
}

static int put_number(vox_replay_run *r, const char *what, double value)
{
    float *v = new_out(r, what, "", VOX_SHAPE(1));

    if (!v)
        return VOX_E_NOMEM;
    *v = (float)value;
    return VOX_OK;
}

/* Rows [first, first + count) of one kept value into the whole batch's tensor. */
static int fetch(vox_replay_run *r, const vox_pass *pass, int i, int64_t first,
                 int64_t count)
{
    const char *what = i < r->n_out ? "out/" : "activation/", *name = r->keep[i];
    vox_shape shape = vox_node_shape(vox_graph_find(pass->pretext.g, name));
    char full[256];
    const vox_view *t;
    float *v;

    if (shape.rank < 1 || shape.n[0] != count)
        return vox_fail(VOX_E_USAGE, "\"%s\" is no value of a batch", name);
    shape.n[0] = r->size;
    if (first == 0 && !new_out(r, what, name, shape))
        return VOX_E_NOMEM;
    snprintf(full, sizeof full, "step%d/%s%s", r->step, what, name);
    t = vox_tensors_find(&r->out, full);
    v = (float *)(uintptr_t)t->data; /* made by new_out, ours to fill */
    return vox_plan_get(pass->plan, name, v + first * (vox_shape_count(shape) / r->size));
}

static int look(void *arg, const vox_pass *pass, int64_t first, int64_t count)
{
    vox_replay_run *r = arg;

    for (int i = 0; i < (int)r->names.count; i++)
        VOX_TRY(fetch(r, pass, i, first, count));
    return VOX_OK;
}

/* Every parameter's part of a block; only those with gradient for the gradients. */
static int put_params(vox_replay_run *r, const char *what, const float *block, int touched)
{
    vox_params *p = r->engine.params;

    for (int i = 0; i < p->n_param; i++) {
        const vox_param *q = &p->param[i];
        float *v;

        if (touched && !q->touched)
            continue;
        v = new_out(r, what, q->name, q->shape);
        if (!v)
            return VOX_E_NOMEM;
        VOX_TRY(vox_params_get(p, block, i, v));
    }
    return VOX_OK;
}

static double rate(const vox_replay_run *r)
{
    vox_schedule s;

    if (r->spec.lr)
        return r->spec.lr[r->step];
    if (vox_recipe_schedule(&s, &r->spec.recipe) != VOX_OK)
        return r->spec.recipe.lr;
    return vox_schedule_lr(&s, r->step / r->spec.recipe.steps);
}

static int wants_params(const vox_replay_run *r)
{
    const int last = r->step == r->spec.steps - 1;

    return r->spec.want & VOX_WANT_PARAM || (last && r->spec.want & VOX_WANT_FINAL);
}

static int run_step(vox_replay_run *r)
{
    vox_params *p = r->engine.params;
    double loss, norm;

    VOX_TRY(read_batch(r));
    VOX_TRY(vox_engine_gradient(&r->engine, &r->batch, &loss));
    if (!isfinite(loss))
        return vox_fail(VOX_E_NUMERIC, "the loss is %g", loss);
    if (r->optim)
        VOX_TRY(vox_optim_step(r->optim, rate(r), &norm));
    else
        VOX_TRY(vox_params_grad_norm(p, &norm));
    VOX_TRY(put_number(r, "grad_norm", norm));
    if (r->spec.want & VOX_WANT_LOSS)
        VOX_TRY(put_number(r, "loss", loss));
    if (r->spec.want & VOX_WANT_GRAD)
        VOX_TRY(put_params(r, "grad/", p->grad, 1));
    if (wants_params(r))
        VOX_TRY(put_params(r, "param/", p->value, 0));
    return VOX_OK;
}

/* ---- writing ---- */

static int put_meta(vox_replay_run *r)
{
    char version[128], threads[32], micro[32];

    snprintf(version, sizeof version, "voxmind %s (%s)", vox_version(), vox_commit());
    snprintf(threads, sizeof threads, "%d", r->dev->ctx.threads);
    snprintf(micro, sizeof micro, "%lld", (long long)r->engine.cfg.micro);
    VOX_TRY(vox_tensors_set_meta(&r->out, "format", "pt"));
    VOX_TRY(vox_tensors_set_meta(&r->out, "version", version));
    VOX_TRY(vox_tensors_set_meta(&r->out, "backend", r->dev->type->name));
    VOX_TRY(vox_tensors_set_meta(&r->out, "kernels", r->dev->path));
    VOX_TRY(vox_tensors_set_meta(&r->out, "threads", threads));
    return vox_tensors_set_meta(&r->out, "micro_batch", micro);
}

static int run_steps(vox_replay_run *r)
{
    VOX_TRY(vox_batch_init(&r->batch, r->size));
    for (r->step = 0; r->step < r->spec.steps; r->step++) {
        const int rc = run_step(r);

        if (rc != VOX_OK)
            return vox_fail_in(rc, "%s, step %d", r->path, r->step);
    }
    return put_meta(r);
}

static void close_run(vox_replay_run *r)
{
    vox_optim_free(r->optim);
    vox_engine_close(&r->engine);
    vox_device_close(r->dev);
    vox_batch_release(&r->batch);
    vox_setup_release(&r->setup);
    vox_replay_spec_release(&r->spec);
    vox_strs_release(&r->names);
    vox_tensors_release(&r->in);
    vox_tensors_release(&r->out);
}

int vox_replay(const char *in, const char *out, const vox_replay_cfg *cfg)
{
    vox_replay_run r = {.path = in};
    int rc = open_run(&r, cfg);

    if (rc == VOX_OK)
        rc = run_steps(&r);
    if (rc == VOX_OK)
        rc = vox_safetensors_write(out, &r.out);
    close_run(&r);
    return rc;
}
