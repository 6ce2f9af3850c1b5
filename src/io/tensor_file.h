/*
 * tensor_file: named tensors in memory, whatever file they came from or go to.
 *
 * A tensor of a file is a view: a pointer, an element type, a shape and strides. Data that
 * were read lie in the mapped file, so they may be strided (.pth, .npy) and need not be
 * aligned: read them through vox_view_pack or vox_view_f32. Two tensors may share memory;
 * then the later one names the earlier as its alias.
 *
 * Bytes are little endian, in files and in memory.
 */
#ifndef VOX_IO_TENSOR_FILE_H
#define VOX_IO_TENSOR_FILE_H

#include "base/arena.h"
#include "base/dict.h"
#include "base/shape.h"
#include "io/map.h"

typedef struct vox_view {
    const char *name; /* "" when it has none; lives as long as the set it is in */
    vox_dtype dtype;
    vox_shape shape;
    int64_t stride[VOX_MAX_RANK]; /* in elements, >= 0 */
    const void *data;             /* borrowed; element (0, 0, ...) */
    int64_t alias; /* index of an earlier tensor over the same memory, or -1 */
} vox_view;

/** A contiguous tensor over borrowed memory, without a name. */
vox_view vox_view_of(vox_dtype dtype, vox_shape shape, const void *data);

/** Are the elements one run in C order? */
int vox_view_contiguous(const vox_view *t);

/** Copy the elements in C order; dst holds count * size bytes, aligned or not. */
void vox_view_pack(void *dst, const vox_view *t);

/** Copy the elements in C order as f32, from any element type (i64, f64: rounded). */
void vox_view_f32(float *dst, const vox_view *t);

/** One line of metadata. */
typedef struct vox_meta {
    const char *key, *value;
} vox_meta;

/** A set of tensors with distinct names, in order, and metadata. */
typedef struct vox_tensors {
    vox_view *item;
    int64_t count, cap;
    vox_meta *meta;
    int64_t n_meta, cap_meta;
    const char *source; /* file name for messages, or NULL */
    vox_dict index, meta_index;
    vox_arena arena; /* names, metadata, owned data */
    vox_map map;     /* the file the data lie in, if any */
} vox_tensors;

#define VOX_TENSORS_INIT \
    {                    \
        0                \
    }

/**
 * Append a contiguous tensor.
 *
 * @param name  copied
 * @param data  kept: must outlive the set
 * @return VOX_OK; VOX_E_EXISTS for a name taken twice; VOX_E_ARG for a negative or huge
 *         shape; VOX_E_NOMEM
 */
int vox_tensors_add(vox_tensors *ts, const char *name, vox_dtype dtype, vox_shape shape,
                    const void *data);

/** vox_tensors_add with zeroed memory of the set's own, returned to be filled; NULL with a
 * message. */
void *vox_tensors_new(vox_tensors *ts, const char *name, vox_dtype dtype, vox_shape shape);

/** The tensor of that name, or NULL (no message). Borrowed until the next change. */
const vox_view *vox_tensors_find(const vox_tensors *ts, const char *name);

/**
 * The tensor of that name, which must have that element type and shape.
 *
 * @return VOX_OK; VOX_E_MISSING, VOX_E_FORMAT naming file, tensor, found and wanted
 */
int vox_tensors_need(const vox_view **out, const vox_tensors *ts, const char *name,
                     vox_dtype dtype, vox_shape shape);

/** Set a metadata value (both copied); an old value of the key is replaced. */
int vox_tensors_set_meta(vox_tensors *ts, const char *key, const char *value);

/** A metadata value, or NULL. */
const char *vox_tensors_meta(const vox_tensors *ts, const char *key);

/** Release everything; the set is then empty. Legal on an _INIT value. */
void vox_tensors_release(vox_tensors *ts);

#endif
