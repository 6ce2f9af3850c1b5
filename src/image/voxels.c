/*
 * voxels: unpack, join, widen, scale.
 *
 * Blocks of 2048 voxels go from the file's bytes to floats while they are in the first
 * cache. Without a scale they become float directly: the same numbers, one step less.
 */
#include "image/voxels.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/gzip.h"
#include "image/stored.h"

enum { BLOCK = 2048, NUMBER = 64 };

typedef union stored_block {
    uint8_t u8[BLOCK];
    int8_t i8[BLOCK];
    uint16_t u16[BLOCK];
    int16_t i16[BLOCK];
    uint32_t u32[BLOCK];
    int32_t i32[BLOCK];
    uint64_t u64[BLOCK];
    int64_t i64[BLOCK];
    float f32[BLOCK];
    double f64[BLOCK];
    unsigned char bytes[BLOCK * 8];
} stored_block;

struct vox_element {
    const char *name;
    int size, is_real;
    void (*widen)(double *out, const stored_block *in, int n);
    void (*plain)(float *out, const stored_block *in, int n);
};

/* To doubles that hold what a float can, and to floats. */
#define ELEMENT(type)                                                    \
    static void widen_##type(double *out, const stored_block *in, int n) \
    {                                                                    \
        for (int i = 0; i < n; i++)                                      \
            out[i] = (double)(float)in->type[i];                         \
    }                                                                    \
    static void plain_##type(float *out, const stored_block *in, int n)  \
    {                                                                    \
        for (int i = 0; i < n; i++)                                      \
            out[i] = (float)in->type[i];                                 \
    }
ELEMENT(u8)
ELEMENT(i8)
ELEMENT(u16)
ELEMENT(i16)
ELEMENT(u32)
ELEMENT(i32)
ELEMENT(u64)
ELEMENT(i64)
ELEMENT(f32)
#undef ELEMENT

/* f64 keeps its digits until it is scaled. */
static void widen_f64(double *out, const stored_block *in, int n)
{
    memcpy(out, in->f64, sizeof *out * (size_t)n);
}

static const vox_element elements[] = {
    {"u8",  1, 0, widen_u8,  plain_u8 },
    {"i8",  1, 0, widen_i8,  plain_i8 },
    {"u16", 2, 0, widen_u16, plain_u16},
    {"i16", 2, 0, widen_i16, plain_i16},
    {"u32", 4, 0, widen_u32, plain_u32},
    {"i32", 4, 0, widen_i32, plain_i32},
    {"u64", 8, 0, widen_u64, plain_u64},
    {"i64", 8, 0, widen_i64, plain_i64},
    {"f32", 4, 1, widen_f32, plain_f32},
    {"f64", 8, 1, widen_f64, NULL     },
};

const vox_element *vox_element_find(const char *name)
{
    for (int i = 0; i < VOX_COUNT(elements); i++) {
        if (strcmp(elements[i].name, name) == 0)
            return &elements[i];
    }
    return NULL;
}

const char *vox_element_name(const vox_element *t)
{
    return t->name;
}

int vox_element_size(const vox_element *t)
{
    return t->size;
}

int vox_voxels_check(const vox_volume_info *info, const char *name)
{
    const int64_t count = vox_shape_count(info->shape);
    char text[128];

    for (int i = 0; i < 4; i++) {
        if (info->shape.n[i] < 1)
            return vox_fail(VOX_E_FORMAT, "%s: extent %d is %lld, wanted at least 1", name,
                            i ? 4 - i : 4, (long long)info->shape.n[i]);
    }
    if (count < 0 || count > INT64_MAX / 16)
        return vox_fail(VOX_E_FORMAT, "%s: %s voxels are more than a file can hold", name,
                        vox_shape_text(info->shape, text));
    return VOX_OK;
}

/* ---- from stored elements to floats ---- */

