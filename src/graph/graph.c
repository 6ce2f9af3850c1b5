/* graph: building nodes; the first error stays until it is asked for. */
#include "graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

int vox_graph_new(vox_graph **out)
{
    vox_graph *g = vox_zalloc(1, sizeof *g);

    if (!g)
        return VOX_E_NOMEM;
    g->scope = "";
    g->bad.n_out = 1;
    g->bad.scope = "";
    *out = g;
    return VOX_OK;
}

void vox_graph_free(vox_graph *g)
{
    if (!g)
        return;
    vox_free(g->node);
    vox_arena_release(&g->arena);
    vox_free(g);
}

int vox_graph_status(vox_graph *g)
{
    return g->status == VOX_OK ? VOX_OK : vox_error_give(&g->error);
}

/* Keep the thread's failure as the graph's, unless there is one already. */
static vox_node *remember(vox_graph *g)
{
    if (g->status == VOX_OK) {
        vox_error_take(&g->error);
        g->status = g->error.code;
    }
    return &g->bad;
}

vox_node *vox_graph_fail(vox_graph *g, int code, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    vox_fail(code, "%s", text);
    return remember(g);
}

/* A node in the graph's order, or NULL with the graph failed. */
static vox_node *new_node(vox_graph *g)
{
    vox_node *node = vox_arena_alloc(&g->arena, 1, sizeof *node);

    if (!node || vox_grow(&g->node, &g->cap, g->count + 1, sizeof *g->node) != VOX_OK) {
        remember(g);
        return NULL;
    }
    node->id = (int)g->count;
    node->scope = g->scope;
    node->n_out = 1;
    g->node[g->count++] = node;
    return node;
}

vox_node *vox_input(vox_graph *g, const char *name, vox_dtype dtype, vox_shape shape)
{
    vox_node *node;
    char text[128];

    if (g->status != VOX_OK)
        return &g->bad;
    if (vox_graph_find(g, name))
        return vox_graph_fail(g, VOX_E_EXISTS, "graph has a node \"%s\" already", name);
    if (vox_shape_count(shape) <= 0)
        return vox_graph_fail(g, VOX_E_ARG, "input \"%s\" is %s: no elements, or too many",
                              name, vox_shape_text(shape, text));
    node = new_node(g);
    if (!node)
        return &g->bad;
    node->name = vox_arena_strdup(&g->arena, name);
    node->out[0] = (vox_value){dtype, VOX_ROLE_INPUT, shape};
    return node->name ? node : remember(g);
}

vox_node *vox_param_node(vox_graph *g, vox_params *p, const char *name)
{
    const int index = vox_params_find(p, name);
    vox_node *node;

    if (g->status != VOX_OK)
        return &g->bad;
    if (index < 0)
        return vox_graph_fail(g, VOX_E_MISSING, "no parameter \"%s\" is declared", name);
    for (int64_t i = 0; i < g->count; i++) {
        if (g->node[i]->params == p && g->node[i]->param == index)
            return g->node[i];
    }
    node = new_node(g);
    if (!node)
        return &g->bad;
    node->name = p->param[index].name;
    node->params = p;
    node->param = index;
    node->out[0] = (vox_value){VOX_F32, p->param[index].role, p->param[index].shape};
    return node;
}

/* Shapes of the outputs, from the op; also counts the operands. */
static int infer(vox_node *node, vox_node *const in[])
{
    const vox_op *op = node->op;
    vox_infer io = {
        .op = op->name, .attr = node->attr, .n_in = node->n_in, .n_out = op->n_out};

    if (node->n_in < op->n_in_min || node->n_in > op->n_in_max)
        return vox_fail(VOX_E_ARG, "%s: %d operands, wanted %d to %d", op->name, node->n_in,
                        op->n_in_min, op->n_in_max);
    for (int i = 0; i < node->n_in; i++) {
        if (!in[i] && i < op->n_in_min)
            return vox_fail(VOX_E_ARG, "%s: operand %d is absent", op->name, i);
        node->in[i] = in[i];
        io.in[i] = in[i] ? vox_node_value(in[i]) : NULL;
    }
    for (int i = 0; i < op->n_out; i++)
        io.out[i] = (vox_value){VOX_F32, VOX_ROLE_ACTIVATION, {0}};
    VOX_TRY(op->infer(&io));
    for (int i = 0; i < op->n_out; i++) {
        char text[128];

        if (vox_shape_count(io.out[i].shape) < 1)
            return vox_fail(VOX_E_ARG, "%s: output %d is %s: no elements, or too many",
                            op->name, i, vox_shape_text(io.out[i].shape, text));
    }
    memcpy(node->out, io.out, sizeof node->out);
    node->saved = io.saved;
    return VOX_OK;
}

