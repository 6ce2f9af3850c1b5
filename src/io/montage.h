/*
 * montage: slices of volumes in rows and columns, as a PNG. reconstruction.png is one.
 */
#ifndef VOX_IO_MONTAGE_H
#define VOX_IO_MONTAGE_H

#include <stdint.h>

/** A slice: borrowed samples with the strides to walk them, so any plane of a volume is one
 * without a copy. */
typedef struct vox_tile {
    const float *data;              /* upper left sample; NULL: an empty tile */
    int64_t height, width;          /* samples */
    int64_t row_stride, col_stride; /* in floats; negative: flipped */
    double row_mm, col_mm;          /* size of a sample */
    float lo, hi;                   /* window: black at lo, white at hi */
} vox_tile;

/**
 * A plane of a volume [D, H, W]: index `at` along `axis`.
 *
 * Axis 0 shows y downwards and x to the right; axes 1 and 2 show z upwards, so that with
 * the usual order (z to the head, y to the back) heads are up and faces to the left or up.
 * @param spacing  mm, order z, y, x
 */
vox_tile vox_tile_plane(const float *volume, const int64_t extent[3],
                        const float spacing[3], int axis, int64_t at);

/** A window for samples: the values below which a share `lo` and `hi` of them lie (0.005
 * and 0.995 suit scans). NaNs are left out; the window is never empty. */
void vox_window(const float *data, int64_t count, double lo, double hi, float window[2]);

typedef struct vox_montage {
    const char *title; /* NULL: none */
    int rows, cols;
    const vox_tile *tile;         /* [rows, cols] */
    const char *const *row_names; /* rows of them, or NULL */
    const char *const *col_names; /* cols of them, or NULL */
} vox_montage;

/**
 * Draw a montage. Each tile is fitted into a square of `cell` pixels, true to its
 * millimetres; samples that are NaN are shown in slate blue: hidden.
 *
 * @return VOX_OK; VOX_E_ARG for an impossible size; VOX_E_IO, VOX_E_NOMEM; the old file
 * then stays as it was
 */
int vox_montage_write(const char *path, const vox_montage *m, int cell);

#endif
