/*
 * exec: a plan on its memory: binding addresses, filling inputs, running, fetching.
 *
 * A pass is one run of the device's team; every member walks the task list and meets a
 * barrier behind each call. Where the reference works on blocked tensors, plain copies are
 * made around it.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "graph/plan_impl.h"

void vox_block_release(vox_block *b)
{
    if (b->data)
        vox_device_free(b->dev, b->data, b->bytes);
    *b = (vox_block)VOX_BLOCK_INIT;
}

static int grow_block(vox_block *b, vox_device *dev, size_t bytes)
{
    if (b->data && b->bytes >= bytes && b->dev == dev)
        return VOX_OK;
    vox_block_release(b);
    b->data = vox_device_alloc(dev, bytes);
    if (!b->data)
        return vox_fail_in(VOX_E_NOMEM, "activations need %.2f GiB",
                           (double)bytes / (1024.0 * 1024.0 * 1024.0));
    b->dev = dev;
    b->bytes = bytes;
    return VOX_OK;
}

/* Address of an item for code on the device. */
static void *real_item(const vox_plan *p, int it)
{
    char *base = p->cfg.dev->type->real(p->cfg.dev, p->block->data);

    return it == NONE ? NULL : base + p->item[it].offset;
}

static float *real_param(const vox_plan *p, const vox_node *node, float *block)
{
    vox_device *dev = p->cfg.dev;

    return dev->type->real(dev, block + node->params->param[node->param].offset);
}

/* A tensor as the call sees it: the plain copy where there is one. */
static void bind_tensor(const vox_plan *p, vox_tensor *out, const vox_value *v,
                        vox_layout layout, place at, const void **behind)
{
    const int staged = at.stage != NONE;

    out->dtype = v->dtype;
    out->role = v->role;
    out->shape = v->shape;
    out->layout = staged ? VOX_PLAIN : layout;
    out->count = vox_layout_count(v->shape, out->layout);
    out->data = real_item(p, staged ? at.stage : at.item);
    *behind = staged ? real_item(p, at.item) : NULL;
}

static void set_plain(vox_tensor *t)
{
    t->layout = VOX_PLAIN;
    t->count = vox_shape_count(t->shape);
}

/* Where the task leaves the squares of operand i: behind those of the operands before. */
static double *real_squares(const vox_plan *p, const task *t, int i)
{
    double *at = real_item(p, t->squares);

    if (vox_plan_squares(t, i) == 0)
        return NULL;
    for (int k = 0; k < i; k++)
        at += vox_plan_squares(t, k);
    return at;
}

static void bind_input(vox_plan *p, task *t, int i)
{
    const vox_node *in = t->site->node->in[i];
    vox_call *c = &t->call;
    int staged;

    c->din[i] = (vox_grad){.put = VOX_SKIP};
    if (!in)
        return;
    bind_tensor(p, &c->in[i], vox_node_value(in), vox_plan_layout(p, in), t->in[i],
                &t->in_true[i]);
    if (t->site->staged) /* as the reference sees it, read or not */
        set_plain(&c->in[i]);
    c->in[i].dtype = vox_plan_store(p, in);
    if (in->params)
        c->in[i].data = real_param(p, in, in->params->value);
    if (t->kind != TASK_BACKWARD || t->put[i] == VOX_SKIP)
        return;
    if (in->params) {
        c->din[i] = (vox_grad){real_param(p, in, in->params->grad), t->put[i],
                               real_squares(p, t, i)};
        return;
    }
    staged = t->din[i].stage != NONE;
    c->din[i] = (vox_grad){.data = real_item(p, staged ? t->din[i].stage : t->din[i].item),
                           .put = t->put[i]};
    t->din_true[i] = staged ? real_item(p, t->din[i].item) : NULL;
    for (int k = 0; k < i; k++) { /* the same operand again: one copy, moved once */
        if (t->din[k].item != NONE && t->din[k].item == t->din[i].item)
            t->din_true[i] = NULL;
    }
}

static void bind_output(vox_plan *p, task *t, int i)
{
    const site *s = t->site;
    vox_call *c = &t->call;
    const void *behind;
    vox_tensor grad;

    bind_tensor(p, &c->out[i], &s->node->out[i], s->layout[i], t->out[i], &behind);
    if (s->staged)
        set_plain(&c->out[i]);
    c->out[i].dtype = s->store[i];
    t->out_true[i] = (void *)(uintptr_t)behind;
    bind_tensor(p, &grad, &s->node->out[i], s->layout[i], t->dout[i], &t->dout_true[i]);
    c->dout[i] = grad.data;
}

