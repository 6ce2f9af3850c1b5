/* problem_list: nodes become texts, and equal texts one item. */
#include "graph/problem_list.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

/* The item of that problem and text, a new one without passes if there was none. NULL: no
 * memory */
static vox_problem_item *item_of(vox_problem_list *l, const vox_problem_item *like,
                                 const char *text)
{
    char *copy;

    for (int64_t i = 0; i < l->count; i++) {
        if (l->v[i].op == like->op && l->v[i].inputs == like->inputs &&
            l->v[i].bf16 == like->bf16 && !strcmp(l->v[i].text, text))
            return &l->v[i];
    }
    copy = vox_strdup(text);
    if (!copy || vox_grow(&l->v, &l->cap, l->count + 1, sizeof *l->v) != VOX_OK) {
        vox_free(copy);
        return NULL;
    }
    l->v[l->count] = *like;
    l->v[l->count].text = copy;
    return &l->v[l->count++];
}

int vox_problem_list_add_text(vox_problem_list *l, const vox_op *op, const char *text,
                              unsigned bf16)
{
    vox_problem_item *it = item_of(l, &(vox_problem_item){.op = op, .bf16 = bf16}, text);

    if (!it)
        return VOX_E_NOMEM;
    it->grads = ~0u;
    for (int pass = 0; pass < VOX_TRIAL_PASSES; pass++)
        it->count[pass] = 1;
    return VOX_OK;
}

/* What distinguishes a node's problem, besides its text. */
static vox_problem_item describe(const vox_problem *q)
{
    vox_problem_item it = {.op = q->op};

    for (int i = 0; i < q->n_in; i++) {
        if (!vox_problem_has(q, i))
            continue;
        it.inputs |= q->in[i].role == VOX_ROLE_INPUT ? 1u << i : 0;
        it.bf16 |= q->in[i].dtype == VOX_BF16 ? VOX_IN(i) : 0;
    }
    for (int i = 0; i < q->n_out; i++)
        it.bf16 |= q->out[i].dtype == VOX_BF16 ? VOX_OUT(i) : 0;
    return it;
}

/* Forward, and each pass that has one of the problem's gradients to compute. */
static void count_passes(vox_problem_item *it, const vox_problem *q)
{
    unsigned passes = 1u << VOX_TRIAL_FORWARD;

    for (int i = 0; i < q->n_in; i++) {
        if (q->grads & 1u << i)
            passes |= 1u << vox_trial_pass_of(q->op, q->in[i].role);
    }
    it->grads |= q->grads;
    for (int pass = 0; pass < VOX_TRIAL_PASSES; pass++)
        it->count[pass] += (passes & 1u << pass) != 0;
}

static int add_node(vox_problem_list *l, vox_plan *plan, const vox_node *node)
{
    const vox_problem q = vox_plan_problem(plan, node);
    const vox_problem_item like = describe(&q);
    vox_problem_item *it = NULL;
    vox_buf text = VOX_BUF_INIT;
    int rc = vox_problem_text(&text, &q);

    if (rc == VOX_OK)
        it = item_of(l, &like, vox_buf_text(&text));
    vox_buf_release(&text);
    if (!it)
        return rc == VOX_OK ? VOX_E_NOMEM : rc;
    count_passes(it, &q);
    it->rebuilds += vox_plan_rebuilds(plan, node);
    return VOX_OK;
}

int vox_problem_list_add_plan(vox_problem_list *l, vox_plan *plan, const vox_graph *g,
                              const vox_op *only)
{
    for (int64_t i = 0; i < g->count; i++) {
        const vox_op *op = vox_plan_problem(plan, g->node[i]).op;

        if (op && (!only || op == only))
            VOX_TRY(add_node(l, plan, g->node[i]));
    }
    return VOX_OK;
}

void vox_problem_list_release(vox_problem_list *l)
{
    for (int64_t i = 0; i < l->count; i++)
        vox_free(l->v[i].text);
    vox_free(l->v);
    *l = (vox_problem_list)VOX_PROBLEM_LIST_INIT;
}

int vox_problem_item_parse(vox_problem_spec *out, const vox_problem_item *it)
{
    VOX_TRY(vox_problem_parse(out, it->op, it->text));
    for (int i = 0; i < out->n_in; i++) {
        if (it->inputs & 1u << i)
            out->in[i].role = VOX_ROLE_INPUT;
    }
    return VOX_OK;
}
