/*
 * rng: counter-based randomness, Philox4x32-10. No state to save: a draw is a function of
 * (seed, stream, sample, draw number).
 *
 * A stream is the hash of a name, so a new transform disturbs no other; `sample` is the
 * global sample number (design: a sample does not depend on ranks, workers, micro-batches).
 *
 *     vox_rng r = vox_rng_at(seed, VOX_STREAM("mirror"), sample);
 *     int flip = vox_rng_below(&r, 2) == 1;
 *
 * Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
 */
#ifndef VOX_BASE_RNG_H
#define VOX_BASE_RNG_H

#include <stdint.h>

typedef struct vox_rng {
    uint64_t seed, sample;
    uint32_t stream, draw; /* draw: number of the next block of four words */
    uint32_t word[4];
    int left; /* words of the block not yet handed out */
} vox_rng;

/** The stream number of a name. */
#define VOX_STREAM(name) vox_rng_stream_id(name)
uint32_t vox_rng_stream_id(const char *name);

/** The generator of (seed, stream, sample), at its first draw. */
vox_rng vox_rng_at(uint64_t seed, uint32_t stream, uint64_t sample);

/** An independent generator below `r` (same seed and sample); `k` numbers equal streams. */
vox_rng vox_rng_stream(vox_rng r, uint32_t stream, uint32_t k);

/** Next 32 random bits. */
uint32_t vox_rng_u32(vox_rng *r);

/** Uniform in [0, 1), 53 bits. */
double vox_rng_uniform(vox_rng *r);

/** Uniform in [lo, hi). */
double vox_rng_range(vox_rng *r, double lo, double hi);

/** Uniform integer in [0, n), n >= 1, without bias. */
uint64_t vox_rng_below(vox_rng *r, uint64_t n);

/** Normal with mean 0 and standard deviation 1 (Box-Muller). */
double vox_rng_normal(vox_rng *r);

/** One Philox4x32-10 block: the known answer of counter 0, key 0 is 6627e8d5 e169c58d ...
 */
void vox_philox4x32(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

#endif