static void bind_task(vox_plan *p, task *t)
{
    const site *s = t->site;
    vox_call *c = &t->call;

    memset(c, 0, sizeof *c);
    c->op = s->node->op;
    c->attr = s->node->attr;
    c->prep = s->prepared.prep;
    c->ctx = &p->cfg.dev->ctx;
    c->n_in = s->node->n_in;
    c->n_out = s->node->n_out;
    c->saved = real_item(p, s->saved);
    c->work = real_item(p, t->work);
    for (int i = 0; i < c->n_in; i++)
        bind_input(p, t, i);
    for (int i = 0; i < c->n_out; i++)
        bind_output(p, t, i);
}

int vox_plan_bind(vox_plan *p, vox_block *block)
{
    VOX_TRY(grow_block(block, p->cfg.dev, p->bytes ? p->bytes : 64));
    p->block = block;
    p->bound = block->data;
    for (int64_t t = 0; t < p->n_task; t++)
        bind_task(p, &p->task[t]);
    return VOX_OK;
}

/* The memory the plan was bound to; the block has not moved since (plan.h: bind again). */
static void *block_of(const vox_plan *p)
{
    VOX_ASSERT(p->block && p->block->data && p->block->data == p->bound);
    return p->block->data;
}

/* ---- inputs and values ---- */

static const vox_node *find_input(vox_plan *p, const char *name)
{
    const vox_node *node = vox_graph_find(p->graph, name);

    return node && !node->op && !node->pick_of ? node : NULL;
}

/* Indices must lie in what their consumers allow. */
static int check_indices(vox_plan *p, const vox_node *input, const int64_t *v,
                         int64_t count)
{
    for (int64_t t = 0; t < p->first_backward; t++) {
        const vox_node *node = p->task[t].site->node;
        vox_value in[VOX_MAX_IN] = {0};
        int64_t limit[VOX_MAX_IN] = {0};

        for (int i = 0; i < node->n_in; i++) {
            if (node->in[i] != input || !node->op->operands)
                continue;
            in[0] = *vox_node_value(node->in[0]);
            VOX_TRY(node->op->operands(in, limit, node->attr));
            for (int64_t k = 0; limit[i] > 0 && k < count; k++) {
                if (v[k] < 0 || v[k] >= limit[i])
                    return vox_fail(VOX_E_ARG, "input \"%s\": index %lld, wanted 0 to %lld",
                                    input->name, (long long)v[k], (long long)limit[i] - 1);
            }
        }
    }
    return VOX_OK;
}

/* Does `part` lie in `all` from row `first` of the leading axis on? A scalar is one row. */
static int rows_fit(vox_shape all, vox_shape part, int64_t first)
{
    if (all.rank == 0 || part.rank == 0)
        return all.rank == part.rank && first == 0;
    if (first < 0 || part.n[0] < 0 || part.n[0] > all.n[0] - first)
        return 0;
    all.n[0] = part.n[0];
    return vox_shape_equal(all, part);
}

int vox_plan_set_rows(vox_plan *p, const char *name, vox_dtype dtype, vox_shape shape,
                      int64_t first, const void *host)
{
    const vox_node *node = find_input(p, name);
    const int64_t count = vox_shape_count(shape);
    const size_t size = vox_dtype_size(dtype);
    const vox_value *v;
    char a[128], b[128], *at;
    int it;

    if (!node)
        return vox_fail(VOX_E_MISSING, "the graph has no input \"%s\"", name);
    v = &node->out[0];
    if (dtype != v->dtype || !rows_fit(v->shape, shape, first)) {
        char from[40] = "";

        if (first != 0)
            snprintf(from, sizeof from, " from row %lld on", (long long)first);
        return vox_fail(VOX_E_ARG, "input \"%s\"%s is %s %s, wanted %s %s", name, from,
                        vox_dtype_name(dtype), vox_shape_text(shape, a),
                        vox_dtype_name(v->dtype), vox_shape_text(v->shape, b));
    }
    if (dtype == VOX_I64)
        VOX_TRY(check_indices(p, node, host, count));
    it = p->site[node->id].value[0];
    if (it == NONE || count == 0)
        return VOX_OK; /* nothing depends on it */
    at = (char *)block_of(p) + p->item[it].offset;
    if (first > 0)
        at += (size_t)(count / shape.n[0] * first) * size;
    return vox_device_upload(p->cfg.dev, at, host, (size_t)count * size);
}

