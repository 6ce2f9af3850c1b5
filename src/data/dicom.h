/*
 * dicom: DICOM series to NIfTI with side-cars, by dcm2niix, run as a program.
 *
 * Each folder that holds DICOM files is converted into a folder of the same path below
 * `to`, under another name first: what is there is whole and is used again. Files that lie
 * in one folder without subfolders are told apart by what they say: <patient
 * id>/<time>/<series>.
 */
#ifndef VOX_DATA_DICOM_H
#define VOX_DATA_DICOM_H

#include "base/progress.h"
#include "data/walk.h"

typedef struct vox_dicom_cfg {
    const char *to;           /* folder, made with its parents */
    int threads;              /* programs at once */
    vox_progress_fn progress; /* or NULL */
    void *arg;
} vox_dicom_cfg;

/**
 * Convert the DICOM folders of a walk.
 *
 * @param[out] skipped  folders that dcm2niix refused, or of which it left out a part, are
 *                      appended, with its last line
 * @return VOX_OK; VOX_E_MISSING: there is no dcm2niix; VOX_E_STOP: a signal (base/stop.h);
 * VOX_E_IO; VOX_E_NOMEM
 */
int vox_dicom_convert(const vox_dicom_cfg *cfg, vox_walk *w, vox_rejects *skipped);

/**
 * Take what was converted from folders that are not among the scans any more out of a walk.
 *
 * @param converted  of cfg->to
 * @param scans      what vox_dicom_convert was given
 * @param[out] skipped  what is taken out is appended
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_dicom_drop_stale(vox_walk *converted, const vox_walk *scans, vox_rejects *skipped);

#endif
