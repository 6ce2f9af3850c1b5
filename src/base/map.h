/*
 * map: from text to a number; the set of names that large collections are checked against.
 */
#ifndef VOX_BASE_MAP_H
#define VOX_BASE_MAP_H

#include <stdint.h>

typedef struct vox_map_slot {
    const char *key; /* NULL: free */
    int64_t value;
} vox_map_slot;

typedef struct vox_map {
    vox_map_slot *slot;
    int64_t count, cap; /* cap is 0 or a power of two, at least twice count */
} vox_map;

#define VOX_MAP_INIT \
    {                \
        0            \
    }

/**
 * Set `key` to `value`.
 *
 * @param key    kept: must outlive the map
 * @param added  NULL, or set to 1 when the key is new, 0 when its value was replaced
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_map_set(vox_map *m, const char *key, int64_t value, int *added);

/** The value of `key`, or `none` when it is not there. */
int64_t vox_map_get(const vox_map *m, const char *key, int64_t none);

/** Release the table (not the keys); the map is then empty. */
void vox_map_release(vox_map *m);

#endif
