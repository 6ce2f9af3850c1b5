/* intern: open addressing with linear probing, FNV-1a, at most half full. */
#include "base/intern.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"

static uint64_t hash(const char *text, size_t len)
{
    const uint64_t h = vox_hash(VOX_HASH, text, len);

    return h ^ h >> 32;
}

/* The slot that holds the text, or the free one where it belongs. */
static const char **find(const vox_intern *t, const char *text, size_t len)
{
    uint64_t i = hash(text, len);

    for (;; i++) {
        const char **s = &t->slot[i & (uint64_t)(t->cap - 1)];

        if (!*s || (strncmp(*s, text, len) == 0 && !(*s)[len]))
            return s;
    }
}

static int grow(vox_intern *t)
{
    vox_intern bigger = {NULL, t->count, t->cap ? 2 * t->cap : 256};

    bigger.slot = vox_zalloc((size_t)bigger.cap, sizeof *bigger.slot);
    if (!bigger.slot)
        return VOX_E_NOMEM;
    for (int64_t i = 0; i < t->cap; i++) {
        if (t->slot[i])
            *find(&bigger, t->slot[i], strlen(t->slot[i])) = t->slot[i];
    }
    vox_free(t->slot);
    *t = bigger;
    return VOX_OK;
}

const char *vox_intern_text(vox_intern *t, vox_arena *arena, const char *text, size_t len)
{
    const char **s;

    if (2 * (t->count + 1) > t->cap && grow(t) != VOX_OK)
        return NULL;
    s = find(t, text, len);
    if (!*s) {
        *s = vox_arena_text(arena, text, len);
        t->count += *s != NULL;
    }
    return *s;
}

void vox_intern_release(vox_intern *t)
{
    vox_free(t->slot);
    *t = (vox_intern)VOX_INTERN_INIT;
}
