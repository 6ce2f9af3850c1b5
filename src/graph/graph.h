/*
 * graph: nodes and how they are built. A graph is built once per (net, method, patch,
 * micro-batch) and compiled into a plan (graph/plan.h).
 *
 * Builders return a node and remember the first error, asked once by vox_graph_status().
 * After an error every builder returns a harmless placeholder, so net code needs no checks.
 * Randomness never lives in a graph: masks, keep lists, drop-path scales are inputs.
 */
#ifndef VOX_GRAPH_GRAPH_H
#define VOX_GRAPH_GRAPH_H

#include "base/error.h"
#include "graph/op.h"
#include "graph/params.h"

typedef struct vox_node {
    int id;            /* position in the graph's order */
    const char *name;  /* inputs, parameters, named outputs; else NULL */
    const char *scope; /* where the net was then: "encoder.stages.1"; "" outside of all */
    const vox_op *op;  /* NULL for a leaf */
    const void *attr;
    int n_in, n_out;
    struct vox_node *in[VOX_MAX_IN]; /* NULL where an optional operand is absent */
    vox_value out[VOX_MAX_OUT];
    size_t saved;
    vox_params *params; /* a parameter leaf: whose, and which */
    int param;
    struct vox_node *pick_of; /* stands for output `pick` of that node */
    int pick;
} vox_node;

typedef struct vox_graph {
    vox_arena arena;
    vox_node **node;
    int64_t count, cap;
    const char *scope;
    int status;
    vox_error error;
    vox_node bad; /* what builders return after an error */
} vox_graph;

int vox_graph_new(vox_graph **out);
void vox_graph_free(vox_graph *g);

/** VOX_OK, or the first error of any builder (its message is the thread's again). */
int vox_graph_status(vox_graph *g);

/** Make the graph fail (the first failure stays); for builders that find a fault. */
vox_node *vox_graph_fail(vox_graph *g, int code, const char *fmt, ...) VOX_PRINTF(3, 4);

/** A named input. */
vox_node *vox_input(vox_graph *g, const char *name, vox_dtype dtype, vox_shape shape);

/** A parameter by any of its names; fails when it is not declared. Asked twice it is one
 * node. */
vox_node *vox_param_node(vox_graph *g, vox_params *p, const char *name);

/** An op on `n` operands, NULL for an absent optional one; `attr` is copied. */
vox_node *vox_graph_add(vox_graph *g, const vox_op *op, const void *attr, int n,
                        vox_node *const in[]);

/** vox_graph_add with one operand. */
vox_node *vox_graph_add1(vox_graph *g, const vox_op *op, const void *attr, vox_node *x);

/** Output k of a node with several; output 0 is the node itself. */
vox_node *vox_node_out(vox_graph *g, vox_node *node, int k);

/** Name a node's value so that it can be fetched after a run ("y", "seg_1"). Inputs and
 * parameters have a name already; a node has one only. */
vox_node *vox_graph_name(vox_graph *g, vox_node *node, const char *name);

/** The named node, or NULL. */
vox_node *vox_graph_find(const vox_graph *g, const char *name);

/** Nodes built from now on carry this scope in plans and profiles; copied. */
void vox_graph_scope(vox_graph *g, const char *scope);

/** Value of a node (of the picked output, for a pick). */
const vox_value *vox_node_value(const vox_node *node);
vox_shape vox_node_shape(const vox_node *node);

/** Floating point operations of one forward over all nodes that count them. */
double vox_graph_flops(const vox_graph *g);

#endif
