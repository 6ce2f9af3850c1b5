/*
 * gather: a collection built image by image, in any order; what index and converters share.
 *
 * Datasets, subjects and sessions come to be with their first image. Names are kept apart
 * within a session as output files are: without their endings.
 */
#ifndef VOX_DATA_GATHER_H
#define VOX_DATA_GATHER_H

#include "base/dict.h"
#include "data/collection.h"

typedef struct vox_gather {
    vox_collection *c; /* kept */
    vox_dict at;       /* dataset; dataset, subject; ... session: number in its parent */
    vox_dict stems;    /* ... and stem: what vox_free_name keeps */
    vox_arena arena;   /* of the keys */
    int64_t renamed;   /* images whose name was taken; told by the log, one line each */
} vox_gather;

/** What is known of an image. */
typedef struct vox_gather_image {
    const char *dataset, *subject, *session, *name, *path, *modality;
    const char *anon, *anat; /* or NULL */
    const char *info;        /* checked JSON, or NULL */
} vox_gather_image;

/** Begin with a collection, mostly an empty one. */
void vox_gather_init(vox_gather *g, vox_collection *c);

/** Add an image. @param[out] out NULL, or the image and where it stands; good until the
 * next call. @return VOX_OK; VOX_E_NOMEM */
typedef struct vox_gathered {
    vox_coll_dataset *dataset;
    vox_coll_subject *subject;
    vox_coll_session *session;
    vox_coll_image *image;
    int new_dataset, new_subject, new_session;
} vox_gathered;

int vox_gather_add(vox_gather *g, vox_gathered *out, const vox_gather_image *image);

/** Release what was needed to build; the collection stays. */
void vox_gather_release(vox_gather *g);

/** Append a member to a JSON object under construction ("" or "{...", without its end). A
 * value that is a number is written as one, unless `as_text`; an empty one not at all.
 * @return VOX_OK; VOX_E_NOMEM */
int vox_info_add(vox_buf *info, const char *key, const char *value, int as_text);

#endif
