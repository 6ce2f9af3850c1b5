/*
 * format_nifti: NIfTI-1 and NIfTI-2 in one file, plain or gzip, both byte orders.
 *
 * Voxels and spacing are what ITK reads (data.md 4.3): file order, never reoriented;
 * integers become float before they are scaled; NaN and infinite voxels become 0 and are
 * counted. A fourth dimension becomes channels. Two-dimensional, vector, colour and complex
 * images are refused (data.md 4.6).
 *
 * The expected size follows from the header, and no file can make us allocate more than
 * deflate's best ratio times its own length.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/gzip.h"
#include "image/nifti.h"

enum { BLOCK = 2048 }; /* voxels converted at a time: stays in the first cache */

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

/* Stored elements to doubles that hold what a float can; f64 keeps its digits until scaled.
 */
#define WIDEN(type)                                                      \
    static void widen_##type(double *out, const stored_block *in, int n) \
    {                                                                    \
        for (int i = 0; i < n; i++)                                      \
            out[i] = (double)(float)in->type[i];                         \
    }
WIDEN(u8)
WIDEN(i8)
WIDEN(u16)
WIDEN(i16)
WIDEN(u32)
WIDEN(i32)
WIDEN(u64)
WIDEN(i64)
WIDEN(f32)
#undef WIDEN

static void widen_f64(double *out, const stored_block *in, int n)
{
    memcpy(out, in->f64, sizeof *out * (size_t)n);
}

typedef struct stored_type {
    int code; /* of the header */
    const char *name;
    int size;
    void (*widen)(double *out, const stored_block *in, int n); /* NULL: refused */
} stored_type;

static const stored_type types[] = {
    {2,    "u8",            1,  widen_u8 },
    {4,    "i16",           2,  widen_i16},
    {8,    "i32",           4,  widen_i32},
    {16,   "f32",           4,  widen_f32},
    {64,   "f64",           8,  widen_f64},
    {256,  "i8",            1,  widen_i8 },
    {512,  "u16",           2,  widen_u16},
    {768,  "u32",           4,  widen_u32},
    {1024, "i64",           8,  widen_i64},
    {1280, "u64",           8,  widen_u64},
    {1,    "one-bit",       0,  NULL     },
    {32,   "complex",       8,  NULL     },
    {128,  "RGB",           3,  NULL     },
    {1536, "128-bit float", 16, NULL     },
    {1792, "complex",       16, NULL     },
    {2048, "complex",       32, NULL     },
    {2304, "RGBA",          4,  NULL     },
};

/* What the two entry points share. */
typedef struct nifti {
    vox_nifti_header header;
    const stored_type *type;
    uint64_t offset, size; /* bytes before the voxels, and with them */
} nifti;

static const stored_type *find_type(int code, const char *name)
{
    for (int i = 0; i < VOX_COUNT(types); i++) {
        if (types[i].code != code)
            continue;
        if (types[i].widen)
            return &types[i];
        vox_fail(VOX_E_FORMAT, "%s: %s voxels, wanted one real number each", name,
                 types[i].name);
        return NULL;
    }
    vox_fail(VOX_E_FORMAT, "%s: datatype %d is unknown to NIfTI", name, code);
    return NULL;
}

/* dim[0] axes, of which trailing ones of length 1 do not count. */
static int find_shape(vox_shape *shape, const vox_nifti_header *h, const char *name)
{
    const int64_t *dim = h->dim;
    int64_t n = dim[0];

    if (n < 1 || n > 7)
        return vox_fail(VOX_E_FORMAT, "%s: %lld dimensions, wanted 3", name, (long long)n);
    while (n > 3 && dim[n] <= 1)
        n--;
    if (n < 3 || n > 4)
        return vox_fail(VOX_E_FORMAT, "%s: %lld-D image, wanted 3-D", name, (long long)n);
    for (int i = 1; i <= 3; i++) {
        if (dim[i] < 1)
            return vox_fail(VOX_E_FORMAT, "%s: extent %d is %lld, wanted at least 1", name,
                            i, (long long)dim[i]);
    }
    *shape = VOX_SHAPE(n == 4 ? dim[4] : 1, dim[3], dim[2], dim[1]);
    return VOX_OK;
}

/* Where the voxels begin and end. */
static int find_size(nifti *nii, const vox_shape *shape, const char *name)
{
    const uint64_t least = nii->header.version == 1 ? VOX_NIFTI1_SIZE : VOX_NIFTI2_SIZE;
    const double offset = nii->header.vox_offset;
    const int64_t count = vox_shape_count(*shape);
    char text[128];

    if (!(offset < 0x1p48))
        return vox_fail(VOX_E_FORMAT, "%s: voxels begin at byte %g", name, offset);
    if (count < 0 || count > INT64_MAX / 16)
        return vox_fail(VOX_E_FORMAT, "%s: %s voxels are more than a file can hold", name,
                        vox_shape_text(*shape, text));
    nii->offset = offset > (double)least ? (uint64_t)offset : least;
    nii->size = nii->offset + (uint64_t)count * (uint64_t)nii->type->size;
    return VOX_OK;
}

