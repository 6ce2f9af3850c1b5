/*
 * gzip: libdeflate for whole streams, which is two to three times faster than zlib; zlib
 * where a stream must be stopped midway (headers) or holds more than its header says.
 */
#include "image/gzip.h"

#include <libdeflate.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"

enum { LEVEL = 6, WINDOW_ANY = 15 + 32 /* gzip or zlib */ };

int vox_is_gzip(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;

    return len >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

uint64_t vox_gunzip_bound(size_t len)
{
    return (uint64_t)len * 1032;
}

/* A zlib reader over bytes: hands out decompressed runs, member after member. */
typedef struct reader {
    z_stream z;
    const unsigned char *next, *end;
    int members; /* complete ones */
} reader;

/* More input for zlib, whose counts are 32 bit. */
static void feed(reader *r)
{
    const size_t left = (size_t)(r->end - r->next), run = left < INT_MAX ? left : INT_MAX;

    if (r->z.avail_in == 0) {
        r->z.next_in = (unsigned char *)(uintptr_t)r->next; /* zlib only reads it */
        r->z.avail_in = (uInt)run;
        r->next += run;
    }
}

/* Fill `out`. @return bytes filled; fewer at the end of the stream or on damage (*rc < 0)
 */
static size_t reader_fill(reader *r, unsigned char *out, size_t want, int *rc)
{
    size_t done = 0;

    *rc = Z_OK;
    while (done < want && *rc == Z_OK) {
        const size_t run = want - done < INT_MAX ? want - done : INT_MAX;

        feed(r);
        r->z.next_out = out + done;
        r->z.avail_out = (uInt)run;
        *rc = inflate(&r->z, Z_NO_FLUSH);
        done += run - r->z.avail_out;
        if (*rc != Z_STREAM_END)
            continue;
        r->members++;
        feed(r);
        if (vox_is_gzip(r->z.next_in, r->z.avail_in))
            *rc = inflateReset(&r->z);
    }
    return done;
}

static int reader_open(reader *r, const void *bytes, size_t len)
{
    *r = (reader){.next = bytes, .end = (const unsigned char *)bytes + len};
    return inflateInit2(&r->z, WINDOW_ANY) == Z_OK;
}

size_t vox_gunzip_head(void *out, size_t want, const void *bytes, size_t len)
{
    reader r;
    size_t got;
    int rc;

    if (!reader_open(&r, bytes, len))
        return 0;
    got = reader_fill(&r, out, want, &rc);
    inflateEnd(&r.z);
    return got;
}

/* Where is not known: a member is decompressed in one go. */
static int fail_damaged(const char *name, size_t size)
{
    return vox_fail(
        VOX_E_FORMAT,
        "%s: compressed stream damaged or cut off, header wants %zu bytes of it", name,
        size);
}

static int fail_little(const char *name, size_t got, size_t size)
{
    return vox_fail(VOX_E_FORMAT, "%s: %zu bytes when decompressed, header wants %zu", name,
                    got, size);
}

/* A stream that holds more than `size` bytes: keep the first, check the rest. */
static int gunzip_more(void *out, size_t size, const void *bytes, size_t len,
                       const char *name)
{
    unsigned char rest[16384];
    reader r;
    int rc;

    if (!reader_open(&r, bytes, len))
        return vox_fail(VOX_E_NOMEM, "%s: no memory to decompress", name);
    (void)reader_fill(&r, out, size, &rc);
    while (rc == Z_OK)
        (void)reader_fill(&r, rest, sizeof rest, &rc);
    inflateEnd(&r.z);
    return rc == Z_STREAM_END ? VOX_OK : fail_damaged(name, size);
}

static int gunzip_members(struct libdeflate_decompressor *d, unsigned char *out,
                          size_t size, const unsigned char *bytes, size_t len,
                          const char *name)
{
    const unsigned char *p = bytes;
    size_t left = len, got = 0;

    do {
        size_t used = 0, made = 0;
        const enum libdeflate_result rc =
            libdeflate_gzip_decompress_ex(d, p, left, out + got, size - got, &used, &made);

        if (rc == LIBDEFLATE_INSUFFICIENT_SPACE)
            return gunzip_more(out, size, bytes, len, name);
        if (rc != LIBDEFLATE_SUCCESS)
            return fail_damaged(name, size);
        got += made;
        p += used;
        left -= used;
    } while (vox_is_gzip(p, left));
    return got < size ? fail_little(name, got, size) : VOX_OK;
}

int vox_gunzip(void *out, size_t size, const void *bytes, size_t len, const char *name)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    int rc;

    if (!d)
        return vox_fail(VOX_E_NOMEM, "%s: no memory to decompress", name);
    rc = gunzip_members(d, out, size, bytes, len, name);
    libdeflate_free_decompressor(d);
    return rc;
}

/* A zlib stream has one member. */
static int inflate_zlib(struct libdeflate_decompressor *d, void *out, size_t size,
                        const void *bytes, size_t len, const char *name)
{
    size_t used = 0, made = 0;

    switch (libdeflate_zlib_decompress_ex(d, bytes, len, out, size, &used, &made)) {
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        return gunzip_more(out, size, bytes, len, name);
    case LIBDEFLATE_SUCCESS:
        return made < size ? fail_little(name, made, size) : VOX_OK;
    default:
        return fail_damaged(name, size);
    }
}

int vox_unpack(void *out, size_t size, const void *bytes, size_t len, const char *name)
{
    struct libdeflate_decompressor *d;
    int rc;

    if (vox_is_gzip(bytes, len))
        return vox_gunzip(out, size, bytes, len, name);
    d = libdeflate_alloc_decompressor();
    if (!d)
        return vox_fail(VOX_E_NOMEM, "%s: no memory to decompress", name);
    rc = inflate_zlib(d, out, size, bytes, len, name);
    libdeflate_free_decompressor(d);
    return rc;
}

int vox_gzip(vox_buf *out, const void *bytes, size_t len)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(LEVEL);
    const size_t before = out->len;
    int rc = c ? VOX_OK : vox_fail(VOX_E_NOMEM, "no memory to compress %zu bytes", len);

    if (rc == VOX_OK)
        rc = vox_buf_resize(out, before + libdeflate_gzip_compress_bound(c, len));
    if (rc == VOX_OK)
        out->len = before + libdeflate_gzip_compress(c, bytes, len, out->data + before,
                                                     out->len - before);
    libdeflate_free_compressor(c);
    return rc;
}