vox_node *vox_graph_add(vox_graph *g, const vox_op *op, const void *attr, int n,
                        vox_node *const in[])
{
    vox_node *node;
    void *copy = NULL;

    if (g->status != VOX_OK)
        return &g->bad;
    node = new_node(g);
    if (!node)
        return &g->bad;
    if (op->attr_size) {
        copy = vox_arena_alloc(&g->arena, 1, op->attr_size);
        if (!copy)
            return remember(g);
        memcpy(copy, attr, op->attr_size);
    }
    node->op = op;
    node->attr = copy;
    node->n_in = n;
    node->n_out = op->n_out;
    if (infer(node, in) != VOX_OK) {
        if (*node->scope)
            vox_fail_in(VOX_E_ARG, "%s", node->scope);
        return remember(g);
    }
    return node;
}

vox_node *vox_graph_add1(vox_graph *g, const vox_op *op, const void *attr, vox_node *x)
{
    return vox_graph_add(g, op, attr, 1, (vox_node *const[]){x});
}

vox_node *vox_node_out(vox_graph *g, vox_node *node, int k)
{
    vox_node *pick;

    if (g->status != VOX_OK || k == 0)
        return g->status == VOX_OK ? node : &g->bad;
    if (k < 0 || k >= node->n_out)
        return vox_graph_fail(g, VOX_E_ARG, "output %d asked of a node with %d", k,
                              node->n_out);
    pick = new_node(g);
    if (!pick)
        return &g->bad;
    pick->pick_of = node;
    pick->pick = k;
    return pick;
}

vox_node *vox_graph_name(vox_graph *g, vox_node *node, const char *name)
{
    if (g->status != VOX_OK)
        return &g->bad;
    if (vox_graph_find(g, name))
        return vox_graph_fail(g, VOX_E_EXISTS, "graph has a node \"%s\" already", name);
    if (node->name)
        return vox_graph_fail(g, VOX_E_EXISTS, "node \"%s\" cannot be named \"%s\" too",
                              node->name, name);
    node->name = vox_arena_strdup(&g->arena, name);
    return node->name ? node : remember(g);
}

vox_node *vox_graph_find(const vox_graph *g, const char *name)
{
    for (int64_t i = 0; i < g->count; i++) {
        vox_node *node = g->node[i];

        if (node->name && !node->params && strcmp(node->name, name) == 0)
            return node;
    }
    return NULL;
}

void vox_graph_scope(vox_graph *g, const char *scope)
{
    const char *copy = vox_arena_strdup(&g->arena, scope);

    g->scope = copy ? copy : "";
}

const vox_value *vox_node_value(const vox_node *node)
{
    return node->pick_of ? &node->pick_of->out[node->pick] : &node->out[0];
}

vox_shape vox_node_shape(const vox_node *node)
{
    return vox_node_value(node)->shape;
}

double vox_graph_flops(const vox_graph *g)
{
    double sum = 0;

    for (int64_t i = 0; i < g->count; i++) {
        const vox_node *node = g->node[i];
        vox_infer io;

        if (!node->op || !node->op->flops)
            continue;
        io = (vox_infer){.op = node->op->name,
                         .attr = node->attr,
                         .n_in = node->n_in,
                         .n_out = node->n_out,
                         .saved = node->saved};
        for (int k = 0; k < node->n_in; k++)
            io.in[k] = node->in[k] ? vox_node_value(node->in[k]) : NULL;
        memcpy(io.out, node->out, sizeof io.out);
        sum += node->op->flops(&io);
    }
    return sum;
}
