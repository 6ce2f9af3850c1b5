/* store_file: an open .b2nd file, shared by store.c (open) and store_read.c (decode). */
#ifndef VOX_DATA_STORE_FILE_H
#define VOX_DATA_STORE_FILE_H

#include <b2nd.h>

#include "data/store.h"
#include "io/map.h"

enum { AXES = 4 };

struct vox_store {
    vox_map map; /* the frame points into it */
    b2nd_array_t *array;
    char *path;
    int64_t shape[AXES];
    char kind;   /* 'f' f32, 'i' i8, 'u' u8 */
    void *chunk; /* room for one decoded chunk, made by the first read */
    bool *mask;  /* blocks of a chunk that need not be decoded */
};

/** Turn a code of C-Blosc2 into ours, with its words. */
int vox_store_fail(const char *path, const char *what, int code);

#endif
