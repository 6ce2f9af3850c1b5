/* tensor_file: views over tensors and the set that holds them. */
#include "io/tensor_file.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensor files are little endian and are used as they lie"
#endif

vox_view vox_view_of(vox_dtype dtype, vox_shape shape, const void *data)
{
    vox_view t = {.name = "", .dtype = dtype, .shape = shape, .data = data, .alias = -1};
    int64_t stride = vox_shape_count(shape) > 0; /* other extents may be huge beside a 0 */

    for (int i = shape.rank - 1; i >= 0; i--) {
        t.stride[i] = stride;
        stride *= shape.n[i];
    }
    return t;
}

int vox_view_contiguous(const vox_view *t)
{
    int64_t stride = 1;

    if (vox_shape_count(t->shape) == 0)
        return 1;
    for (int i = t->shape.rank - 1; i >= 0; i--) {
        if (t->shape.n[i] != 1 && t->stride[i] != stride)
            return 0;
        stride *= t->shape.n[i];
    }
    return 1;
}

/* Visits the rows of a tensor in C order: a row runs along the last axis. */
typedef struct rows {
    const vox_view *t;
    int64_t left;              /* rows still to come */
    int64_t at[VOX_MAX_RANK];  /* index of the row */
    int64_t offset, len, step; /* of the row: first element, elements, stride */
} rows;

static rows rows_of(const vox_view *t)
{
    const int64_t count = vox_shape_count(t->shape);
    const int last = t->shape.rank - 1;
    rows r = {.t = t, .len = 1, .step = 1};

    if (vox_view_contiguous(t)) {
        r.len = count;
        r.left = count ? 1 : 0;
    } else {
        r.len = t->shape.n[last];
        r.step = t->stride[last];
        r.left = count / r.len; /* not contiguous: no extent is zero */
    }
    return r;
}

static void next_row(rows *r)
{
    r->left--;
    for (int i = r->t->shape.rank - 2; i >= 0; i--) {
        r->offset += r->t->stride[i];
        if (++r->at[i] < r->t->shape.n[i])
            return;
        r->offset -= r->at[i] * r->t->stride[i];
        r->at[i] = 0;
    }
}

void vox_view_pack(void *dst, const vox_view *t)
{
    const size_t size = vox_dtype_size(t->dtype);
    char *d = dst;

    for (rows r = rows_of(t); r.left > 0; next_row(&r)) {
        const char *s = (const char *)t->data + (size_t)r.offset * size;
        const int64_t run = r.step == 1 ? r.len : 1;

        for (int64_t i = 0; i < r.len; i += run) {
            memcpy(d, s + (size_t)(i * r.step) * size, (size_t)run * size);
            d += (size_t)run * size;
        }
    }
}