static int host_is_big(void)
{
    const uint16_t one = 1;
    unsigned char first;

    memcpy(&first, &one, 1);
    return first == 0;
}

static void swap_elements(unsigned char *p, int n, int size)
{
    for (int i = 0; i < n; i++, p += size) {
        for (int j = 0; j < size / 2; j++) {
            const unsigned char t = p[j];

            p[j] = p[size - 1 - j];
            p[size - 1 - j] = t;
        }
    }
}

/* Scale a block and narrow it to float. @return how many voxels were not finite */
static int64_t narrow(float *out, const double *in, int n, double slope, double inter)
{
    int64_t bad = 0;

    for (int i = 0; i < n; i++) {
        const int good = isfinite(in[i]);
        const float v = (float)((good ? in[i] : 0.0) * slope + inter);

        out[i] = isfinite(v) ? v : 0.0f;
        bad += !good || !isfinite(v);
    }
    return bad;
}

/* Where stored voxels go: past the voxels of the same channel that were stored before. */
static void scatter(vox_volume *v, const vox_raster *r, int64_t at, const float *in, int n)
{
    const int64_t channels = v->info.shape.n[0], inner = r->inner;
    const int64_t each = vox_shape_count(v->info.shape) / channels;

    for (int i = 0; i < n; i++, at++) {
        const int64_t run = at / inner, c = run % channels;

        v->data[c * each + run / channels * inner + at % inner] = in[i];
    }
}

/* Channels are stored one after the other, as we hold them. */
static int is_planar(const vox_volume_info *info, const vox_raster *r)
{
    const int64_t channels = info->shape.n[0];

    return channels == 1 || r->inner == 0 ||
           r->inner == vox_shape_count(info->shape) / channels;
}

/* Not finite becomes 0. @return how many */
static int64_t mend(float *v, int n)
{
    int64_t bad = 0;

    for (int i = 0; i < n; i++) {
        if (!isfinite(v[i])) {
            v[i] = 0.0f;
            bad++;
        }
    }
    return bad;
}

static void put(vox_volume *v, const vox_raster *r, int64_t at, const double *wide, int n)
{
    const double slope = v->info.slope, inter = v->info.inter;
    float some[BLOCK];

    if (is_planar(&v->info, r)) {
        v->info.nonfinite += narrow(v->data + at, wide, n, slope, inter);
        return;
    }
    v->info.nonfinite += narrow(some, wide, n, slope, inter);
    scatter(v, r, at, some, n);
}

static void convert(vox_volume *v, const vox_raster *r, const unsigned char *voxels)
{
    const int64_t count = vox_shape_count(v->info.shape);
    const int size = r->type->size, swap = r->big != host_is_big() && size > 1;
    const int direct = r->type->plain && v->info.slope == 1.0 && v->info.inter == 0.0 &&
                       is_planar(&v->info, r);
    stored_block stored;
    double wide[BLOCK];

    for (int64_t at = 0; at < count; at += BLOCK) {
        const int n = (int)(count - at < BLOCK ? count - at : BLOCK);

        memcpy(stored.bytes, voxels + at * size, (size_t)n * (size_t)size);
        if (swap)
            swap_elements(stored.bytes, n, size);
        if (direct) {
            r->type->plain(v->data + at, &stored, n);
            v->info.nonfinite += r->type->is_real ? mend(v->data + at, n) : 0;
            continue;
        }
        r->type->widen(wide, &stored, n);
        put(v, r, at, wide, n);
    }
}

/* ---- the bytes of the voxels ---- */

static int fail_short(const vox_volume_info *info, uint64_t want, uint64_t most,
                      const char *name)
{
    char text[128];

    return vox_fail(
        VOX_E_FORMAT,
        "%s: truncated: header wants %llu bytes (%s %s), the file holds at most "
        "%llu",
        name, (unsigned long long)want, vox_shape_text(info->shape, text), info->stored,
        (unsigned long long)most);
}

