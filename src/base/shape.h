/*
 * shape: extents, slowest first, and the element types that travel through the program.
 */
#ifndef VOX_BASE_SHAPE_H
#define VOX_BASE_SHAPE_H

#include <stddef.h>
#include <stdint.h>

enum { VOX_MAX_RANK = 6 };

typedef enum vox_dtype {
    VOX_F32,
    VOX_U8,
    VOX_I64,
    VOX_F64,
    VOX_F16,
    VOX_BF16,
    VOX_I32,
    VOX_I16, /* this one and the next two only in files */
    VOX_I8,
    VOX_BOOL /* one byte, 0 or 1 */
} vox_dtype;

typedef struct vox_shape {
    int rank; /* 0 = scalar */
    int64_t n[VOX_MAX_RANK];
} vox_shape;

/** Shape from a list: VOX_SHAPE(2, 1, 64, 64, 64). */
#define VOX_SHAPE(...) \
    ((vox_shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})

/** Bytes of one element. */
size_t vox_dtype_size(vox_dtype t);

/** Name of the type: "f32", "u8", "i64", ... */
const char *vox_dtype_name(vox_dtype t);

/** Product of the extents (1 for a scalar); -1 when one is negative or it does not fit. */
int64_t vox_shape_count(vox_shape s);

/** Same rank and extents? */
int vox_shape_equal(vox_shape a, vox_shape b);

/** Text like "2x1x64x64x64", in buf, or the constant "scalar" for rank 0. */
const char *vox_shape_text(vox_shape s, char buf[static 128]);

/** Parse "2x1x64" or "2,1,64". @return VOX_OK; VOX_E_ARG */
int vox_shape_parse(vox_shape *out, const char *text);

#endif
