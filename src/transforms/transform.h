/*
 * transform: an augmentation, in two halves. `draw` turns randomness into a small struct,
 * `apply` is a pure function of that struct and the image, so a test can replay a recorded
 * draw.
 *
 * A transform file exports vox_transform_<name> and has its line in transforms.def.
 */
#ifndef VOX_TRANSFORMS_TRANSFORM_H
#define VOX_TRANSFORMS_TRANSFORM_H

#include "base/rng.h"
#include "base/shape.h"

enum { VOX_DRAW_MAX = 256 }; /* bytes of the largest draw struct */

typedef struct vox_transform {
    const char *name, *summary;
    size_t draw_size;
    /** Fill `draw` from the generator; `shape` is that of the image to come. */
    void (*draw)(void *draw, vox_shape shape, vox_rng rng);
    /** Change the image [C, D, H, W] in place. Re-entrant, same draw, same bits. */
    void (*apply)(const void *draw, float *image, vox_shape shape);
} vox_transform;

/** The transform of that name. @return NULL with a message ("did you mean") */
const vox_transform *vox_transform_find(const char *name);

/** The i-th transform of transforms.def, NULL after the last. */
const vox_transform *vox_transform_at(int i);

#endif
