/* crop: what lies outside the body. The box of what is not zero: image/grid.h. */
#ifndef VOX_IMAGE_CROP_H
#define VOX_IMAGE_CROP_H

#include <stdint.h>

/**
 * Mark what is outside the body: zeros connected through faces to the outside of the
 * volume.
 *
 * @param mark  [D, H, W]; in: 1 body, 0 zero; out: 1 outside, 0 inside (holes count as
 *              inside)
 * @return VOX_OK; VOX_E_NOMEM
 *
 * Source  data.md 7.4; the complement is scipy's binary_fill_holes of (image != 0).
 */
int vox_crop_outside(uint8_t *mark, const int64_t n[3]);

#endif
