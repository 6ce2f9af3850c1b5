/*
 * kernel: a backend's faster version of an op, and of an optimizer step.
 *
 * Same three functions as the op, plus `supports` and `prepare`. A device carries its
 * table; a plan takes the first kernel that supports the node, and the op's own functions,
 * with relayout around them, where there is none.
 */
#ifndef VOX_GRAPH_KERNEL_H
#define VOX_GRAPH_KERNEL_H

#include "graph/op.h"

/** May kernels compute 3x3x3 convolutions by Winograd's tiles? By default where that is
 * expected to be faster; in tests, wherever it is possible. */
typedef enum vox_winograd_use {
    VOX_WINOGRAD_AUTO,
    VOX_WINOGRAD_NEVER,
    VOX_WINOGRAD_ALWAYS
} vox_winograd_use;

/** A node as kernels see it before there is memory: values with layouts, no addresses. */
typedef struct vox_problem {
    const vox_op *op;
    const void *attr;
    int n_in, n_out;
    vox_tensor in[VOX_MAX_IN],
        out[VOX_MAX_OUT]; /* data is NULL; shape.rank < 0 when absent */
    unsigned grads;       /* bit i: din[i] will be asked for; 0 when there is no backward */
    int threads;
    vox_winograd_use winograd;
} vox_problem;

/** Is operand i there? */
static inline int vox_problem_has(const vox_problem *q, int i)
{
    return i < q->n_in && q->in[i].shape.rank >= 0;
}

/** What `prepare` fills. */
typedef struct vox_prepared {
    vox_arena *arena;                   /* in: for `prep` */
    const void *prep;                   /* blocking decisions, passed as vox_call.prep */
    size_t work_forward, work_backward; /* bytes of vox_call.work, aligned to 64 */
    /* Parts that backward divides the gradient of operand i into, by index, not by thread;
     * 0: none. Where din[i].squares is asked for, backward leaves there, for each part, the
     * sum of squares of the values that are then in the gradient: what was added to
     * counts, padding does not. So the gradients' norm needs no pass of its own.
     * Neighbours, some hundred at most, may be summed as f32 first, which is off by a few
     * roundings of that sum (and infinite past f32's range); from there on sums are f64. */
    int64_t squares[VOX_MAX_IN];
} vox_prepared;

typedef struct vox_kernel {
    const char *op;   /* the op it computes */
    const char *name; /* "conv3d_direct", for the profile and `doctor` */
    unsigned bf16;    /* VOX_IN(i) | VOX_OUT(i): what it also takes stored as bf16 */
    int (*supports)(const vox_problem *p);
    int (*prepare)(const vox_problem *p, vox_prepared *out); /* may be NULL; VOX_E_NOMEM */
    void (*forward)(const vox_call *c);
    void (*rebuild)(const vox_call *c);
    void (*backward)(const vox_call *c);
} vox_kernel;

/** A run of parameters with gradient, one pass over which an optimizer steps. Addresses are
 * the device's. Called by every member of a team. */
typedef struct vox_step_args {
    int64_t count;
    float *value, *grad, *moment[2];
    float lr, weight_decay, momentum, beta[2], eps;
    float scale;          /* gradients are multiplied by it first (clipping, loss scale) */
    double correction[2]; /* Adam: 1 - beta^t */
    int nesterov, first;  /* first: moments are not yet set */
} vox_step_args;

/** Optimizer and reduction kernels of a device. References: graph/step.c. */
typedef struct vox_step_kernels {
    void (*sgd)(const vox_step_args *a);
    void (*adamw)(const vox_step_args *a);
    /** Sum of squares of count floats in f64 by fixed tiles; `*sum` is the same bits for
     * any thread count. Every thread calls it; `tile` has room for vox_norm2_tiles(count).
     */
    void (*norm2)(double *sum, const float *v, int64_t count, double *tile);
} vox_step_kernels;

/** Tiles that norm2 sums by. */
int64_t vox_norm2_tiles(int64_t count);

/** The plain C step kernels. */
extern const vox_step_kernels vox_step_reference;

#endif
