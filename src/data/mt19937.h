/*
 * mt19937: Python's generator, for the one thing that must be drawn as Python draws it: the
 * split.
 */
#ifndef VOX_DATA_MT19937_H
#define VOX_DATA_MT19937_H

#include <stdint.h>

typedef struct vox_mt19937 {
    uint32_t state[624];
    int at;
} vox_mt19937;

/** As Python's random.seed(seed). */
void vox_mt19937_seed(vox_mt19937 *g, uint32_t seed);

/** Next 32 bits. The first of seed 12345 is 1789368711. */
uint32_t vox_mt19937_next(vox_mt19937 *g);

/** Uniform in [0, n), 1 <= n < 2^32, as Python's randbelow. */
uint32_t vox_mt19937_below(vox_mt19937 *g, uint32_t n);

/**
 * k different numbers of 0 .. n-1 as random.sample(range(n), k) gives them, 0 <= k <= n.
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_mt19937_sample(vox_mt19937 *g, uint32_t *out, uint32_t n, uint32_t k);

#endif
