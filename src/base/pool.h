/*
 * pool: many independent pieces of work, shared by a few threads.
 *
 * For work that waits for disks or differs in size (reading headers, preprocessing images).
 * Kernels use a team instead, loaders their own ring.
 */
#ifndef VOX_BASE_POOL_H
#define VOX_BASE_POOL_H

#include <stdint.h>

/** One piece of work; called by any thread, each i exactly once. */
typedef int (*vox_pool_fn)(void *arg, int64_t i);

/**
 * Call fn(arg, i) for i = 0 .. count - 1, begun in this order.
 *
 * The first failure (the one with the smallest i among those met) ends the hand-out; pieces
 * already begun are finished. Threads that cannot be started are done without.
 *
 * @param threads  1 or less: in the calling thread
 * @return VOX_OK, or that failure, with its message
 */
int vox_pool_run(int64_t count, int threads, vox_pool_fn fn, void *arg);

#endif
