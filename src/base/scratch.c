/* scratch: one block, replaced by a larger one. */
#include "base/scratch.h"

#include <stdint.h>

#include "base/mem.h"

void *vox_scratch_need(vox_scratch *r, size_t n, size_t size)
{
    if (r->data && (!size || n <= r->bytes / size))
        return r->data;
    vox_scratch_release(r); /* first, so that never both are there */
    r->data = vox_alloc(n, size);
    r->bytes = r->data ? n * size : 0;
    return r->data;
}

void vox_scratch_release(vox_scratch *r)
{
    vox_free(r->data);
    *r = (vox_scratch)VOX_SCRATCH_INIT;
}
