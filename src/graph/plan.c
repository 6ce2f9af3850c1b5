/* plan: which nodes run, where gradients flow, which kernel computes a node. */
#include "graph/plan.h"

#include <string.h>

#include "base/mem.h"
#include "graph/plan_impl.h"

vox_layout vox_plan_layout(vox_plan *p, const vox_node *node)
{
    int k;
    const site *s = vox_plan_site(p, node, &k);

    return s->layout[k];
}

vox_dtype vox_plan_store(vox_plan *p, const vox_node *node)
{
    int k;
    const site *s = vox_plan_site(p, node, &k);

    return s->store[k];
}

static int find_kept(vox_plan *p, const char *const *names, int gradient)
{
    for (int i = 0; names && names[i]; i++) {
        vox_node *node = vox_graph_find(p->graph, names[i]);
        int k;
        site *s;

        if (!node)
            return vox_fail(VOX_E_ARG, "the graph has no value \"%s\"", names[i]);
        s = vox_plan_site(p, node, &k);
        s->needed = 1;
        s->kept |= !gradient;
        s->kept_grad |= gradient;
    }
    return VOX_OK;
}

/* Everything the loss and the kept values depend on. */
static void mark_needed(vox_plan *p)
{
    const int all = !p->cfg.loss && !p->cfg.keep;

    for (int64_t i = p->graph->count - 1; i >= 0; i--) {
        site *s = &p->site[i];

        s->needed |= all;
        for (int k = 0; s->needed && k < s->node->n_in; k++) {
            int out;

            if (s->node->in[k])
                vox_plan_site(p, s->node->in[k], &out)->needed = 1;
        }
    }
}

int vox_plan_wants_grad(vox_plan *p, const vox_node *in)
{
    int k;

    return in && vox_node_value(in)->dtype == VOX_F32 &&
           vox_plan_site(p, in, &k)->wants_grad;
}

/* Gradients flow from parameters (and kept gradients) forward, from the loss backward. */
static void mark_gradients(vox_plan *p)
{
    int out;

    if (!p->cfg.loss)
        return;
    for (int64_t i = 0; i < p->graph->count; i++) {
        site *s = &p->site[i];
        const vox_node *node = s->node;

        s->wants_grad = s->kept_grad;
        if (node->params)
            s->wants_grad |= !node->params->frozen && node->out[0].role == VOX_ROLE_PARAM;
        for (int k = 0; node->op && node->op->backward && k < node->n_in; k++)
            s->wants_grad |= vox_plan_wants_grad(p, node->in[k]);
    }
    vox_plan_site(p, p->cfg.loss, &out)->reached = 1;
    for (int64_t i = p->graph->count - 1; i >= 0; i--) {
        site *s = &p->site[i];

        s->reached = s->reached && s->wants_grad && s->needed;
        for (int k = 0; vox_plan_has_backward(s) && k < s->node->n_in; k++) {
            if (vox_plan_wants_grad(p, s->node->in[k]))
                vox_plan_site(p, s->node->in[k], &out)->reached = 1;
        }
    }
}

static vox_problem problem_of(vox_plan *p, const site *s)
{
    const vox_node *node = s->node;
    vox_problem q = {.op = node->op,
                     .attr = node->attr,
                     .n_in = node->n_in,
                     .n_out = node->n_out,
                     .threads = p->cfg.dev->ctx.threads,
                     .winograd = p->cfg.dev->winograd};

    for (int i = 0; i < VOX_MAX_IN; i++) {
        const vox_node *in = i < node->n_in ? node->in[i] : NULL;

        q.in[i].shape.rank = -1;
        if (!in)
            continue;
        q.in[i] = vox_tensor_of(vox_node_value(in), vox_plan_layout(p, in));
        q.in[i].dtype = vox_plan_store(p, in);
        if (vox_plan_has_backward(s) && vox_plan_wants_grad(p, in))
            q.grads |= 1u << i;
    }
    for (int i = 0; i < node->n_out; i++) {
        q.out[i] = vox_tensor_of(&node->out[i], s->layout[i]);
        q.out[i].dtype = s->store[i];
    }
    return q;
}

/* Layouts first, so that the problems of later nodes can be asked about; then the kernel.
 */
