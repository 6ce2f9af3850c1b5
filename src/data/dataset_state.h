/* dataset_state: an open dataset, shared by dataset.c (members) and crop.c (voxels). */
#ifndef VOX_DATA_DATASET_STATE_H
#define VOX_DATA_DATASET_STATE_H

#include <pthread.h>

#include "data/dataset.h"
#include "data/planner.h"
#include "data/records.h"

struct vox_dataset {
    vox_collection collection;
    vox_records records; /* the members */
    vox_buf folder;      /* of the preprocessed images */
    double spacing[3];   /* of all images; 0: each has its own */
    int swapped;         /* masks are stored under each other's names */
    pthread_mutex_t lock;
    int64_t (*shape)[4]; /* of each item, 0 until it was read; guarded by lock */
};

#endif
