/*
 * scratch: scratch memory that is used again. It grows to what was wanted most, and what it
 * holds is lost when it does: for work on one large thing after the other, where fresh
 * memory would cost more than the work.
 */
#ifndef VOX_BASE_SCRATCH_H
#define VOX_BASE_SCRATCH_H

#include <stddef.h>

typedef struct vox_scratch {
    void *data;
    size_t bytes;
} vox_scratch;

#define VOX_SCRATCH_INIT \
    {                    \
        0                \
    }

/** At least n * size bytes, aligned to 64, of any contents; borrowed until the next call.
 * @return NULL with a message when there is no memory; the room is then empty */
void *vox_scratch_need(vox_scratch *r, size_t n, size_t size);

/** Give the memory back; legal on an _INIT value. */
void vox_scratch_release(vox_scratch *r);

#endif