/* Bytes of voxels in each of n parts. */
static int share(uint64_t *each, const vox_volume_info *info, const vox_raster *r, int n,
                 const char *name)
{
    const int64_t count = vox_shape_count(info->shape);

    if (n < 1 || count % n)
        return vox_fail(VOX_E_FORMAT, "%s: %lld voxels in %d files, wanted equal shares",
                        name, (long long)count, n);
    *each = (uint64_t)(count / n) * (uint64_t)r->type->size;
    return VOX_OK;
}

static int check_lengths(const vox_volume_info *info, const vox_raster *r, uint64_t each,
                         const vox_bytes *part, int n)
{
    for (int i = 0; i < n; i++) {
        const uint64_t len = part[i].len,
                       most = r->packing == VOX_PACKED ? vox_gunzip_bound(len) : len;

        if (r->skip > most || each > most - r->skip)
            return fail_short(info, each + r->skip, most, part[i].name);
    }
    return VOX_OK;
}

/* One part, unpacked: borrowed, or in *owned. */
static int unpack(const unsigned char **out, void **owned, const vox_raster *r,
                  uint64_t each, const vox_bytes *part)
{
    const size_t size = (size_t)(r->skip + each);

    *owned = NULL;
    if (r->packing != VOX_PACKED) {
        *out = (const unsigned char *)part->data + r->skip;
        return VOX_OK;
    }
    *owned = vox_alloc(size, 1);
    if (!*owned)
        return VOX_E_NOMEM;
    *out = (const unsigned char *)*owned + r->skip;
    return vox_unpack(*owned, size, part->data, part->len, part->name);
}

static int join(unsigned char *to, const vox_raster *r, uint64_t each,
                const vox_bytes *part, int n)
{
    int rc = VOX_OK;

    for (int i = 0; i < n && rc == VOX_OK; i++, to += each) {
        const unsigned char *bytes;
        void *owned;

        rc = unpack(&bytes, &owned, r, each, &part[i]);
        if (rc == VOX_OK)
            memcpy(to, bytes, (size_t)each);
        vox_free(owned);
    }
    return rc;
}

static int get_bytes(const unsigned char **out, void **owned, const vox_volume_info *info,
                     const vox_raster *r, const vox_bytes *part, int n)
{
    uint64_t each = 0;

    *owned = NULL;
    VOX_TRY(share(&each, info, r, n, part->name));
    VOX_TRY(check_lengths(info, r, each, part, n));
    if (n == 1)
        return unpack(out, owned, r, each, part);
    *owned = vox_alloc((size_t)each, (size_t)n);
    *out = *owned;
    return *owned ? join(*owned, r, each, part, n) : VOX_E_NOMEM;
}

/* ---- numbers as text ---- */

/* The next number of a text. @return 1; 0 at its end; -1 for what is no number */
static int next_number(double *out, const char **p, const char *end)
{
    char word[NUMBER];
    char *rest;
    int n = 0;

    while (*p < end && (isspace((unsigned char)**p) || **p == ','))
        ++*p;
    if (*p == end)
        return 0;
    while (*p < end && !isspace((unsigned char)**p) && **p != ',') {
        if (n == NUMBER - 1)
            return -1;
        word[n++] = *(*p)++;
    }
    word[n] = '\0';
    *out = strtod(word, &rest);
    return *rest ? -1 : 1;
}

static int convert_text(vox_volume *v, const vox_raster *r, const vox_bytes *part)
{
    const int64_t count = vox_shape_count(v->info.shape);
    const char *begin = part->data, *p = begin + r->skip, *end = begin + part->len;
    double wide[BLOCK];
    int n = 0;

    for (int64_t at = 0; at < count; at++) {
        const int found = next_number(&wide[n], &p, end);

        if (found != 1)
            return vox_fail(VOX_E_FORMAT, "%s: %s after %lld numbers, wanted %lld",
                            part->name, found ? "no number" : "ends", (long long)at,
                            (long long)count);
        if (r->type->size < 8)
            wide[n] = (double)(float)wide[n];
        if (++n == BLOCK || at == count - 1) {
            put(v, r, at + 1 - n, wide, n);
            n = 0;
        }
    }
    return VOX_OK;
}

