/*
 * store: .b2nd files, the peer's container for preprocessed images (data.md 8).
 *
 * An array [C, D, H, W] cut into chunks and blocks, each block compressed by itself: a crop
 * decodes only the blocks it touches. Written by C-Blosc2: contiguous frame, zstd, byte
 * shuffle, "<f4".
 */
#ifndef VOX_DATA_STORE_H
#define VOX_DATA_STORE_H

#include "base/scratch.h"
#include "base/shape.h"

/** How blocks are compressed. zstd is smaller, lz4 faster to read; the peer reads both. */
typedef enum vox_codec { VOX_CODEC_ZSTD, VOX_CODEC_LZ4, VOX_CODECS } vox_codec;

/** "zstd", "lz4"; NULL for another number. */
const char *vox_codec_name(int codec);

/** The codec of that name. @return VOX_OK; VOX_E_ARG with the names there are */
int vox_codec_find(vox_codec *out, const char *name);

/** Level 0 is the codec's own: 1 for zstd (higher ones are slower and hardly smaller), 5 for
 * lz4. Source: data.md 8.3. */
typedef struct vox_store_cfg {
    vox_codec codec;
    int level; /* of blosc, 1 to 9; 0: the codec's own */
} vox_store_cfg;

/** The level meant: never 0. */
int vox_store_level(const vox_store_cfg *cfg);

/** Memory of the compression, kept from file to file. */
typedef struct vox_store_space {
    vox_scratch chunk, packed;
} vox_store_space;

#define VOX_STORE_SPACE_INIT \
    {                        \
        0                    \
    }

/** Give the memory back; legal on an _INIT value. */
void vox_store_space_release(vox_store_space *s);

/**
 * Block and chunk shapes for an image.
 *
 * The peer's rule, with its two faults mended: it also ends when no axis can shrink or
 * grow, and a block is never larger than the image. Where the peer succeeds the numbers are
 * its own.
 *
 * Source  data.md 8.2.
 */
void vox_store_blocks(int64_t block[4], int64_t chunk[4], const int64_t shape[4]);

/**
 * Write an array, atomically.
 *
 * @param data   [C, D, H, W] f32, contiguous; borrowed
 * @param cfg    NULL: zstd at its own level
 * @param space  NULL, or memory that is used again
 * @return VOX_OK; VOX_E_ARG: an empty or too large shape; VOX_E_IO, nothing is left behind;
 *         VOX_E_NOMEM
 * Threads  re-entrant.
 */
int vox_store_write(const char *path, const float *data, const int64_t shape[4],
                    const vox_store_cfg *cfg, vox_store_space *space);

typedef struct vox_store vox_store;

/**
 * Open a file for reading; nothing is decoded yet.
 * @return VOX_OK; VOX_E_MISSING, VOX_E_IO; VOX_E_FORMAT: not b2nd, cut off, not four axes,
 *         an element type other than f32, i8, u8
 *
 * Threads  a handle serves one thread at a time; any number of handles may be open.
 */
int vox_store_open(vox_store **out, const char *path);

/** vox_store_open for bytes that are kept; `name` is for messages. */
int vox_store_open_bytes(vox_store **out, const void *bytes, size_t len, const char *name);

/** NULL is legal. */
void vox_store_close(vox_store *s);

/** [C, D, H, W]. */
void vox_store_shape(const vox_store *s, int64_t shape[4]);

/** What a file says about itself. */
typedef struct vox_store_info {
    int64_t shape[4], chunk[4], block[4];
    char dtype[8];         /* as NumPy writes it: "<f4" */
    const char *codec;     /* "zstd", "lz4", ... */
    int64_t bytes, packed; /* of the elements, and compressed */
} vox_store_info;

/** Fill `out`; codec is a literal. */
void vox_store_describe(const vox_store *s, vox_store_info *out);

/**
 * Decode the box [lo, lo + n), which must lie inside the array and not be empty.
 *
 * @param[out] out   where the box's first element goes
 * @param      room  extents of the array that `out` is part of: its strides
 * @return VOX_OK; VOX_E_FORMAT: a damaged block, with the file; VOX_E_NOMEM
 */
int vox_store_read(vox_store *s, const int64_t lo[4], const int64_t n[4], float *out,
                   const int64_t room[4]);

/** vox_store_read for masks: 1 where the value is 1, else 0 (the peer's masks hold -1). */
int vox_store_read_mask(vox_store *s, const int64_t lo[4], const int64_t n[4], uint8_t *out,
                        const int64_t room[4]);

#endif
