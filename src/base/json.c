/* json: reading with our errors, writing as Python does. */
#include "base/json.h"

#include <errno.h>
#include <json-c/json_tokener.h>
#include <json-c/json_util.h>
#include <json-c/linkhash.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { DEPTH = 200, INDENT = 4 };

int vox_json_parse(json_object **out, const char *text, size_t len, const char *name)
{
    json_tokener *tok;
    json_object *value;
    size_t end;
    int rc = VOX_OK;

    if (len > INT_MAX - 1)
        return vox_fail(VOX_E_FORMAT, "%s: %zu bytes of JSON, at most %d", name, len,
                        INT_MAX);
    tok = json_tokener_new_ex(DEPTH);
    if (!tok)
        return vox_fail(VOX_E_NOMEM, "%s: no memory to parse", name);
    value = json_tokener_parse_ex(tok, text, (int)len);
    end = json_tokener_get_parse_end(tok);
    if (!value && json_tokener_get_error(tok) == json_tokener_continue) {
        value = json_tokener_parse_ex(tok, "", 1); /* a bare number ends with the text */
        end = len;
    }
    if (json_tokener_get_error(tok) != json_tokener_success) {
        rc = vox_fail(VOX_E_FORMAT, "%s: not JSON at byte %zu: %s", name, end,
                      json_tokener_error_desc(json_tokener_get_error(tok)));
    } else {
        while (end < len && strchr(" \t\r\n", text[end]) && text[end])
            end++;
        if (end < len)
            rc = vox_fail(VOX_E_FORMAT, "%s: text after the JSON value at byte %zu", name,
                          end);
    }
    json_tokener_free(tok);
    if (rc == VOX_OK)
        *out = value;
    else
        json_object_put(value);
    return rc;
}

int vox_json_read(json_object **out, const char *path)
{
    vox_buf text = VOX_BUF_INIT;
    int rc = vox_file_read(&text, path);

    if (rc == VOX_OK)
        rc = vox_json_parse(out, vox_buf_text(&text), text.len, path);
    vox_buf_release(&text);
    return rc;
}

const char *vox_json_double(double v, char buf[static 32])
{
    int digits = 1, exponent;

    if (isnan(v))
        return "NaN";
    if (isinf(v))
        return v > 0 ? "Infinity" : "-Infinity";
    do { /* shortest digits that read back the same */
        snprintf(buf, 32, "%.*e", digits - 1, v);
    } while (strtod(buf, NULL) != v && digits++ < 17);
    exponent = atoi(strchr(buf, 'e') + 1);
    if (exponent < -4 || exponent >= 16) {
        snprintf(buf, 32, "%.*e", digits - 1, v);
    } else {
        const int after = digits - 1 - exponent;

        snprintf(buf, 32, "%.*f", after > 1 ? after : 1, v);
    }
    return buf;
}

/* The character of n bytes at s. */
static uint32_t code_point(const unsigned char *s, int n)
{
    static const unsigned char mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = s[0] & mask[n];

    for (int i = 1; i < n; i++)
        c = c << 6 | (s[i] & 0x3fu);
    return c;
}

