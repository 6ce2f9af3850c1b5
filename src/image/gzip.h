/*
 * gzip: streams of one or several members, and zlib's, in memory.
 */
#ifndef VOX_IMAGE_GZIP_H
#define VOX_IMAGE_GZIP_H

#include "base/buf.h"

/** Do the bytes begin like a gzip stream? */
int vox_is_gzip(const void *bytes, size_t len);

/**
 * Decompress the first `want` bytes at most; the stream may be cut off after them.
 *
 * @return how many bytes of `out` were filled
 */
size_t vox_gunzip_head(void *out, size_t want, const void *bytes, size_t len);

/**
 * Decompress the first `size` bytes and check the checksums of all members.
 *
 * The caller knows from a header how much there must be, so that no stream can make us
 * allocate more than that. Bytes beyond `size` are checked and dropped; what follows the
 * last member is ignored, as gzip does.
 *
 * @param name  of the file, for messages
 * @return VOX_OK; VOX_E_FORMAT: damaged, cut off, or less than `size`; VOX_E_NOMEM
 */
int vox_gunzip(void *out, size_t size, const void *bytes, size_t len, const char *name);

/** vox_gunzip for a stream of either kind, gzip or zlib, whichever it begins like. */
int vox_unpack(void *out, size_t size, const void *bytes, size_t len, const char *name);

/** The most that `len` compressed bytes can become: deflate packs 258 bytes into 2 bits. */
uint64_t vox_gunzip_bound(size_t len);

/** Append a stream of one member. @return VOX_OK; VOX_E_NOMEM */
int vox_gzip(vox_buf *out, const void *bytes, size_t len);

#endif
