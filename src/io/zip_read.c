/*
 * zip, reading: end record -> central directory -> local headers. Nothing is believed:
 * every offset and length is checked against the archive, and entries may not overlap; only
 * then are deflated ones inflated.
 * Source: PKWARE's APPNOTE; checkpoints.md 1.2.
 */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "io/zip.h"

enum { END_SIZE = 22, LOCATOR_SIZE = 20, END64_SIZE = 56, LINE_SIZE = 46, LOCAL_SIZE = 30 };
enum { MAX_RATIO = 1032 }; /* deflate makes no more of a byte */

typedef struct reader {
    const unsigned char *b;
    size_t len;
    const char *name;
    vox_zip *out;
    uint64_t directory, directory_end, count;
} reader;

/* A line of the central directory. */
typedef struct line {
    unsigned flags, method;
    uint32_t crc;
    uint64_t packed, size, header;
    const char *name;
    size_t name_len;
} line;

static uint64_t get(const unsigned char *p, int bytes)
{
    uint64_t v = 0;

    for (int i = bytes - 1; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static int bad(const reader *r, const char *what)
{
    return vox_fail(VOX_E_FORMAT, "%s: damaged or cut zip archive: %s", r->name, what);
}

/* The last end record whose comment reaches exactly to the end of the file. */
static const unsigned char *find_end(const reader *r)
{
    for (size_t back = END_SIZE; back <= r->len && back <= END_SIZE + 0xffff; back++) {
        const unsigned char *p = r->b + r->len - back;

        if (get(p, 4) == 0x06054b50 && get(p + 20, 2) == back - END_SIZE)
            return p;
    }
    return NULL;
}

/* The zip64 end record in front of the classic one. */
static int read_end64(reader *r, const unsigned char *locator)
{
    const uint64_t at = get(locator + 8, 8);
    const size_t room = (size_t)(locator - r->b);
    const unsigned char *p;

    if (room < END64_SIZE || at > room - END64_SIZE || get(r->b + at, 4) != 0x06064b50)
        return bad(r, "no zip64 end record where its locator says");
    p = r->b + at;
    r->count = get(p + 32, 8);
    r->directory = get(p + 48, 8);
    r->directory_end = r->directory + get(p + 40, 8);
    if (r->directory_end < r->directory || r->directory_end > at)
        return bad(r, "the central directory leaves the file");
    return VOX_OK;
}

static int read_end(reader *r)
{
    const unsigned char *end = r->len >= 4 && r->b[0] == 'P' ? find_end(r) : NULL;
    size_t at;

    if (!end)
        return vox_fail(VOX_E_FORMAT, "%s: not a zip archive, or its end is missing",
                        r->name);
    at = (size_t)(end - r->b);
    if (get(end + 4, 2) != 0 || get(end + 6, 2) != 0)
        return bad(r, "it has several parts");
    if (at >= LOCATOR_SIZE && get(end - LOCATOR_SIZE, 4) == 0x07064b50)
        return read_end64(r, end - LOCATOR_SIZE);
    r->count = get(end + 10, 2);
    r->directory = get(end + 16, 4);
    r->directory_end = r->directory + get(end + 12, 4);
    return r->directory_end > at ? bad(r, "the central directory leaves the file") : VOX_OK;
}

/* The zip64 field of a line holds those of size, packed size and offset that overflowed. */
static int read_extra(const reader *r, line *l, const unsigned char *p, size_t n)
{
    uint64_t *const value[3] = {&l->size, &l->packed, &l->header};

    while (n >= 4) {
        const size_t size = (size_t)get(p + 2, 2);
        const unsigned char *q = p + 4, *end = q + size;

        if (size > n - 4)
            return bad(r, "an extra field leaves its line");
        for (int i = 0; get(p, 2) == 1 && i < 3; i++) {
            if (*value[i] != 0xffffffff)
                continue;
            if (end - q < 8)
                return bad(r, "a zip64 field is too short");
            *value[i] = get(q, 8);
            q += 8;
        }
        p = end;
        n -= 4 + size;
    }
    return VOX_OK;
}

/* One line of the central directory; *at moves behind it. */
static int read_line(const reader *r, line *l, uint64_t *at)
{
    const unsigned char *p = r->b + *at;
    const uint64_t room = r->directory_end - *at;
    size_t extra, all;

    if (room < LINE_SIZE || get(p, 4) != 0x02014b50)
        return bad(r, "the central directory is too short");
    l->flags = (unsigned)get(p + 8, 2);
    l->method = (unsigned)get(p + 10, 2);
    l->crc = (uint32_t)get(p + 16, 4);
    l->packed = get(p + 20, 4);
    l->size = get(p + 24, 4);
    l->name_len = (size_t)get(p + 28, 2);
    extra = (size_t)get(p + 30, 2);
    l->header = get(p + 42, 4);
    l->name = (const char *)p + LINE_SIZE;
    all = LINE_SIZE + l->name_len + extra + (size_t)get(p + 32, 2);
    if (all > room)
        return bad(r, "the central directory is too short");
    *at += all;
    return read_extra(r, l, p + LINE_SIZE + l->name_len, extra);
}

/* Find the payload behind the local header; it must lie in front of the central directory.
 */
static int read_local(const reader *r, const line *l, uint64_t *payload)
{
    const unsigned char *p;
    uint64_t room = r->directory;

    if (room < LOCAL_SIZE || l->header > room - LOCAL_SIZE ||
        get(r->b + l->header, 4) != 0x04034b50)
        return bad(r, "no entry where the central directory says");
    p = r->b + l->header;
    room -= l->header + LOCAL_SIZE;
    *payload = get(p + 26, 2) + get(p + 28, 2);
    if (*payload > room || l->packed > room - *payload)
        return bad(r, "an entry leaves the file");
    if (get(p + 26, 2) != l->name_len ||
        memcmp(p + LOCAL_SIZE, l->name, l->name_len) != 0 || get(p + 8, 2) != l->method)
        return bad(r, "an entry is not the one that the central directory names");
    *payload += l->header + LOCAL_SIZE;
    return VOX_OK;
}

/* The contents of a deflated entry, whose data are still the archive's. */
static int inflate(const reader *r, vox_zip_entry *e)
{
    const size_t n = (size_t)(r->b + e->end - e->data);
    struct libdeflate_decompressor *d;
    enum libdeflate_result result;
    unsigned char *data;

    if (e->size / MAX_RATIO > n)
        return bad(r, "a compressed entry claims an impossible size");
    data = vox_arena_alloc(&r->out->arena, e->size ? e->size : 1, 1);
    if (!data)
        return VOX_E_NOMEM;
    d = libdeflate_alloc_decompressor();
    if (!d)
        return vox_fail(VOX_E_NOMEM, "%s: no memory to inflate an entry", r->name);
    result = libdeflate_deflate_decompress(d, e->data, n, data, e->size, NULL);
    libdeflate_free_decompressor(d);
    e->data = data;
    return result == LIBDEFLATE_SUCCESS ? VOX_OK : bad(r, "a compressed entry is damaged");
}

static int entry_name(const reader *r, const line *l, char **out)
{
    if (l->name_len == 0 || memchr(l->name, 0, l->name_len) ||
        !vox_utf8_valid(l->name, l->name_len, 0))
        return bad(r, "the name of an entry is not text");
    *out = vox_arena_alloc(&r->out->arena, l->name_len + 1, 1);
    if (!*out)
        return VOX_E_NOMEM;
    memcpy(*out, l->name, l->name_len);
    return VOX_OK;
}

static int add_entry(const reader *r, const line *l)
{
    vox_zip *out = r->out;
    vox_zip_entry e = {.size = (size_t)l->size,
                       .header = l->header,
                       .crc = l->crc,
                       .deflated = l->method == 8};
    uint64_t payload = 0;
    char *name = NULL;
    int added;

    VOX_TRY(entry_name(r, l, &name));
    if (l->flags & 1)
        return vox_fail(VOX_E_FORMAT, "%s: entry %s is encrypted", r->name, name);
    VOX_TRY(read_local(r, l, &payload));
    e.name = name;
    e.data = r->b + payload;
    e.end = payload + l->packed;
    if (l->method != 0 && l->method != 8)
        return vox_fail(VOX_E_FORMAT,
                        "%s: entry %s is compressed by method %u, wanted 0 or 8", r->name,
                        name, l->method);
    if (l->method == 0 && l->packed != l->size)
        return bad(r, "a stored entry has two sizes");
    VOX_TRY(vox_grow(&out->entry, &out->cap, out->count + 1, sizeof *out->entry));
    VOX_TRY(vox_dict_set(&out->index, name, out->count, &added));
    if (!added)
        return vox_fail(VOX_E_FORMAT, "%s: two entries are named %s", r->name, name);
    out->entry[out->count++] = e;
    return VOX_OK;
}

static int by_header(const void *a, const void *b)
{
    const vox_zip_entry *x = *(const vox_zip_entry *const *)a;
    const vox_zip_entry *y = *(const vox_zip_entry *const *)b;

    return (x->header > y->header) - (x->header < y->header);
}

static int check_overlap(const reader *r)
{
    const vox_zip *z = r->out;
    const vox_zip_entry **order = vox_alloc((size_t)z->count + 1, sizeof *order);
    int rc = VOX_OK;

    if (!order)
        return VOX_E_NOMEM;
    for (int64_t i = 0; i < z->count; i++)
        order[i] = &z->entry[i];
    qsort(order, (size_t)z->count, sizeof *order, by_header);
    for (int64_t i = 1; rc == VOX_OK && i < z->count; i++) {
        if (order[i]->header < order[i - 1]->end)
            rc = bad(r, "entries overlap");
    }
    vox_free(order);
    return rc;
}

static int parse(reader *r)
{
    uint64_t at;

    VOX_TRY(read_end(r));
    at = r->directory;
    for (uint64_t i = 0; i < r->count; i++) {
        line l;

        VOX_TRY(read_line(r, &l, &at));
        VOX_TRY(add_entry(r, &l));
    }
    VOX_TRY(check_overlap(r));
    for (int64_t i = 0; i < r->out->count; i++) {
        if (r->out->entry[i].deflated)
            VOX_TRY(inflate(r, &r->out->entry[i]));
    }
    return VOX_OK;
}

int vox_zip_parse(vox_zip *out, const void *bytes, size_t len, const char *name)
{
    reader r = {.b = bytes, .len = len, .name = name, .out = out};
    int rc;

    *out = (vox_zip)VOX_ZIP_INIT;
    out->source = vox_arena_strdup(&out->arena, name);
    rc = out->source ? parse(&r) : VOX_E_NOMEM;
    if (rc != VOX_OK)
        vox_zip_release(out);
    return rc;
}

const vox_zip_entry *vox_zip_find(const vox_zip *z, const char *name)
{
    const int64_t i = vox_dict_get(&z->index, name, -1);

    return i < 0 ? NULL : &z->entry[i];
}

int vox_zip_verify(const vox_zip *z)
{
    for (int64_t i = 0; i < z->count; i++) {
        const vox_zip_entry *e = &z->entry[i];
        const uint32_t crc = libdeflate_crc32(0, e->data, e->size);

        if (crc != e->crc)
            return vox_fail(
                VOX_E_FORMAT,
                "%s: entry %s has checksum %08x, the archive says %08x: damaged, or "
                "written without checksums",
                z->source, e->name, crc, e->crc);
    }
    return VOX_OK;
}

void vox_zip_release(vox_zip *z)
{
    vox_free(z->entry);
    vox_dict_release(&z->index);
    vox_arena_release(&z->arena);
    *z = (vox_zip)VOX_ZIP_INIT;
}
