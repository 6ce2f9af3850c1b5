/*
 * nifti: the fields of a NIfTI-1 or NIfTI-2 header, shared by the reader and the writer.
 */
#ifndef VOX_IMAGE_NIFTI_H
#define VOX_IMAGE_NIFTI_H

#include "image/volume.h"

enum { VOX_NIFTI1_SIZE = 348, VOX_NIFTI2_SIZE = 540 };

/** The fields as stored, in host byte order; NIfTI-1 floats are widened. */
typedef struct vox_nifti_header {
    int version; /* 1 or 2 */
    int big;     /* 1: stored most significant byte first */
    int pair;    /* 1: a .hdr, the voxels are in an .img */
    int64_t dim[8];
    int datatype;
    double pixdim[8], vox_offset, slope, inter;
    int units, qform, sform;
    double quatern[3], qoffset[3], srow[3][4];
} vox_nifti_header;

extern const vox_format vox_format_nifti;

/**
 * Read the fields from the first bytes of a file.
 * @return VOX_OK; VOX_E_FORMAT: too short, or not NIfTI
 */
int vox_nifti_header_read(vox_nifti_header *out, const void *bytes, size_t len,
                          const char *name);

/**
 * Spacing, origin, direction, unit and the oblique flag, as ITK understands them (data.md
 * 4.3): spacing from pixdim alone, in mm; world axes are NIfTI's own (x right, y front, z
 * up). Without qform and sform the axes run as those of ITK's world, to the left, back and
 * up.
 */
void vox_nifti_geometry(vox_volume_info *out, const vox_nifti_header *h);

/** The unit quaternion of a rotation. @return 1; 0 if the matrix is none (det +1 wanted) */
int vox_nifti_quaternion(double bcd[3], const double rotation[9]);

#endif
