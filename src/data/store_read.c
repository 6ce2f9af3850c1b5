/*
 * store_read: decode the blocks of a .b2nd file that a box touches, copy the box out of
 * them.
 *
 * A decoded chunk is a row of blocks, each contiguous; chunks at the edge are padded to
 * whole blocks. b2nd's own slicing is not used: it clears the whole destination first.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/store_file.h"

/* Half-open box in voxels of the array. */
typedef struct box {
    int64_t lo[AXES], hi[AXES];
} box;

/* Where decoded rows go. */
typedef struct target {
    const vox_store *s;
    box want;
    int64_t room[AXES];
    float *values;  /* or NULL */
    uint8_t *flags; /* or NULL: 1 where the value is 1 */
} target;

/* The part of `a` in `b`; 0 when there is none. */
static int intersect(box *out, const box *a, const box *b)
{
    for (int i = 0; i < AXES; i++) {
        out->lo[i] = a->lo[i] > b->lo[i] ? a->lo[i] : b->lo[i];
        out->hi[i] = a->hi[i] < b->hi[i] ? a->hi[i] : b->hi[i];
        if (out->lo[i] >= out->hi[i])
            return 0;
    }
    return 1;
}

/* Row-major index of the point p of a grid of `n`. */
static int64_t index_of(const int64_t p[AXES], const int64_t n[AXES])
{
    return ((p[0] * n[1] + p[1]) * n[2] + p[2]) * n[3] + p[3];
}

/* The next point of the grid [lo, hi); 0 after the last. */
static int next_point(int64_t p[AXES], const int64_t lo[AXES], const int64_t hi[AXES])
{
    for (int i = AXES - 1; i >= 0; i--) {
        if (++p[i] < hi[i])
            return 1;
        p[i] = lo[i];
    }
    return 0;
}

/* Floats as they are. Rows of 16, those of most blocks, need no call. */
static void copy_floats(float *to, const float *from, int64_t n)
{
    if (n == 16)
        memcpy(to, from, 16 * sizeof *to);
    else
        memcpy(to, from, (size_t)n * sizeof *to);
}

static void copy_row(const target *t, int64_t at, const void *block, int64_t from,
                     int64_t n)
{
    const float *f = (const float *)block + from;
    const int8_t *i8 = (const int8_t *)block + from;
    const uint8_t *u8 = (const uint8_t *)block + from;
    const char kind = t->s->kind;

    for (int64_t x = 0; x < n; x++) {
        const float v = kind == 'f' ? f[x] : kind == 'i' ? (float)i8[x] : (float)u8[x];

        if (t->values)
            t->values[at + x] = v;
        else
            t->flags[at + x] = v == 1.0f;
    }
}

/* Copy what is wanted of one decoded block, row by row. */
static void copy_block(const target *t, const void *data, const box *block)
{
    const int as_is = t->s->kind == 'f' && t->values;
    int64_t extent[AXES], in[AXES], out[AXES], n[AXES];
    box part;

    if (!intersect(&part, block, &t->want))
        return;
    for (int i = 0; i < AXES; i++) {
        extent[i] = block->hi[i] - block->lo[i];
        in[i] = part.lo[i] - block->lo[i];
        out[i] = part.lo[i] - t->want.lo[i];
        n[i] = part.hi[i] - part.lo[i];
    }
    for (int64_t plane = 0; plane < n[0] * n[1]; plane++) {
        const int64_t c = plane / n[1], z = plane % n[1];
        const int64_t a[AXES] = {in[0] + c, in[1] + z, in[2], in[3]};
        const int64_t b[AXES] = {out[0] + c, out[1] + z, out[2], out[3]};
        int64_t from = index_of(a, extent), to = index_of(b, t->room);

        for (int64_t y = 0; y < n[2]; y++, from += extent[3], to += t->room[3]) {
            if (as_is)
                copy_floats(t->values + to, (const float *)data + from, n[3]);
            else
                copy_row(t, to, data, from, n[3]);
        }
    }
}

/* How the blocks of a chunk are numbered, and which of them the box needs. */
typedef struct blocks {
    int64_t n[AXES]; /* blocks per axis */
    int64_t first[AXES];
    int64_t lo[AXES], hi[AXES]; /* the needed ones */
} blocks;

static void find_blocks(blocks *out, const vox_store *s, const int64_t chunk[AXES],
                        const box *want)
{
    for (int i = 0; i < AXES; i++) {
        const int64_t start = chunk[i] * s->meta.chunk[i], b = s->meta.block[i];
        const int64_t end = start + s->meta.chunk[i];
        const int64_t lo = want->lo[i] > start ? want->lo[i] - start : 0;
        const int64_t hi = (want->hi[i] < end ? want->hi[i] : end) - start;

        out->n[i] = s->padded[i] / b;
        out->first[i] = start;
        out->lo[i] = lo / b;
        out->hi[i] = (hi + b - 1) / b;
    }
}

