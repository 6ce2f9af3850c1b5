/*
 * names: which number belongs to a name. An index over names that live elsewhere.
 */
#ifndef VOX_IO_NAMES_H
#define VOX_IO_NAMES_H

#include <stdint.h>

struct vox_names_slot;

typedef struct vox_names {
    struct vox_names_slot *slot; /* a power of two of them, at most half taken */
    int64_t cap, count;
} vox_names;

#define VOX_NAMES_INIT \
    {                  \
        0              \
    }

/** Enter a name (borrowed until release) with its number >= 0.
 * @return VOX_OK; VOX_E_EXISTS (without a message) when it is there already; VOX_E_NOMEM */
int vox_names_add(vox_names *n, const char *name, int64_t number);

/** The number of a name, or -1. */
int64_t vox_names_find(const vox_names *n, const char *name);

/** Release the index; it is then empty. */
void vox_names_release(vox_names *n);

#endif
