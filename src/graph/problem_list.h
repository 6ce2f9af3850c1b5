/*
 * problem_list: the distinct problems of a plan, and how often a step makes each pass of
 * them: what there is to time when a whole step is too long or too large to be run.
 */
#ifndef VOX_GRAPH_PROBLEM_LIST_H
#define VOX_GRAPH_PROBLEM_LIST_H

#include "graph/plan.h"
#include "graph/trial.h"

typedef struct vox_problem_item {
    const vox_op *op;
    char *text;
    unsigned inputs; /* operands that are inputs of the graph: plain, without gradient */
    unsigned bf16;   /* VOX_IN(i) | VOX_OUT(i): stored so, as far as kernels can */
    unsigned grads;  /* operands whose gradient some node wants */
    int count[VOX_TRIAL_PASSES];
    int rebuilds; /* how often backward makes its outputs again */
} vox_problem_item;

typedef struct vox_problem_list {
    vox_problem_item *v;
    int64_t count, cap;
} vox_problem_list;

#define VOX_PROBLEM_LIST_INIT \
    {                         \
        0                     \
    }

/** A text of somebody's: every pass once, all gradients. @return VOX_OK; VOX_E_NOMEM */
int vox_problem_list_add_text(vox_problem_list *l, const vox_op *op, const char *text,
                              unsigned bf16);

/** The nodes that the plan of `g` computes; those of one op, or all (NULL).
 * @return VOX_OK; VOX_E_NOMEM; VOX_E_ARG for a problem that no text says */
int vox_problem_list_add_plan(vox_problem_list *l, vox_plan *plan, const vox_graph *g,
                              const vox_op *only);

/** Release; the list is then empty. */
void vox_problem_list_release(vox_problem_list *l);

/** The item's problem, amid its net: as vox_problem_parse, with its inputs as such. */
int vox_problem_item_parse(vox_problem_spec *out, const vox_problem_item *it);

#endif
