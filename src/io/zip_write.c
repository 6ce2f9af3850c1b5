/*
 * zip, writing: stored entries, sizes and checksum in the local header, no data
 * descriptors.
 *
 *     local header   30 bytes, name, [zip64 sizes], 'FB' field: pads to a multiple of 64
 *     payload
 *     ...
 *     central directory, [zip64 end record and locator], end record
 *
 * The checksum is known only behind the payload: it is patched into the header.
 * Source: PKWARE's APPNOTE; checkpoints.md 1.2.
 */
#include <libdeflate.h>
#include <string.h>

#include "base/error.h"
#include "io/zip.h"

enum { STORED = 20, ZIP64 = 45, UTF8_NAMES = 0x0800, FIRST_DAY = 0x0021, ALIGN = 64 };

/* A record being put together. */
typedef struct record {
    unsigned char b[512];
    size_t n;
} record;

static void put(record *r, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        r->b[r->n++] = (unsigned char)(v >> 8 * i);
}

static int write_bytes(vox_zip_writer *w, const void *data, size_t n)
{
    if (n && fwrite(data, 1, n, w->f) != n)
        return vox_fail_errno(VOX_E_IO, "%s: cannot write", w->path);
    w->at += n;
    return VOX_OK;
}

void vox_zip_begin(vox_zip_writer *w, FILE *f, const char *path, const char *prefix)
{
    *w = (vox_zip_writer){.f = f, .path = path, .prefix = prefix, .limit = 0xffffffff};
}

/* The fields that local header and central directory share. */
static void put_common(record *r, uint64_t size32, int version, uint32_t crc, size_t name)
{
    put(r, (uint64_t)version, 2);
    put(r, UTF8_NAMES, 2);
    put(r, 0, 2); /* stored */
    put(r, 0, 2); /* time */
    put(r, FIRST_DAY, 2);
    put(r, crc, 4);
    put(r, size32, 4);
    put(r, size32, 4);
    put(r, name, 2);
}

/* The central directory's line for the entry about to be written; its checksum comes later.
 */
static int add_central(vox_zip_writer *w, const char *name, uint64_t size)
{
    const int big_size = size >= w->limit, big_offset = w->header >= w->limit;
    const size_t n = strlen(w->prefix) + strlen(name);
    record r = {.n = 0}, extra = {.n = 0};

    if (big_size || big_offset) {
        put(&extra, 1, 2);
        put(&extra, (big_size ? 16u : 0u) + (big_offset ? 8u : 0u), 2);
    }
    if (big_size) {
        put(&extra, size, 8);
        put(&extra, size, 8);
    }
    if (big_offset)
        put(&extra, w->header, 8);
    put(&r, 0x02014b50, 4);
    put(&r, extra.n ? ZIP64 : STORED, 2);
    put_common(&r, big_size ? 0xffffffff : size, extra.n ? ZIP64 : STORED, 0, n);
    put(&r, extra.n, 2);
    put(&r, 0, 2 + 2 + 2); /* no comment, first disk, no attributes */
    put(&r, 0, 4);
    put(&r, big_offset ? 0xffffffff : w->header, 4);
    VOX_TRY(vox_buf_add(&w->central, r.b, r.n));
    VOX_TRY(vox_buf_add(&w->central, w->prefix, strlen(w->prefix)));
    VOX_TRY(vox_buf_add(&w->central, name, strlen(name)));
    return vox_buf_add(&w->central, extra.b, extra.n);
}