static int new_data(vox_volume *v)
{
    v->data = vox_alloc((size_t)vox_shape_count(v->info.shape), sizeof *v->data);
    return v->data ? VOX_OK : VOX_E_NOMEM;
}

/* A number and what parts it from the next are two bytes at least. */
static int read_text(vox_volume *out, const vox_raster *r, const vox_bytes *part, int n)
{
    const uint64_t count = (uint64_t)vox_shape_count(out->info.shape);

    if (n != 1)
        return vox_fail(VOX_E_FORMAT, "%s: text in %d files, wanted one", part->name, n);
    if (r->skip > part->len || 2 * count - 1 > part->len - r->skip)
        return fail_short(&out->info, 2 * count - 1 + r->skip, part->len, part->name);
    VOX_TRY(new_data(out));
    return convert_text(out, r, part);
}

/* ---- voxels that stay as they are stored ---- */

static int can_stay(vox_voxel *voxel, const vox_volume_info *info, const vox_raster *r,
                    int n)
{
    const int size = r->type->size;

    return n == 1 && r->packing != VOX_TEXT && is_planar(info, r) &&
           (size == 1 || r->big == host_is_big()) && r->skip % (uint64_t)size == 0 &&
           vox_stored_can_stay(voxel, r->type->name, info->slope, info->inter);
}

/* The part's bytes where they may stay: in the taker's own file, or its block. */
static int settle(char **out, vox_stored *s, const vox_raster *r, const vox_bytes *part,
                  size_t size)
{
    const uintptr_t own = (uintptr_t)s->file.data, from = (uintptr_t)part->data;

    if (r->packing != VOX_PACKED && from >= own && from + size <= own + s->len &&
        (from - own) % 4 == 0) {
        *out = (char *)s->file.data + (from - own);
        return VOX_OK;
    }
    *out = vox_scratch_need(&s->block, size, 1);
    if (!*out)
        return VOX_E_NOMEM;
    if (r->packing == VOX_PACKED)
        return vox_unpack(*out, size, part->data, part->len, part->name);
    memcpy(*out, part->data, size);
    return VOX_OK;
}

static int leave(vox_stored *s, const vox_volume_info *info, const vox_raster *r,
                 const vox_bytes *part)
{
    uint64_t each = 0;
    char *bytes;

    VOX_TRY(share(&each, info, r, 1, part->name));
    VOX_TRY(check_lengths(info, r, each, part, 1));
    VOX_TRY(settle(&bytes, s, r, part, (size_t)(r->skip + each)));
    s->voxels = bytes + r->skip;
    s->slope = info->slope;
    s->inter = info->inter;
    return VOX_OK;
}

int vox_voxels_read(vox_volume *out, const vox_raster *r, const vox_bytes *part, int n)
{
    const unsigned char *bytes = NULL;
    void *owned = NULL;
    int rc;

    VOX_ASSERT(r->type && out->info.shape.rank == 4 && !out->data && n > 0);
    if (out->stored && can_stay(&out->stored->voxel, &out->info, r, n))
        return leave(out->stored, &out->info, r, part);
    if (r->packing == VOX_TEXT) {
        rc = read_text(out, r, part, n);
    } else {
        rc = get_bytes(&bytes, &owned, &out->info, r, part, n);
        if (rc == VOX_OK)
            rc = new_data(out);
        if (rc == VOX_OK)
            convert(out, r, bytes);
    }
    vox_free(owned);
    if (rc != VOX_OK) {
        vox_free(out->data);
        out->data = NULL;
    }
    return rc;
}
