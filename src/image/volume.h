/*
 * volume: an image as the pipeline sees it: samples, spacing, direction.
 *
 * Voxels are in file order, (z, y, x) = (slowest, .., fastest), never reoriented
 * (data.md 4.3).
 */
#ifndef VOX_IMAGE_VOLUME_H
#define VOX_IMAGE_VOLUME_H

#include "base/buf.h"
#include "base/opt.h"
#include "base/shape.h"

/** What a header says, without voxels. */
typedef struct vox_volume_info {
    char format[16];     /* "nifti1", "nifti2", "nrrd", "meta" */
    char stored[16];     /* stored element type: "i16", "f32", ... */
    vox_shape shape;     /* [C, D, H, W] */
    double spacing[3];   /* mm, order z, y, x (data.md 4.3) */
    double origin[3];    /* mm, x, y, z; x to the right, y to the front, z up */
    double direction[9]; /* row-major, columns are the x, y, z axes, of length 1 */
    double unit;         /* mm per unit of the file */
    double slope, inter; /* scaling, 1 and 0 when none */
    int qform, sform;    /* codes */
    int oblique;         /* 1: the axes are not at right angles (accepted) */
    int64_t nonfinite;   /* voxels that were NaN or infinite (and became 0); reading only */
} vox_volume_info;

struct vox_stored;

typedef struct vox_volume {
    vox_volume_info info;
    float *data;               /* [C, D, H, W], owned (vox_free) */
    struct vox_stored *stored; /* reading only: who takes voxels as they are stored, if that
                                * can be, or NULL; data is then NULL (image/stored.h) */
} vox_volume;

#define VOX_VOLUME_INIT \
    {                   \
        0               \
    }

/** A file in memory; borrowed. The name is for messages, and its end for names of others. */
typedef struct vox_bytes {
    const void *data;
    size_t len;
    const char *name;
} vox_bytes;

/**
 * An image format: a pure parser over the bytes of files. The voxels are in the file itself
 * or in others beside it, its parts: the parser says their names, someone else opens them.
 */
typedef struct vox_format {
    const char *name, *summary;
    const char *const *endings; /* NULL-terminated, ".nii", ".nii.gz" */
    int long_header; /* 1: the header may be long (64 MiB); else it is in the first 64 KiB */
    int parts_or_gz; /* 1: a part that is not there may be so with .gz added or taken away */
    /** Parse the header. The bytes may be cut after the header. */
    int (*info)(vox_volume_info *out, const vox_bytes *file);
    /** Add the names of the parts, relative to the file's folder; none when the voxels are
     * in the file itself. NULL: they always are. */
    int (*parts)(vox_strs *out, const vox_bytes *file);
    /** Parse everything. `part` are the parts in order, n = 0 where there are none. The
     * volume is unchanged when the call fails. */
    int (*read)(vox_volume *out, const vox_bytes *file, const vox_bytes *part, int n);
} vox_format;

/** Read a file of any known format, with its parts. Axes that are not at right angles and
 * units other than mm are a warning in the log. @return VOX_OK; VOX_E_MISSING, VOX_E_IO,
 * VOX_E_FORMAT, VOX_E_NOMEM; the message names the file. `out` is unchanged on failure. */
int vox_volume_read(vox_volume *out, const char *path);

/** vox_volume_read of a file that is in memory already; its parts are read. */
int vox_volume_read_bytes(vox_volume *out, const vox_bytes *file);

/** Only the header (little I/O even for .gz). */
int vox_volume_read_info(vox_volume_info *out, const char *path);

/** Add the paths of an image's parts (little I/O); none where the voxels are in `path`
 * itself. @return VOX_OK; VOX_E_MISSING: a part is not there; as vox_volume_read_info */
int vox_volume_parts(vox_strs *out, const char *path);

/** Write NIfTI-1 (.nii or .nii.gz), f32, atomically; geometry from info. */
int vox_volume_write(const vox_volume *v, const char *path);

/** Release the voxels; legal on an _INIT value. */
void vox_volume_release(vox_volume *v);

/** Is the file name's ending one of a known format? Returns it, or NULL. */
const vox_format *vox_format_of(const char *path);

/** The i-th format of image/formats.def, NULL after the last. */
const vox_format *vox_format_at(int i);

/** All endings, for messages: ".nii.gz, .nii, .nrrd" */
const char *vox_format_endings(char text[static 128]);

#endif