int vox_plan_set(vox_plan *p, const char *name, vox_dtype dtype, vox_shape shape,
                 const void *host)
{
    const vox_node *node = find_input(p, name);
    char a[128], b[128];

    if (node && !vox_shape_equal(node->out[0].shape, shape))
        return vox_fail(VOX_E_ARG, "input \"%s\" is %s, wanted %s", name,
                        vox_shape_text(shape, a), vox_shape_text(node->out[0].shape, b));
    return vox_plan_set_rows(p, name, dtype, shape, 0, host);
}

/* Download an item and bring it into plain order. */
static int fetch(vox_plan *p, int it, const vox_value *v, vox_layout layout, void *host)
{
    const size_t size = vox_dtype_size(v->dtype);
    const int64_t count = vox_layout_count(v->shape, layout);
    void *raw;
    int rc;

    if (layout == VOX_PLAIN)
        return vox_device_download(p->cfg.dev, host,
                                   (char *)block_of(p) + p->item[it].offset,
                                   (size_t)count * size);
    raw = vox_alloc((size_t)count, size);
    if (!raw)
        return VOX_E_NOMEM;
    rc = vox_device_download(p->cfg.dev, raw, (char *)block_of(p) + p->item[it].offset,
                             (size_t)count * size);
    if (rc == VOX_OK)
        vox_relayout(host, VOX_PLAIN, raw, layout, v->shape);
    vox_free(raw);
    return rc;
}

int vox_plan_get(vox_plan *p, const char *name, void *host)
{
    const vox_node *node = vox_graph_find(p->graph, name);
    int k;
    const site *s = node ? vox_plan_site(p, node, &k) : NULL;

    if (!s || !vox_plan_stays(p, s->value[k]))
        return vox_fail(VOX_E_MISSING, "the plan keeps no value \"%s\"", name);
    return fetch(p, s->value[k], vox_node_value(node), s->layout[k], host);
}

int vox_plan_get_grad(vox_plan *p, const char *name, float *host)
{
    const vox_node *node = vox_graph_find(p->graph, name);
    int k;
    const site *s = node ? vox_plan_site(p, node, &k) : NULL;

    if (!s || !s->kept_grad || s->grad[k] == NONE)
        return vox_fail(VOX_E_MISSING, "the plan keeps no gradient of \"%s\"", name);
    return fetch(p, s->grad[k], vox_node_value(node), s->layout[k], host);
}

int vox_plan_loss(vox_plan *p, double *loss)
{
    const site *s;
    float v;
    int k;

    VOX_ASSERT(p->cfg.loss);
    s = vox_plan_site(p, p->cfg.loss, &k);
    VOX_TRY(fetch(p, s->value[k], vox_node_value(p->cfg.loss), VOX_PLAIN, &v));
    *loss = (double)v;
    return VOX_OK;
}

/* ---- running ---- */

/* Plain copies of what the call reads. Every staged tensor is in the device's layout. */
static void stage_in(const task *t, vox_layout blocked)
{
    const vox_call *c = &t->call;

    for (int i = 0; i < c->n_in; i++) {
        if (t->in_true[i])
            vox_relayout(c->in[i].data, VOX_PLAIN, t->in_true[i], blocked, c->in[i].shape);
        if (t->din_true[i] && c->din[i].put == VOX_ADD)
            vox_relayout(c->din[i].data, VOX_PLAIN, t->din_true[i], blocked,
                         c->in[i].shape);
    }
    for (int i = 0; t->kind == TASK_BACKWARD && i < c->n_out; i++) {
        if (t->out_true[i])
            vox_relayout(c->out[i].data, VOX_PLAIN, t->out_true[i], blocked,
                         c->out[i].shape);
        if (t->dout_true[i])
            vox_relayout((float *)(uintptr_t)c->dout[i], VOX_PLAIN, t->dout_true[i],
                         blocked, c->out[i].shape);
    }
}

