/* safetensors, writing. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "io/safetensors.h"

const char *vox_safetensors_type(vox_dtype t)
{
    static const char *const name[] = {
        [VOX_F32] = "F32", [VOX_U8] = "U8",     [VOX_I64] = "I64", [VOX_F64] = "F64",
        [VOX_F16] = "F16", [VOX_BF16] = "BF16", [VOX_I32] = "I32", [VOX_I16] = "I16",
        [VOX_I8] = "I8",   [VOX_BOOL] = "BOOL",
    };

    return name[t];
}

/* Larger elements first, so that each tensor is aligned; then by name. */
static int in_file_order(const void *a, const void *b)
{
    const vox_view *x = *(const vox_view *const *)a, *y = *(const vox_view *const *)b;
    const size_t m = vox_dtype_size(x->dtype), n = vox_dtype_size(y->dtype);

    return m != n ? (m < n) - (m > n) : strcmp(x->name, y->name);
}

static int add_string(vox_buf *b, const char *text)
{
    if (!vox_utf8_valid(text, strlen(text), 0))
        return vox_fail(VOX_E_ARG, "\"%s\" is not UTF-8", text);
    VOX_TRY(vox_buf_add(b, "\"", 1));
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            VOX_TRY(vox_buf_printf(b, "\\%c", *p));
        else if ((unsigned char)*p < 0x20)
            VOX_TRY(vox_buf_printf(b, "\\u%04x", (unsigned)*p));
        else
            VOX_TRY(vox_buf_add(b, p, 1));
    }
    return vox_buf_add(b, "\"", 1);
}

static int add_metadata(vox_buf *b, const vox_tensors *ts)
{
    if (ts->n_meta == 0)
        return VOX_OK;
    VOX_TRY(vox_buf_printf(b, "\"__metadata__\":"));
    for (int64_t i = 0; i < ts->n_meta; i++) {
        VOX_TRY(vox_buf_add(b, i ? "," : "{", 1));
        VOX_TRY(add_string(b, ts->meta[i].key));
        VOX_TRY(vox_buf_add(b, ":", 1));
        VOX_TRY(add_string(b, ts->meta[i].value));
    }
    return vox_buf_printf(b, ts->count ? "}," : "}");
}

static int add_tensor(vox_buf *b, const vox_view *t, uint64_t *at)
{
    const uint64_t begin = *at;

    if (strcmp(t->name, "__metadata__") == 0)
        return vox_fail(VOX_E_ARG, "a tensor may not be named __metadata__");
    VOX_TRY(add_string(b, t->name));
    VOX_TRY(vox_buf_printf(b, ":{\"dtype\":\"%s\",\"shape\":[",
                           vox_safetensors_type(t->dtype)));
    for (int i = 0; i < t->shape.rank; i++)
        VOX_TRY(vox_buf_printf(b, i ? ",%lld" : "%lld", (long long)t->shape.n[i]));
    *at += (uint64_t)vox_shape_count(t->shape) * vox_dtype_size(t->dtype);
    return vox_buf_printf(b, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)begin,
                          (unsigned long long)*at);
}

/* The header with its size in front. */
static int make_header(vox_buf *b, const vox_tensors *ts, const vox_view **order)
{
    unsigned char size[8];
    uint64_t at = 0, n;

    VOX_TRY(vox_buf_resize(b, 8));
    VOX_TRY(vox_buf_add(b, "{", 1));
    VOX_TRY(add_metadata(b, ts));
    for (int64_t i = 0; i < ts->count; i++) {
        if (i)
            VOX_TRY(vox_buf_add(b, ",", 1));
        VOX_TRY(add_tensor(b, order[i], &at));
    }
    VOX_TRY(vox_buf_add(b, "}", 1));
    while (b->len % 8)
        VOX_TRY(vox_buf_add(b, " ", 1));
    n = b->len - 8;
    if (n > (size_t)VOX_SAFETENSORS_HEADER)
        return vox_fail(VOX_E_ARG, "a header of %llu bytes, at most %zu",
                        (unsigned long long)n, (size_t)VOX_SAFETENSORS_HEADER);
    for (int i = 0; i < 8; i++)
        size[i] = (unsigned char)(n >> 8 * i);
    memcpy(b->data, size, sizeof size);
    return VOX_OK;
}

static int write_data(FILE *f, const vox_view *t, const char *path)
{
    const size_t n = (size_t)vox_shape_count(t->shape) * vox_dtype_size(t->dtype);
    void *packed = NULL;
    int ok;

    if (n == 0)
        return VOX_OK;
    if (!vox_view_contiguous(t)) {
        packed = vox_alloc(n, 1);
        if (!packed)
            return VOX_E_NOMEM;
        vox_view_pack(packed, t);
    }
    ok = fwrite(packed ? packed : t->data, 1, n, f) == n;
    vox_free(packed);
    return ok ? VOX_OK : vox_fail_errno(VOX_E_IO, "%s: cannot write", path);
}

static int write_file(const char *path, const vox_buf *head, const vox_view **order,
                      int64_t count)
{
    vox_writer w;
    int rc;

    VOX_TRY(vox_writer_open(&w, path));
    rc = fwrite(head->data, 1, head->len, w.f) == head->len
             ? VOX_OK
             : vox_fail_errno(VOX_E_IO, "%s: cannot write", path);
    for (int64_t i = 0; rc == VOX_OK && i < count; i++)
        rc = write_data(w.f, order[i], path);
    if (rc == VOX_OK)
        return vox_writer_commit(&w);
    vox_writer_abort(&w);
    return rc;
}

int vox_safetensors_write(const char *path, const vox_tensors *ts)
{
    const vox_view **order = vox_alloc(ts->count ? (size_t)ts->count : 1, sizeof *order);
    vox_buf head = VOX_BUF_INIT;
    int rc;

    if (!order)
        return VOX_E_NOMEM;
    for (int64_t i = 0; i < ts->count; i++)
        order[i] = &ts->item[i];
    if (ts->count)
        qsort(order, (size_t)ts->count, sizeof *order, in_file_order);
    rc = make_header(&head, ts, order);
    if (rc == VOX_OK)
        rc = write_file(path, &head, order, ts->count);
    else
        rc = vox_fail_in(rc, "in %s", path);
    vox_buf_release(&head);
    vox_free(order);
    return rc;
}
