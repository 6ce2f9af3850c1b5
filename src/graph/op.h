/*
 * op: the contract between the graph, the ops' reference code and the backends' kernels.
 *
 * An op is one const struct in its own file. `infer` is its only part that may fail.
 * `forward`, `rebuild` and `backward` are called by every member of a team and share the
 * work by VOX_SHARE, with vox_barrier where one of their loops needs another (base/team.h);
 * they cannot fail and must not assume that other members have reached them. The executor
 * puts a barrier behind every call.
 *
 * References see plain tensors always. They accumulate in f64 and are compiled without
 * contraction: they are the truth the kernels are compared with.
 *
 * Lanes above C of a blocked tensor hold zero, in gradients too: every function keeps this.
 *
 * One tensor may be several operands of a call. Its gradients are then one buffer, and all
 * but the first are VOX_ADD: backward writes or adds them in the order of the operands.
 */
#ifndef VOX_GRAPH_OP_H
#define VOX_GRAPH_OP_H

#include "base/arena.h"
#include "base/opt.h"
#include "base/team.h"
#include "graph/value.h"

enum { VOX_MAX_IN = 8, VOX_MAX_OUT = 4 };

/* Bits of vox_op.backward_reads. SAVED is the one saved block of the call. */
#define VOX_IN(i)  (1u << (i))
#define VOX_OUT(i) (1u << (8 + (i)))
#define VOX_SAVED  (1u << 16)
/* Bits of vox_op.may_alias: output `o` may overwrite input `i`. Of vox_op.grad_alias: the
 * gradient of input `i`, where it is written, may overwrite the gradient of output `o`. */
#define VOX_ALIAS(o, i) (1u << ((o)*8 + (i)))

/** What `infer` sees and fills. Absent optional operands are NULL. */
typedef struct vox_infer {
    const char *op;
    const void *attr;
    int n_in, n_out;
    const vox_value *in[VOX_MAX_IN];
    vox_value out[VOX_MAX_OUT]; /* to fill: shape, dtype (preset to f32, activation) */
    size_t saved;               /* to fill: bytes kept for rebuild and backward, 0 = none */
} vox_infer;

/** A tensor of a call: resolved address, layout, logical shape. data is NULL when absent.
 */
typedef struct vox_tensor {
    void *data;
    vox_dtype dtype;
    vox_role role;
    vox_layout layout;
    vox_shape shape;
    int64_t count; /* elements stored, padding lanes included */
} vox_tensor;

/** A value as it lies in `layout`; no address yet. An absent value (rank < 0) stays so. */
vox_tensor vox_tensor_of(const vox_value *v, vox_layout layout);

typedef enum vox_put { VOX_SKIP, VOX_WRITE, VOX_ADD } vox_put;

/** Where a gradient goes, and whether the call writes it first, adds to it, or leaves it
 * out. */
typedef struct vox_grad {
    float *data;
    vox_put put;
    double *squares; /* see vox_prepared.squares; NULL: nobody asks */
} vox_grad;

/** One value into a gradient. put is never VOX_SKIP here. @return what is there now */
static inline float vox_grad_put(vox_grad g, int64_t i, float v)
{
    return g.data[i] = g.put == VOX_ADD ? g.data[i] + v : v;
}

/** What a call may know of its surroundings. */
typedef struct vox_context {
    int threads; /* members of the team */
    int rank, ranks;
} vox_context;

typedef struct vox_call {
    const struct vox_op *op;
    const void *attr; /* the op's attribute struct */
    const void *prep; /* what the kernel's prepare made; NULL for references */
    const vox_context *ctx;
    int n_in, n_out;
    vox_tensor in[VOX_MAX_IN], out[VOX_MAX_OUT];
    vox_grad din[VOX_MAX_IN];       /* layout of in[i]; SKIP where nobody needs it */
    const float *dout[VOX_MAX_OUT]; /* layout of out[i]; NULL when no gradient reaches it */
    void *saved, *work;
} vox_call;

typedef struct vox_op {
    const char *name, *summary;
    int n_in_min, n_in_max, n_out;
    size_t attr_size;
    const vox_opt *opts; /* rows of the attribute struct, or NULL */
    unsigned backward_reads, may_alias, grad_alias;
    /* Not 0: backward may be called once for the gradients of parameters and then once for
     * those of data, which reads no more than this. What only the first reads is free by
     * then. */
    unsigned data_reads;
    int (*infer)(vox_infer *io);
    void (*forward)(const vox_call *c);
    /* Outputs again from inputs and saved data, at the price of a pass over memory. NULL:
     * that costs more; forward is run where it must be. */
    void (*rebuild)(const vox_call *c);
    void (*backward)(const vox_call *c); /* NULL: no gradient flows through */
    /* For problem texts ("2x8x5x6x7 out=16 stride=2 in=0,1"): from the shape of in[0] and
     * the attributes, the values of the other operands; limit[i] bounds integer operands.
     * NULL when in[0] is the only operand. See graph/problem.h. */
    int (*operands)(vox_value in[VOX_MAX_IN], int64_t limit[VOX_MAX_IN], const void *attr);
    const char *const *problems;          /* NULL-terminated problem texts */
    double (*flops)(const vox_infer *io); /* of one forward; NULL: not counted */
} vox_op;

/** infer of ops whose output is like input 0. */
int vox_infer_same(vox_infer *io);

/** Fail in infer: the op's name is put in front. */
int vox_infer_fail(const vox_infer *io, const char *fmt, ...) VOX_PRINTF(2, 3);

/** Check operand i: present, dtype, rank (-1 = any). @return VOX_OK; VOX_E_ARG */
int vox_infer_want(const vox_infer *io, int i, vox_dtype dtype, int rank);

/* Short cuts for kernels. An absent operand, past n_in too, is NULL, its gradient SKIP. */
static inline const float *vox_call_in(const vox_call *c, int i)
{
    return i < c->n_in ? c->in[i].data : NULL;
}

static inline float *vox_call_out(const vox_call *c, int i)
{
    return c->out[i].data;
}

static inline const float *vox_call_dout(const vox_call *c, int i)
{
    return c->dout[i];
}

static inline vox_grad vox_call_din(const vox_call *c, int i)
{
    return i < c->n_in ? c->din[i] : (vox_grad){.put = VOX_SKIP};
}

/** Elements stored of output 0, padding lanes included. */
static inline int64_t vox_call_count(const vox_call *c)
{
    return c->out[0].count;
}

/** The op of that name, or NULL. The table is ops/ops.def; declared here so that the graph
 * needs no op. */
const vox_op *vox_op_find(const char *name);

/** The i-th op of the table, NULL after the last. */
const vox_op *vox_op_at(int i);

#endif
