/*
 * normalise: intensities to the scale a plan asks for.
 */
#ifndef VOX_IMAGE_NORMALISE_H
#define VOX_IMAGE_NORMALISE_H

#include <stdint.h>

/** Normalisation schemes of a plan (data.md 7.5). */
typedef enum vox_norm {
    VOX_NORM_ZSCORE,  /* "ZScoreNormalization" */
    VOX_NORM_NONE,    /* "NoNormalization" */
    VOX_NORM_RESCALE, /* "RescaleTo01Normalization" */
    VOX_NORM_RGB      /* "RGBTo01Normalization" */
} vox_norm;

/** What an array holds. The deviation is the population's (divided by n). */
typedef struct vox_stats {
    int64_t count;
    double mean, std;
    float lo, hi;
} vox_stats;

/**
 * Statistics of the values, accumulated in double in a fixed order.
 * @param skip  NULL, or 1 for each value that does not count
 */
vox_stats vox_stats_of(const float *x, int64_t n, const uint8_t *skip);

/** 1 when the values hardly differ: std <= 1e-6 |mean| (rounding of one value's sums). */
int vox_stats_constant(const vox_stats *s);

/** What a scheme does to every value: (x - shift) * scale. */
typedef struct vox_norm_map {
    double shift, scale;
} vox_norm_map;

/**
 * The map of a scheme for values with these statistics.
 * @return VOX_OK; VOX_E_FORMAT for a constant image (z-score), a value outside [0, 255]
 * (RGB)
 */
int vox_norm_map_of(vox_norm_map *out, vox_norm norm, const vox_stats *s);

/**
 * Normalise in place.
 *
 * @param skip   NULL, or 1 for each value that is neither counted nor changed
 * @param[out] s statistics before; may be NULL
 * @return as vox_norm_map_of
 *
 * Source  data.md 7.5.  Tests  tests/unit/test_normalise.c
 */
int vox_normalise(float *x, int64_t n, vox_norm norm, const uint8_t *skip, vox_stats *s);

#endif
