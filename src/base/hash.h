/* hash: FNV-1a of bytes, for tables and for telling inputs apart; not against malice. */
#ifndef VOX_BASE_HASH_H
#define VOX_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/** What the first call is given. */
#define VOX_HASH UINT64_C(14695981039346656037)

/** The hash of all bytes so far and these. Source: Fowler, Noll and Vo 1991. */
static inline uint64_t vox_hash(uint64_t h, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 1099511628211u;
    return h;
}

#endif
