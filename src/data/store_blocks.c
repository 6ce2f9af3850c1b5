/* store_blocks: how an image is cut (data.md 8.2). Sizes follow the caches of one core. */
#include <string.h>

#include "data/store.h"

enum { AXES = 4, BLOCK_START = 64, VOXEL = 4 }; /* start: for a patch of 160 */

static const double block_limit = 32768 * 0.8,
                    chunk_limit = 1441792 * 0.8; /* L1, L3 share */

static double bytes(const int64_t n[AXES])
{
    return (double)n[0] * (double)n[1] * (double)n[2] * (double)n[3] * VOXEL;
}

/* The largest power of two that is at most v >= 1. */
static int64_t power_below(int64_t v)
{
    int64_t p = 1;

    while (2 * p <= v)
        p *= 2;
    return p;
}

/* The largest axis that can shrink, the last of equals; 0: none. Axis 0, channels, stays.
 */
static int axis_to_shrink(const int64_t block[AXES], const int64_t shape[AXES])
{
    int best = 0;

    for (int i = 1; i < AXES; i++) {
        if (block[i] != 1 && block[i] != shape[i] && (!best || block[i] >= block[best]))
            best = i;
    }
    return best;
}

/* The axis with fewest blocks in the chunk that can grow, the first of equals; 0: none. */
static int axis_to_grow(const int64_t chunk[AXES], const int64_t block[AXES],
                        const int64_t shape[AXES])
{
    int best = 0;

    for (int i = 1; i < AXES; i++) {
        if (chunk[i] == shape[i])
            continue;
        if (!best ||
            (double)chunk[i] / (double)block[i] < (double)chunk[best] / (double)block[best])
            best = i;
    }
    return best;
}

void vox_store_blocks(int64_t block[AXES], int64_t chunk[AXES], const int64_t shape[AXES])
{
    int axis;

    block[0] = shape[0];
    block[1] = block[2] = block[3] = BLOCK_START;
    while (bytes(block) > block_limit && (axis = axis_to_shrink(block, shape)) != 0) {
        const int64_t smaller = power_below(block[axis] - 1);

        block[axis] = smaller < shape[axis] ? smaller : shape[axis];
    }
    for (int i = 1; i < AXES; i++)
        block[i] = block[i] < shape[i] ? block[i] : shape[i];
    memcpy(chunk, block, AXES * sizeof *chunk);
    while (bytes(chunk) < chunk_limit && (axis = axis_to_grow(chunk, block, shape)) != 0) {
        const int64_t larger = chunk[axis] + block[axis];

        chunk[axis] = larger < shape[axis] ? larger : shape[axis];
    }
}
