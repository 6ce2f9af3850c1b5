/*
 * trial: a problem with data on a device, called again and again: what benchmarks time.
 *
 * The call is a plan's: the kernel that a plan would take, its layouts and workspace,
 * gradients written. Every operand has memory of its own.
 */
#ifndef VOX_GRAPH_TRIAL_H
#define VOX_GRAPH_TRIAL_H

#include "base/rng.h"
#include "graph/problem.h"

/** What a call computes. Gradients of an op that counts its operations are told apart:
 * those of the data and those of the weights cost a forward each. Other ops have one
 * backward. */
typedef enum vox_trial_pass {
    VOX_TRIAL_FORWARD,
    VOX_TRIAL_BACKWARD,
    VOX_TRIAL_DATA,
    VOX_TRIAL_WEIGHT,
    VOX_TRIAL_PASSES
} vox_trial_pass;

/** "forward", "backward", "data", "weight". */
const char *vox_trial_pass_name(vox_trial_pass pass);

/** The pass that computes the gradient of an operand. */
vox_trial_pass vox_trial_pass_of(const vox_op *op, vox_role role);

typedef struct vox_trial {
    const vox_problem_spec *spec;
    vox_device *dev;
    const vox_kernel *kernel; /* NULL: the op's own functions, on plain tensors */
    vox_problem problem;
    vox_prepared prepared;
    vox_arena arena;
    vox_call call;
    vox_grad din[VOX_MAX_IN]; /* all gradients; call.din has those of the pass */
    int ran;                  /* outputs and saved data are there for backward */
    struct vox_trial_memory {
        void *data;
        size_t bytes;
    } memory[2 * (VOX_MAX_IN + VOX_MAX_OUT) + 2];
    int n_memory;
} vox_trial;

#define VOX_TRIAL_INIT \
    {                  \
        0              \
    }

/**
 * Choose the kernel and fill the operands.
 *
 * @param[out] t      an _INIT value, owned by the caller (vox_trial_release)
 * @param      spec   kept: must outlive the trial
 * @param      grads  bit i: the gradient of operand i is wanted (that of some operand which
 *                    has none is not)
 * @param      bf16   VOX_IN(i) | VOX_OUT(i): stored as bf16, as far as it is blocked and
 *                    the kernel takes that
 * @return VOX_OK; VOX_E_NOMEM naming the need
 */
int vox_trial_init(vox_trial *t, const vox_problem_spec *spec, vox_device *dev,
                   unsigned grads, unsigned bf16);

/** Is anything stored as bf16? */
int vox_trial_is_bf16(const vox_trial *t);

/** Release; legal on an _INIT value. */
void vox_trial_release(vox_trial *t);

/** Is there something to compute in the pass? */
int vox_trial_has(const vox_trial *t, vox_trial_pass pass);

/** Name of the kernel, "reference" where there is none. */
const char *vox_trial_kernel(const vox_trial *t);

/** Floating point operations of a call, 0 when the op does not count them; bytes of all
 * tensors that a call has to read or write, once each. */
double vox_trial_flops(const vox_trial *t, vox_trial_pass pass);
double vox_trial_bytes(const vox_trial *t, vox_trial_pass pass);

/** Call n times within one region of the device's threads, as a plan calls its tasks.
 * @param[out] seconds  of each call, n of them */
void vox_trial_time(vox_trial *t, vox_trial_pass pass, int n, double *seconds);

/**
 * Values to compute with, in plain order: f32 are normal around `mean`; of integers below 2
 * (masks) three in five are 1, others lie anywhere below `limit`.
 */
void vox_values_draw(void *out, vox_dtype dtype, int64_t count, int64_t limit, double mean,
                     vox_rng *rng);

#endif
