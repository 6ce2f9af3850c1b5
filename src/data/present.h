/*
 * present: which preprocessed images there are: those that a list calls valid, and those
 * whose file is there.
 */
#ifndef VOX_DATA_PRESENT_H
#define VOX_DATA_PRESENT_H

#include "base/arena.h"
#include "base/dict.h"

typedef struct vox_present {
    vox_dict files; /* paths of .b2nd files below the folder, without the ending: 1 */
    vox_dict valid; /* unique image ids: 1 */
    int has_list;   /* there is a list of valid images */
    vox_arena arena;
} vox_present;

#define VOX_PRESENT_INIT \
    {                    \
        .has_list = 0    \
    }

/**
 * Walk a folder of preprocessed images once. Folders that cannot be read hold nothing.
 * @return VOX_OK; VOX_E_IO: the folder itself; VOX_E_NOMEM
 */
int vox_present_walk(vox_present *p, const char *folder);

/** Read a valid_imgs*.json, if there is one: an array of ids, or of objects as
 * vox_record_json makes them. @return VOX_OK; VOX_E_FORMAT with the file; VOX_E_IO */
int vox_present_list(vox_present *p, const char *path);

/** Parse its text; `name` is for messages. */
int vox_present_parse(vox_present *p, const char *text, size_t len, const char *name);

void vox_present_release(vox_present *p);

#endif
