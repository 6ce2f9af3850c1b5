/*
 * plan_memory: what every task touches, and from when to when it lives.
 *
 * One pass over the tasks makes the items and their lifetimes; then outputs that may
 * overwrite a dying input, and gradients that may overwrite a dying gradient, take its
 * memory.
 */
#include "base/mem.h"
#include "graph/plan_impl.h"

enum { ALIGN = 64 };

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static int add_item(vox_plan *p, int *out, const char *kind, int node, int index,
                    size_t bytes, int birth)
{
    VOX_TRY(vox_grow(&p->item, &p->cap_item, p->n_item + 1, sizeof *p->item));
    *out = (int)p->n_item;
    p->item[p->n_item++] = (item){.kind = kind,
                                  .node = node,
                                  .index = index,
                                  .bytes = aligned(bytes),
                                  .birth = birth,
                                  .death = birth,
                                  .root = *out};
    return VOX_OK;
}

/* The item is used at task t. */
static void use(vox_plan *p, int it, int t)
{
    if (it != NONE && p->item[it].death < t)
        p->item[it].death = t;
}

static size_t value_bytes(const vox_value *v, vox_dtype store, vox_layout layout)
{
    return (size_t)vox_layout_count(v->shape, layout) * vox_dtype_size(store);
}

/* A plain copy beside a blocked tensor, alive in this task only. */
static int add_stage(vox_plan *p, const site *s, place *at, const vox_value *v,
                     vox_layout layout, int t)
{
    if (!s->staged || layout == VOX_PLAIN || at->item == NONE)
        return VOX_OK;
    return add_item(p, &at->stage, "stage", s->node->id, 0,
                    value_bytes(v, v->dtype, VOX_PLAIN), t);
}

/* The item that holds an operand's value at task t. */
static int read_value(vox_plan *p, place *at, const site *s, const vox_node *value, int t)
{
    int k;
    const site *of = vox_plan_site(p, value, &k);
    const int again = t > p->first_backward && of->again[k] != NONE;

    at->item = again ? of->again[k] : of->value[k];
    use(p, at->item, t);
    return add_stage(p, s, at, vox_node_value(value), of->layout[k], t);
}

static int add_work(vox_plan *p, int t, size_t bytes)
{
    if (bytes == 0)
        return VOX_OK;
    return add_item(p, &p->task[t].work, "work", p->task[t].site->node->id, 0, bytes, t);
}

/* A forward or rebuild task: reads its operands, writes outputs and saved data. */
static int list_forward(vox_plan *p, int t)
{
    site *s = p->task[t].site;
    const vox_node *node = s->node;
    const int again = p->task[t].kind == TASK_REBUILD;

    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i])
            VOX_TRY(read_value(p, &p->task[t].in[i], s, node->in[i], t));
    }
    for (int i = 0; i < node->n_out; i++) {
        int *value = again ? &s->again[i] : &s->value[i];

        VOX_TRY(add_item(p, value, again ? "again" : "value", node->id, i,
                         value_bytes(&node->out[i], s->store[i], s->layout[i]), t));
        p->item[*value].death = s->kept ? FOREVER : t;
        p->task[t].out[i].item = *value;
        VOX_TRY(add_stage(p, s, &p->task[t].out[i], &node->out[i], s->layout[i], t));
    }
    if (node->saved && s->saved == NONE)
        VOX_TRY(add_item(p, &s->saved, "saved", node->id, 0, node->saved, t));
    use(p, s->saved, t);
    return add_work(p, t, s->prepared.work_forward);
}

/* Where the gradient of operand i goes: written by the first task that reaches it. */
static int list_din(vox_plan *p, int t, int i)
{
    site *s = p->task[t].site;
    const vox_node *in = s->node->in[i];
    site *of;
    int k;

    p->task[t].put[i] = VOX_SKIP;
    if (!(p->task[t].grads & 1u << i))
        return VOX_OK;
    of = vox_plan_site(p, in, &k);
    p->task[t].put[i] = VOX_ADD;
    if (in->params)
        return VOX_OK; /* write or add is known when the step runs */
    if (of->grad[k] == NONE) {
        VOX_TRY(add_item(p, &of->grad[k], "grad", of->node->id, k,
                         value_bytes(vox_node_value(in), VOX_F32, of->layout[k]), t));
        p->item[of->grad[k]].death = of->kept_grad ? FOREVER : t;
        p->task[t].put[i] = VOX_WRITE;
    }
    use(p, of->grad[k], t);
    p->task[t].din[i].item = of->grad[k];
    for (int j = 0; j < i; j++) { /* one operand twice has one gradient */
        if (p->task[t].din[j].item == of->grad[k]) {
            p->task[t].din[i].stage = p->task[t].din[j].stage;
            return VOX_OK;
        }
    }
    return add_stage(p, s, &p->task[t].din[i], vox_node_value(in), of->layout[k], t);
}

int64_t vox_plan_squares(const task *t, int i)
{
    const vox_node *in = t->site->node->in[i];

    if (t->kind != TASK_BACKWARD || !in || !in->params || t->put[i] == VOX_SKIP)
        return 0;
    return t->site->prepared.squares[i];
}

