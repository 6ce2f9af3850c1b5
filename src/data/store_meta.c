/*
 * store_meta: the header of a frame and its "b2nd" metalayer, checked before C-Blosc2 sees
 * them.
 *
 * Both are msgpack, numbers with the most significant byte first. The header has fixed
 * places. The metalayer is an array of 7: version (0), number of axes, shape (array of
 * int64), chunk shape, block shape (arrays of int32), 0 for NumPy's way to write types, the
 * type (str32).
 *
 * What it guards against, found by fuzzing C-Blosc2 3.3: frames of chunks without a fixed
 * size divide by zero; b2nd's reader skips the bytes that say what follows, and gives back
 * nothing of what it has taken when it refuses the rest.
 *
 * Source: data.md 8.3; README_CFRAME_FORMAT and README_B2ND_METALAYER of C-Blosc2.
 */
#include <string.h>

#include "base/error.h"
#include "data/store_meta.h"

enum { ARRAY = 0x90, INT64 = 0xd3, INT32 = 0xd2, STR32 = 0xdb, FIELDS = 7, AXES_MAX = 15 };

/* A place in the bytes; `bad` once something was not as it must be. */
typedef struct cursor {
    const uint8_t *at, *end;
    int bad;
} cursor;

/* The next n bytes as a number. */
static int64_t take(cursor *c, int n)
{
    uint64_t v = 0;

    if (c->bad || c->end - c->at < n) {
        c->bad = 1;
        return 0;
    }
    for (int i = 0; i < n; i++)
        v = v << 8 | *c->at++;
    return (int64_t)v;
}

static void want(cursor *c, int byte)
{
    if (take(c, 1) != byte)
        c->bad = 1;
}

/* One extent for every axis. */
static void take_extents(cursor *c, int64_t *out, int axes, int mark, int bytes)
{
    want(c, ARRAY | axes);
    for (int i = 0; i < axes; i++) {
        want(c, mark);
        out[i] = take(c, bytes);
    }
}

static void take_dtype(cursor *c, char out[static STORE_DTYPE])
{
    int64_t n;

    want(c, 0);
    want(c, STR32);
    n = take(c, 4);
    if (n >= STORE_DTYPE || n > c->end - c->at)
        c->bad = 1;
    out[0] = '\0';
    for (int64_t i = 0; i < n && !c->bad; i++) {
        const int byte = (int)take(c, 1);

        c->bad |= byte < ' ' || byte > '~';
        out[i] = (char)byte;
        out[i + 1] = '\0';
    }
    c->bad |= c->at != c->end;
}

/* Every block inside its chunk, and chunks whose bytes fit 31 bits, padded to whole
 * blocks. */
static int check_extents(const vox_store_meta *m, const char *path)
{
    int64_t count = 1, padded = 1;

    for (int i = 0; i < STORE_AXES; i++) {
        const int64_t n = m->shape[i], k = m->chunk[i], b = m->block[i];

        if (n < 1 || n > INT32_MAX || k < 1 || k > INT32_MAX || b < 1 || b > k)
            return vox_fail(
                VOX_E_FORMAT,
                "%s: axis %d has %lld voxels in chunks of %lld and blocks of %lld", path, i,
                (long long)n, (long long)k, (long long)b);
        count = count > INT64_MAX / 8 / n ? INT64_MAX / 8 : count * n;
        padded *= (k + b - 1) / b * b;
        if (padded > INT32_MAX / 4 || count >= INT64_MAX / 8)
            return vox_fail(VOX_E_FORMAT, "%s: chunks or array are too large to be read",
                            path);
    }
    return VOX_OK;
}

/* Where the header's numbers are, and their bytes. */
enum {
    HEADER = 87,
    HEADER_LEN = 0x0b, /* 4 */
    FRAME_LEN = 0x10,  /* 8 */
    FLAGS = 0x19,      /* the upper two bits: chunks or blocks of any length */
    TYPE = 0x1a,       /* the lower four bits: 0 is one file */
    NBYTES = 0x1e,     /* 8 */
    TYPE_SIZE = 0x30,  /* 4 */
    BLOCK_SIZE = 0x35, /* 4 */
    CHUNK_SIZE = 0x3a  /* 4 */
};

static int64_t number_at(const uint8_t *bytes, int at, int n)
{
    cursor c = {bytes + at, bytes + HEADER, 0};

    return n == 4 ? (int32_t)take(&c, n) : take(&c, n);
}

int vox_store_frame_check(const void *bytes, size_t len, const char *path)
{
    const uint8_t *p = bytes;
    int64_t chunk;

    if (len < HEADER || memcmp(p + 2, "b2frame", 8) != 0)
        return vox_fail(VOX_E_FORMAT, "%s: %zu bytes that are no Blosc2 frame", path, len);
    if (number_at(p, HEADER_LEN, 4) < HEADER || number_at(p, FRAME_LEN, 8) < HEADER ||
        (uint64_t)number_at(p, HEADER_LEN, 4) > len ||
        (uint64_t)number_at(p, FRAME_LEN, 8) > len)
        return vox_fail(VOX_E_FORMAT,
                        "%s: cut off: a frame of %lld bytes, the file has %zu", path,
                        (long long)number_at(p, FRAME_LEN, 8), len);
    chunk = number_at(p, CHUNK_SIZE, 4);
    if (p[FLAGS] >> 6 || p[TYPE] & 15 || chunk < 1 || number_at(p, BLOCK_SIZE, 4) < 0 ||
        number_at(p, TYPE_SIZE, 4) < 1 || number_at(p, NBYTES, 8) < 1 ||
        number_at(p, NBYTES, 8) % chunk)
        return vox_fail(
            VOX_E_FORMAT,
            "%s: a frame of %lld bytes in chunks of %lld and blocks of %lld, wanted "
            "those of an array",
            path, (long long)number_at(p, NBYTES, 8), (long long)chunk,
            (long long)number_at(p, BLOCK_SIZE, 4));
    return VOX_OK;
}

int vox_store_meta_read(vox_store_meta *out, const void *bytes, size_t len,
                        const char *path)
{
    cursor c = {bytes, (const uint8_t *)bytes + len, 0};
    int64_t axes;

    want(&c, ARRAY | FIELDS);
    take(&c, 1); /* version: a reader of 0 reads what follows */
    axes = take(&c, 1);
    if (!c.bad && axes != STORE_AXES && axes <= AXES_MAX)
        return vox_fail(VOX_E_FORMAT, "%s: has %d axes, wanted 4 (channel and three)", path,
                        (int)axes);
    c.bad |= axes != STORE_AXES;
    take_extents(&c, out->shape, STORE_AXES, INT64, 8);
    take_extents(&c, out->chunk, STORE_AXES, INT32, 4);
    take_extents(&c, out->block, STORE_AXES, INT32, 4);
    take_dtype(&c, out->dtype);
    if (c.bad)
        return vox_fail(VOX_E_FORMAT, "%s: its description as an array is damaged", path);
    return check_extents(out, path);
}
