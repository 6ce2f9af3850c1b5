/*
 * voxels: from the bytes of a file to floats, the same way for every format.
 *
 * A format says what its header says: which type, which byte order, how packed, where the
 * channels are. Nothing is allocated before the files are known to be long enough for it.
 */
#ifndef VOX_IMAGE_VOXELS_H
#define VOX_IMAGE_VOXELS_H

#include "image/volume.h"

/** A type of stored elements: u8, i8, u16, i16, u32, i32, u64, i64, f32, f64. */
typedef struct vox_element vox_element;

/** The type of that name, or NULL. */
const vox_element *vox_element_find(const char *name);

/** Its name, and bytes of one. */
const char *vox_element_name(const vox_element *t);
int vox_element_size(const vox_element *t);

typedef enum vox_packing {
    VOX_UNPACKED,
    VOX_PACKED, /* zlib or gzip, whichever the bytes begin like */
    VOX_TEXT    /* decimal numbers between white space */
} vox_packing;

/** How the voxels of an image are stored. */
typedef struct vox_raster {
    const vox_element *type;
    int big; /* 1: most significant byte first */
    vox_packing packing;
    uint64_t skip; /* bytes of each part before the voxels, when unpacked */
    int64_t
        inner; /* voxels after each other that are of one channel; 0: all of a channel */
} vox_raster;

/**
 * Make the voxels of `out`, whose info is complete but for `nonfinite`: widen, scale by
 * slope and inter, narrow to float. What is not finite becomes 0 before it is scaled and is
 * counted.
 *
 * Where the part says who takes voxels as they are stored, and these can be taken so, they are
 * (image/stored.h), unscaled, and no data is made.
 *
 * @param[in,out] out  info given; data made, NULL on failure
 * @param         part the files with the voxels in order, each an equal share of them
 * @return VOX_OK; VOX_E_FORMAT: too short, damaged, parts that do not divide the image;
 *         VOX_E_NOMEM
 * Source  data.md 4.3: integers become float first, then double(v) * slope + inter.
 */
int vox_voxels_read(vox_volume *out, const vox_raster *r, const vox_bytes *part, int n);

/** Fail if an image of this shape cannot be: an extent below 1, or more than a file can
 * hold. */
int vox_voxels_check(const vox_volume_info *info, const char *name);

#endif
