/*
 * mem: aligned blocks with a header of one cache line that holds their size. What is asked
 * for is exactly header and size, so that sanitizers see the first byte behind.
 *
 * Large blocks begin on a huge page and ask for such: a training step walks through far
 * more memory than small pages' address translations can be cached for (2-3 % of a step).
 * Only whole huge pages inside the block are meant, so that it stays as small as it was.
 */
#define _DEFAULT_SOURCE /* madvise */

#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __GLIBC__
#include <malloc.h> /* mallopt */
#endif

#include "base/error.h"

enum { ALIGN = 64, HUGE_PAGE = 2 << 20, LARGE = 2 * HUGE_PAGE, OWN_MAPPING = 1 << 20 };

typedef struct header {
    size_t bytes;
} header;

static atomic_llong blocks, bytes_live, calls, fail_at;

static int must_fail(void)
{
    atomic_fetch_add(&calls, 1);
    if (atomic_load(&fail_at) <= 0)
        return 0;
    return atomic_fetch_sub(&fail_at, 1) == 1;
}

void vox_mem_tidy(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, OWN_MAPPING);
    mallopt(M_TRIM_THRESHOLD, 2 * OWN_MAPPING);
#endif
}

/* NULL where there is none. */
static void *get(size_t bytes)
{
    void *p = NULL;

    if (posix_memalign(&p, bytes < LARGE ? ALIGN : HUGE_PAGE, bytes) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (bytes >= LARGE)
        madvise(p, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* a wish */
#endif
    return p;
}

void *vox_alloc(size_t n, size_t size)
{
    void *base;
    size_t bytes;

    if (size && n > (SIZE_MAX - ALIGN) / size) {
        vox_fail(VOX_E_NOMEM, "no memory for %zu items of %zu bytes", n, size);
        return NULL;
    }
    bytes = n * size;
    base = must_fail() ? NULL : get(ALIGN + bytes);
    if (!base) {
        vox_fail(VOX_E_NOMEM, "no memory for %zu bytes", bytes);
        return NULL;
    }
    ((header *)base)->bytes = bytes;
    atomic_fetch_add(&blocks, 1);
    atomic_fetch_add(&bytes_live, (long long)bytes);
    return (char *)base + ALIGN;
}

void *vox_zalloc(size_t n, size_t size)
{
    void *p = vox_alloc(n, size);

    if (p)
        memset(p, 0, n * size);
    return p;
}

static size_t size_of(const void *p)
{
    return ((const header *)((const char *)p - ALIGN))->bytes;
}

void *vox_realloc(void *p, size_t n, size_t size)
{
    void *q = vox_alloc(n, size);

    if (q && p) {
        const size_t had = size_of(p), now = size_of(q);

        memcpy(q, p, had < now ? had : now);
        vox_free(p);
    }
    return q;
}

void vox_free(void *p)
{
    if (!p)
        return;
    atomic_fetch_sub(&blocks, 1);
    atomic_fetch_sub(&bytes_live, (long long)size_of(p));
    free((char *)p - ALIGN);
}

char *vox_strdup(const char *text)
{
    const size_t n = strlen(text) + 1;
    char *copy = vox_alloc(n, 1);

    if (copy)
        memcpy(copy, text, n);
    return copy;
}

int vox_grow(void *p, int64_t *cap, int64_t want, size_t size)
{
    const int64_t half = *cap / 2 + 8;
    const int64_t n = want - *cap < half ? *cap + half : want;
    void *old, *grown;

    if (want <= *cap)
        return VOX_OK;
    memcpy(&old, p, sizeof old);
    grown = vox_realloc(old, (size_t)n, size);
    if (!grown)
        return VOX_E_NOMEM;
    memcpy(p, &grown, sizeof grown);
    *cap = n;
    return VOX_OK;
}

int64_t vox_mem_blocks(void)
{
    return atomic_load(&blocks);
}

int64_t vox_mem_bytes(void)
{
    return atomic_load(&bytes_live);
}

void vox_mem_fail_at(int64_t n)
{
    atomic_store(&fail_at, n);
}

int64_t vox_mem_calls(void)
{
    return atomic_load(&calls);
}
