/*
 * plot: curves over a common axis, one panel below the other, as a PNG. progress.png is
 * one.
 */
#ifndef VOX_IO_PLOT_H
#define VOX_IO_PLOT_H

#include <stdint.h>

enum { VOX_BLUE = 0x1f6fb4, VOX_RED = 0xd03a2f, VOX_GREEN = 0x3a8f4d, VOX_GREY = 0x6b7280 };

typedef struct vox_series {
    const char *label;
    const double *x, *y; /* a point that is not finite interrupts the curve */
    int64_t count;
    uint32_t color; /* 0xRRGGBB */
} vox_series;

typedef struct vox_panel {
    const char *title, *x_label, *y_label; /* NULL: none */
    const vox_series *series;
    int n_series;
    int log_y; /* points <= 0 are then left out */
} vox_panel;

/**
 * Draw panels of equal height, one below the other. Axes fit the data; the last value of
 * each curve is written beside it.
 *
 * @return VOX_OK; VOX_E_ARG for an impossible size; VOX_E_IO, VOX_E_NOMEM; the old file
 * then stays as it was
 */
int vox_plot_write(const char *path, const vox_panel *panels, int n_panels, int width,
                   int height);

#endif
