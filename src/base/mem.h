/*
 * mem: the host's one door for memory. It counts, and tests can make it fail.
 *
 * Blocks are aligned to 64 bytes (a cache line, an AVX-512 vector). Sizes are checked for
 * overflow. A failed call leaves a message and returns NULL; freeing NULL is legal.
 */
#ifndef VOX_BASE_MEM_H
#define VOX_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/** For programs: blocks of a MiB and more are given back to the system when they are freed,
 * whatever came before, so that what is resident is what is alive. Before other threads. */
void vox_mem_tidy(void);

/** n * size bytes, uninitialised, aligned to 64; NULL with a message when there is none. */
void *vox_alloc(size_t n, size_t size);

/** vox_alloc, zeroed. */
void *vox_zalloc(size_t n, size_t size);

/** Grow or shrink to n * size bytes, contents kept; on failure NULL and `p` stays valid. */
void *vox_realloc(void *p, size_t n, size_t size);

/** Give back a block of this module; NULL is legal. */
void vox_free(void *p);

/** A copy of `text`; NULL when there is no memory. */
char *vox_strdup(const char *text);

/** Grow an array: *p holds *cap elements of `size` bytes, wants at least `want`. By half,
 * or to exactly `want` where that is more.
 * @return VOX_OK; VOX_E_NOMEM with *p and *cap unchanged */
int vox_grow(void *p, int64_t *cap, int64_t want, size_t size);

/** Blocks alive now, and bytes asked for by them. Any thread. */
int64_t vox_mem_blocks(void);
int64_t vox_mem_bytes(void);

/** Fail the n-th allocation from now (1 = the next), once; 0 switches it off. For tests. */
void vox_mem_fail_at(int64_t n);

/** Allocations since the start of the process. For tests. */
int64_t vox_mem_calls(void);

#endif