static void choose_kernel(vox_plan *p, site *s)
{
    const vox_node *node = s->node;
    vox_problem q;

    for (int i = 0; i < node->n_out; i++) {
        s->layout[i] = vox_layout_of(&node->out[i], p->cfg.dev->blocked);
        s->store[i] = node->out[i].dtype;
    }
    if (!node->op)
        return;
    q = problem_of(p, s);
    s->kernel = vox_device_kernel(p->cfg.dev, &q);
    for (int i = 0; !s->kernel && i < node->n_in; i++)
        s->staged |= q.in[i].shape.rank >= 0 && q.in[i].layout != VOX_PLAIN;
    for (int i = 0; !s->kernel && i < node->n_out; i++)
        s->staged |= q.out[i].layout != VOX_PLAIN;
}

/* Blocked values are stored as bf16 where their maker and all their readers can. */
static void choose_storage(vox_plan *p)
{
    if (p->cfg.store != VOX_BF16)
        return;
    for (int64_t i = 0; i < p->graph->count; i++) {
        site *s = &p->site[i];

        for (int k = 0; s->kernel && !s->kept && k < s->node->n_out; k++) {
            if (s->kernel->bf16 & VOX_OUT(k) && s->layout[k] != VOX_PLAIN)
                s->store[k] = VOX_BF16;
        }
    }
    for (int64_t i = 0; i < p->graph->count; i++) {
        const site *s = &p->site[i];

        for (int k = 0; s->needed && k < s->node->n_in; k++) {
            int out;

            if (s->node->in[k] && !(s->kernel && s->kernel->bf16 & VOX_IN(k)))
                vox_plan_site(p, s->node->in[k], &out)->store[out] =
                    vox_node_value(s->node->in[k])->dtype;
        }
    }
}

static int prepare_kernel(vox_plan *p, site *s)
{
    vox_problem q;

    if (!s->kernel || !s->kernel->prepare)
        return VOX_OK;
    q = problem_of(p, s);
    s->prepared.arena = &p->arena;
    return s->kernel->prepare(&q, &s->prepared);
}

static int compile(vox_plan *p)
{
    const vox_node *loss = p->cfg.loss;
    int k;

    if (loss && vox_shape_count(vox_node_shape(loss)) != 1)
        return vox_fail(VOX_E_ARG, "the loss has %lld elements, wanted one",
                        (long long)vox_shape_count(vox_node_shape(loss)));
    for (int64_t i = 0; i < p->graph->count; i++)
        p->site[i].node = p->graph->node[i];
    VOX_TRY(find_kept(p, p->cfg.keep, 0));
    VOX_TRY(find_kept(p, p->cfg.keep_grad, 1));
    if (loss)
        vox_plan_site(p, loss, &k)->needed = 1;
    mark_needed(p);
    mark_gradients(p);
    for (int64_t i = 0; i < p->graph->count; i++)
        choose_kernel(p, &p->site[i]);
    choose_storage(p);
    for (int64_t i = 0; i < p->graph->count; i++)
        VOX_TRY(prepare_kernel(p, &p->site[i]));
    return vox_plan_settle(p);
}

int vox_plan_new(vox_plan **out, vox_graph *g, const vox_plan_cfg *cfg)
{
    vox_plan *p;
    int rc = vox_graph_status(g);

    if (rc != VOX_OK)
        return rc;
    p = vox_zalloc(1, sizeof *p);
    if (!p)
        return VOX_E_NOMEM;
    p->graph = g;
    p->cfg = *cfg;
    p->site = vox_zalloc((size_t)g->count + 1, sizeof *p->site);
    rc = p->site ? compile(p) : VOX_E_NOMEM;
    if (rc != VOX_OK) {
        vox_plan_free(p);
        return rc;
    }
    *out = p;
    return VOX_OK;
}

void vox_plan_free(vox_plan *p)
{
    if (!p)
        return;
    if (p->cfg.dev)
        vox_device_sync(p->cfg.dev);
    vox_free(p->item);
    vox_free(p->task);
    vox_free(p->site);
    vox_arena_release(&p->arena);
    vox_free(p);
}

vox_problem vox_plan_problem(vox_plan *p, const vox_node *node)
{
    const site *s = &p->site[node->id];

    return node->op && s->needed ? problem_of(p, s) : (vox_problem){0};
}

int vox_plan_rebuilds(const vox_plan *p, const vox_node *node)
{
    int n = 0;

    for (int64_t t = 0; t < p->n_task; t++)
        n += p->task[t].kind == TASK_REBUILD && p->task[t].site->node == node;
    return n;
}

size_t vox_plan_bytes(const vox_plan *p)
{
    return p->bytes;
}

size_t vox_plan_live(const vox_plan *p)
{
    return p->live;
}
