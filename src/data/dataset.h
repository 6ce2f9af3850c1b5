/*
 * dataset: the preprocessed images of one configuration, as training sees them.
 *
 * Members are the images of the split's subjects that pass the filters and whose .b2nd file
 * is there. An item is addressed by its index; crops decode only the blocks they touch.
 */
#ifndef VOX_DATA_DATASET_H
#define VOX_DATA_DATASET_H

#include "base/buf.h"
#include "base/rng.h"
#include "base/sample.h"

typedef struct vox_dataset vox_dataset;

typedef enum vox_split { VOX_SPLIT_TRAIN, VOX_SPLIT_VAL } vox_split;

typedef struct vox_dataset_cfg {
    const char *dir;   /* $nnssl_preprocessed/DatasetXXX_Name, or a run's data folder */
    const char *plans; /* "nnsslPlans" */
    const char *configuration; /* "onemmiso" */
    vox_split split;
    const char *modalities; /* comma list, NULL: all */
    double max_iqs;         /* OpenMind image quality filter; <= 0: none */
} vox_dataset_cfg;

/** Open; makes splits_final.json when there is none (data.md 9.2, never an empty side).
 * @return VOX_OK; VOX_E_MISSING, VOX_E_FORMAT with the file */
int vox_dataset_open(vox_dataset **out, const vox_dataset_cfg *cfg);
void vox_dataset_close(vox_dataset *d);

int64_t vox_dataset_count(const vox_dataset *d);

/** Unique image id of item i; borrowed. */
const char *vox_dataset_id(const vox_dataset *d, int64_t i);

/**
 * The items that belong to item i: of its subject or of its session, i among them.
 *
 * @param[out] first  the first of them; they follow each other
 * @return how many there are; all items for VOX_GROUP_ANY
 */
int64_t vox_dataset_group(const vox_dataset *d, int64_t i, vox_grouping by, int64_t *first);

/** Shape [C, D, H, W] of item i. */
int vox_dataset_shape(vox_dataset *d, int64_t i, vox_shape *shape);

/**
 * Read the box [lo, lo + extent) of item i, zero outside the image; masks to 0/1.
 *
 * @param[out] image  [C, extent...], caller's storage
 * @param[out] anon, anat  [extent...] or NULL; *has_* set to 0 when the file has none
 * Threads: re-entrant.
 */
int vox_dataset_crop(vox_dataset *d, int64_t i, const int64_t lo[3],
                     const int64_t extent[3], float *image, uint8_t *anon, int *has_anon,
                     uint8_t *anat, int *has_anat);

/** Voxel size in mm of item i, as stored (order of its axes); 1 where nothing says it. */
void vox_dataset_spacing(const vox_dataset *d, int64_t i, float spacing[3]);

/** Path of item i's image file. @return VOX_OK; VOX_E_NOMEM */
int vox_dataset_path(const vox_dataset *d, int64_t i, vox_buf *out);

/**
 * A random voxel of the item's anatomy mask, each with the same chance.
 *
 * @param[out] found  0: there is no mask, or it is empty
 * Threads: re-entrant.
 */
int vox_dataset_anat_voxel(const vox_dataset *d, int64_t i, vox_rng *rng, int64_t voxel[3],
                           int *found);

#endif