static float f32_of_bits(uint32_t bits)
{
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static float f32_of_f16(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, mantissa = h & 0x3ffu;
    const uint32_t exponent = h >> 10 & 0x1fu;

    if (exponent == 0) { /* zero and subnormal: mantissa * 2^-24 */
        const float v = (float)mantissa * 0x1p-24f;

        return sign ? -v : v;
    }
    if (exponent == 31)
        return f32_of_bits(sign | 0x7f800000u | mantissa << 13);
    return f32_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

/* One element of any type, which need not be aligned. */
static float f32_of(vox_dtype dtype, const char *p)
{
    union {
        float f32;
        double f64;
        uint16_t u16;
        int64_t i64;
        int32_t i32;
        int16_t i16;
        int8_t i8;
        uint8_t u8;
    } v;

    memcpy(&v, p, vox_dtype_size(dtype));
    switch (dtype) {
    case VOX_F32:
        return v.f32;
    case VOX_F64:
        return (float)v.f64;
    case VOX_F16:
        return f32_of_f16(v.u16);
    case VOX_BF16:
        return f32_of_bits((uint32_t)v.u16 << 16);
    case VOX_I64:
        return (float)v.i64;
    case VOX_I32:
        return (float)v.i32;
    case VOX_I16:
        return v.i16;
    case VOX_I8:
        return v.i8;
    case VOX_U8:
    case VOX_BOOL:
        return v.u8;
    }
    VOX_ASSERT(!"a dtype");
    return 0;
}

void vox_view_f32(float *dst, const vox_view *t)
{
    const size_t size = vox_dtype_size(t->dtype);

    if (t->dtype == VOX_F32) {
        vox_view_pack(dst, t);
        return;
    }
    for (rows r = rows_of(t); r.left > 0; next_row(&r)) {
        const char *s = (const char *)t->data + (size_t)r.offset * size;

        for (int64_t i = 0; i < r.len; i++)
            *dst++ = f32_of(t->dtype, s + (size_t)(i * r.step) * size);
    }
}

int vox_tensors_add(vox_tensors *ts, const char *name, vox_dtype dtype, vox_shape shape,
                    const void *data)
{
    char text[128];
    char *copy;

    if (vox_shape_count(shape) < 0)
        return vox_fail(VOX_E_ARG, "tensor \"%s\": shape %s is negative or too large", name,
                        vox_shape_text(shape, text));
    if (vox_tensors_find(ts, name))
        return vox_fail(VOX_E_EXISTS, "tensor \"%s\": there are two of that name", name);
    VOX_TRY(vox_grow(&ts->item, &ts->cap, ts->count + 1, sizeof *ts->item));
    copy = vox_arena_strdup(&ts->arena, name);
    if (!copy)
        return VOX_E_NOMEM;
    VOX_TRY(vox_dict_set(&ts->index, copy, ts->count, NULL));
    ts->item[ts->count] = vox_view_of(dtype, shape, data);
    ts->item[ts->count++].name = copy;
    return VOX_OK;
}

void *vox_tensors_new(vox_tensors *ts, const char *name, vox_dtype dtype, vox_shape shape)
{
    const int64_t count = vox_shape_count(shape);
    void *data =
        vox_arena_alloc(&ts->arena, count > 0 ? (size_t)count : 1, vox_dtype_size(dtype));

    if (!data || vox_tensors_add(ts, name, dtype, shape, data) != VOX_OK)
        return NULL;
    return data;
}

const vox_view *vox_tensors_find(const vox_tensors *ts, const char *name)
{
    const int64_t i = vox_dict_get(&ts->index, name, -1);

    return i < 0 ? NULL : &ts->item[i];
}

int vox_tensors_need(const vox_view **out, const vox_tensors *ts, const char *name,
                     vox_dtype dtype, vox_shape shape)
{
    const vox_view *t = vox_tensors_find(ts, name);
    const char *source = ts->source ? ts->source : "tensors";
    char found[128], wanted[128];

    if (!t)
        return vox_fail(VOX_E_MISSING, "%s: no tensor \"%s\"", source, name);
    if (t->dtype != dtype || !vox_shape_equal(t->shape, shape))
        return vox_fail(VOX_E_FORMAT, "%s: tensor \"%s\" is %s %s, wanted %s %s", source,
                        name, vox_dtype_name(t->dtype), vox_shape_text(t->shape, found),
                        vox_dtype_name(dtype), vox_shape_text(shape, wanted));
    *out = t;
    return VOX_OK;
}

static vox_meta *find_meta(const vox_tensors *ts, const char *key)
{
    const int64_t i = vox_dict_get(&ts->meta_index, key, -1);

    return i < 0 ? NULL : &ts->meta[i];
}

int vox_tensors_set_meta(vox_tensors *ts, const char *key, const char *value)
{
    vox_meta *m = find_meta(ts, key);
    const char *copy = vox_arena_strdup(&ts->arena, value);
    const char *name = m ? m->key : vox_arena_strdup(&ts->arena, key);

    if (!copy || !name)
        return VOX_E_NOMEM;
    if (!m) {
        VOX_TRY(vox_grow(&ts->meta, &ts->cap_meta, ts->n_meta + 1, sizeof *ts->meta));
        VOX_TRY(vox_dict_set(&ts->meta_index, name, ts->n_meta, NULL));
        m = &ts->meta[ts->n_meta++];
    }
    *m = (vox_meta){name, copy};
    return VOX_OK;
}

const char *vox_tensors_meta(const vox_tensors *ts, const char *key)
{
    const vox_meta *m = find_meta(ts, key);

    return m ? m->value : NULL;
}

void vox_tensors_release(vox_tensors *ts)
{
    vox_free(ts->item);
    vox_free(ts->meta);
    vox_dict_release(&ts->index);
    vox_dict_release(&ts->meta_index);
    vox_arena_release(&ts->arena);
    vox_map_close(&ts->map);
    *ts = (vox_tensors)VOX_TENSORS_INIT;
}
