/*
 * index: a collection from a folder of scans that nobody has described.
 *
 * Every file below the folder whose ending a format knows becomes an image. What subject
 * and session it belongs to is read from BIDS entities (sub-01, ses-2) where file or folder
 * names have them, else from the folders (<subject>/<session>/...), else from the file's
 * own name.
 */
#ifndef VOX_DATA_INDEX_H
#define VOX_DATA_INDEX_H

#include "data/collection.h"
#include "data/rejects.h"

typedef struct vox_index_cfg {
    const char *name;     /* collection name; NULL: the folder's */
    int64_t number;       /* collection index */
    const char *modality; /* where no name says it; NULL: "unknown" */
    const char *exclude;  /* a folder that is not entered, or NULL */
} vox_index_cfg;

/**
 * Index one folder, recursively. Links are followed, each folder is entered once.
 *
 * The order is stable: by dataset, subject, session, path. Label maps and masks (names that
 * end in _seg, _mask, ...; folders labelsTr, ...) and empty files are skipped.
 *
 * @param[out] out      owned by the caller; empty when the call fails
 * @param      cfg      NULL: defaults
 * @param[out] skipped  initialised; what was passed over, with the reason, is appended
 * @return VOX_OK; VOX_E_MISSING: no such folder, or no image in it; VOX_E_IO; VOX_E_NOMEM
 */
int vox_index_folder(vox_collection *out, const char *dir, const vox_index_cfg *cfg,
                     vox_rejects *skipped);

/** Where an image belongs, as text that is good as a file name. */
typedef struct vox_place {
    const char *dataset;                      /* "" when the path names none */
    const char *subject, *session, *modality; /* modality "": not known */
} vox_place;

/**
 * Guess from the path below the indexed folder,
 * "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz".
 *
 * @param skip      leading folders that all images share: they tell nothing
 * @param channels  1: a number "_0000" at the end of a name is nnU-Net's channel, not the
 * case's
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_place_guess(vox_place *out, vox_arena *arena, const char *path, int skip,
                    int channels);

/** Length of a name without ending and channel number ("a_0001.nii" is 1), and that number;
 * -1 when there is none. */
size_t vox_place_channel(const char *name, int *channel);

#endif
