/*
 * map: a whole file as read-only bytes, mapped where the system can, else read into memory.
 */
#ifndef VOX_IO_MAP_H
#define VOX_IO_MAP_H

#include <stddef.h>

typedef struct vox_map {
    const unsigned char *data; /* NULL when nothing is open */
    size_t len;
    int mapped; /* 1: munmap, 0: vox_free */
} vox_map;

#define VOX_MAP_INIT \
    {                \
        0            \
    }

/**
 * Open a file for reading. The file must not be shortened while it is open; replacing it by
 * rename, as our writers do, is fine.
 *
 * @return VOX_OK; VOX_E_MISSING, VOX_E_IO with the path; VOX_E_NOMEM
 */
int vox_map_open(vox_map *m, const char *path);

/** What was read may leave memory; it comes back from the file when it is read again. For
 * files that are read once, large beside what is made of them. */
void vox_map_relax(const vox_map *m);

/** Give the bytes back; legal on an _INIT value. */
void vox_map_close(vox_map *m);

#endif
