/*
 * format_nifti: NIfTI-1 and NIfTI-2, in one file or as a .hdr/.img pair, plain or gzip,
 * both byte orders.
 *
 * Voxels and spacing are what ITK reads (data.md 4.3): file order, never reoriented;
 * integers become float before they are scaled; NaN and infinite voxels become 0 and are
 * counted. A fourth dimension, or a fifth (vectors), becomes channels. Two-dimensional,
 * colour and complex images are refused (data.md 4.6).
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "image/gzip.h"
#include "image/nifti.h"
#include "image/voxels.h"

static const struct {
    int code; /* of the header */
    const char *name;
} types[] = {
    {2,    "u8"           },
    {4,    "i16"          },
    {8,    "i32"          },
    {16,   "f32"          },
    {64,   "f64"          },
    {256,  "i8"           },
    {512,  "u16"          },
    {768,  "u32"          },
    {1024, "i64"          },
    {1280, "u64"          },
 /* refused */
    {1,    "one-bit"      },
    {32,   "complex"      },
    {128,  "RGB"          },
    {1536, "128-bit float"},
    {1792, "complex"      },
    {2048, "complex"      },
    {2304, "RGBA"         },
};

/* What the entry points share. */
typedef struct nifti {
    vox_nifti_header header;
    vox_raster raster;
} nifti;

static const vox_element *find_type(int code, const char *name)
{
    for (int i = 0; i < VOX_COUNT(types); i++) {
        const vox_element *t;

        if (types[i].code != code)
            continue;
        t = vox_element_find(types[i].name);
        if (!t)
            vox_fail(VOX_E_FORMAT, "%s: %s voxels, wanted one real number each", name,
                     types[i].name);
        return t;
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
    if (n < 3 || n > 5 || (n == 5 && dim[4] > 1))
        return vox_fail(VOX_E_FORMAT, "%s: %lld-D image, wanted 3-D", name, (long long)n);
    *shape = VOX_SHAPE(n > 3 ? dim[n] : 1, dim[3], dim[2], dim[1]);
    return VOX_OK;
}

/* Where the voxels begin: in an .img anywhere, in one file not before the header's end. */
static int find_offset(nifti *nii, const char *name)
{
    const vox_nifti_header *h = &nii->header;
    const uint64_t least = h->pair           ? 0
                           : h->version == 1 ? VOX_NIFTI1_SIZE
                                             : VOX_NIFTI2_SIZE;

    if (!(h->vox_offset < 0x1p48))
        return vox_fail(VOX_E_FORMAT, "%s: voxels begin at byte %g", name, h->vox_offset);
    nii->raster.skip = h->vox_offset > (double)least ? (uint64_t)h->vox_offset : least;
    return VOX_OK;
}

/* slope 0 means no slope; what is not finite counts as 0 (data.md 4.3). */
static void set_scaling(vox_volume_info *info, const vox_nifti_header *h)
{
    info->slope = isfinite(h->slope) && h->slope != 0.0 ? h->slope : 1.0;
    info->inter = isfinite(h->inter) ? h->inter : 0.0;
}

static int read_header(vox_nifti_header *h, const vox_bytes *file)
{
    unsigned char head[VOX_NIFTI2_SIZE];
    size_t len = file->len;

    if (len == 0)
        return vox_fail(VOX_E_FORMAT, "%s: is empty", file->name);
    if (!vox_is_gzip(file->data, len))
        return vox_nifti_header_read(h, file->data, len, file->name);
    len = vox_gunzip_head(head, sizeof head, file->data, len);
    if (len == 0)
        return vox_fail(VOX_E_FORMAT, "%s: gzip stream damaged at its beginning",
                        file->name);
    return vox_nifti_header_read(h, head, len, file->name);
}

static int parse(nifti *nii, vox_volume_info *info, const vox_bytes *file)
{
    const vox_nifti_header *h = &nii->header;

    memset(info, 0, sizeof *info);
    memset(nii, 0, sizeof *nii);
    VOX_TRY(read_header(&nii->header, file));
    nii->raster.type = find_type(h->datatype, file->name);
    nii->raster.big = h->big;
    if (!nii->raster.type)
        return VOX_E_FORMAT;
    VOX_TRY(find_shape(&info->shape, h, file->name));
    VOX_TRY(vox_voxels_check(info, file->name));
    VOX_TRY(find_offset(nii, file->name));
    snprintf(info->format, sizeof info->format, "nifti%d", h->version);
    snprintf(info->stored, sizeof info->stored, "%s", vox_element_name(nii->raster.type));
    set_scaling(info, h);
    vox_nifti_geometry(info, h);
    return VOX_OK;
}

static int info(vox_volume_info *out, const vox_bytes *file)
{
    nifti nii;
    vox_volume_info found;

    VOX_TRY(parse(&nii, &found, file));
    *out = found;
    return VOX_OK;
}

/* Voxels alone may begin as a gzip stream does: of an .img the name decides. */
static int ends_in_z(const char *name)
{
    const size_t n = strlen(name);

    return n && tolower((unsigned char)name[n - 1]) == 'z';
}

/* Where ".hdr" stands in a name; NULL when it does not end like a pair's header. */
static char *find_hdr(char *name)
{
    const size_t n = strlen(name);
    const size_t tail = ends_in_z(name) ? 7 : 4;
    char *at = n > tail ? name + n - tail : NULL;

    if (!at || at[0] != '.' || tolower((unsigned char)at[1]) != 'h' ||
        tolower((unsigned char)at[2]) != 'd' || tolower((unsigned char)at[3]) != 'r')
        return NULL;
    return at + 1;
}

/* "scan.hdr" has its voxels in "scan.img", in the same case of letters. */
static int parts(vox_strs *out, const vox_bytes *file)
{
    vox_nifti_header h;
    char *at;

    VOX_TRY(read_header(&h, file));
    if (!h.pair)
        return VOX_OK;
    VOX_TRY(vox_strs_add(out, vox_path_base(file->name)));
    at = find_hdr(out->v[out->count - 1]);
    if (!at)
        return vox_fail(VOX_E_FORMAT,
                        "%s: is the header of a pair, wanted a name that ends in .hdr",
                        file->name);
    memcpy(at, isupper((unsigned char)*at) ? "IMG" : "img", 3);
    return VOX_OK;
}

static int read(vox_volume *out, const vox_bytes *file, const vox_bytes *part, int n)
{
    vox_volume v = {.stored = out->stored};
    const vox_bytes *voxels = n ? part : file;
    nifti nii;

    VOX_TRY(parse(&nii, &v.info, file));
    if (nii.header.pair != n)
        return vox_fail(VOX_E_FORMAT, "%s: has %d files of voxels, wanted %d", file->name,
                        n, nii.header.pair);
    if (n ? ends_in_z(part->name) : vox_is_gzip(file->data, file->len))
        nii.raster.packing = VOX_PACKED;
    VOX_TRY(vox_voxels_read(&v, &nii.raster, voxels, 1));
    vox_volume_release(out);
    *out = v;
    return VOX_OK;
}

static const char *const endings[] = {".nii.gz", ".nii", ".hdr.gz", ".hdr", NULL};

const vox_format vox_format_nifti = {
    .name = "nifti",
    .summary = "NIfTI-1 and NIfTI-2, .nii and .hdr/.img, also with .gz",
    .endings = endings,
    .parts_or_gz = 1,
    .info = info,
    .parts = parts,
    .read = read,
};
