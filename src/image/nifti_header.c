/*
 * nifti_header: bytes to fields. Offsets and types are those of nifti1.h and nifti2.h.
 *
 * libnifti2 is not used: it wants files, not bytes, and prints to stderr; what we need of
 * the format are the forty numbers below.
 */
#include <string.h>

#include "base/error.h"
#include "image/nifti.h"

/* `n` bytes as one unsigned number. */
static uint64_t get_bits(const unsigned char *p, int n, int big)
{
    uint64_t bits = 0;

    for (int i = 0; i < n; i++)
        bits = bits << 8 | p[big ? i : n - 1 - i];
    return bits;
}

/* A two's complement integer of n bytes. */
static int64_t get_int(const unsigned char *p, int n, int big)
{
    const uint64_t sign = 1ull << (8 * n - 1), bits = get_bits(p, n, big);

    return (int64_t)((bits ^ sign) - sign);
}

/* A float (n = 4) or double (n = 8). */
static double get_real(const unsigned char *p, int n, int big)
{
    const uint64_t bits = get_bits(p, n, big);
    double wide;
    float narrow;

    if (n == 8) {
        memcpy(&wide, &bits, sizeof wide);
    } else {
        const uint32_t low = (uint32_t)bits;

        memcpy(&narrow, &low, sizeof narrow);
        wide = (double)narrow;
    }
    return wide;
}

/* Where the fields are. The two versions differ in offsets and widths only. */
typedef struct layout {
    int version, size, dim, dim_size, datatype, real, pixdim, vox_offset, slope, inter,
        units, code_size, qform, sform, quatern, qoffset, srow, magic;
    const char *single, *pair; /* magic of one file, of a .hdr beside an .img */
    size_t magic_size;
} layout;

static const layout layouts[] = {
    {.version = 1,
     .size = VOX_NIFTI1_SIZE,
     .dim = 40,
     .dim_size = 2,
     .datatype = 70,
     .real = 4,
     .pixdim = 76,
     .vox_offset = 108,
     .slope = 112,
     .inter = 116,
     .units = 123,
     .code_size = 2,
     .qform = 252,
     .sform = 254,
     .quatern = 256,
     .qoffset = 268,
     .srow = 280,
     .magic = 344,
     .single = "n+1",
     .pair = "ni1",
     .magic_size = 4},
    {.version = 2,
     .size = VOX_NIFTI2_SIZE,
     .dim = 16,
     .dim_size = 8,
     .datatype = 12,
     .real = 8,
     .pixdim = 104,
     .vox_offset = 168,
     .slope = 176,
     .inter = 184,
     .units = 500,
     .code_size = 4,
     .qform = 344,
     .sform = 348,
     .quatern = 352,
     .qoffset = 376,
     .srow = 400,
     .magic = 4,
     .single = "n+2\0\r\n\032\n",
     .pair = "ni2\0\r\n\032\n",
     .magic_size = 8},
};

/* Version and byte order follow from the header's own size, its first field. */
static const layout *find_layout(const unsigned char *p, size_t len, int *big,
                                 const char *name)
{
    if (len < 4) {
        vox_fail(VOX_E_FORMAT, "%s: %zu bytes, wanted a NIfTI header of 348 or 540", name,
                 len);
        return NULL;
    }
    for (int i = 0; i < VOX_COUNT(layouts); i++) {
        for (*big = 0; *big < 2; ++*big) {
            if (get_int(p, 4, *big) == layouts[i].size)
                return &layouts[i];
        }
    }
    vox_fail(VOX_E_FORMAT,
             "%s: begins with %02x %02x %02x %02x, which is neither gzip (1f 8b) nor NIfTI",
             name, p[0], p[1], p[2], p[3]);
    return NULL;
}

static int check_magic(int *pair, const layout *l, const unsigned char *p, size_t len,
                       const char *name)
{
    if (len < (size_t)l->size)
        return vox_fail(VOX_E_FORMAT, "%s: %zu bytes, wanted a NIfTI-%d header of %d", name,
                        len, l->version, l->size);
    *pair = memcmp(p + l->magic, l->pair, l->magic_size) == 0;
    if (*pair || memcmp(p + l->magic, l->single, l->magic_size) == 0)
        return VOX_OK;
    p += l->magic;
    return vox_fail(VOX_E_FORMAT,
                    "%s: NIfTI magic is %02x %02x %02x %02x, wanted \"%s\" or \"%s\"", name,
                    p[0], p[1], p[2], p[3], l->single, l->pair);
}

static void read_fields(vox_nifti_header *h, const layout *l, const unsigned char *p)
{
    const int big = h->big;

    for (int i = 0; i < 8; i++) {
        h->dim[i] = get_int(p + l->dim + i * l->dim_size, l->dim_size, big);
        h->pixdim[i] = get_real(p + l->pixdim + i * l->real, l->real, big);
    }
    h->datatype = (int)get_int(p + l->datatype, 2, big);
    h->vox_offset = l->version == 1 ? get_real(p + l->vox_offset, 4, big)
                                    : (double)get_int(p + l->vox_offset, 8, big);
    h->slope = get_real(p + l->slope, l->real, big);
    h->inter = get_real(p + l->inter, l->real, big);
    h->units = l->version == 1 ? p[l->units] : (int)get_int(p + l->units, 4, big);
    h->qform = (int)get_int(p + l->qform, l->code_size, big);
    h->sform = (int)get_int(p + l->sform, l->code_size, big);
    for (int i = 0; i < 3; i++) {
        h->quatern[i] = get_real(p + l->quatern + i * l->real, l->real, big);
        h->qoffset[i] = get_real(p + l->qoffset + i * l->real, l->real, big);
        for (int j = 0; j < 4; j++)
            h->srow[i][j] = get_real(p + l->srow + (4 * i + j) * l->real, l->real, big);
    }
}

int vox_nifti_header_read(vox_nifti_header *out, const void *bytes, size_t len,
                          const char *name)
{
    const layout *l = find_layout(bytes, len, &out->big, name);

    if (!l)
        return VOX_E_FORMAT;
    VOX_TRY(check_magic(&out->pair, l, bytes, len, name));
    out->version = l->version;
    read_fields(out, l, bytes);
    return VOX_OK;
}