static int decode(vox_store *s, int64_t nchunk, const blocks *need)
{
    const int64_t count = need->n[0] * need->n[1] * need->n[2] * need->n[3];
    const int32_t bytes = (int32_t)(s->chunk_items * s->item);
    uint8_t *chunk = NULL;
    bool needs_free = false;
    int32_t nbytes, cbytes, blocksize;
    int64_t p[AXES];
    int rc = blosc2_schunk_get_lazychunk(s->frame, nchunk, &chunk, &needs_free);

    if (rc < 0)
        return vox_store_fail(s->path, "a missing chunk", rc);
    rc = blosc2_cbuffer_sizes(chunk, &nbytes, &cbytes, &blocksize);
    if (rc >= 0 && (nbytes != bytes || blocksize != s->block_items * s->item))
        rc = BLOSC2_ERROR_INVALID_HEADER;
    if (rc >= 0 && !needs_free && /* then it lies in the file */
        cbytes > s->bytes + s->len - chunk)
        rc = BLOSC2_ERROR_READ_BUFFER;
    memset(s->mask, 1, (size_t)count * sizeof *s->mask);
    memcpy(p, need->lo, sizeof p);
    do {
        s->mask[index_of(p, need->n)] = false;
    } while (next_point(p, need->lo, need->hi));
    if (rc >= 0)
        rc = blosc2_set_maskout(s->frame->dctx, s->mask, (int)count);
    if (rc >= 0)
        rc = blosc2_decompress_ctx(s->frame->dctx, chunk, cbytes, s->chunk, bytes);
    if (needs_free)
        free(chunk);
    return rc < 0 ? vox_store_fail(s->path, "a damaged chunk", rc) : VOX_OK;
}

static int read_chunk(vox_store *s, const target *t, const int64_t chunk[AXES],
                      const int64_t n_chunks[AXES])
{
    int64_t p[AXES];
    blocks need;

    find_blocks(&need, s, chunk, &t->want);
    VOX_TRY(decode(s, index_of(chunk, n_chunks), &need));
    memcpy(p, need.lo, sizeof p);
    do {
        const int64_t at = index_of(p, need.n) * s->block_items * s->item;
        box b;

        for (int i = 0; i < AXES; i++) {
            b.lo[i] = need.first[i] + p[i] * s->meta.block[i];
            b.hi[i] = b.lo[i] + s->meta.block[i];
        }
        copy_block(t, (const char *)s->chunk + at, &b);
    } while (next_point(p, need.lo, need.hi));
    return VOX_OK;
}

/* Room for one chunk, once per handle. */
static int need_room(vox_store *s)
{
    if (s->chunk)
        return VOX_OK;
    s->mask = vox_alloc((size_t)(s->chunk_items / s->block_items) + 1, sizeof *s->mask);
    s->chunk = vox_alloc((size_t)s->chunk_items, (size_t)s->item);
    return s->mask && s->chunk ? VOX_OK : VOX_E_NOMEM;
}

static int read_box(vox_store *s, const target *t)
{
    const int64_t *chunk = s->meta.chunk;
    int64_t n[AXES], lo[AXES], hi[AXES], p[AXES];

    VOX_TRY(need_room(s));
    for (int i = 0; i < AXES; i++) {
        VOX_ASSERT(t->want.lo[i] >= 0 && t->want.lo[i] < t->want.hi[i]);
        VOX_ASSERT(t->want.hi[i] <= s->meta.shape[i]);
        VOX_ASSERT(t->want.hi[i] - t->want.lo[i] <= t->room[i]);
        n[i] = (s->meta.shape[i] + chunk[i] - 1) / chunk[i];
        lo[i] = t->want.lo[i] / chunk[i];
        hi[i] = (t->want.hi[i] - 1) / chunk[i] + 1;
    }
    memcpy(p, lo, sizeof p);
    do {
        VOX_TRY(read_chunk(s, t, p, n));
    } while (next_point(p, lo, hi));
    return VOX_OK;
}

static target target_of(const vox_store *s, const int64_t lo[AXES], const int64_t n[AXES],
                        const int64_t room[AXES])
{
    target t = {.s = s};

    for (int i = 0; i < AXES; i++) {
        t.want.lo[i] = lo[i];
        t.want.hi[i] = lo[i] + n[i];
        t.room[i] = room[i];
    }
    return t;
}

int vox_store_read(vox_store *s, const int64_t lo[AXES], const int64_t n[AXES], float *out,
                   const int64_t room[AXES])
{
    target t = target_of(s, lo, n, room);

    t.values = out;
    return read_box(s, &t);
}

int vox_store_read_mask(vox_store *s, const int64_t lo[AXES], const int64_t n[AXES],
                        uint8_t *out, const int64_t room[AXES])
{
    target t = target_of(s, lo, n, room);

    t.flags = out;
    return read_box(s, &t);
}
