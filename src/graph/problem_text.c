/*
 * problem_text: a problem as the line of text that it is parsed from (graph/problem.h).
 *
 * What parsing would fill in by itself is left out: attributes at their defaults, operands
 * that are required, shapes that the op derives.
 */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "graph/problem.h"

enum { ABSENT = -1, DERIVED = 0 };

/* Is the attribute what it is by default? */
static int is_default(int *out, const vox_opt *o, const void *attr, const void *defaults)
{
    vox_buf mine = VOX_BUF_INIT, usual = VOX_BUF_INIT;
    int rc = vox_opt_text(&mine, o, attr);

    if (rc == VOX_OK)
        rc = vox_opt_text(&usual, o, defaults);
    *out = strcmp(vox_buf_text(&mine), vox_buf_text(&usual)) == 0;
    vox_buf_release(&mine);
    vox_buf_release(&usual);
    return rc;
}

/* " out=16", " stride=2": a list of equal values stands as one of them. */
static int add_attribute(vox_buf *out, const vox_opt *o, const void *attr)
{
    const vox_ints *list = (const vox_ints *)((const char *)attr + o->offset);
    int equal = o->kind == VOX_OPT_KIND_INTS && list->count > 0;

    for (int i = 1; equal && i < list->count; i++)
        equal = list->v[i] == list->v[0];
    VOX_TRY(vox_buf_printf(out, " %s=", o->name));
    return equal ? vox_buf_printf(out, "%d", list->v[0]) : vox_opt_text(out, o, attr);
}

static int add_attributes(vox_buf *out, const vox_problem *q)
{
    void *defaults = q->op->opts ? vox_zalloc(1, q->op->attr_size) : NULL;
    int rc = VOX_OK, usual;

    if (!q->op->opts)
        return VOX_OK;
    if (!defaults)
        return VOX_E_NOMEM;
    rc = vox_opts_defaults(q->op->opts, defaults);
    for (const vox_opt *o = q->op->opts; o->name && rc == VOX_OK; o++) {
        rc = is_default(&usual, o, q->attr, defaults);
        if (rc == VOX_OK && !usual)
            rc = add_attribute(out, o, q->attr);
    }
    vox_opts_release(q->op->opts, defaults);
    vox_free(defaults);
    return rc;
}

/* " in=0,1,3", unless exactly the required ones are there. */
static int add_present(vox_buf *out, const vox_problem *q)
{
    int usual = 1;

    for (int i = 0; i < q->op->n_in_max; i++)
        usual &= vox_problem_has(q, i) == (i < q->op->n_in_min);
    if (usual)
        return VOX_OK;
    VOX_TRY(vox_buf_printf(out, " in=0"));
    for (int i = 1; i < q->op->n_in_max; i++) {
        if (vox_problem_has(q, i))
            VOX_TRY(vox_buf_printf(out, ",%d", i));
    }
    return VOX_OK;
}

/* Of the value, however a plan stores it. */
static vox_dtype type_of(const vox_tensor *t)
{
    return t->dtype == VOX_BF16 ? VOX_F32 : t->dtype;
}

/* What the op derives of operand i, the operands of `given` having their shapes already. */
static int derive(vox_value *out, const vox_problem *q, unsigned given, int i)
{
    vox_value in[VOX_MAX_IN] = {0};
    int64_t limit[VOX_MAX_IN] = {0};

    for (int k = 0; k < VOX_MAX_IN; k++) {
        in[k].shape.rank = vox_problem_has(q, k) ? DERIVED : ABSENT;
        if (given & 1u << k)
            in[k] = (vox_value){type_of(&q->in[k]), q->in[k].role, q->in[k].shape};
    }
    if (q->op->operands)
        VOX_TRY(q->op->operands(in, limit, q->attr));
    *out = in[i];
    return VOX_OK;
}

/* " in3=SHAPE" where another shape would be derived; from the last, for weights, which
 * stand in front, follow from what stands behind. */
static int add_shapes(vox_buf *out, const vox_problem *q)
{
    unsigned given = 1u;
    vox_value derived;
    char text[128];

    for (int i = q->n_in - 1; i > 0; i--) {
        if (!vox_problem_has(q, i))
            continue;
        VOX_TRY(derive(&derived, q, given, i));
        if (derived.shape.rank != DERIVED && derived.dtype != type_of(&q->in[i]))
            return vox_fail(VOX_E_ARG, "%s: no text says that operand %d is %s",
                            q->op->name, i, vox_dtype_name(q->in[i].dtype));
        if (vox_shape_equal(derived.shape, q->in[i].shape))
            continue;
        given |= 1u << i;
        VOX_TRY(vox_buf_printf(out, " in%d=%s", i, vox_shape_text(q->in[i].shape, text)));
    }
    return VOX_OK;
}

int vox_problem_text(vox_buf *out, const vox_problem *q)
{
    char text[128];

    VOX_TRY(vox_buf_printf(out, "%s", vox_shape_text(q->in[0].shape, text)));
    VOX_TRY(add_attributes(out, q));
    VOX_TRY(add_present(out, q));
    return add_shapes(out, q);
}
