/*
 * dict: from text to a number; the set of names that large collections are checked against.
 */
#ifndef VOX_BASE_DICT_H
#define VOX_BASE_DICT_H

#include <stdint.h>

typedef struct vox_dict_slot {
    const char *key; /* NULL: free */
    int64_t value;
} vox_dict_slot;

typedef struct vox_dict {
    vox_dict_slot *slot;
    int64_t count, cap; /* cap is 0 or a power of two, at least twice count */
} vox_dict;

#define VOX_DICT_INIT \
    {                 \
        0             \
    }

/**
 * Set `key` to `value`.
 *
 * @param key    kept: must outlive the map
 * @param added  NULL, or set to 1 when the key is new, 0 when its value was replaced
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_dict_set(vox_dict *m, const char *key, int64_t value, int *added);

/** The value of `key`, or `none` when it is not there. */
int64_t vox_dict_get(const vox_dict *m, const char *key, int64_t none);

/** Release the table (not the keys); the map is then empty. */
void vox_dict_release(vox_dict *m);

#endif
