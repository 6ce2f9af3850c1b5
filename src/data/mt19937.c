/* mt19937: Matsumoto and Nishimura 1998, and Python's random.sample on it (data.md 9.2). */
#include "data/mt19937.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"

enum { N = 624, M = 397 };

static void seed_one(vox_mt19937 *g, uint32_t s)
{
    g->state[0] = s;
    for (uint32_t i = 1; i < N; i++)
        g->state[i] = 1812433253u * (g->state[i - 1] ^ g->state[i - 1] >> 30) + i;
    g->at = N;
}

/* init_by_array with a key of one word. */
void vox_mt19937_seed(vox_mt19937 *g, uint32_t seed)
{
    uint32_t *s = g->state;
    int i = 1;

    seed_one(g, 19650218u);
    for (int k = 0; k < N; k++) {
        s[i] = (s[i] ^ (s[i - 1] ^ s[i - 1] >> 30) * 1664525u) + seed;
        if (++i == N) {
            s[0] = s[N - 1];
            i = 1;
        }
    }
    for (int k = 0; k < N - 1; k++) {
        s[i] = (s[i] ^ (s[i - 1] ^ s[i - 1] >> 30) * 1566083941u) - (uint32_t)i;
        if (++i == N) {
            s[0] = s[N - 1];
            i = 1;
        }
    }
    s[0] = 0x80000000u;
}

static void refill(vox_mt19937 *g)
{
    uint32_t *s = g->state;

    for (int i = 0; i < N; i++) {
        const uint32_t y = (s[i] & 0x80000000u) | (s[(i + 1) % N] & 0x7fffffffu);

        s[i] = s[(i + M) % N] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
    }
    g->at = 0;
}

uint32_t vox_mt19937_next(vox_mt19937 *g)
{
    uint32_t y;

    if (g->at == N)
        refill(g);
    y = g->state[g->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

uint32_t vox_mt19937_below(vox_mt19937 *g, uint32_t n)
{
    uint32_t r;
    int bits = 0;

    while (bits < 32 && n >> bits)
        bits++;
    do {
        r = vox_mt19937_next(g) >> (32 - bits);
    } while (r >= n);
    return r;
}

/* From a shrinking pool. */
static void sample_pool(vox_mt19937 *g, uint32_t *out, uint32_t *pool, uint32_t n,
                        uint32_t k)
{
    for (uint32_t i = 0; i < n; i++)
        pool[i] = i;
    for (uint32_t i = 0; i < k; i++) {
        const uint32_t j = vox_mt19937_below(g, n - i);

        out[i] = pool[j];
        pool[j] = pool[n - i - 1];
    }
}

/* Draw again what was drawn already; `taken` is one flag per number. */
static void sample_redraw(vox_mt19937 *g, uint32_t *out, uint32_t *taken, uint32_t n,
                          uint32_t k)
{
    for (uint32_t i = 0; i < k; i++) {
        do {
            out[i] = vox_mt19937_below(g, n);
        } while (taken[out[i]]);
        taken[out[i]] = 1;
    }
}

int vox_mt19937_sample(vox_mt19937 *g, uint32_t *out, uint32_t n, uint32_t k)
{
    uint32_t *room = vox_zalloc(n, sizeof *room);
    double set_size = 21; /* Python's estimate of when a set is smaller than a list */

    if (!room)
        return VOX_E_NOMEM;
    if (k > 5)
        set_size += pow(4, ceil(log(3.0 * k) / log(4)));
    if (n <= set_size)
        sample_pool(g, out, room, n, k);
    else
        sample_redraw(g, out, room, n, k);
    vox_free(room);
    return VOX_OK;
}
