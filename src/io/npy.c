/*
 * npy: the header is a Python dictionary literal; we take the three keys in any order, with
 * any spacing, and nothing else.
 * Source: NumPy's format description, numpy.lib.format.
 */
#include "io/npy.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

typedef struct reader {
    const char *p, *end;
    const char *name;
} reader;

typedef struct npy_head {
    vox_dtype dtype;
    vox_shape shape;
    int fortran, seen; /* seen: bits 1 descr, 2 fortran_order, 4 shape */
} npy_head;

static int bad(const reader *r, const char *wanted)
{
    return vox_fail(VOX_E_FORMAT, "%s: .npy header: wanted %s", r->name, wanted);
}

static int take(reader *r, char c)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n'))
        r->p++;
    if (r->p == r->end || *r->p != c)
        return 0;
    r->p++;
    return 1;
}

/* A quoted word of at most 15 characters. */
static int word(reader *r, char out[static 16])
{
    const char quote = take(r, '\'') ? '\'' : '"';
    int n = 0;

    if (quote == '"' && !take(r, '"'))
        return bad(r, "a quoted word");
    while (r->p < r->end && *r->p != quote && n < 15)
        out[n++] = *r->p++;
    out[n] = '\0';
    return take(r, quote) ? VOX_OK : bad(r, "a short quoted word");
}

static const struct type_row {
    const char *descr;
    vox_dtype dtype;
} types[] = {
    {"f4", VOX_F32 },
    {"f8", VOX_F64 },
    {"u1", VOX_U8  },
    {"i8", VOX_I64 },
    {"i4", VOX_I32 },
    {"i2", VOX_I16 },
    {"i1", VOX_I8  },
    {"b1", VOX_BOOL},
    {"f2", VOX_F16 },
};

static int descr(reader *r, vox_dtype *out)
{
    char text[16];

    VOX_TRY(word(r, text));
    for (int i = 0; i < VOX_COUNT(types); i++) {
        const int one_byte = vox_dtype_size(types[i].dtype) == 1;

        if (strcmp(text + (text[0] != '\0'), types[i].descr) == 0 &&
            (text[0] == '<' || text[0] == '=' || (text[0] == '|' && one_byte))) {
            *out = types[i].dtype;
            return VOX_OK;
        }
    }
    return vox_fail(VOX_E_FORMAT,
                    "%s: element type '%s', wanted one of <f2 <f4 <f8 <i2 <i4 <i8 "
                    "|i1 |u1 |b1",
                    r->name, text);
}

static int truth(reader *r, int *out)
{
    const char *text[2] = {"False", "True"};

    (void)take(r, ' ');
    for (int i = 0; i < 2; i++) {
        const size_t n = strlen(text[i]);

        if ((size_t)(r->end - r->p) >= n && memcmp(r->p, text[i], n) == 0) {
            r->p += n;
            *out = i;
            return VOX_OK;
        }
    }
    return bad(r, "True or False");
}

/* "(2, 3)", "(2,)" or "()". */
static int shape(reader *r, vox_shape *out)
{
    if (!take(r, '('))
        return bad(r, "a shape");
    while (!take(r, ')')) {
        int64_t v = 0;
        int digits = 0;

        while (r->p < r->end && *r->p >= '0' && *r->p <= '9' && digits < 18) {
            v = 10 * v + (*r->p++ - '0');
            digits++;
        }
        if (digits == 0 || out->rank == VOX_MAX_RANK)
            return bad(r, "a shape of at most 6 extents");
        out->n[out->rank++] = v;
        if (take(r, ',')) {
            (void)take(r, ' ');
            continue;
        }
        if (!take(r, ')'))
            return bad(r, "a comma or )");
        break;
    }
    return VOX_OK;
}

static int pair(reader *r, npy_head *h)
{
    char key[16];
    int bit;

    VOX_TRY(word(r, key));
    if (!take(r, ':'))
        return bad(r, "a colon");
    if (strcmp(key, "descr") == 0) {
        bit = 1;
        VOX_TRY(descr(r, &h->dtype));
    } else if (strcmp(key, "fortran_order") == 0) {
        bit = 2;
        VOX_TRY(truth(r, &h->fortran));
    } else if (strcmp(key, "shape") == 0) {
        bit = 4;
        VOX_TRY(shape(r, &h->shape));
    } else {
        return bad(r, "descr, fortran_order or shape");
    }
    if (h->seen & bit)
        return bad(r, "each key once");
    h->seen |= bit;
    return VOX_OK;
}

