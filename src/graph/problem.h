/*
 * problem: one op call as a line of text, for tests, benchmarks and bug reports.
 *
 *     2x8x5x6x7 out=16 stride=2 in=0,1,3 in4=2x1x5x1x7
 *
 * The first word is the shape of operand 0. Then, in any order, separated by blanks:
 *
 *     name=value   an attribute, by the op's option rows; a list of one integer stands for
 *                  one per spatial axis, so stride=2 is stride=2,2,2
 *     in=0,1,3     the operands that are present; without it exactly the required ones
 *     in4=SHAPE    operand 4 is present and has this shape, instead of the one that the op
 *                  derives from operand 0 and the attributes
 *
 * A parsed problem obeys the op's shape rule and is small enough to be counted (but perhaps
 * not to be allocated).
 */
#ifndef VOX_GRAPH_PROBLEM_H
#define VOX_GRAPH_PROBLEM_H

#include "graph/device.h"

typedef struct vox_problem_spec {
    const vox_op *op;
    void *attr; /* owned; NULL when the op has none */
    int n_in, n_out;
    vox_value in[VOX_MAX_IN], out[VOX_MAX_OUT]; /* shape.rank < 0 where absent */
    int64_t limit[VOX_MAX_IN]; /* integer operands: values are in [0, limit) */
    size_t saved;
} vox_problem_spec;

#define VOX_PROBLEM_SPEC_INIT \
    {                         \
        0                     \
    }

/**
 * Parse a problem of `op`.
 *
 * @param[out] out  owned by the caller (vox_problem_release); empty when the call fails
 * @return VOX_OK; VOX_E_ARG or VOX_E_USAGE for a text that is no problem; VOX_E_NOMEM
 */
int vox_problem_parse(vox_problem_spec *out, const vox_op *op, const char *text);

/** Release; the spec is then empty. */
void vox_problem_release(vox_problem_spec *spec);

/**
 * The text of a problem as a plan has it: parsed again, operands and attributes are the
 * same. Attributes at their defaults and what the op derives are left out, and that a plan
 * stores a value as bf16.
 *
 * @param[out] out  the text is appended
 * @return VOX_OK; VOX_E_ARG when no text says it; VOX_E_NOMEM
 */
int vox_problem_text(vox_buf *out, const vox_problem *q);

/**
 * Give a problem of images [N, C, D, H, W] other extents. All its activations must have the
 * same; what else it has, masks for one, stays as it is.
 *
 * @return VOX_OK; VOX_E_ARG where they have not, or the op does not take the new ones; the
 *         spec is then unchanged
 */
int vox_problem_resize(vox_problem_spec *spec, const int64_t extent[3]);

/** Has operand i of a spec a gradient? */
int vox_problem_has_grad(const vox_problem_spec *spec, int i);

/** A spec as kernels see it on a device, all gradients asked for. Borrows from the spec. */
vox_problem vox_problem_on(const vox_problem_spec *spec, const vox_device *dev);

/** What `infer` sees of a spec, outputs filled. Borrows from the spec. */
vox_infer vox_problem_infer(const vox_problem_spec *spec);

/**
 * For vox_op.operands: fill an operand that is present. Leaves absent ones (shape.rank < 0)
 * alone, and keeps a shape that the text gave (shape.rank > 0).
 */
void vox_operand_fill(vox_value *v, vox_dtype dtype, vox_role role, vox_shape shape);

#endif