int vox_zip_open(vox_zip_writer *w, const char *name, uint64_t size)
{
    const int big = size >= w->limit;
    const size_t n = strlen(w->prefix) + strlen(name);
    const uint64_t start = w->at + 30 + n + (big ? 20 : 0) + 4;
    const uint64_t pad = (ALIGN - start % ALIGN) % ALIGN;
    record head = {.n = 0}, extra = {.n = 0};

    VOX_ASSERT(w->left == 0 && n > 0 && n < 0xffff);
    w->header = w->at;
    w->line = w->central.len;
    w->left = size;
    w->crc = 0;
    VOX_TRY(add_central(w, name, size));
    if (big) {
        put(&extra, 1, 2);
        put(&extra, 16, 2);
        put(&extra, size, 8);
        put(&extra, size, 8);
    }
    put(&extra, 'F' | 'B' << 8, 2);
    put(&extra, pad, 2);
    for (uint64_t i = 0; i < pad; i++)
        put(&extra, 'Z', 1);
    put(&head, 0x04034b50, 4);
    put_common(&head, big ? 0xffffffff : size, big ? ZIP64 : STORED, 0, n);
    put(&head, extra.n, 2);
    VOX_TRY(write_bytes(w, head.b, head.n));
    VOX_TRY(write_bytes(w, w->prefix, strlen(w->prefix)));
    VOX_TRY(write_bytes(w, name, strlen(name)));
    return write_bytes(w, extra.b, extra.n);
}

int vox_zip_put(vox_zip_writer *w, const void *data, size_t n)
{
    VOX_ASSERT(n <= w->left);
    w->crc = libdeflate_crc32(w->crc, data, n);
    w->left -= n;
    return write_bytes(w, data, n);
}

/* Patch the checksum into the local header and into the line of the central directory. */
int vox_zip_close(vox_zip_writer *w)
{
    record r = {.n = 0};

    VOX_ASSERT(w->left == 0);
    put(&r, w->crc, 4);
    memcpy(w->central.data + w->line + 16, r.b, 4);
    w->count++;
    if (fseeko(w->f, (off_t)w->header + 14, SEEK_SET) != 0 ||
        fwrite(r.b, 1, 4, w->f) != 4 || fseeko(w->f, (off_t)w->at, SEEK_SET) != 0)
        return vox_fail_errno(VOX_E_IO, "%s: cannot write", w->path);
    return VOX_OK;
}

int vox_zip_add(vox_zip_writer *w, const char *name, const void *data, size_t n)
{
    VOX_TRY(vox_zip_open(w, name, n));
    VOX_TRY(vox_zip_put(w, data, n));
    return vox_zip_close(w);
}

/* Count and place of the central directory do not fit the classic record: zip64's two. */
static void put_end64(record *r, const vox_zip_writer *w, uint64_t directory)
{
    put(r, 0x06064b50, 4);
    put(r, 44, 8); /* bytes of this record that follow */
    put(r, ZIP64, 2);
    put(r, ZIP64, 2);
    put(r, 0, 4 + 4); /* disks */
    put(r, (uint64_t)w->count, 8);
    put(r, (uint64_t)w->count, 8);
    put(r, w->central.len, 8);
    put(r, directory, 8);
    put(r, 0x07064b50, 4);
    put(r, 0, 4);
    put(r, w->at, 8); /* where the zip64 record begins */
    put(r, 1, 4);
}

int vox_zip_end(vox_zip_writer *w)
{
    const uint64_t directory = w->at;
    record r = {.n = 0};
    uint64_t count = (uint64_t)w->count, size = w->central.len, offset = directory;

    VOX_TRY(write_bytes(w, w->central.data, w->central.len));
    if (count >= 0xffff || size >= w->limit || offset >= w->limit) {
        put_end64(&r, w, directory);
        count = count < 0xffff ? count : 0xffff;
        size = size < w->limit ? size : 0xffffffff;
        offset = offset < w->limit ? offset : 0xffffffff;
    }
    put(&r, 0x06054b50, 4);
    put(&r, 0, 2 + 2); /* disks */
    put(&r, count, 2);
    put(&r, count, 2);
    put(&r, size, 4);
    put(&r, offset, 4);
    put(&r, 0, 2); /* comment */
    return write_bytes(w, r.b, r.n);
}

void vox_zip_writer_release(vox_zip_writer *w)
{
    vox_buf_release(&w->central);
}