static int head(reader *r, npy_head *h)
{
    if (!take(r, '{'))
        return bad(r, "{");
    while (!take(r, '}')) {
        VOX_TRY(pair(r, h));
        if (!take(r, ',')) {
            if (!take(r, '}'))
                return bad(r, "a comma or }");
            break;
        }
    }
    while (take(r, ' ')) {
    }
    if (h->seen != 7 || r->p != r->end)
        return bad(r, "descr, fortran_order, shape, and nothing else");
    return VOX_OK;
}

/* Find the header. */
static int frame(reader *r, const unsigned char *b, size_t len)
{
    static const char magic[] = "\x93NUMPY";
    const size_t at = len > 6 && b[6] >= 2 ? 12 : 10;
    size_t n;

    if (len < at || memcmp(b, magic, 6) != 0 || b[6] < 1 || b[6] > 3)
        return vox_fail(VOX_E_FORMAT, "%s: not an .npy file of version 1 to 3", r->name);
    n = (size_t)b[8] | (size_t)b[9] << 8;
    if (at == 12)
        n |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (n > len - at)
        return vox_fail(VOX_E_FORMAT, "%s: an .npy header of %zu bytes, the file has %zu",
                        r->name, n, len - at);
    r->p = (const char *)b + at;
    r->end = r->p + n;
    return VOX_OK;
}

static void fortran_strides(vox_view *t)
{
    int64_t stride = 1;

    for (int i = 0; i < t->shape.rank; i++) {
        t->stride[i] = stride;
        stride *= t->shape.n[i];
    }
}

int vox_npy_parse(vox_view *out, const void *bytes, size_t len, const char *name)
{
    reader r = {.name = name};
    npy_head h = {0};
    int64_t count;
    size_t left;

    VOX_TRY(frame(&r, bytes, len));
    VOX_TRY(head(&r, &h));
    count = vox_shape_count(h.shape);
    left = len - (size_t)(r.end - (const char *)bytes);
    if (count < 0 || (uint64_t)count * vox_dtype_size(h.dtype) != left) {
        char text[128];

        return vox_fail(VOX_E_FORMAT, "%s: %zu bytes of data, wanted %s %s", name, left,
                        vox_dtype_name(h.dtype), vox_shape_text(h.shape, text));
    }
    *out = vox_view_of(h.dtype, h.shape, r.end);
    out->name = name;
    if (h.fortran && count > 0)
        fortran_strides(out);
    return VOX_OK;
}

int vox_npy_open(vox_npy *npy, const char *path)
{
    int rc;

    *npy = (vox_npy)VOX_NPY_INIT;
    VOX_TRY(vox_map_open(&npy->map, path));
    rc = vox_npy_parse(&npy->tensor, npy->map.data, npy->map.len, path);
    if (rc != VOX_OK)
        vox_npy_close(npy);
    return rc;
}

void vox_npy_close(vox_npy *npy)
{
    vox_map_close(&npy->map);
    *npy = (vox_npy)VOX_NPY_INIT;
}

static int make_head(vox_buf *b, const vox_view *t)
{
    const char *code = NULL;
    size_t n;

    for (int i = 0; i < VOX_COUNT(types); i++) {
        if (types[i].dtype == t->dtype)
            code = types[i].descr;
    }
    if (!code)
        return vox_fail(VOX_E_ARG, "%s is no element type of .npy",
                        vox_dtype_name(t->dtype));
    VOX_TRY(vox_buf_add(b, "\x93NUMPY\x01\x00\x00\x00", 10));
    VOX_TRY(vox_buf_printf(b, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                           vox_dtype_size(t->dtype) == 1 ? '|' : '<', code));
    for (int i = 0; i < t->shape.rank; i++)
        VOX_TRY(vox_buf_printf(b,
                               i == 0  ? "%lld,"
                               : i > 1 ? ", %lld"
                                       : " %lld",
                               (long long)t->shape.n[i]));
    VOX_TRY(vox_buf_printf(b, "), }"));
    while (b->len % 64 != 63)
        VOX_TRY(vox_buf_add(b, " ", 1));
    VOX_TRY(vox_buf_add(b, "\n", 1));
    n = b->len - 10;
    b->data[8] = (char)(n & 0xff);
    b->data[9] = (char)(n >> 8);
    return VOX_OK;
}

int vox_npy_write(const char *path, const vox_view *t)
{
    const size_t n = (size_t)vox_shape_count(t->shape) * vox_dtype_size(t->dtype);
    vox_buf b = VOX_BUF_INIT;
    int rc = make_head(&b, t);
    const size_t at = b.len;

    if (rc == VOX_OK)
        rc = vox_buf_resize(&b, at + n);
    if (rc == VOX_OK) {
        vox_view_pack(b.data + at, t);
        rc = vox_file_write(path, b.data, b.len);
    }
    vox_buf_release(&b);
    return rc;
}
