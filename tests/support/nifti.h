/* nifti: NIfTI files in memory, built field by field, for tests. Independent of the writer.
 */
#ifndef VOX_TESTS_SUPPORT_NIFTI_H
#define VOX_TESTS_SUPPORT_NIFTI_H

#include <stdint.h>

#include "base/buf.h"

/** A small file to be; fields not set are 0. */
typedef struct nifti_file {
    int version, big; /* 1 or 2; 1: most significant byte first */
    int datatype;
    int64_t dim[8];
    double pixdim[8], slope, inter;
    int64_t vox_offset; /* 0: right after the header; -1: 0 */
    int pair;           /* 1: the header of a .hdr/.img pair */
    int units, qform, sform;
    double quatern[3], qoffset[3], srow[12];
} nifti_file;

/** 1 x 2 x 3 x 4 voxels (x = 4) of a type, 1 mm. */
nifti_file nifti_small(int version, int big, int datatype);

/** The header with its four extension bytes. */
void nifti_header(vox_buf *out, const nifti_file *f);

/** Append one integer or real of `size` bytes in the file's byte order. */
void nifti_put_int(vox_buf *out, const nifti_file *f, int size, int64_t v);
void nifti_put_real(vox_buf *out, const nifti_file *f, int size, double v);

#endif