static int add_escaped(vox_buf *out, uint32_t c)
{
    if (c < 0x10000)
        return vox_buf_printf(out, "\\u%04x", c);
    return vox_buf_printf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

/* Bytes at p that stand for themselves in a JSON string. */
static size_t plain_run(const char *p, const char *end)
{
    const char *q = p;

    while (q < end && *q >= 0x20 && *q < 0x7f && *q != '"' && *q != '\\')
        q++;
    return (size_t)(q - p);
}

int vox_json_add_string(vox_buf *out, const char *text, size_t len)
{
    static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
    const char *end = text + len;

    VOX_TRY(vox_buf_add(out, "\"", 1));
    for (const char *p = text; p < end;) {
        const size_t run = plain_run(p, end);
        const char *special;
        int n;

        VOX_TRY(vox_buf_add(out, p, run));
        p += run;
        if (p == end)
            break;
        n = vox_utf8_char(p, (size_t)(end - p), 0);
        special = *p ? strchr(from, *p) : NULL;
        if (special)
            VOX_TRY(vox_buf_printf(out, "\\%c", to[special - from]));
        else
            VOX_TRY(add_escaped(out, n ? code_point((const unsigned char *)p, n)
                                       : 0xdc00u | (unsigned char)*p));
        p += n ? n : 1;
    }
    return vox_buf_add(out, "\"", 1);
}

static int add_value(vox_buf *out, json_object *v, int sort_keys, int depth);

static int add_line(vox_buf *out, int depth, const char *before)
{
    return vox_buf_printf(out, "%s\n%*s", before, depth * INDENT, "");
}

static int add_array(vox_buf *out, json_object *v, int sort_keys, int depth)
{
    const size_t n = json_object_array_length(v);

    if (n == 0)
        return vox_buf_add(out, "[]", 2);
    for (size_t i = 0; i < n; i++) {
        VOX_TRY(add_line(out, depth + 1, i ? "," : "["));
        VOX_TRY(add_value(out, json_object_array_get_idx(v, i), sort_keys, depth + 1));
    }
    VOX_TRY(add_line(out, depth, ""));
    return vox_buf_add(out, "]", 1);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_object(vox_buf *out, json_object *v, int sort_keys, int depth)
{
    const size_t n = (size_t)json_object_object_length(v);
    const char **keys;
    size_t at = 0;
    int rc = VOX_OK;

    if (n == 0)
        return vox_buf_add(out, "{}", 2);
    keys = vox_alloc(n, sizeof *keys);
    if (!keys)
        return VOX_E_NOMEM;
    for (struct lh_entry *e = json_object_get_object(v)->head; e; e = e->next)
        keys[at++] = e->k;
    if (sort_keys)
        qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 0; i < n && rc == VOX_OK; i++) {
        rc = add_line(out, depth + 1, i ? "," : "{");
        if (rc == VOX_OK)
            rc = vox_json_add_string(out, keys[i], strlen(keys[i]));
        if (rc == VOX_OK)
            rc = vox_buf_add(out, ": ", 2);
        if (rc == VOX_OK)
            rc = add_value(out, json_object_object_get(v, keys[i]), sort_keys, depth + 1);
    }
    vox_free(keys);
    if (rc == VOX_OK)
        rc = add_line(out, depth, "");
    return rc == VOX_OK ? vox_buf_add(out, "}", 1) : rc;
}

static int add_value(vox_buf *out, json_object *v, int sort_keys, int depth)
{
    char number[32];

    switch (json_object_get_type(v)) {
    case json_type_null:
        return vox_buf_add(out, "null", 4);
    case json_type_boolean:
        return vox_buf_printf(out, "%s", json_object_get_boolean(v) ? "true" : "false");
    case json_type_int:
        return vox_buf_printf(out, "%lld", (long long)json_object_get_int64(v));
    case json_type_double:
        return vox_buf_printf(out, "%s",
                              vox_json_double(json_object_get_double(v), number));
    case json_type_string:
        return vox_json_add_string(out, json_object_get_string(v),
                                   (size_t)json_object_get_string_len(v));
    case json_type_array:
        return add_array(out, v, sort_keys, depth);
    case json_type_object:
        return add_object(out, v, sort_keys, depth);
    }
    return VOX_OK;
}

int vox_json_text(vox_buf *out, json_object *value, int sort_keys)
{
    return add_value(out, value, sort_keys, 0);
}

int vox_json_write(const char *path, json_object *value, int sort_keys)
{
    vox_buf text = VOX_BUF_INIT;
    int rc = vox_json_text(&text, value, sort_keys);

    if (rc == VOX_OK)
        rc = vox_file_write(path, text.data, text.len);
    vox_buf_release(&text);
    return rc;
}

json_object *vox_json_get(json_object *o, const char *key)
{
    json_object *v = NULL;

    if (json_object_get_type(o) == json_type_object)
        json_object_object_get_ex(o, key, &v);
    return v;
}

static int member(json_object **out, json_object *o, const char *key, const char *where,
                  json_type type)
{
    json_object *v = NULL;

    if (json_object_get_type(o) != json_type_object)
        return vox_fail(VOX_E_FORMAT, "%s: is %s, wanted an object with \"%s\"", where,
                        json_type_to_name(json_object_get_type(o)), key);
    if (!json_object_object_get_ex(o, key, &v))
        return vox_fail(VOX_E_MISSING, "%s: has no \"%s\"", where, key);
    if (json_object_get_type(v) != type &&
        !(type == json_type_double && json_object_get_type(v) == json_type_int))
        return vox_fail(VOX_E_FORMAT, "%s: \"%s\" is %s, wanted %s", where, key,
                        json_type_to_name(json_object_get_type(v)),
                        json_type_to_name(type));
    *out = v;
    return VOX_OK;
}

int vox_json_str(const char **out, json_object *o, const char *key, const char *where)
{
    json_object *v;

    VOX_TRY(member(&v, o, key, where, json_type_string));
    *out = json_object_get_string(v);
    return VOX_OK;
}

int vox_json_i64(int64_t *out, json_object *o, const char *key, const char *where)
{
    json_object *v;

    VOX_TRY(member(&v, o, key, where, json_type_int));
    *out = json_object_get_int64(v);
    return VOX_OK;
}

int vox_json_f64(double *out, json_object *o, const char *key, const char *where)
{
    json_object *v;

    VOX_TRY(member(&v, o, key, where, json_type_double));
    *out = json_object_get_double(v);
    return VOX_OK;
}

int vox_json_array(json_object **out, json_object *o, const char *key, const char *where)
{
    return member(out, o, key, where, json_type_array);
}

int vox_json_object(json_object **out, json_object *o, const char *key, const char *where)
{
    return member(out, o, key, where, json_type_object);
}
