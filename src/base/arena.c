/* arena: chunks of 64 KiB, or larger for one large object. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { CHUNK = 65536, HEAD = 64, UNIT = 16 };

struct vox_arena_chunk {
    struct vox_arena_chunk *next;
    size_t used, size; /* of the room behind the first HEAD bytes */
};

static struct vox_arena_chunk *add_chunk(vox_arena *a, size_t want)
{
    const size_t size = want > CHUNK - HEAD ? want : CHUNK - HEAD;
    struct vox_arena_chunk *c = vox_zalloc(1, HEAD + size);

    if (!c)
        return NULL;
    c->size = size;
    c->next = a->chunk;
    a->chunk = c;
    return c;
}

/* `bytes` at the next multiple of `unit`. */
static void *take(vox_arena *a, size_t bytes, size_t unit)
{
    struct vox_arena_chunk *c = a->chunk;
    const size_t at = c ? (c->used + unit - 1) / unit * unit : 0;

    if (c && at <= c->size && c->size - at >= bytes) {
        c->used = at + bytes;
        return (char *)c + HEAD + at;
    }
    c = add_chunk(a, bytes);
    if (!c)
        return NULL;
    c->used = bytes;
    return (char *)c + HEAD;
}

void *vox_arena_alloc(vox_arena *a, size_t n, size_t size)
{
    if (size && n > ((size_t)-1 / 2) / size) {
        vox_fail(VOX_E_NOMEM, "no memory for %zu items of %zu bytes", n, size);
        return NULL;
    }
    return take(a, n * size, UNIT);
}

char *vox_arena_strdup(vox_arena *a, const char *text)
{
    return vox_arena_text(a, text, strlen(text));
}

char *vox_arena_text(vox_arena *a, const char *text, size_t len)
{
    char *copy = take(a, len + 1, 1); /* new memory is zero */

    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

char *vox_arena_printf(vox_arena *a, const char *fmt, ...)
{
    va_list ap;
    int n;
    char *text;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    text = take(a, (size_t)n + 1, 1);
    if (!text)
        return NULL;
    va_start(ap, fmt);
    vsnprintf(text, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return text;
}

void vox_arena_release(vox_arena *a)
{
    while (a->chunk) {
        struct vox_arena_chunk *next = a->chunk->next;

        vox_free(a->chunk);
        a->chunk = next;
    }
}
