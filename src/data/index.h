/*
 * index: a collection from scans that nobody has described: a folder, or a csv file.
 *
 * Every file below a folder whose ending a format knows becomes an image. What subject and
 * session it belongs to is read from a pattern of the user's, else from BIDS entities
 * (sub-01, ses-2) where file or folder names have them, else from the folders
 * (<subject>/<session>/...), else from the file's own name. Masks go to their images
 * (data/masks.h), side-cars and tables into the infos (data/bids.h), DICOM series are
 * converted first (data/dicom.h).
 */
#ifndef VOX_DATA_INDEX_H
#define VOX_DATA_INDEX_H

#include "base/progress.h"
#include "data/collection.h"
#include "data/place.h"
#include "data/rejects.h"

typedef enum vox_index_kind {
    VOX_INDEX_DETECT,
    VOX_INDEX_BIDS, /* only files with a BIDS subject in their path */
    VOX_INDEX_DICOM /* only DICOM files */
} vox_index_kind;

typedef struct vox_index_cfg {
    const char *name;     /* collection name; NULL: the folder's */
    int64_t number;       /* collection index */
    const char *modality; /* where no name says it; NULL: what a side-car
                           * calls Modality, else "unknown" */
    const char *exclude;  /* a folder that is not entered, or NULL */
    vox_index_kind kind;
    const char *pattern;   /* data/place.h, or NULL */
    int derivatives;       /* enter "derivatives" of a BIDS tree */
    const char *converted; /* folder for what DICOM becomes, below it the path of the scans;
                            * NULL: DICOM is passed over. A folder without other images is
                            * taken as DICOM */
    int threads;           /* for conversion */
    vox_progress_fn progress; /* or NULL */
    void *arg;
} vox_index_cfg;

/**
 * Index one folder, recursively. Links are followed, each folder is entered once.
 *
 * The order is stable: by dataset, subject, session, path. Label maps and masks of no image
 * and empty files are skipped.
 *
 * @param[out] out      owned by the caller; empty when the call fails
 * @param      cfg      NULL: defaults
 * @param[out] skipped  initialised; what was passed over, with the reason, is appended.
 *                      What reasons of one kind differ in stands behind a ":"
 * @return VOX_OK; VOX_E_MISSING: no such folder, no image in it, no dcm2niix; VOX_E_USAGE:
 *         no pattern; VOX_E_IO; VOX_E_NOMEM
 */
int vox_index_folder(vox_collection *out, const char *dir, const vox_index_cfg *cfg,
                     vox_rejects *skipped);

/**
 * Index a csv file: a row per image. Columns (the first name, or another of the list):
 *
 *     path, image_path, filename        the image; relative to the csv, or with $NAME first
 *     subject, subject_id, participant_id   default: as in folders
 *     session, session_id                   default ses-DEFAULT
 *     modality
 *     anonymization_mask, anon_mask, anon_mask_path     masks
 *     anatomy_mask, anat_mask, anat_mask_path
 *     dataset, dataset_index            default: the csv's name
 *     name                              default: the file's
 *     any other                         into the image's info
 *
 * @return as vox_index_folder; VOX_E_FORMAT with file and row
 */
int vox_index_csv(vox_collection *out, const char *path, const vox_index_cfg *cfg,
                  vox_rejects *skipped);

#endif
