/*
 * synth: made-up head scans, for tests and trials without data.
 *
 * Shapes, spacings and contents differ from scan to scan; everything follows from seed and
 * number.
 */
#ifndef VOX_DATA_SYNTH_H
#define VOX_DATA_SYNTH_H

#include "data/fingerprint.h"

typedef struct vox_synth_cfg {
    int64_t count;
    uint64_t seed;
    double size; /* extent of the volumes relative to a head of 180 mm; 1: life size */
    int threads;
    vox_progress_fn progress; /* or NULL */
    void *arg;
} vox_synth_cfg;

/**
 * One volume: skin, skull, brain with folds of smooth noise, ventricles, a few lesions; air
 * is 0.
 *
 * @param[out] out  owned by the caller (vox_volume_release); unchanged on failure
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_synth_volume(vox_volume *out, uint64_t seed, int64_t number, double size);

/**
 * Write <dir>/head<number>.nii.gz for numbers 1 to count; files that are there are
 * replaced.
 * @return VOX_OK; VOX_E_ARG: count or size; VOX_E_IO; VOX_E_STOP
 */
int vox_synth(const char *dir, const vox_synth_cfg *cfg);

#endif
