/*
 * volume: an image as the pipeline sees it: samples, spacing, direction.
 *
 * Voxels are in file order, (z, y, x) = (slowest, .., fastest), never reoriented
 * (data.md 4.3).
 */
#ifndef VOX_IMAGE_VOLUME_H
#define VOX_IMAGE_VOLUME_H

#include "base/buf.h"
#include "base/shape.h"

/** What a header says, without voxels. */
typedef struct vox_volume_info {
    char format[16];     /* "nifti1", "nifti2" */
    char stored[16];     /* stored element type: "i16", "f32", ... */
    vox_shape shape;     /* [C, D, H, W] */
    double spacing[3];   /* mm, order z, y, x (data.md 4.3) */
    double origin[3];    /* mm, x, y, z */
    double direction[9]; /* row-major, columns are the x, y, z axes; or the identity */
    double slope, inter; /* scaling, 1 and 0 when none */
    int qform, sform;    /* codes */
    int oblique;         /* 1: the geometry is not orthonormal (accepted, warned once) */
    int64_t nonfinite;   /* voxels that were NaN or infinite (and became 0); reading only */
} vox_volume_info;

typedef struct vox_volume {
    vox_volume_info info;
    float *data; /* [C, D, H, W], owned (vox_free) */
} vox_volume;

#define VOX_VOLUME_INIT \
    {                   \
        0               \
    }

/** An image format: a pure parser over the bytes of a file. */
typedef struct vox_format {
    const char *name, *summary;
    const char *const *endings; /* NULL-terminated, ".nii", ".nii.gz" */
    /** Parse the header. `bytes` may be cut after the header. `name` is for messages. */
    int (*info)(vox_volume_info *out, const void *bytes, size_t len, const char *name);
    /** Parse everything. The volume is unchanged when the call fails. */
    int (*read)(vox_volume *out, const void *bytes, size_t len, const char *name);
} vox_format;

/** Read a file of any known format. @return VOX_OK; VOX_E_MISSING, VOX_E_IO, VOX_E_FORMAT,
 * VOX_E_NOMEM; the message names the file. `out` is unchanged on failure. */
int vox_volume_read(vox_volume *out, const char *path);

/** Only the header (little I/O even for .gz). */
int vox_volume_read_info(vox_volume_info *out, const char *path);

/** Write NIfTI-1 (.nii or .nii.gz), f32, atomically; geometry from info. */
int vox_volume_write(const vox_volume *v, const char *path);

/** Release the voxels; legal on an _INIT value. */
void vox_volume_release(vox_volume *v);

/** Is the file name's ending one of a known format? Returns it, or NULL. */
const vox_format *vox_format_of(const char *path);

/** The i-th format of image/formats.def, NULL after the last. */
const vox_format *vox_format_at(int i);

#endif
