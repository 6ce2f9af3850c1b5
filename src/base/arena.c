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

void *vox_arena_alloc(vox_arena *a, size_t n, size_t size)
{
    struct vox_arena_chunk *c = a->chunk;
    size_t bytes;
    void *p;

    if (size && n > ((size_t)-1 / 2) / size) {
        vox_fail(VOX_E_NOMEM, "no memory for %zu items of %zu bytes", n, size);
        return NULL;
    }
    bytes = (n * size + UNIT - 1) / UNIT * UNIT;
    if (!c || c->size - c->used < bytes)
        c = add_chunk(a, bytes);
    if (!c)
        return NULL;
    p = (char *)c + HEAD + c->used;
    c->used += bytes;
    return p;
}

char *vox_arena_strdup(vox_arena *a, const char *text)
{
    const size_t n = strlen(text) + 1;
    char *copy = vox_arena_alloc(a, n, 1);

    if (copy)
        memcpy(copy, text, n);
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
    text = vox_arena_alloc(a, (size_t)n + 1, 1);
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
