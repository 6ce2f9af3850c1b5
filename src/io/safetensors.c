/*
 * safetensors, reading: a parser for exactly the JSON that a header may hold.
 *
 * json-c is not used here: it lets duplicate keys pass and rounds large integers, and both
 * must be errors.
 */
#include "io/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"

/* Where we are in the header. */
typedef struct reader {
    const char *begin, *p, *end;
    const char *name; /* of the file */
    vox_tensors *out;
    int64_t (*range)[2]; /* data_offsets of out->item[i] */
    int64_t cap_range;
} reader;

static int bad(const reader *r, const char *wanted)
{
    int room = 0;

    while (room < 16 && r->p + room < r->end && r->p[room] >= ' ' && r->p[room] < 127)
        room++;
    return vox_fail(VOX_E_FORMAT, "%s: header byte %lld: found \"%.*s\", wanted %s",
                    r->name, (long long)(r->p - r->begin), room, r->p, wanted);
}

static void skip_space(reader *r)
{
    while (r->p < r->end &&
           (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

/* 1 and past it if the next character is c. */
static int take(reader *r, char c)
{
    skip_space(r);
    if (r->p == r->end || *r->p != c)
        return 0;
    r->p++;
    return 1;
}

static int hex4(reader *r, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, r->p++) {
        const char c = r->p < r->end ? *r->p : '\0';
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;

        if (digit < 0)
            return bad(r, "a hexadecimal digit");
        *out = *out << 4 | (uint32_t)digit;
    }
    return VOX_OK;
}

static char *put_utf8(char *d, uint32_t c)
{
    if (c < 0x80) {
        *d++ = (char)c;
    } else if (c < 0x800) {
        *d++ = (char)(0xc0 | c >> 6);
        *d++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *d++ = (char)(0xe0 | c >> 12);
        *d++ = (char)(0x80 | (c >> 6 & 0x3f));
        *d++ = (char)(0x80 | (c & 0x3f));
    } else {
        *d++ = (char)(0xf0 | c >> 18);
        *d++ = (char)(0x80 | (c >> 12 & 0x3f));
        *d++ = (char)(0x80 | (c >> 6 & 0x3f));
        *d++ = (char)(0x80 | (c & 0x3f));
    }
    return d;
}

/* Behind "\u": one character, two escapes when it is a surrogate pair. Never makes more
 * bytes than it took. */
static int unicode_escape(reader *r, char **d)
{
    uint32_t c, low;

    VOX_TRY(hex4(r, &c));
    if (c >= 0xd800 && c < 0xdc00) {
        if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
            return bad(r, "the second half of a surrogate pair");
        r->p += 2;
        VOX_TRY(hex4(r, &low));
        if (low < 0xdc00 || low > 0xdfff)
            return bad(r, "the second half of a surrogate pair before");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c == 0 || (c >= 0xdc00 && c <= 0xdfff)) {
        return bad(r, "a character before");
    }
    *d = put_utf8(*d, c);
    return VOX_OK;
}

static int escape(reader *r, char **d)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char c = r->p < r->end ? *r->p : '\0';
    const char *at = c ? strchr(from, c) : NULL;

    if (c == 'u') {
        r->p++;
        return unicode_escape(r, d);
    }
    if (!at)
        return bad(r, "an escape sequence");
    r->p++;
    *(*d)++ = to[at - from];
    return VOX_OK;
}

/* The closing quote of the string that begins at r->p, or NULL. */
static const char *closing_quote(const reader *r)
{
    for (const char *p = r->p; p < r->end; p++) {
        if (*p == '"')
            return p;
        if (*p == '\\')
            p++;
    }
    return NULL;
}

/* A string, into the set's arena. */
static int string(reader *r, const char **out)
{
    const char *close;
    char *text, *d;

    if (!take(r, '"'))
        return bad(r, "a string");
    close = closing_quote(r);
    if (!close)
        return bad(r, "a closing quote");
    text = d = vox_arena_alloc(&r->out->arena, (size_t)(close - r->p) + 1, 1);
    if (!text)
        return VOX_E_NOMEM;
    while (r->p < close) {
        const int n = vox_utf8_char(r->p, (size_t)(close - r->p), 0);

        if (n == 0 || (unsigned char)*r->p < 0x20)
            return bad(r, "UTF-8 text");
        if (*r->p == '\\') {
            r->p++;
            VOX_TRY(escape(r, &d));
            continue;
        }
        memcpy(d, r->p, (size_t)n);
        d += n;
        r->p += n;
    }
    *d = '\0';
    r->p = close + 1;
    *out = text;
    return VOX_OK;
}

/* A whole number >= 0. */
static int number(reader *r, int64_t *out)
{
    int64_t v = 0;
    const char *begin;

    skip_space(r);
    begin = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9') {
        const int digit = *r->p - '0';

        if (v > (INT64_MAX - digit) / 10)
            return bad(r, "a number below 2^63");
        v = 10 * v + digit;
        r->p++;
    }
    if (r->p == begin || (*begin == '0' && r->p > begin + 1))
        return bad(r, "a whole number");
    *out = v;
    return VOX_OK;
}