/* They are summed when all tasks are done. */
static int add_squares(vox_plan *p, int t)
{
    task *at = &p->task[t];
    int64_t parts = 0;

    for (int i = 0; i < at->site->node->n_in; i++)
        parts += vox_plan_squares(at, i);
    if (parts == 0)
        return VOX_OK;
    VOX_TRY(add_item(p, &at->squares, "squares", at->site->node->id, 0,
                     (size_t)parts * sizeof(double), t));
    use(p, at->squares, FOREVER);
    return VOX_OK;
}

static int list_backward(vox_plan *p, int t)
{
    site *s = p->task[t].site;
    const vox_node *node = s->node;
    const unsigned reads = p->task[t].reads;

    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] && (reads & VOX_IN(i)))
            VOX_TRY(read_value(p, &p->task[t].in[i], s, node->in[i], t));
        VOX_TRY(list_din(p, t, i));
    }
    for (int i = 0; i < node->n_out; i++) {
        if (reads & VOX_OUT(i)) {
            p->task[t].out[i].item = s->again[i] != NONE ? s->again[i] : s->value[i];
            use(p, p->task[t].out[i].item, t);
            VOX_TRY(add_stage(p, s, &p->task[t].out[i], &node->out[i], s->layout[i], t));
        }
        p->task[t].dout[i].item = s->grad[i];
        use(p, s->grad[i], t);
        VOX_TRY(add_stage(p, s, &p->task[t].dout[i], &node->out[i], s->layout[i], t));
    }
    if (reads & VOX_SAVED)
        use(p, s->saved, t);
    VOX_TRY(add_squares(p, t));
    return add_work(p, t, s->prepared.work_backward);
}

static int list_seed(vox_plan *p, int t)
{
    int k;
    site *s = vox_plan_site(p, p->cfg.loss, &k);

    use(p, s->value[k], FOREVER);
    VOX_TRY(add_item(p, &s->grad[k], "grad", s->node->id, k, sizeof(float), t));
    p->item[s->grad[k]].death = s->kept_grad ? FOREVER : t;
    p->task[t].dout[k].item = s->grad[k];
    return VOX_OK;
}

static int list_lives(vox_plan *p)
{
    for (int64_t i = 0; i < p->graph->count; i++) {
        site *s = &p->site[i];

        if (s->node->op || s->node->params || s->node->pick_of || !s->needed)
            continue;
        VOX_TRY(add_item(p, &s->value[0], "input", s->node->id, 0,
                         value_bytes(&s->node->out[0], s->node->out[0].dtype, VOX_PLAIN),
                         0));
        p->item[s->value[0]].death = FOREVER; /* it may be run again as it is */
    }
    for (int t = 0; t < p->n_task; t++) {
        switch (p->task[t].kind) {
        case TASK_SEED:
            VOX_TRY(list_seed(p, t));
            break;
        case TASK_BACKWARD:
            VOX_TRY(list_backward(p, t));
            break;
        default:
            VOX_TRY(list_forward(p, t));
            break;
        }
    }
    return VOX_OK;
}

/* Does the task read that item through another operand than i? */
static int read_elsewhere(const task *t, int it, int i)
{
    for (int k = 0; k < t->site->node->n_in; k++) {
        if (k != i && t->in[k].item == it)
            return 1;
    }
    return 0;
}

/* Item `to`, new at task t, takes the memory of `from`, which is used there last. */
static void share(vox_plan *p, int t, place to, place from)
{
    item *new, *old;

    if (to.item == NONE || from.item == NONE || to.stage != NONE || from.stage != NONE)
        return;
    new = &p->item[to.item];
    old = &p->item[from.item];
    if (new->root != to.item || new->birth != t || new->bytes != old->bytes ||
        old->kind[0] == 'i' || p->item[old->root].death != t)
        return;
    new->root = old->root;
    p->item[old->root].death = new->death;
}

/* Output o over operand i, or the gradient of operand i over that of output o. */
static void share_pair(vox_plan *p, int t, int o, int i)
{
    const task *at = &p->task[t];
    const vox_op *op = at->site->node->op;
    const int backward = at->kind == TASK_BACKWARD;

    if (!((backward ? op->grad_alias : op->may_alias) & VOX_ALIAS(o, i)))
        return;
    if (backward)
        share(p, t, at->din[i], at->dout[o]);
    else if (!read_elsewhere(at, at->in[i].item, i) &&
             at->site->store[o] == vox_plan_store(p, at->site->node->in[i]))
        share(p, t, at->out[o], at->in[i]);
}

static void share_dying(vox_plan *p)
{
    for (int t = 0; t < p->n_task; t++) {
        const vox_node *node = p->task[t].site->node;

        for (int o = 0; p->task[t].kind != TASK_SEED && o < node->n_out; o++) {
            for (int i = 0; i < node->n_in; i++)
                share_pair(p, t, o, i);
        }
    }
}

static void forget_items(vox_plan *p)
{
    p->n_item = 0;
    for (int64_t i = 0; i < p->graph->count; i++) {
        site *s = &p->site[i];

        s->saved = NONE;
        for (int k = 0; k < VOX_MAX_OUT; k++)
            s->value[k] = s->again[k] = s->grad[k] = NONE;
    }
}

int vox_plan_list_items(vox_plan *p)
{
    forget_items(p);
    VOX_TRY(list_lives(p));
    share_dying(p);
    return VOX_OK;
}