/* slope 0 means no slope; what is not finite counts as 0 (data.md 4.3). */
static void set_scaling(vox_volume_info *info, const vox_nifti_header *h)
{
    info->slope = isfinite(h->slope) && h->slope != 0.0 ? h->slope : 1.0;
    info->inter = isfinite(h->inter) ? h->inter : 0.0;
}

static int parse(nifti *nii, vox_volume_info *info, const void *bytes, size_t len,
                 const char *name)
{
    unsigned char head[VOX_NIFTI2_SIZE];

    memset(info, 0, sizeof *info);
    if (len == 0)
        return vox_fail(VOX_E_FORMAT, "%s: is empty", name);
    if (vox_is_gzip(bytes, len)) {
        len = vox_gunzip_head(head, sizeof head, bytes, len);
        if (len == 0)
            return vox_fail(VOX_E_FORMAT, "%s: gzip stream damaged at its beginning", name);
        bytes = head;
    }
    VOX_TRY(vox_nifti_header_read(&nii->header, bytes, len, name));
    nii->type = find_type(nii->header.datatype, name);
    if (!nii->type)
        return VOX_E_FORMAT;
    VOX_TRY(find_shape(&info->shape, &nii->header, name));
    VOX_TRY(find_size(nii, &info->shape, name));
    snprintf(info->format, sizeof info->format, "nifti%d", nii->header.version);
    snprintf(info->stored, sizeof info->stored, "%s", nii->type->name);
    set_scaling(info, &nii->header);
    vox_nifti_geometry(info, &nii->header);
    return VOX_OK;
}

static int info(vox_volume_info *out, const void *bytes, size_t len, const char *name)
{
    nifti nii;
    vox_volume_info found;

    VOX_TRY(parse(&nii, &found, bytes, len, name));
    *out = found;
    return VOX_OK;
}

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

static void convert(vox_volume *v, const nifti *nii, const unsigned char *voxels)
{
    const int64_t count = vox_shape_count(v->info.shape);
    const int size = nii->type->size, swap = nii->header.big != host_is_big();
    stored_block stored;
    double wide[BLOCK];

    for (int64_t at = 0; at < count; at += BLOCK) {
        const int n = (int)(count - at < BLOCK ? count - at : BLOCK);

        memcpy(stored.bytes, voxels + at * size, (size_t)n * (size_t)size);
        if (swap)
            swap_elements(stored.bytes, n, size);
        nii->type->widen(wide, &stored, n);
        v->info.nonfinite += narrow(v->data + at, wide, n, v->info.slope, v->info.inter);
    }
}

static int check_length(const nifti *nii, const vox_volume_info *info, uint64_t most,
                        const char *name)
{
    char text[128];

    if (nii->size <= most)
        return VOX_OK;
    return vox_fail(
        VOX_E_FORMAT,
        "%s: truncated: header wants %llu bytes (%s %s), the file holds at most "
        "%llu",
        name, (unsigned long long)nii->size, vox_shape_text(info->shape, text),
        info->stored, (unsigned long long)most);
}

/* The whole file without compression; *owned is what must be freed. */
static int unpack(const unsigned char **out, void **owned, const nifti *nii,
                  const vox_volume_info *found, const void *bytes, size_t len,
                  const char *name)
{
    const int packed = vox_is_gzip(bytes, len);

    *owned = NULL;
    *out = bytes;
    VOX_TRY(check_length(nii, found, packed ? vox_gunzip_bound(len) : len, name));
    if (!packed)
        return VOX_OK;
    *owned = vox_alloc(nii->size, 1);
    *out = *owned;
    return *owned ? vox_gunzip(*owned, nii->size, bytes, len, name) : VOX_E_NOMEM;
}

static int read(vox_volume *out, const void *bytes, size_t len, const char *name)
{
    vox_volume v = VOX_VOLUME_INIT;
    const unsigned char *file;
    void *owned = NULL;
    nifti nii;
    int rc;

    VOX_TRY(parse(&nii, &v.info, bytes, len, name));
    rc = unpack(&file, &owned, &nii, &v.info, bytes, len, name);
    if (rc == VOX_OK) {
        v.data = vox_alloc((size_t)vox_shape_count(v.info.shape), sizeof *v.data);
        rc = v.data ? VOX_OK : VOX_E_NOMEM;
    }
    if (rc == VOX_OK) {
        convert(&v, &nii, file + nii.offset);
        vox_volume_release(out);
        *out = v;
    }
    vox_free(owned);
    return rc;
}

static const char *const endings[] = {".nii.gz", ".nii", NULL};

const vox_format vox_format_nifti = {
    .name = "nifti",
    .summary = "NIfTI-1 and NIfTI-2, .nii and .nii.gz",
    .endings = endings,
    .info = info,
    .read = read,
};
