/*
 * safetensors: tensors by name in one file, no pickle. checkpoints.md 6.
 *
 *     u64 little endian   N, the size of the header
 *     N bytes             JSON, padded with spaces: {"__metadata__":{"key":"text"},
 *                         "name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}, ...}
 *     the rest            the tensors, C order, one behind the other, without holes
 *
 * The format knows no aliases and no strides.
 */
#ifndef VOX_IO_SAFETENSORS_H
#define VOX_IO_SAFETENSORS_H

#include "io/tensor_file.h"

enum { VOX_SAFETENSORS_HEADER = 100000000 }; /* bytes of a header at most */

/** The format's name of an element type: "F32". */
const char *vox_safetensors_type(vox_dtype t);

/**
 * Parse a file's bytes. A pure function: everything the format demands is checked, among it
 * that the tensors' bytes follow each other without hole or overlap up to the end.
 *
 * @param[out] out    an _INIT set; on failure it is empty. Order: as in the header.
 * @param      bytes  kept: the tensors' data point into it, possibly unaligned
 * @param      name   names the bytes in messages
 * @return VOX_OK; VOX_E_FORMAT with what was found, also for an element type or rank that
 * we do not know; VOX_E_NOMEM
 */
int vox_safetensors_parse(vox_tensors *out, const void *bytes, size_t len,
                          const char *name);

/** Map a file and parse it; the set holds the mapping.
 * @return as vox_safetensors_parse; VOX_E_MISSING, VOX_E_IO */
int vox_safetensors_read(vox_tensors *out, const char *path);

/**
 * Write a set with its metadata, atomically. Aliases are written as tensors of their own.
 *
 * Order: larger element first, then by name; the header is padded so that data begin at a
 * multiple of 8. With metadata {"format":"pt"} the tools of other frameworks take it.
 * @return VOX_OK; VOX_E_ARG for a name that is not UTF-8 or is "__metadata__"; VOX_E_IO,
 * the old file untouched; VOX_E_NOMEM
 */
int vox_safetensors_write(const char *path, const vox_tensors *ts);

#endif
