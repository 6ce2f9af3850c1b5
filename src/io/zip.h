/*
 * zip: the container of .pth files. Reading any ordinary archive, writing stored entries.
 *
 * The reader is a pure function over the archive's bytes: stored entries are used where
 * they lie in the mapped file, without a copy. That, the check for entries named twice, and
 * fuzzing are why it is ours. The writer aligns every payload to 64 bytes, so that a reader
 * can use it in place. Compression and checksums are libdeflate's.
 */
#ifndef VOX_IO_ZIP_H
#define VOX_IO_ZIP_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/dict.h"

typedef struct vox_zip_entry {
    const char *name;
    const unsigned char *data; /* the contents: in the archive, or inflated */
    size_t size;
    uint64_t header, end; /* where the entry lies in the archive */
    uint32_t crc;         /* as the archive claims */
    int deflated;         /* in the archive */
} vox_zip_entry;

typedef struct vox_zip {
    vox_zip_entry *entry; /* order of the central directory */
    int64_t count, cap;
    const char *source; /* file name for messages */
    vox_dict index;
    vox_arena arena; /* names, inflated contents */
} vox_zip;

#define VOX_ZIP_INIT \
    {                \
        0            \
    }

/**
 * Parse an archive: central directory, local headers, zip64; stored or deflated entries.
 *
 * @param[out] out    an _INIT value; on failure it is empty
 * @param      bytes  kept
 * @param      name   names the bytes in messages
 * @return VOX_OK; VOX_E_FORMAT: not a zip, cut, entries that overlap, leave the file, are
 *         named twice, encrypted, or packed by another method; VOX_E_NOMEM
 */
int vox_zip_parse(vox_zip *out, const void *bytes, size_t len, const char *name);

/** The entry of that full name, or NULL (no message). */
const vox_zip_entry *vox_zip_find(const vox_zip *z, const char *name);

/** Compare all checksums with the contents. @return VOX_OK; VOX_E_FORMAT naming the entry
 */
int vox_zip_verify(const vox_zip *z);

/** Release; legal on an _INIT value. */
void vox_zip_release(vox_zip *z);

/** An archive being written, one entry after the other. */
typedef struct vox_zip_writer {
    FILE *f;            /* borrowed; must be able to seek */
    const char *path;   /* for messages, borrowed */
    const char *prefix; /* folder in front of every name, "" or "name/"; borrowed */
    uint64_t limit;     /* sizes and offsets from here on are written as zip64 */
    vox_buf central;
    int64_t count;
    uint64_t at; /* bytes written */
    /* The open entry: its header's offset, its line in `central`, bytes to come, checksum.
     */
    uint64_t header;
    size_t line;
    uint64_t left;
    uint32_t crc;
} vox_zip_writer;

/** Begin an archive at the start of `f`. */
void vox_zip_begin(vox_zip_writer *w, FILE *f, const char *path, const char *prefix);

/** Open an entry of exactly `size` bytes. @return VOX_OK; VOX_E_IO, VOX_E_NOMEM */
int vox_zip_open(vox_zip_writer *w, const char *name, uint64_t size);

/** Its next bytes. @return VOX_OK; VOX_E_IO */
int vox_zip_put(vox_zip_writer *w, const void *data, size_t n);

/** Close the entry; all its bytes must have been put. @return VOX_OK; VOX_E_IO */
int vox_zip_close(vox_zip_writer *w);

/** A whole entry at once. */
int vox_zip_add(vox_zip_writer *w, const char *name, const void *data, size_t n);

/** Write the central directory. @return VOX_OK; VOX_E_IO, VOX_E_NOMEM */
int vox_zip_end(vox_zip_writer *w);

/** Release what the writer holds; legal at any time after vox_zip_begin. */
void vox_zip_writer_release(vox_zip_writer *w);

#endif
