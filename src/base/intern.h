/*
 * intern: each distinct text once. For words and small texts that come again and again in
 * large collections.
 */
#ifndef VOX_BASE_INTERN_H
#define VOX_BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef struct vox_intern {
    const char **slot;  /* texts in the arena, NULL: free */
    int64_t count, cap; /* cap is 0 or a power of two, at least twice count */
} vox_intern;

#define VOX_INTERN_INIT \
    {                   \
        0               \
    }

/** The one copy of `len` bytes (without zeros among them) in the arena, zero-terminated.
 * @param arena  the same in every call; holds the texts
 * @return NULL with a message when there is no memory */
const char *vox_intern_text(vox_intern *t, vox_arena *arena, const char *text, size_t len);

/** Release the table, not the texts; it is then empty. */
void vox_intern_release(vox_intern *t);

#endif
