/*
 * plan_tasks: which tasks, in which order.
 *
 * Forward in node order, backward in reverse. A droppable value that lies idle over a cut
 * is gone: a rebuild task stands in front of the backward task that reads it, after those
 * for what it is made from. So a value may be made more than once, and the copy made last
 * is the one that is read.
 */
#include <string.h>

#include "base/mem.h"
#include "graph/plan_impl.h"

static int add_task(vox_plan *p, task_kind kind, site *s, int64_t moment)
{
    task *t;

    VOX_TRY(vox_grow(&p->task, &p->cap_task, p->n_task + 1, sizeof *p->task));
    t = &p->task[p->n_task++];
    memset(t, 0, sizeof *t);
    t->kind = kind;
    t->site = s;
    t->moment = moment;
    t->work = t->squares = NONE;
    for (int i = 0; i < VOX_MAX_IN; i++)
        t->in[i] = t->din[i] = (place){NONE, NONE};
    for (int i = 0; i < VOX_MAX_OUT; i++)
        t->out[i] = t->dout[i] = (place){NONE, NONE};
    return VOX_OK;
}

static void used(vox_plan *p, const vox_node *value, int64_t now)
{
    int k;

    vox_plan_site(p, value, &k)->last = now;
}

static int add_forward(vox_plan *p, site *s)
{
    const int64_t now = vox_plan_moment(p, s, 0, 0);

    s->last = now;
    for (int i = 0; i < s->node->n_in; i++) {
        if (s->node->in[i])
            used(p, s->node->in[i], now);
    }
    return add_task(p, TASK_FORWARD, s, now);
}

static int idle_over_a_cut(const vox_plan *p, int64_t last, int64_t now)
{
    for (int i = 0; i < p->n_cut; i++) {
        if (last < p->cut[i] && p->cut[i] < now)
            return 1;
    }
    return 0;
}

/* Backward is about to read a value: if it is gone, make it again from what it is made
 * from. */
static int need(vox_plan *p, const vox_node *value, int64_t now)
{
    int k;
    site *s = vox_plan_site(p, value, &k);
    const int gone = s->droppable && idle_over_a_cut(p, s->last, now);

    s->last = now;
    if (!gone)
        return VOX_OK;
    for (int i = 0; i < s->node->n_in; i++) {
        if (s->node->in[i])
            VOX_TRY(need(p, s->node->in[i], now));
    }
    return add_task(p, TASK_REBUILD, s, now);
}

/* One call of backward, for the gradients of these operands. */
static int add_call(vox_plan *p, site *s, unsigned grads, unsigned reads, int of_data)
{
    const vox_node *node = s->node;
    const int64_t now = vox_plan_moment(p, s, 1, of_data);

    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] && (reads & VOX_IN(i)))
            VOX_TRY(need(p, node->in[i], now));
    }
    for (int i = 0; i < node->n_out; i++) {
        if (reads & VOX_OUT(i))
            VOX_TRY(need(p, node, now));
    }
    VOX_TRY(add_task(p, TASK_BACKWARD, s, now));
    p->task[p->n_task - 1].grads = grads;
    p->task[p->n_task - 1].reads = reads;
    return VOX_OK;
}

/* Gradients of parameters first: what only they read is then free for those of data. */
static int add_backward(vox_plan *p, site *s)
{
    const vox_node *node = s->node;
    unsigned params = 0, data = 0;

    for (int i = 0; i < node->n_in; i++) {
        if (!vox_plan_wants_grad(p, node->in[i]))
            continue;
        if (node->in[i]->params)
            params |= 1u << i;
        else
            data |= 1u << i;
    }
    if (!node->op->data_reads)
        return add_call(p, s, params | data, node->op->backward_reads, 0);
    if (params)
        VOX_TRY(add_call(p, s, params, node->op->backward_reads, 0));
    return data ? add_call(p, s, data, node->op->data_reads, 1) : VOX_OK;
}

int vox_plan_list_tasks(vox_plan *p)
{
    site *seed;
    int out;

    p->n_task = 0;
    for (int64_t i = 0; i < p->graph->count; i++) {
        if (p->site[i].node->op && p->site[i].needed)
            VOX_TRY(add_forward(p, &p->site[i]));
    }
    p->first_backward = (int)p->n_task;
    if (!p->cfg.loss)
        return VOX_OK;
    seed = vox_plan_site(p, p->cfg.loss, &out);
    VOX_TRY(add_task(p, TASK_SEED, seed, vox_plan_moment(p, seed, 1, 0)));
    for (int64_t i = p->graph->count - 1; i >= 0; i--) {
        if (vox_plan_has_backward(&p->site[i]))
            VOX_TRY(add_backward(p, &p->site[i]));
    }
    return VOX_OK;
}
