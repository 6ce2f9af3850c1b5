/*
 * plan_impl: the inside of a plan, shared by plan.c (which nodes, which kernels),
 * plan_tasks.c (which tasks), plan_drop.c (what is made again), plan_memory.c (how long
 * what lives), plan_place.c (which offsets), exec.c (running) and plan_print.c.
 */
#ifndef VOX_GRAPH_PLAN_IMPL_H
#define VOX_GRAPH_PLAN_IMPL_H

#include "graph/plan.h"

typedef enum task_kind { TASK_FORWARD, TASK_SEED, TASK_REBUILD, TASK_BACKWARD } task_kind;

enum { FOREVER = 1 << 30, MAX_CUTS = 64 };

/* A piece of the block: what it holds and from which task to which. */
typedef struct item {
    const char *kind; /* "value", "again", "grad", "saved", "work", "stage",
                         "squares": for print */
    int node, index;
    size_t bytes;
    int birth, death; /* tasks, both included; FOREVER: it is there after a run */
    int root;         /* the item whose memory this one uses: itself, or an aliased one */
    size_t offset;
} item;

enum { NONE = -1 };

/* Where a call's operand is: an item, with a plain copy to work on where the code wants
 * one. */
typedef struct place {
    int item;  /* NONE: absent, or a parameter */
    int stage; /* item of the plain copy, or NONE */
} place;

typedef struct task {
    task_kind kind;
    struct site *site;
    int64_t moment;        /* see vox_plan_moment */
    unsigned grads, reads; /* backward: operands whose gradient it makes; bits of op.h */
    place in[VOX_MAX_IN], out[VOX_MAX_OUT], din[VOX_MAX_IN], dout[VOX_MAX_OUT];
    vox_put put[VOX_MAX_IN];
    int work;                    /* item, or NONE */
    int squares;                 /* item: parts of all operands (vox_prepared), or NONE */
    vox_call call;               /* addresses filled by bind */
    float *din_true[VOX_MAX_IN]; /* behind a stage: where the gradient really goes */
    const void *in_true[VOX_MAX_IN], *dout_true[VOX_MAX_OUT];
    void *out_true[VOX_MAX_OUT];
    double seconds;
    int64_t runs;
} task;

/* What the plan knows of a node. */
typedef struct site {
    vox_node *node;
    int needed;     /* it is computed */
    int wants_grad; /* a gradient flows through it (to a parameter or a kept gradient) */
    int reached;    /* the loss depends on it through wants_grad nodes */
    int droppable;  /* its outputs may be made again in backward */
    int64_t last;   /* while tasks are listed: the moment its outputs were used last */
    int kept, kept_grad;
    const vox_kernel *kernel; /* NULL: the op's own functions */
    int staged; /* reference code on blocked tensors: plain copies around it */
    vox_prepared prepared;
    vox_layout layout[VOX_MAX_OUT];
    vox_dtype store[VOX_MAX_OUT]; /* element type in memory: the value's, or bf16 */
    int value[VOX_MAX_OUT], again[VOX_MAX_OUT], grad[VOX_MAX_OUT]; /* items */
    int saved;
} site;

struct vox_plan {
    vox_graph *graph;
    vox_plan_cfg cfg;
    vox_arena arena;
    site *site; /* one per node of the graph */
    task *task;
    int64_t n_task, cap_task;
    int first_backward; /* index of the SEED task; n_task when there is none */
    item *item;
    int64_t n_item, cap_item;
    int64_t cut[MAX_CUTS]; /* moments over which nothing droppable lies idle */
    int n_cut;
    size_t live, bytes; /* most in use at one time; what the placement takes */
    vox_block *block;
    const void *bound; /* block->data when the addresses were filled */
    float seed;
    int profile;
};

/** Site of a node's value (through picks), and the output's number. */
static inline site *vox_plan_site(vox_plan *p, const vox_node *node, int *k)
{
    *k = node->pick_of ? node->pick : 0;
    return &p->site[node->pick_of ? node->pick_of->id : node->id];
}

/** Is what the item holds still there after a run: a kept value, an input, the loss? */
static inline int vox_plan_stays(const vox_plan *p, int it)
{
    return it != NONE && p->item[it].death == FOREVER;
}

/** Parts of the squares that a task leaves of the gradient of operand i, a parameter. */
int64_t vox_plan_squares(const task *t, int i);

/** Layout of operand i of a node. */
vox_layout vox_plan_layout(vox_plan *p, const vox_node *node);

/** Element type in memory of operand i of a node. */
vox_dtype vox_plan_store(vox_plan *p, const vox_node *node);

/** Does the gradient of that operand have to be made? `in` may be NULL. */
int vox_plan_wants_grad(vox_plan *p, const vox_node *in);

/** Does a gradient flow from the node's outputs to its operands? */
static inline int vox_plan_has_backward(const site *s)
{
    return s->reached && s->node->op && s->node->op->backward;
}

/**
 * Moments number forward and backward calls in the order they run, whatever is rebuilt
 * between them: forward of node i, then from the last node on two for backward, of the
 * parameters' gradients and of the data's.
 */
static inline int64_t vox_plan_moment(const vox_plan *p, const site *s, int backward,
                                      int of_data)
{
    const int64_t n = p->graph->count, i = s->node->id;

    return backward ? n + 2 * (n - 1 - i) + of_data : i;
}

/** Mark what may be dropped, choose cuts, list tasks and items, place them. @return VOX_OK;
 * VOX_E_NOMEM; VOX_E_USAGE for a scope that is not there */
int vox_plan_settle(vox_plan *p);

/** List all tasks anew, in the order they run, with what the cuts make necessary. */
int vox_plan_list_tasks(vox_plan *p);

/** List the items of all tasks anew, with their lives, and what shares memory. */
int vox_plan_list_items(vox_plan *p);

/** Give the items their offsets. Each @return VOX_OK; VOX_E_NOMEM */
int vox_plan_place(vox_plan *p);

#endif
