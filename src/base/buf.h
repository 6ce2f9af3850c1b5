/*
 * buf: a growing run of bytes, also used to build text.
 *
 * Always followed by one zero byte that is not counted, so text needs no copy.
 */
#ifndef VOX_BASE_BUF_H
#define VOX_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

typedef struct vox_buf {
    char *data; /* NULL or `len` bytes and a zero */
    size_t len;
    int64_t cap;
} vox_buf;

#define VOX_BUF_INIT \
    {                \
        0            \
    }

/** Append `n` bytes. @return VOX_OK; VOX_E_NOMEM, buffer unchanged */
int vox_buf_add(vox_buf *b, const void *bytes, size_t n);

/** Append formatted text. @return VOX_OK; VOX_E_NOMEM, buffer unchanged */
int vox_buf_printf(vox_buf *b, const char *fmt, ...) VOX_PRINTF(2, 3);

/** Make the length `n`; new bytes are zero. @return VOX_OK; VOX_E_NOMEM */
int vox_buf_resize(vox_buf *b, size_t n);

/** The bytes as text: never NULL. Borrowed until the next change. */
const char *vox_buf_text(const vox_buf *b);

/** Release the storage; legal on an _INIT value. */
void vox_buf_release(vox_buf *b);

#endif
