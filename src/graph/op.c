/* op: what the shape rules of all ops share. */
#include "graph/op.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

vox_tensor vox_tensor_of(const vox_value *v, vox_layout layout)
{
    if (v->shape.rank < 0)
        return (vox_tensor){.shape = {.rank = -1}};
    return (vox_tensor){.dtype = v->dtype,
                        .role = v->role,
                        .layout = layout,
                        .shape = v->shape,
                        .count = vox_layout_count(v->shape, layout)};
}

int vox_infer_fail(const vox_infer *io, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return vox_fail(VOX_E_ARG, "%s: %s", io->op, text);
}

int vox_infer_want(const vox_infer *io, int i, vox_dtype dtype, int rank)
{
    const vox_value *v = i < io->n_in ? io->in[i] : NULL;
    char text[128];

    if (!v)
        return vox_infer_fail(io, "operand %d is absent", i);
    if (v->dtype != dtype)
        return vox_infer_fail(io, "operand %d is %s, wanted %s", i,
                              vox_dtype_name(v->dtype), vox_dtype_name(dtype));
    if (rank >= 0 && v->shape.rank != rank)
        return vox_infer_fail(io, "operand %d is %s, wanted %d axes", i,
                              vox_shape_text(v->shape, text), rank);
    return VOX_OK;
}

int vox_infer_same(vox_infer *io)
{
    VOX_TRY(vox_infer_want(io, 0, VOX_F32, -1));
    io->out[0].shape = io->in[0]->shape;
    return VOX_OK;
}
