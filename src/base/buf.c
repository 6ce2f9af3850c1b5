/* buf: growing bytes. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

int vox_buf_resize(vox_buf *b, size_t n)
{
    if (n >= (size_t)INT64_MAX)
        return vox_fail(VOX_E_NOMEM, "no memory for %zu bytes", n);
    VOX_TRY(vox_grow(&b->data, &b->cap, (int64_t)n + 1, 1));
    if (n > b->len)
        memset(b->data + b->len, 0, n - b->len);
    b->data[n] = '\0';
    b->len = n;
    return VOX_OK;
}

int vox_buf_add(vox_buf *b, const void *bytes, size_t n)
{
    const size_t at = b->len;

    if (n > SIZE_MAX / 4 - at)
        return vox_fail(VOX_E_NOMEM, "no memory for %zu bytes", n);
    VOX_TRY(vox_grow(&b->data, &b->cap, (int64_t)(at + n) + 1, 1));
    if (n)
        memcpy(b->data + at, bytes, n);
    b->len = at + n;
    b->data[b->len] = '\0';
    return VOX_OK;
}

int vox_buf_printf(vox_buf *b, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    VOX_TRY(vox_grow(&b->data, &b->cap, (int64_t)b->len + n + 1, 1));
    va_start(ap, fmt);
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
    return VOX_OK;
}

const char *vox_buf_text(const vox_buf *b)
{
    return b->data ? b->data : "";
}

void vox_buf_release(vox_buf *b)
{
    vox_free(b->data);
    *b = (vox_buf)VOX_BUF_INIT;
}
