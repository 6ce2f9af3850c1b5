/*
 * pickle, reading: NumPy's scalars and small arrays, as nnU-Net's checkpoints hold them.
 *
 *     scalar(dtype, bytes)            -> bool, int or float
 *     dtype('f4', False, True), BUILD (3, '<', None, None, None, -1, -1, 0)
 *     _reconstruct(ndarray, (0,), b'b'), BUILD (1, shape, dtype, fortran, bytes) -> tensor
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/pickle_machine.h"

static int is_np_dtype(const vox_obj *o)
{
    return (int)o->kind == INNER_NP_DTYPE;
}

int vox_pickle_np_dtype(vox_machine *m, vox_obj *args, vox_obj **out)
{
    static const char *const known[] = {"f2", "f4", "f8", "i1", "i2", "i4",
                                        "i8", "u1", "u2", "u4", "u8", "b1"};
    const vox_obj *code = args->list.count >= 1 ? args->list.item[0] : NULL;
    inner_obj *o;

    if (!code || code->kind != VOX_OBJ_STR)
        return vox_machine_fail(m, "wrong arguments of 'numpy.dtype'");
    for (int i = 0; i < VOX_COUNT(known); i++) {
        if (code->str.len != 2 || memcmp(code->str.text, known[i], 2) != 0)
            continue;
        o = vox_machine_inner(m, INNER_NP_DTYPE);
        if (!o)
            return VOX_E_NOMEM;
        o->np = (inner_np_dtype){known[i][0], known[i][1] - '0'};
        *out = &o->obj;
        return VOX_OK;
    }
    return vox_machine_fail(m, "a numpy dtype that is no number");
}

int vox_pickle_np_dtype_state(vox_machine *m, vox_obj *o, vox_obj *state)
{
    const vox_obj *order =
        state->kind == VOX_OBJ_TUPLE && state->list.count >= 2 ? state->list.item[1] : NULL;

    (void)o;
    if (!order || order->kind != VOX_OBJ_STR || order->str.len != 1 ||
        !strchr("<|=", order->str.text[0]))
        return vox_machine_fail(m, "a numpy dtype that is not little endian");
    return VOX_OK;
}

int vox_pickle_np_scalar(vox_machine *m, vox_obj *args, vox_obj **out)
{
    const inner_np_dtype *t;
    const vox_obj *bytes;
    uint64_t u = 0;
    double f;
    float f32;

    if (args->list.count != 2 || !is_np_dtype(args->list.item[0]) ||
        args->list.item[1]->kind != VOX_OBJ_BYTES)
        return vox_machine_fail(m, "wrong arguments of a numpy scalar");
    t = &((const inner_obj *)args->list.item[0])->np;
    bytes = args->list.item[1];
    if (bytes->str.len != (size_t)t->size)
        return vox_machine_fail(m, "a numpy scalar of %zu bytes, wanted %d", bytes->str.len,
                                t->size);
    for (int i = t->size - 1; i >= 0; i--)
        u = u << 8 | (unsigned char)bytes->str.text[i];
    if (t->code == 'f') {
        const vox_view v =
            vox_view_of(t->size == 2 ? VOX_F16 : VOX_F32, (vox_shape){0}, bytes->str.text);

        if (t->size == 8) {
            memcpy(&f, &u, sizeof f);
        } else {
            vox_view_f32(&f32, &v);
            f = (double)f32;
        }
        *out = vox_obj_float(m->tree, f);
        return VOX_OK;
    }
    if (t->code == 'i' && u >> (8 * t->size - 1)) /* negative: extend the sign */
        u |= t->size < 8 ? ~(uint64_t)0 << 8 * t->size : 0;
    if (t->code == 'u' && u > INT64_MAX)
        return vox_machine_fail(m, "a numpy scalar above 2^63");
    *out =
        t->code == 'b' ? vox_obj_bool(m->tree, u != 0) : vox_obj_int(m->tree, (int64_t)u);
    return VOX_OK;
}

/* The element type of a tensor that can hold the array, or -1. */
static int tensor_type(const inner_np_dtype *t)
{
    static const struct {
        char code;
        int size;
        vox_dtype dtype;
    } rows[] = {
        {'f', 4, VOX_F32 },
        {'f', 8, VOX_F64 },
        {'f', 2, VOX_F16 },
        {'i', 8, VOX_I64 },
        {'i', 4, VOX_I32 },
        {'i', 2, VOX_I16 },
        {'i', 1, VOX_I8  },
        {'u', 1, VOX_U8  },
        {'b', 1, VOX_BOOL},
    };

    for (int i = 0; i < VOX_COUNT(rows); i++) {
        if (rows[i].code == t->code && rows[i].size == t->size)
            return (int)rows[i].dtype;
    }
    return -1;
}

static int np_shape(vox_machine *m, const vox_obj *tuple, vox_shape *out)
{
    if (tuple->kind != VOX_OBJ_TUPLE || tuple->list.count > VOX_MAX_RANK)
        return vox_machine_fail(m, "a numpy array of rank above %d", VOX_MAX_RANK);
    out->rank = (int)tuple->list.count;
    for (int i = 0; i < out->rank; i++) {
        if (tuple->list.item[i]->kind != VOX_OBJ_INT)
            return vox_machine_fail(m, "a numpy array without a shape");
        out->n[i] = tuple->list.item[i]->i;
    }
    return VOX_OK;
}

/* (1, shape, dtype, fortran, bytes): the waiting array becomes a tensor with data. */
int vox_pickle_np_array_state(vox_machine *m, vox_obj *o, vox_obj *state)
{
    vox_obj **v = state->list.item;
    vox_obj *t;
    vox_shape shape = {0};
    int dtype;
    int64_t count, stride = 1;

    if (state->kind != VOX_OBJ_TUPLE || state->list.count != 5 || !is_np_dtype(v[2]) ||
        v[3]->kind != VOX_OBJ_BOOL || v[4]->kind != VOX_OBJ_BYTES)
        return vox_machine_fail(m, "wrong state of a numpy array");
    dtype = tensor_type(&((const inner_obj *)v[2])->np);
    if (dtype < 0)
        return vox_machine_fail(m, "a numpy array of a type that is not supported");
    VOX_TRY(np_shape(m, v[1], &shape));
    count = vox_shape_count(shape);
    if (count < 0 || (uint64_t)count * vox_dtype_size((vox_dtype)dtype) != v[4]->str.len)
        return vox_machine_fail(m, "a numpy array whose bytes do not fit its shape");
    t = vox_obj_tensor(m->tree,
                       vox_storage_new(m->tree, (vox_dtype)dtype, count, v[4]->str.text), 0,
                       shape);
    if (!t)
        return VOX_E_NOMEM;
    for (int i = 0; v[3]->i && count > 0 && i < shape.rank; i++) {
        t->tensor->view.stride[i] = stride;
        stride *= shape.n[i];
    }
    o->kind = VOX_OBJ_TENSOR;
    o->tensor = t->tensor;
    return VOX_OK;
}
