/* store_meta: what a .b2nd file says of itself, checked before C-Blosc2 sees it. */
#ifndef VOX_DATA_STORE_META_H
#define VOX_DATA_STORE_META_H

#include <stddef.h>
#include <stdint.h>

enum { STORE_AXES = 4, STORE_DTYPE = 32 };

/** Is the header that every frame begins with one of an array's? A pure function.
 * @return VOX_OK; VOX_E_FORMAT, naming `path` */
int vox_store_frame_check(const void *bytes, size_t len, const char *path);

/** The array as its metalayer describes it: extents of 1 or more, blocks inside chunks. */
typedef struct vox_store_meta {
    int64_t shape[STORE_AXES], chunk[STORE_AXES], block[STORE_AXES];
    char dtype[STORE_DTYPE]; /* printable */
} vox_store_meta;

/** Read the bytes of the metalayer "b2nd". A pure function. @return VOX_OK; VOX_E_FORMAT,
 * naming `path`: damaged, not four axes, too large to be read */
int vox_store_meta_read(vox_store_meta *out, const void *bytes, size_t len,
                        const char *path);

#endif
