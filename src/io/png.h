/*
 * png: pixels into a PNG file, by cairo.
 */
#ifndef VOX_IO_PNG_H
#define VOX_IO_PNG_H

#include <stdint.h>

/** Write grey pixels [height, width], 0 black, atomically. Width and height 1..32767.
 * @return VOX_OK; VOX_E_ARG, VOX_E_IO, VOX_E_NOMEM */
int vox_png_gray(const char *path, const uint8_t *pixels, int width, int height);

/** Write colour pixels [height, width, 3], red first, atomically. As vox_png_gray. */
int vox_png_rgb(const char *path, const uint8_t *pixels, int width, int height);

#endif
