/*
 * plan: a graph made runnable. A plan is a list of tasks (forward, rebuild, backward of a
 * node), a kernel per node, and an offset per tensor in one block of device memory.
 *
 * Liveness follows from the task list: a tensor is born at the task that writes it and dies
 * after the last that reads it. What can be made again in backward is dropped where it
 * would be idle while most memory is in use (plan_drop.c). Plans of one run (training,
 * validation, other patch sizes) share one vox_block, sized to the largest.
 */
#ifndef VOX_GRAPH_PLAN_H
#define VOX_GRAPH_PLAN_H

#include <stdio.h>

#include "graph/graph.h"

/** Device memory shared by plans that do not run at the same time. */
typedef struct vox_block {
    vox_device *dev;
    void *data;
    size_t bytes;
} vox_block;

#define VOX_BLOCK_INIT \
    {                  \
        0              \
    }
void vox_block_release(vox_block *b);

typedef struct vox_plan_cfg {
    vox_device *dev;
    vox_node *loss;          /* scalar whose gradient is taken; NULL: forward only */
    const char *const *keep; /* NULL-terminated names to be fetched after a run, or NULL */
    const char *const *keep_grad; /* inputs or values whose gradient is fetched too */
    /* What forward may drop and backward makes again, if it would lie idle while memory is
     * scarcest. Never changes a result.
     *     none
     *     cheap  outputs of ops that have a `rebuild`; NULL means this
     *     all    and everything inside a scope: only what other scopes read is kept
     *     a.b,c  as all, within these scopes and below, each taken as one */
    const char *recompute;
    vox_dtype store; /* VOX_F32, or VOX_BF16: how blocked activations lie in memory where
                        all kernels around them can. Everything else is f32. */
} vox_plan_cfg;

typedef struct vox_plan vox_plan;

/**
 * Compile a graph (kept; must outlive the plan).
 *
 * @return VOX_OK; VOX_E_NOMEM; VOX_E_ARG when the loss is no scalar or a kept name is
 * unknown; VOX_E_USAGE when `recompute` names a scope that no node has
 */
int vox_plan_new(vox_plan **out, vox_graph *g, const vox_plan_cfg *cfg);
void vox_plan_free(vox_plan *p);

/** Bytes of block memory the plan needs. */
size_t vox_plan_bytes(const vox_plan *p);

/** A node as its kernel sees it; op is NULL where nothing is computed (leaves, nodes that
 * neither the loss nor a kept value needs). Borrows from the graph. */
vox_problem vox_plan_problem(vox_plan *p, const vox_node *node);

/** How often backward makes the node's outputs again. */
int vox_plan_rebuilds(const vox_plan *p, const vox_node *node);

/** Most bytes in use at one time: below this no placement can come. */
size_t vox_plan_live(const vox_plan *p);

/** Give the plan its memory: grows the block if it is too small (other plans on it must
 * bind again). @return VOX_OK; VOX_E_NOMEM naming the need */
int vox_plan_bind(vox_plan *p, vox_block *block);

/** Fill a named input from host memory. @return VOX_OK; VOX_E_MISSING (unknown name),
 * VOX_E_ARG (dtype or shape differs: found and wanted) */
int vox_plan_set(vox_plan *p, const char *name, vox_dtype dtype, vox_shape shape,
                 const void *host);

/** Same, for part of the batch: rows [first, first + shape.n[0]) of the leading axis. */
int vox_plan_set_rows(vox_plan *p, const char *name, vox_dtype dtype, vox_shape shape,
                      int64_t first, const void *host);

/** Compute all nodes. */
int vox_plan_forward(vox_plan *p);

/** After forward: add `seed` * d(loss) to the gradients of the parameters (write, where the
 * step has not touched them). */
int vox_plan_backward(vox_plan *p, float seed);

/** Fetch a kept value to host memory, plain layout; `host` holds count elements. */
int vox_plan_get(vox_plan *p, const char *name, void *host);

/** Fetch the gradient of a keep_grad name, plain layout. */
int vox_plan_get_grad(vox_plan *p, const char *name, float *host);

/** The loss of the last forward. */
int vox_plan_loss(vox_plan *p, double *loss);

/** One line per tensor: name, shape, offset, size, first and last task; then what all need
 * and what is in use at most (`estimate -v`). */
void vox_plan_print(const vox_plan *p, FILE *f);

/** Time every task from now on (barriers make it a little slower). */
void vox_plan_profile(vox_plan *p, int on);

/** The table of times per op and kernel, GFLOP/s and GB/s where known. */
void vox_plan_print_profile(const vox_plan *p, FILE *f);

#endif