/* "[1,2,3]" of at most `cap` numbers. */
static int numbers(reader *r, int64_t *v, int cap, int *count)
{
    *count = 0;
    if (!take(r, '['))
        return bad(r, "[");
    if (take(r, ']'))
        return VOX_OK;
    do {
        if (*count == cap)
            return vox_fail(VOX_E_FORMAT, "%s: header byte %lld: more than %d numbers",
                            r->name, (long long)(r->p - r->begin), cap);
        VOX_TRY(number(r, &v[(*count)++]));
    } while (take(r, ','));
    return take(r, ']') ? VOX_OK : bad(r, "]");
}

static int dtype(reader *r, vox_dtype *out)
{
    const char *name;

    VOX_TRY(string(r, &name));
    for (int t = VOX_F32; t <= VOX_BOOL; t++) {
        if (strcmp(name, vox_safetensors_type((vox_dtype)t)) == 0) {
            *out = (vox_dtype)t;
            return VOX_OK;
        }
    }
    return vox_fail(VOX_E_FORMAT,
                    "%s: element type \"%s\", wanted F32, F16, BF16, F64, I64, I32, "
                    "I16, I8, U8 or BOOL",
                    r->name, name);
}

enum { HAS_DTYPE = 1, HAS_SHAPE = 2, HAS_RANGE = 4, HAS_ALL = 7 };

/* The three fields of a tensor. */
typedef struct entry {
    vox_dtype dtype;
    vox_shape shape;
    int64_t range[2];
    int has;
} entry;

static int field(reader *r, entry *e, const char *key)
{
    int bit, count = 2;

    if (strcmp(key, "dtype") == 0) {
        bit = HAS_DTYPE;
        VOX_TRY(dtype(r, &e->dtype));
    } else if (strcmp(key, "shape") == 0) {
        bit = HAS_SHAPE;
        VOX_TRY(numbers(r, e->shape.n, VOX_MAX_RANK, &e->shape.rank));
    } else if (strcmp(key, "data_offsets") == 0) {
        bit = HAS_RANGE;
        VOX_TRY(numbers(r, e->range, 2, &count));
    } else {
        return bad(r, "dtype, shape or data_offsets before");
    }
    if (count != 2)
        return bad(r, "two offsets before");
    if (e->has & bit)
        return bad(r, "no key twice, but it is one before");
    e->has |= bit;
    return VOX_OK;
}

static int check_entry(const reader *r, const entry *e, const char *name)
{
    const int64_t count = vox_shape_count(e->shape);
    const int64_t bytes = e->range[1] - e->range[0];
    char text[128];

    if (count < 0 || bytes < 0 || bytes != count * (int64_t)vox_dtype_size(e->dtype))
        return vox_fail(VOX_E_FORMAT,
                        "%s: tensor \"%s\" is %s %s, but has bytes %lld to %lld", r->name,
                        name, vox_dtype_name(e->dtype), vox_shape_text(e->shape, text),
                        (long long)e->range[0], (long long)e->range[1]);
    return VOX_OK;
}

/* {"dtype":..., "shape":..., "data_offsets":...} in any order. */
static int tensor(reader *r, const char *name)
{
    vox_tensors *out = r->out;
    entry e = {0};

    if (!take(r, '{'))
        return bad(r, "{");
    do {
        const char *key;

        VOX_TRY(string(r, &key));
        if (!take(r, ':'))
            return bad(r, ":");
        VOX_TRY(field(r, &e, key));
    } while (take(r, ','));
    if (!take(r, '}'))
        return bad(r, "}");
    if (e.has != HAS_ALL)
        return vox_fail(VOX_E_FORMAT,
                        "%s: tensor \"%s\" lacks dtype, shape or data_offsets", r->name,
                        name);
    VOX_TRY(check_entry(r, &e, name));
    if (vox_tensors_find(out, name))
        return vox_fail(VOX_E_FORMAT, "%s: tensor \"%s\" is there twice", r->name, name);
    VOX_TRY(vox_grow(&r->range, &r->cap_range, out->count + 1, sizeof *r->range));
    memcpy(r->range[out->count], e.range, sizeof e.range);
    return vox_tensors_add(out, name, e.dtype, e.shape, NULL);
}

