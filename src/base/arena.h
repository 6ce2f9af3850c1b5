/*
 * arena: many small objects with one lifetime, released at once.
 */
#ifndef VOX_BASE_ARENA_H
#define VOX_BASE_ARENA_H

#include <stddef.h>

#include "base/compiler.h"

typedef struct vox_arena {
    struct vox_arena_chunk *chunk; /* newest first */
} vox_arena;

#define VOX_ARENA_INIT \
    {                  \
        0              \
    }

/** n * size zeroed bytes, aligned to 16; NULL with a message when there is no memory.
 * Valid until vox_arena_release. */
void *vox_arena_alloc(vox_arena *a, size_t n, size_t size);

/** A copy of `text` in the arena, or NULL. */
char *vox_arena_strdup(vox_arena *a, const char *text);

/** A copy of `len` bytes with a zero behind them, or NULL. Texts stand side by side. */
char *vox_arena_text(vox_arena *a, const char *text, size_t len);

/** printf into the arena; NULL when there is no memory. */
char *vox_arena_printf(vox_arena *a, const char *fmt, ...) VOX_PRINTF(2, 3);

/** Release everything; the arena is empty and usable again. */
void vox_arena_release(vox_arena *a);

#endif
