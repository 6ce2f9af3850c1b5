/* image: files of text headers in memory, for tests of their formats. */
#ifndef VOX_TESTS_SUPPORT_IMAGE_H
#define VOX_TESTS_SUPPORT_IMAGE_H

#include "image/volume.h"

/** Parse a header with what follows it, from memory of exactly its length (so that ASan
 * sees the end). */
int image_read(vox_volume *v, const vox_format *f, const char *header, const void *voxels,
               size_t len);

/** The header alone. */
int image_info(vox_volume_info *out, const vox_format *f, const char *header);

/** Integers first, first + 1, ... of `size` bytes. */
void image_count(unsigned char *out, int n, int size, int big, int first);

/** A header of 2 x 3 x 4 voxels, of `size` bytes each, counted from 0, and what its format and
 * type are to be called. */
void image_check_type(const vox_format *f, const char *header, int size, int big,
                      const char *format, const char *stored);

/** Did the last failure say this? */
int image_says(const char *text);

#endif
