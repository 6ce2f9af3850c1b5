/*
 * filters: which images of a collection a training wants (data.md 2.7).
 */
#ifndef VOX_DATA_FILTERS_H
#define VOX_DATA_FILTERS_H

#include "base/dict.h"
#include "data/records.h"

typedef struct vox_filters {
    const char *modalities; /* comma list, exact words; NULL: all */
    double max_iqs;  /* OpenMind image quality score, lower is better; <= 0: no filter */
    vox_dict scores; /* "dataset|modality|derived_from" to an index into score */
    double *score;
    int64_t count, cap;
    vox_arena arena;
    int64_t unscored; /* images left out because no score is known */
} vox_filters;

/** Read the scores of a collection, when a score is asked for. @return VOX_OK; VOX_E_NOMEM
 */
int vox_filters_init(vox_filters *f, const vox_collection *c, const char *modalities,
                     double max_iqs);

/** 1 if the image passes all filters. An image without score does not pass a score filter.
 */
int vox_filters_pass(vox_filters *f, const vox_record *image);

void vox_filters_release(vox_filters *f);

#endif
