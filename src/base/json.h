/*
 * json: json-c with our errors, and text written as Python's json module writes it.
 *
 * Reading accepts the bare tokens NaN, Infinity, -Infinity (peer files hold them). Getters
 * name the key, what was found and what was wanted.
 */
#ifndef VOX_BASE_JSON_H
#define VOX_BASE_JSON_H

#include <json-c/json_object.h>
#include <stdint.h>

#include "base/buf.h"

/** Parse one value that fills the whole text. @param name names the text in messages.
 * @return VOX_OK with a new reference in *out; VOX_E_FORMAT with the byte offset */
int vox_json_parse(json_object **out, const char *text, size_t len, const char *name);

/** Read and parse a file. @return VOX_OK; VOX_E_MISSING, VOX_E_IO, VOX_E_FORMAT */
int vox_json_read(json_object **out, const char *path);

/**
 * Python-like text: indent 4, ": ", "," newline, non-ASCII as \uXXXX, floats in shortest
 * round-trip form with ".0", no final newline.
 * @param sort_keys  1: keys by code point, as the peer writes most files
 */
int vox_json_text(vox_buf *out, json_object *value, int sort_keys);

/** vox_json_text into a file, atomically. */
int vox_json_write(const char *path, json_object *value, int sort_keys);

/** Append a string as Python's json writes it, in quotes. Bytes that are no UTF-8 become
 * half surrogates, as Python writes file names that it could not decode. */
int vox_json_add_string(vox_buf *out, const char *text, size_t len);

/** Text of a double as Python's repr prints it: "1.0", "1e-05", "NaN", "Infinity". */
const char *vox_json_double(double v, char buf[static 32]);

/* Members of an object. `where` names the object in messages ("plans.json:
 * configurations"). A missing key is VOX_E_MISSING, a wrong type VOX_E_FORMAT. Strings and
 * objects are borrowed. */
int vox_json_str(const char **out, json_object *o, const char *key, const char *where);
int vox_json_i64(int64_t *out, json_object *o, const char *key, const char *where);
int vox_json_f64(double *out, json_object *o, const char *key, const char *where);
int vox_json_array(json_object **out, json_object *o, const char *key, const char *where);
int vox_json_object(json_object **out, json_object *o, const char *key, const char *where);

/** The member, or NULL when absent or null. Never fails. */
json_object *vox_json_get(json_object *o, const char *key);

#endif