static int metadata(reader *r)
{
    const char *key, *value;

    if (!take(r, '{'))
        return bad(r, "{");
    if (take(r, '}'))
        return VOX_OK;
    do {
        VOX_TRY(string(r, &key));
        if (!take(r, ':'))
            return bad(r, ":");
        VOX_TRY(string(r, &value));
        if (vox_tensors_meta(r->out, key))
            return vox_fail(VOX_E_FORMAT, "%s: metadata key \"%s\" is there twice", r->name,
                            key);
        VOX_TRY(vox_tensors_set_meta(r->out, key, value));
    } while (take(r, ','));
    return take(r, '}') ? VOX_OK : bad(r, "}");
}

static int header(reader *r)
{
    int seen = 0;

    if (r->p == r->end || *r->p != '{')
        return bad(r, "{");
    r->p++;
    if (take(r, '}'))
        return VOX_OK;
    do {
        const char *key;

        VOX_TRY(string(r, &key));
        if (!take(r, ':'))
            return bad(r, ":");
        if (strcmp(key, "__metadata__") != 0) {
            VOX_TRY(tensor(r, key));
        } else if (seen++) {
            return vox_fail(VOX_E_FORMAT, "%s: __metadata__ is there twice", r->name);
        } else {
            VOX_TRY(metadata(r));
        }
    } while (take(r, ','));
    return take(r, '}') ? VOX_OK : bad(r, "} or ,");
}

static int by_begin(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    const int begin = (x[0] > y[0]) - (x[0] < y[0]);

    return begin ? begin : (x[1] > y[1]) - (x[1] < y[1]);
}

/* Point the tensors at their bytes, then check that these fill the data exactly. */
static int place_data(reader *r, const char *data, size_t len)
{
    vox_tensors *out = r->out;
    int64_t at = 0;

    for (int64_t i = 0; i < out->count; i++) {
        if ((uint64_t)r->range[i][1] > len)
            return vox_fail(VOX_E_FORMAT, "%s: tensor \"%s\" ends at data byte %lld of %zu",
                            r->name, out->item[i].name, (long long)r->range[i][1], len);
        out->item[i].data = data + r->range[i][0];
    }
    if (out->count)
        qsort(r->range, (size_t)out->count, sizeof *r->range, by_begin);
    for (int64_t i = 0; i < out->count; i++) {
        if (r->range[i][0] != at)
            return vox_fail(VOX_E_FORMAT, "%s: %s in the data at byte %lld", r->name,
                            r->range[i][0] > at ? "a hole" : "tensors overlap",
                            (long long)at);
        at = r->range[i][1];
    }
    if ((uint64_t)at != len)
        return vox_fail(VOX_E_FORMAT, "%s: %zu bytes of data, the tensors are %lld",
                        r->name, len, (long long)at);
    return VOX_OK;
}

static int parse(reader *r, const char *bytes, size_t len)
{
    uint64_t n = 0;

    if (len < 8)
        return vox_fail(VOX_E_FORMAT, "%s: %zu bytes, wanted at least 8", r->name, len);
    for (int i = 7; i >= 0; i--)
        n = n << 8 | (unsigned char)bytes[i];
    if (n > (size_t)VOX_SAFETENSORS_HEADER || n > len - 8)
        return vox_fail(
            VOX_E_FORMAT,
            "%s: not safetensors: a header of %llu bytes in a file of %zu (at most "
            "%zu)",
            r->name, (unsigned long long)n, len, (size_t)VOX_SAFETENSORS_HEADER);
    r->begin = r->p = bytes + 8;
    r->end = r->begin + n;
    VOX_TRY(header(r));
    skip_space(r);
    if (r->p != r->end)
        return bad(r, "only spaces");
    return place_data(r, r->end, len - 8 - (size_t)n);
}

int vox_safetensors_parse(vox_tensors *out, const void *bytes, size_t len, const char *name)
{
    reader r = {.name = name, .out = out};
    int rc;

    *out = (vox_tensors)VOX_TENSORS_INIT;
    out->source = vox_arena_strdup(&out->arena, name);
    rc = out->source ? parse(&r, bytes, len) : VOX_E_NOMEM;
    vox_free(r.range);
    if (rc != VOX_OK)
        vox_tensors_release(out);
    return rc;
}

int vox_safetensors_read(vox_tensors *out, const char *path)
{
    vox_map map;
    int rc;

    *out = (vox_tensors)VOX_TENSORS_INIT;
    VOX_TRY(vox_map_open(&map, path));
    rc = vox_safetensors_parse(out, map.data, map.len, path);
    if (rc == VOX_OK)
        out->map = map;
    else
        vox_map_close(&map);
    return rc;
}
