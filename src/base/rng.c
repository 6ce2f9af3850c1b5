/* rng: Philox4x32-10 and the draws made from it. */
#include "base/rng.h"

#include <math.h>

#include "base/error.h"

static void multiply(uint32_t a, uint32_t b, uint32_t *hi, uint32_t *lo)
{
    const uint64_t p = (uint64_t)a * b;

    *hi = (uint32_t)(p >> 32);
    *lo = (uint32_t)p;
}

void vox_philox4x32(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]};
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < 10; round++) {
        uint32_t h0, l0, h1, l1;

        multiply(0xD2511F53u, c[0], &h0, &l0);
        multiply(0xCD9E8D57u, c[2], &h1, &l1);
        c[0] = h1 ^ c[1] ^ k0;
        c[1] = l1;
        c[2] = h0 ^ c[3] ^ k1;
        c[3] = l0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < 4; i++)
        out[i] = c[i];
}

uint32_t vox_rng_stream_id(const char *name)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (const char *p = name; *p; p++)
        h = (h ^ (uint8_t)*p) * 16777619u;
    return h;
}

vox_rng vox_rng_at(uint64_t seed, uint32_t stream, uint64_t sample)
{
    return (vox_rng){.seed = seed, .sample = sample, .stream = stream};
}

vox_rng vox_rng_stream(vox_rng r, uint32_t stream, uint32_t k)
{
    const uint32_t words[3] = {r.stream, stream, k};
    uint32_t h = 2166136261u;

    for (int i = 0; i < 3; i++) {
        for (int b = 0; b < 32; b += 8)
            h = (h ^ ((words[i] >> b) & 0xffu)) * 16777619u;
    }
    return vox_rng_at(r.seed, h, r.sample);
}

uint32_t vox_rng_u32(vox_rng *r)
{
    if (r->left == 0) {
        const uint32_t counter[4] = {r->draw++, r->stream, (uint32_t)r->sample,
                                     (uint32_t)(r->sample >> 32)};
        const uint32_t key[2] = {(uint32_t)r->seed, (uint32_t)(r->seed >> 32)};

        vox_philox4x32(r->word, counter, key);
        r->left = 4;
    }
    return r->word[4 - r->left--];
}

double vox_rng_uniform(vox_rng *r)
{
    const uint64_t hi = vox_rng_u32(r) >> 5, lo = vox_rng_u32(r) >> 6;

    return (double)(hi << 26 | lo) * 0x1p-53;
}

double vox_rng_range(vox_rng *r, double lo, double hi)
{
    return lo + (hi - lo) * vox_rng_uniform(r);
}

uint64_t vox_rng_below(vox_rng *r, uint64_t n)
{
    uint64_t tail; /* last fair value */

    VOX_ASSERT(n >= 1);
    tail = UINT64_MAX - (UINT64_MAX % n + 1) % n;
    for (;;) {
        const uint64_t hi = vox_rng_u32(r), v = hi << 32 | vox_rng_u32(r);

        if (v <= tail)
            return v % n;
    }
}

double vox_rng_normal(vox_rng *r)
{
    const double u = 1.0 - vox_rng_uniform(r); /* (0, 1] */
    const double angle = 6.283185307179586476925 * vox_rng_uniform(r);

    return sqrt(-2.0 * log(u)) * cos(angle);
}
