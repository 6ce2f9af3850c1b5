/* store_file: what store.c (open), store_read.c (decode) and store_write.c share. */
#ifndef VOX_DATA_STORE_FILE_H
#define VOX_DATA_STORE_FILE_H

#include <blosc2.h>

#include "data/store.h"
#include "data/store_meta.h"
#include "io/map.h"

enum { AXES = STORE_AXES };

struct vox_store {
    vox_map map;                /* of a file; empty for bytes of the caller */
    const unsigned char *bytes; /* the frame; `frame` points into it */
    size_t len;
    blosc2_schunk *frame;
    vox_store_meta meta;
    int64_t padded[AXES];             /* extents of a chunk, in whole blocks */
    int64_t chunk_items, block_items; /* of a padded chunk, of a block */
    int32_t item;                     /* bytes */
    char *path;
    char kind;   /* 'f' f32, 'i' i8, 'u' u8 */
    void *chunk; /* room for one decoded chunk, made by the first read */
    bool *mask;  /* blocks of a chunk that need not be decoded */
};

/** Turn a code of C-Blosc2 into ours, with its words. */
int vox_store_fail(const char *path, const char *what, int code);

/** Start C-Blosc2, once. */
void vox_store_library(void);

#endif
