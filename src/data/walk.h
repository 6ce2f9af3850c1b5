/*
 * walk: the files below a folder, each with what its name says it is.
 *
 * Links are followed, each folder is entered once. Names that cannot be taken (not UTF-8,
 * control characters), empty files, hidden folders, folders that cannot be read are passed
 * over, with the reason.
 */
#ifndef VOX_DATA_WALK_H
#define VOX_DATA_WALK_H

#include "base/dict.h"
#include "data/place.h"
#include "data/rejects.h"

typedef enum vox_file_kind {
    VOX_FILE_IMAGE,
    VOX_FILE_MASK,  /* by its name (data/masks.h says which) */
    VOX_FILE_JSON,  /* perhaps a side-car of an image */
    VOX_FILE_TABLE, /* participants.tsv, *_sessions.tsv */
    VOX_FILE_DICOM, /* a folder that holds DICOM files */
} vox_file_kind;

typedef struct vox_file {
    const char *path; /* below the folder */
    vox_file_kind kind;
    int used;                /* of masks, side-cars and tables */
    vox_place place;         /* from here on: of images and masks, filled by the index */
    const char *name;        /* of the image in the collection */
    const char *anon, *anat; /* below the folder, or NULL */
    const char *info;        /* JSON, or NULL */
} vox_file;

typedef struct vox_walk_cfg {
    const char *exclude; /* a folder that is not entered, or NULL */
    int derivatives;     /* enter "derivatives" of a BIDS tree */
} vox_walk_cfg;

typedef struct vox_walk {
    const char *root; /* real path; kept */
    vox_arena arena;  /* of all texts */
    vox_file *v;
    int64_t count, cap;
    int64_t kinds[VOX_FILE_DICOM + 1]; /* how many of each */
    int bids;                          /* the top folder has sub-... folders */
} vox_walk;

/**
 * Walk.
 *
 * @param[out] out      owned by the caller (vox_walk_release); in the order of the paths
 * @param[out] skipped  what was passed over is appended
 * @return VOX_OK; VOX_E_IO: the folder itself cannot be read; VOX_E_NOMEM
 */
int vox_walk_folder(vox_walk *out, const char *root, const vox_walk_cfg *cfg,
                    vox_rejects *skipped);

/** "<root>/<path>", of "" the root, in the arena; NULL without memory. */
const char *vox_walk_full(vox_walk *w, const char *path);

/** A path as a terminal may show it, odd bytes as \xNN; in the arena, NULL without memory. */
const char *vox_walk_shown(vox_walk *w, const char *path);

/** Pass over a file, by its path below the root. @return VOX_OK; VOX_E_NOMEM */
int vox_walk_skip(vox_walk *w, vox_rejects *skipped, const char *path, const char *reason);

void vox_walk_release(vox_walk *w);

/** A name that is no good in ids and messages: not UTF-8, with control characters, or "." or
 * "..". The reason, or NULL. */
const char *vox_bad_name(const char *name);

#endif
