/*
 * pth: PyTorch's checkpoint files. checkpoints.md 1-5, 13.
 *
 *     <stem>/data.pkl    the tree of values, tensors by the name of their storage
 *     <stem>/byteorder   "little"
 *     <stem>/data/0 ...  one entry per storage, its elements as in memory, 64-byte aligned
 *     <stem>/version     "3"
 *
 * all in an uncompressed zip archive. What we write, torch.load(weights_only=True,
 * mmap=True too) takes; what we read may come from any torch >= 1.6. Files of older ones
 * are refused.
 */
#ifndef VOX_IO_PTH_H
#define VOX_IO_PTH_H

#include "io/map.h"
#include "io/obj.h"
#include "io/zip.h"

enum {
    VOX_PTH_SKIP_UNKNOWN = 1, /* objects of unknown classes become VOX_OBJ_OPAQUE */
    VOX_PTH_NO_CHECKSUMS = 2  /* for files of torch with its checksums switched off */
};

/** A checkpoint in memory: tensors' data lie in the mapped file. */
typedef struct vox_pth {
    vox_tree tree; /* tree.root, usually a dict: see obj.h for access */
    vox_zip zip;
    vox_map map;
} vox_pth;

#define VOX_PTH_INIT \
    {                \
        0            \
    }

/**
 * Parse a file's bytes. A pure function. Never runs code from the file; every checksum is
 * compared, every tensor lies inside its storage, every storage is as long as declared.
 *
 * @param[out] out    an _INIT value; on failure it is empty
 * @param      bytes  kept
 * @param      name   names the bytes in messages
 * @param      flags  0 or VOX_PTH_*
 * @return VOX_OK; VOX_E_FORMAT with what was found and wanted; VOX_E_NOMEM
 */
int vox_pth_parse(vox_pth *out, const void *bytes, size_t len, const char *name,
                  unsigned flags);

/** Map a file and parse it. @return as vox_pth_parse; VOX_E_MISSING, VOX_E_IO */
int vox_pth_read(vox_pth *out, const char *path, unsigned flags);

/** Release tree and file; legal on an _INIT value. */
void vox_pth_release(vox_pth *p);

/**
 * Write a tree, atomically: the old file stays until the new one is durable.
 *
 * Storages that have no data are fetched in pieces of at most 4 MiB, in order, while the
 * file is written; a fetch that fails ends the writing with its code.
 *
 * @return VOX_OK; VOX_E_ARG, VOX_E_IO, VOX_E_NOMEM, the fetch's code; on failure the old
 * file is untouched
 */
int vox_pth_write(const char *path, const vox_tree *tree);

#endif