/* What the call wrote, back into the device's layout. */
static void stage_out(const task *t, vox_layout blocked)
{
    const vox_call *c = &t->call;

    for (int i = 0; t->kind != TASK_BACKWARD && i < c->n_out; i++) {
        if (t->out_true[i])
            vox_relayout(t->out_true[i], blocked, c->out[i].data, VOX_PLAIN,
                         c->out[i].shape);
    }
    for (int i = 0; t->kind == TASK_BACKWARD && i < c->n_in; i++) {
        if (t->din_true[i])
            vox_relayout(t->din_true[i], blocked, c->din[i].data, VOX_PLAIN,
                         c->in[i].shape);
    }
}

static void call_task(const task *t)
{
    const vox_op *op = t->site->node->op;
    const vox_kernel *k = t->site->kernel;
    void (*fn)(const vox_call *) = k ? k->forward : op->forward;

    if (t->kind == TASK_BACKWARD)
        fn = k ? k->backward : op->backward;
    else if (t->kind == TASK_REBUILD && (k ? k->rebuild : op->rebuild))
        fn = k ? k->rebuild : op->rebuild;
    fn(&t->call);
}

static void run_task(vox_plan *p, task *t)
{
    const vox_layout blocked = p->cfg.dev->blocked;
    const double start = p->profile ? vox_clock() : 0.0;

    if (t->kind == TASK_SEED) {
        VOX_SHARE(one, 1)
            *(float *)(uintptr_t)t->call.dout[0] = p->seed;
    } else if (t->site->staged) {
        stage_in(t, blocked);
        vox_barrier();
        call_task(t);
        vox_barrier();
        stage_out(t, blocked);
    } else {
        call_task(t);
    }
    vox_barrier();
    if (p->profile && vox_team_member() == 0) {
        t->seconds += vox_clock() - start;
        t->runs++;
    }
}

/* Both run on every member of the device's team. */
static void forward_pass(void *arg)
{
    vox_plan *p = arg;

    for (int t = 0; t < p->first_backward; t++)
        run_task(p, &p->task[t]);
}

/* The squares of the gradients that the task was the last to write. */
static void sum_squares(const vox_plan *p, const task *t)
{
    vox_device *dev = p->cfg.dev;

    for (int i = 0; i < t->call.n_in; i++) {
        const vox_node *in = t->site->node->in[i];
        const double *part = t->call.din[i].squares;
        double *sum;

        if (!part || in->params->param[in->param].squares != part)
            continue;
        sum = (double *)dev->type->real(dev, in->params->norm2) + in->param;
        *sum = 0.0;
        for (int64_t k = 0; k < vox_plan_squares(t, i); k++)
            *sum += part[k];
    }
}

static void backward_pass(void *arg)
{
    vox_plan *p = arg;

    for (int64_t t = p->first_backward; t < p->n_task; t++)
        run_task(p, &p->task[t]);
    VOX_SHARE(i, p->n_task - p->first_backward)
        sum_squares(p, &p->task[p->first_backward + i]);
}

int vox_plan_forward(vox_plan *p)
{
    block_of(p);
    vox_device_run(p->cfg.dev, forward_pass, p);
    return VOX_OK;
}

/* The first gradient of a step is written, in task order; later ones are added. */
static void settle_params(vox_plan *p)
{
    for (int64_t t = p->first_backward; t < p->n_task; t++) {
        task *at = &p->task[t];
        const vox_node *node = at->site->node;

        for (int i = 0; at->kind == TASK_BACKWARD && i < node->n_in; i++) {
            vox_param *q;

            if (!node->in[i] || !node->in[i]->params || at->put[i] == VOX_SKIP)
                continue;
            q = &node->in[i]->params->param[node->in[i]->param];
            at->call.din[i].put = q->touched ? VOX_ADD : VOX_WRITE;
            q->touched = 1;
            q->squares = at->call.din[i].squares;
        }
    }
}

int vox_plan_backward(vox_plan *p, float seed)
{
    VOX_ASSERT(p->cfg.loss);
    block_of(p);
    vox_device_sync(p->cfg.dev); /* the calls below must not be in use */
    p->seed = seed;
    settle_params(p);
    vox_device_run(p->cfg.dev, backward_pass, p);
    return VOX_OK;
}

void vox_plan_profile(vox_plan *p, int on)
{
    vox_device_sync(p->cfg.dev);
    p->profile = on;
}
