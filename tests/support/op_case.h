/*
 * op_case: one problem with data, and one call of it through a kernel or the reference.
 *
 * Every buffer a call writes is full of NaN before (outputs, saved data, workspace,
 * gradients that are written first; padding lanes too), and every buffer ends in a guard.
 * What backward did not ask for in vox_op.backward_reads is absent, as in a plan.
 */
#ifndef VOX_TESTS_SUPPORT_OP_CASE_H
#define VOX_TESTS_SUPPORT_OP_CASE_H

#include "graph/trial.h"

typedef struct op_case {
    char text[512];    /* op, problem, data: for messages */
    char problem[256]; /* the problem's text */
    int far;           /* how far the data are from zero: op_case_new */
    vox_problem_spec spec;
    void *in[VOX_MAX_IN];     /* plain; NULL where absent */
    float *dout[VOX_MAX_OUT]; /* plain */
} op_case;

typedef struct op_result {
    float *out[VOX_MAX_OUT]; /* plain */
    float *din[VOX_MAX_IN];  /* plain; NULL where there is no gradient, or it was skipped */
    double
        squares[VOX_MAX_IN]; /* of din, as the kernel gathers them; 0 where it does not */
} op_result;

enum { OP_NO_ALIAS = -1 };

typedef struct op_how {
    vox_device *dev;          /* a "cpu" device: layouts and threads */
    const vox_kernel *kernel; /* NULL: the op's own functions on plain tensors */
    int forward_only;
    vox_put put[VOX_MAX_IN]; /* for operands that have a gradient; 0 is VOX_SKIP */
    float base;              /* what gradients hold before VOX_ADD */
    int alias;               /* the operand that output 0 overwrites, or OP_NO_ALIAS */
    int grad_alias; /* the operand whose gradient overwrites output 0's, or OP_NO_ALIAS */
    int apart;      /* gradients of parameters first, then of data, as data_reads says */
    int bf16;       /* blocked values are stored as bf16, as far as the kernel takes them */
} op_how;

/** Everything written, no operand overwritten. */
op_how op_how_write(vox_device *dev, const vox_kernel *kernel);

/** A "cpu" device on a path, or NULL when this machine lacks the path. */
vox_device *op_device(const char *path, int threads);

/** A way to compute: a kernel path, with a switch of its device where it has one. Winograd's
 * form of convolutions is used everywhere or nowhere, and everywhere is a way of its own. */
typedef struct op_way {
    const char *name, *path;
    vox_winograd_use winograd;
} op_way;

enum { OP_WAYS = 7 };
extern const op_way op_ways[OP_WAYS]; /* the first is the reference */

/** Its "cpu" device, or NULL when this machine lacks the path. */
vox_device *op_way_open(const op_way *w, int threads);

/** Does the way differ from the others on this problem? */
int op_way_is_for(const op_way *w, const vox_problem_spec *s);

/** Has the problem Winograd's form? */
int op_spec_is_winograd(const vox_problem_spec *s);

/**
 * Data drawn from (text, seed, far): normal values of deviation 1 and these means.
 *
 *     far   activations   parameters   gradients of outputs
 *     0     0             0            0
 *     1     100           0.5          0.5
 *     2     100           0            100    (sums that cancel: small of large terms)
 *
 * Fails the test for a bad text.
 */
enum { OP_FAR = 3 };
op_case op_case_new(const vox_op *op, const char *text, uint64_t seed, int far);
void op_case_free(op_case *c);

/** Make operand 0 an input of the graph, as for a stem: plain, without gradient. */
void op_case_make_input(op_case *c);

/** Has operand i a gradient? */
int op_case_has_grad(const op_case *c, int i);
int64_t op_case_count_in(const op_case *c, int i);
int64_t op_case_count_out(const op_case *c, int i);

/** The problem as kernels see it on a device, all gradients wanted. */
vox_problem op_case_problem(const op_case *c, const vox_device *dev);

/** The kernel that a plan would pick on a device, or NULL. */
const vox_kernel *op_pick(const vox_device *dev, const op_case *c);

/** Run forward, rebuild, backward; fails the test when a promise of op.h is broken: a guard
 * or an operand overwritten, a padding lane not zero, a skipped gradient touched, a rebuilt
 * output with other bits, gathered squares that are not the gradient's. */
op_result op_case_run(const op_case *c, const op_how *how);
void op_result_free(op_result *r);
op_result op_result_copy(const op_case *c, const op_result *r);

/**
 * How far rounding may move results, element by element, in units of one f32 rounding: sums
 * with all terms positive. Also makes gradients of outputs at a kink zero (c->dout): there
 * either side is right.
 */
op_result op_case_magnitude(op_case *c);

/** What op_case_magnitude gave, where Winograd's form of a convolution may have computed the
 * result. That makes 2x2x4 voxels, or all 27 taps of a pair of channels, from the same
 * sums, through transforms that round too: each may be off by twice what the largest of
 * them may, a tap by 48 roundings more. Other problems stay. */
void op_result_mix(const op_case *c, op_result *magnitude);

/** Gradients, or what they may be off by, as `how` puts them: `base` more where VOX_ADD. */
void op_result_add_base(const op_case *c, op_result *r, const op_how *how);

enum { OP_OUT = -1 };

/** Roundings that a comparison of gradient i, or of OP_OUT, allows: 4 + 2 sqrt(n), n terms
 * being summed into it. f32 sums of n terms are off by about sqrt(n) / 2 roundings of the
 * sum of magnitudes, fewer when blocked; some more pass through Winograd's transforms. A
 * lost term is off by 1 / n of it, which is more for n up to a million. */
double op_case_units(const op_case *c, int i);

/** Fail unless |found - wanted| <= units * 2^-24 * magnitude everywhere. What is NULL on
 * either side is not compared. @return the largest |found - wanted| in units of what is
 * allowed */
double op_result_compare(const op_case *c, const char *who, const op_result *found,
                         const op_result *wanted, const op_result *magnitude);

/** Round to what bf16 holds: operands that are activations, or the outputs of a result. */
void op_case_round(op_case *c);
void op_result_round(const op_case *c, op_result *r);

/** Fail unless both have the same bits. What is NULL on either side is not compared. */
void op_result_same(const op_case *c, const char *who, const op_result *a,
                    const op_result *b);

/** A random problem of the op, at most `most` elements in any operand and 1000 * `most`
 * operations: odd and even extents, 1, any number of channels, attributes and optional
 * operands as they come. */
void op_random_text(char text[static 256], const vox_op *op, vox_rng *rng, int64_t most);

/** VOX_OPS_RANDOM, or `otherwise`: random problems per op. */
int op_random_count(int otherwise);

/** VOX_OPS_SEED, or `otherwise`: what problems and data are drawn from. */
int op_random_seed(int otherwise);

/** Fail unless backward in two calls, for parameters and for data, and gradients over the
 * output's, as far as the op allows them, give the bits of `wanted`, which `how` gave. */
void op_case_check_backward(const op_case *c, const op_how *how, const op_result *wanted,
                            const char *who);

#endif
