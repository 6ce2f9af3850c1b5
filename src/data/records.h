/*
 * records: a collection as a flat list of images, with their ids and output paths.
 *
 * The peer's IndependentImage (data.md 2.3, 2.5). Order: datasets, subjects, sessions,
 * images as the collection has them.
 */
#ifndef VOX_DATA_RECORDS_H
#define VOX_DATA_RECORDS_H

#include "data/collection.h"

/** One image and where it stands. Everything is borrowed from the list or the collection.
 */
typedef struct vox_record {
    const vox_coll_dataset *dataset;
    const vox_coll_subject *subject;
    const vox_coll_session *session;
    const vox_coll_image *image;
    const char *id; /* <collection>__<dataset>__<subject>__<session>__<image name> */
    const char *subject_id; /* <collection>__<dataset>__<subject> */
    const char *out; /* <collection>/<dataset>/<subject>/<session>/<stem>: output path
                        without suffix and ending */
} vox_record;

typedef struct vox_records {
    const vox_collection *collection; /* kept */
    vox_record *v;
    int64_t count;
    vox_arena arena;
} vox_records;

#define VOX_RECORDS_INIT \
    {                    \
        0                \
    }

/**
 * Flatten a collection, which must stay as it is while the list is used.
 *
 * @return VOX_OK; VOX_E_FORMAT: two images with one id or one output path (both are named),
 * or a name that is no path component ("", "..", with "/"); VOX_E_NOMEM
 */
int vox_records_make(vox_records *out, const vox_collection *c);

/** Release; legal on an _INIT value. */
void vox_records_release(vox_records *r);

/** One image as in valid_imgs.json, paths expanded; a new reference.
 * @return NULL with a message */
json_object *vox_record_json(const vox_records *r, const vox_record *image);

#endif
