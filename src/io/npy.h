/*
 * npy: one array in NumPy's file format, versions 1 to 3. Goldens are stored so.
 *
 *     "\x93NUMPY" major minor, header length (u16, from version 2 on u32, little endian),
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } and spaces, newline, data
 */
#ifndef VOX_IO_NPY_H
#define VOX_IO_NPY_H

#include "io/tensor_file.h"

/**
 * Parse a file's bytes. A pure function.
 *
 * @param[out] out    a view into `bytes`; strided when the file is in Fortran order
 * @param      bytes  kept while `out` is used
 * @param      name   names the bytes in messages; also kept as out->name
 * @return VOX_OK; VOX_E_FORMAT for anything that is not a whole .npy of f16, f32, f64, i8,
 * i16, i32, i64, u8 or bool, little endian, rank <= 6
 */
int vox_npy_parse(vox_view *out, const void *bytes, size_t len, const char *name);

/** An .npy file, open. */
typedef struct vox_npy {
    vox_view tensor;
    vox_map map;
} vox_npy;

#define VOX_NPY_INIT \
    {                \
        0            \
    }

/** Map and parse a file. `path` is kept as the tensor's name. @return as vox_npy_parse;
 * VOX_E_MISSING, VOX_E_IO */
int vox_npy_open(vox_npy *npy, const char *path);

/** Give the file back; legal on an _INIT value. */
void vox_npy_close(vox_npy *npy);

/** Write an array, C order, version 1, atomically. @return VOX_OK; VOX_E_IO, VOX_E_NOMEM;
 * VOX_E_ARG for bf16, which NumPy has not */
int vox_npy_write(const char *path, const vox_view *t);

#endif
