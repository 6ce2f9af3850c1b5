/*
 * records: a collection as a flat list of images, with their ids and output paths.
 *
 * nnssl's IndependentImage. Order: datasets, subjects, sessions, images as the collection
 * has them.
 */
#ifndef VOX_RECORDS_H
#define VOX_RECORDS_H

#include "vox/collection.h"

#ifdef __cplusplus
extern "C" {
#endif

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
    struct vox_arena_chunk *texts; /* internal */
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

/** What images a training wants. */
typedef struct vox_filter {
    const char *modalities; /* comma list, exact words; NULL: all */
    double max_iqs;         /* OpenMind's image quality score, lower is better; <= 0: all */
} vox_filter;

/**
 * Keep the images that pass; the list shrinks in place.
 *
 * The scores are in each dataset's info, by modality and "derived_from" of the image's
 * info. An image without a score, or with NaN, does not pass where a score is asked for.
 *
 * @param[out] unscored  NULL, or how many were left out because they have no score
 * @return VOX_OK; VOX_E_NOMEM, the list is then unchanged
 */
int vox_records_filter(vox_records *r, const vox_filter *filter, int64_t *unscored);

/** Release; legal on an _INIT value. */
void vox_records_release(vox_records *r);

#ifdef __cplusplus
}
#endif

#endif
