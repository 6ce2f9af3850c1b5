/*
 * pickle: Python's serialisation, as far as checkpoints use it. checkpoints.md 2-5.
 *
 * A pickle is a program. Ours is an interpreter for a data-only subset of it: it builds a
 * tree of tagged values and never maps a name to code. Anything else is an error that names
 * the opcode or the global and its offset.
 */
#ifndef VOX_IO_PICKLE_H
#define VOX_IO_PICKLE_H

#include "base/buf.h"
#include "io/obj.h"

enum {
    VOX_PICKLE_SKIP_UNKNOWN = 1, /* objects of unknown classes become VOX_OBJ_OPAQUE */
    VOX_PICKLE_DEPTH = 200       /* containers nested at most */
};

/**
 * Interpret a pickle of protocol 2 to 5. A pure function.
 *
 * Tensors come with storage, shape, strides and offset checked against the storage's
 * declared size; their data are NULL until someone who has the storages resolves them
 * (pth.h). NumPy scalars become numbers, small NumPy arrays tensors with data, sets lists,
 * complex numbers tuples of two floats.
 *
 * @param[out] out    an _INIT tree; on failure it is empty
 * @param      bytes  borrowed during the call
 * @param      name   names the bytes in messages
 * @param      flags  0 or VOX_PICKLE_SKIP_UNKNOWN
 * @return VOX_OK; VOX_E_FORMAT: refused or damaged, nested deeper than VOX_PICKLE_DEPTH, or
 *         containing itself; VOX_E_NOMEM
 */
int vox_pickle_parse(vox_tree *out, const void *bytes, size_t len, const char *name,
                     unsigned flags);

/** The storages of a tree in the order of their keys 0, 1, 2, ... */
typedef struct vox_storages {
    vox_storage **item; /* borrowed from the tree */
    int64_t count, cap;
} vox_storages;

#define VOX_STORAGES_INIT \
    {                     \
        0                 \
    }

/**
 * Write a tree as a pickle of protocol 2 that PyTorch loads with weights_only=True.
 *
 * Storages get their keys in the order in which they are met; location is always "cpu".
 *
 * @param[out] out       appended to
 * @param[out] storages  an _INIT list, the storages met
 * @return VOX_OK; VOX_E_ARG for text that is not UTF-8 or an opaque object; VOX_E_NOMEM
 */
int vox_pickle_write(vox_buf *out, vox_storages *storages, const vox_tree *tree);

/** Release the list, not the storages. */
void vox_storages_release(vox_storages *s);

#endif
