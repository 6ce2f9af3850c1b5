/*
 * canvas: a cairo surface with our errors; what plot, montage and png draw on.
 *
 * cairo keeps its first error and ignores what follows: vox_canvas_write asks once.
 */
#ifndef VOX_IO_CANVAS_H
#define VOX_IO_CANVAS_H

#include <cairo.h>
#include <stdint.h>

typedef struct vox_canvas {
    cairo_surface_t *surface;
    cairo_t *cr;
} vox_canvas;

/** A canvas of that size, filled with a colour 0xRRGGBB. @return VOX_OK; VOX_E_ARG for a
 * size outside 1..32767; VOX_E_NOMEM */
int vox_canvas_open(vox_canvas *c, int width, int height, uint32_t color);

/** Write as PNG, atomically, and release. @return VOX_OK; VOX_E_IO, VOX_E_NOMEM */
int vox_canvas_write(vox_canvas *c, const char *path);

/** Write any image surface as PNG, atomically; the surface stays. */
int vox_surface_write(cairo_surface_t *surface, const char *path);

/** Set the colour to draw with. */
void vox_canvas_color(vox_canvas *c, uint32_t color);

typedef struct vox_text {
    double size; /* pixels */
    uint32_t color;
    double align_x, align_y; /* 0: text begins at x, 0.5: centred, 1: ends there */
    int bold, upwards;       /* upwards: read from below */
} vox_text;

/** Draw UTF-8 text at a point; returns its length in pixels. */
double vox_canvas_text(vox_canvas *c, double x, double y, vox_text style, const char *text);

/** Length in pixels of text of that style. */
double vox_canvas_text_width(vox_canvas *c, vox_text style, const char *text);

#endif
