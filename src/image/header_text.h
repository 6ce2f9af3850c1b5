/*
 * header_text: what headers made of text lines have in common (NRRD, MetaImage): lines,
 * lists of numbers, and the names of the files that hold the voxels.
 *
 * Nothing is read beyond the given bytes, which need no zero at their end.
 */
#ifndef VOX_IMAGE_HEADER_TEXT_H
#define VOX_IMAGE_HEADER_TEXT_H

#include "image/volume.h"

enum { VOX_VALUE_MAX = 1024 }; /* bytes of a value we understand, with its zero */

/** A line, without its end and the white space at both ends; borrowed. */
typedef struct vox_line {
    const char *text;
    size_t len;
} vox_line;

/** Where in a text we are. */
typedef struct vox_lines {
    const char *begin, *at, *end;
} vox_lines;

vox_lines vox_lines_of(const vox_bytes *file);

/** The next line; one that the bytes cut off counts. @return 1; 0 at the end of the
 * bytes */
int vox_lines_next(vox_lines *l, vox_line *line);

/** "<key><mark><value>", white space around all three: cut at the first mark.
 * @return 1; 0 when there is none, or key or value are too long for their arrays */
int vox_line_split(char key[static 64], char value[static VOX_VALUE_MAX],
                   const vox_line *line, char mark);

/** Whole numbers, or numbers ("nan", "inf" too), between white space: all of a value.
 * @return how many; -1 when there are more than `max`, or something else among them */
int vox_value_ints(int64_t *out, int max, const char *value);
int vox_value_reals(double *out, int max, const char *value);

/**
 * Add the names of files: `value` itself; or, where it has a "%", those that
 * "<pattern> <first> <last> <step> ..." counts up ("slice%03d.raw 1 20 1").
 * @return VOX_OK; VOX_E_FORMAT, naming `name`; VOX_E_NOMEM
 */
int vox_parts_of_value(vox_strs *out, const char *value, const char *name);

/** Does `value` say that the names follow the header: "LIST", or "LIST 2"? */
int vox_parts_are_listed(const char *value);

/** Add the names that stand one a line, until an empty line or the end. */
int vox_parts_of_lines(vox_strs *out, vox_lines *l, const char *name);

/**
 * Take a spacing as ITK does: what is negative turns its axis round.
 *
 * @param[in,out] out  shape given; spacing, direction, oblique set, and origin's world
 *                     changed from L, P, S (x to the left, y to the back) to ours
 * @param spacing  mm, of the x, y and z axis
 * @param axis     directions of the x, y and z axis in L, P, S; any length
 * @return VOX_OK; VOX_E_FORMAT: 0 or not finite
 */
int vox_lps_geometry(vox_volume_info *out, const double spacing[3], double axis[3][3],
                     const char *name);

#endif
