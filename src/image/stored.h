/*
 * stored: an image read without converting its voxels, for work that goes from file to
 * file. The reader keeps its memory from one image to the next.
 */
#ifndef VOX_IMAGE_STORED_H
#define VOX_IMAGE_STORED_H

#include "base/scratch.h"
#include "image/grid.h"

typedef struct vox_stored {
    vox_volume_info info;
    vox_voxel voxel;
    double slope, inter; /* what a stored value means; 1 and 0 for F32 */
    void *voxels;        /* [C, D, H, W]; NULL: nothing read */
    /* memory of this and of later reads */
    vox_scratch file, block; /* the file, and what was unpacked of it */
    size_t len;              /* bytes of the file */
    float *converted;        /* owned, where voxels had to be converted */
} vox_stored;

#define VOX_STORED_INIT \
    {                   \
        0               \
    }

/**
 * Read a file of any known format; what was read before is forgotten.
 *
 * Integers of 8 and 16 bits and floats stay as they are, other voxels become floats. NaN
 * and infinite voxels become 0 and are counted in info.nonfinite.
 *
 * @return VOX_OK; errors of vox_volume_read
 */
int vox_stored_read(vox_stored *s, const char *path);

/** All voxels of a channel. */
vox_grid vox_stored_grid(const vox_stored *s, int64_t channel);

/** A volume as if it had been read; borrows its voxels, need not be released. */
vox_stored vox_stored_of(const vox_volume *v);

/** Release everything; legal on an _INIT value. */
void vox_stored_release(vox_stored *s);

/** May voxels of that stored type ("u8") and meaning stay as they are? Then *voxel says
 * what they are. */
int vox_stored_can_stay(vox_voxel *voxel, const char *type, double slope, double inter);

#endif
