/* nrrd: the fields of an NRRD header that say where and what the voxels are. */
#ifndef VOX_IMAGE_NRRD_H
#define VOX_IMAGE_NRRD_H

#include "image/header_text.h"

enum { VOX_NRRD_AXES = 8 };

/** What an axis is to us. */
typedef enum vox_nrrd_kind {
    VOX_NRRD_SPACE,   /* also when the header says nothing */
    VOX_NRRD_TIME,    /* a domain, but none of space */
    VOX_NRRD_VALUES,  /* several numbers per voxel: vectors, lists, tensors */
    VOX_NRRD_REFUSED, /* colour, complex */
} vox_nrrd_kind;

/** The fields as written, axes fastest first. */
typedef struct vox_nrrd_header {
    char type[32], encoding[16], endian[16], space[64];
    int64_t size[VOX_NRRD_AXES];
    double spacing[VOX_NRRD_AXES];   /* NaN: not known */
    double vector[VOX_NRRD_AXES][3]; /* space directions; NaN: none */
    vox_nrrd_kind kind[VOX_NRRD_AXES];
    int axes, sizes, spacings, vectors, kinds; /* how many were given */
    double origin[3];
    int64_t line_skip, byte_skip;
    char data_file[VOX_VALUE_MAX]; /* "": the voxels follow the header */
    vox_lines rest;                /* what follows the header, or the list of files */
} vox_nrrd_header;

extern const vox_format vox_format_nrrd;

/** Read the fields. @return VOX_OK; VOX_E_FORMAT: not NRRD, no end of the header, a field
 * that cannot be understood */
int vox_nrrd_header_read(vox_nrrd_header *out, const vox_bytes *file);

#endif
