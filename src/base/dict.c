/* dict: open addressing with linear probing, FNV-1a, at most half full. */
#include "base/dict.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"

static uint64_t hash(const char *key)
{
    const uint64_t h = vox_hash(VOX_HASH, key, strlen(key));

    return h ^ h >> 32;
}

/* The slot that holds `key`, or the free one where it belongs. */
static vox_dict_slot *find(const vox_dict *m, const char *key)
{
    uint64_t i = hash(key);

    for (;; i++) {
        vox_dict_slot *s = &m->slot[i & (uint64_t)(m->cap - 1)];

        if (!s->key || strcmp(s->key, key) == 0)
            return s;
    }
}

static int grow(vox_dict *m)
{
    vox_dict bigger = {NULL, m->count, m->cap ? 2 * m->cap : 64};

    bigger.slot = vox_zalloc((size_t)bigger.cap, sizeof *bigger.slot);
    if (!bigger.slot)
        return VOX_E_NOMEM;
    for (int64_t i = 0; i < m->cap; i++) {
        if (m->slot[i].key)
            *find(&bigger, m->slot[i].key) = m->slot[i];
    }
    vox_free(m->slot);
    *m = bigger;
    return VOX_OK;
}

int vox_dict_set(vox_dict *m, const char *key, int64_t value, int *added)
{
    vox_dict_slot *s;

    if (2 * (m->count + 1) > m->cap)
        VOX_TRY(grow(m));
    s = find(m, key);
    if (added)
        *added = s->key == NULL;
    if (!s->key) {
        s->key = key;
        m->count++;
    }
    s->value = value;
    return VOX_OK;
}

int64_t vox_dict_get(const vox_dict *m, const char *key, int64_t none)
{
    const vox_dict_slot *s = m->cap ? find(m, key) : NULL;

    return s && s->key ? s->value : none;
}

void vox_dict_release(vox_dict *m)
{
    vox_free(m->slot);
    *m = (vox_dict)VOX_DICT_INIT;
}
