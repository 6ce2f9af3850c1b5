/*
 * json_pull: JSON read token by token from bytes in memory, without building a tree.
 *
 * For texts too large for json-c (a collection of 100,000 images). Same language as
 * vox_json_parse: NaN, Infinity, -Infinity are numbers. Slices are borrowed from the text.
 *
 *     VOX_TRY(vox_json_pull_open(&p, VOX_JSON_OBJECT));
 *     while ((more = vox_json_pull_key(&p, &key)) > 0)
 *         VOX_TRY(vox_json_pull_value(&p, &value));
 *     return more;
 *
 * Functions return VOX_E_FORMAT with name and byte offset where the text is not JSON.
 */
#ifndef VOX_BASE_JSON_PULL_H
#define VOX_BASE_JSON_PULL_H

#include <stddef.h>

#include "base/buf.h"

/** A run of bytes somewhere else. */
typedef struct vox_slice {
    const char *p;
    size_t n;
} vox_slice;

typedef enum vox_json_kind {
    VOX_JSON_NONE, /* the text ends, or what follows begins no value */
    VOX_JSON_NULL,
    VOX_JSON_BOOLEAN,
    VOX_JSON_NUMBER,
    VOX_JSON_STRING,
    VOX_JSON_ARRAY,
    VOX_JSON_OBJECT
} vox_json_kind;

typedef struct vox_json_pull {
    const char *begin, *at, *end;
    const char *name; /* of the text, for messages; kept */
    int depth, first; /* first: nothing stands yet in the innermost container */
} vox_json_pull;

void vox_json_pull_init(vox_json_pull *p, const char *text, size_t len, const char *name);

/** What the next value is; takes only white space. */
vox_json_kind vox_json_pull_kind(vox_json_pull *p);

/** "null", "boolean", "number", "string", "array", "object"; "no value". */
const char *vox_json_kind_name(vox_json_kind kind);

/** Enter an object or an array. */
int vox_json_pull_open(vox_json_pull *p, vox_json_kind kind);

/** Next key, as written between its quotes; leaves the object behind its last.
 * @return 1, 0 at the end, or negative */
int vox_json_pull_key(vox_json_pull *p, vox_slice *key);

/** Is there another item? Leaves the array behind its last. @return 1, 0, or negative */
int vox_json_pull_item(vox_json_pull *p);

/** A string, as written between its quotes. */
int vox_json_pull_string(vox_json_pull *p, vox_slice *inside);

/** Any value, whole. */
int vox_json_pull_value(vox_json_pull *p, vox_slice *raw);

/** The text must end here. */
int vox_json_pull_finish(vox_json_pull *p);

/** Is a key or a string, as written, this text? */
int vox_json_is(vox_slice inside, const char *text);

/** Append what a string as written stands for: escapes resolved. Half surrogates DC80..DCFF
 * are Python's way to write a byte that is no UTF-8, and become that byte. */
int vox_json_unescape(vox_buf *out, vox_slice inside);

/** Append a value without the white space between its tokens. */
int vox_json_compact(vox_buf *out, vox_slice raw);

/** The value of a key of an object (the last of that name), both checked before.
 * @return 1, or 0 when there is none, or no object */
int vox_json_find(vox_slice object, const char *key, vox_slice *value);

/** Append `before`, a newline and the indent of that depth. */
int vox_json_line(vox_buf *out, const char *before, int depth);

/**
 * Append a value as Python's json writes it with an indent of 4; numbers stay as written.
 *
 * @param raw    a checked value
 * @param depth  of the value in what is being written
 * @param sort   1: keys by code point
 */
int vox_json_pretty(vox_buf *out, vox_slice raw, int depth, int sort);

#endif
