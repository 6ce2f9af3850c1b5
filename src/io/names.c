/* names: open addressing with linear probing, FNV-1a. */
#include "io/names.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

struct vox_names_slot {
    const char *name; /* NULL: free */
    int64_t number;
};

static uint64_t hash(const char *name)
{
    uint64_t h = 14695981039346656037u;

    for (const char *p = name; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    return h ^ h >> 32;
}

/* The slot that holds the name, or the free one where it belongs. */
static struct vox_names_slot *place(const vox_names *n, const char *name)
{
    const uint64_t mask = (uint64_t)n->cap - 1;
    uint64_t i = hash(name) & mask;

    while (n->slot[i].name && strcmp(n->slot[i].name, name) != 0)
        i = (i + 1) & mask;
    return &n->slot[i];
}

static int enlarge(vox_names *n)
{
    vox_names big = {NULL, n->cap ? 2 * n->cap : 64, n->count};

    big.slot = vox_zalloc((size_t)big.cap, sizeof *big.slot);
    if (!big.slot)
        return VOX_E_NOMEM;
    for (int64_t i = 0; i < n->cap; i++) {
        if (n->slot[i].name)
            *place(&big, n->slot[i].name) = n->slot[i];
    }
    vox_free(n->slot);
    *n = big;
    return VOX_OK;
}

int vox_names_add(vox_names *n, const char *name, int64_t number)
{
    struct vox_names_slot *s;

    if (2 * (n->count + 1) > n->cap)
        VOX_TRY(enlarge(n));
    s = place(n, name);
    if (s->name)
        return VOX_E_EXISTS;
    *s = (struct vox_names_slot){name, number};
    n->count++;
    return VOX_OK;
}

int64_t vox_names_find(const vox_names *n, const char *name)
{
    const struct vox_names_slot *s = n->cap ? place(n, name) : NULL;

    return s && s->name ? s->number : -1;
}

void vox_names_release(vox_names *n)
{
    vox_free(n->slot);
    *n = (vox_names)VOX_NAMES_INIT;
}
