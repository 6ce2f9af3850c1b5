/*
 * format_meta: MetaImage, .mha with the voxels behind the header, .mhd with the voxels in
 * one or several other files; raw or compressed (zlib), or as text.
 *
 * As ITK reads it (data.md 4.3): file order; the spacing is ElementSpacing, else
 * ElementSize, else 1; what is negative turns its axis round; ITK's world is to the left,
 * back and up. The rows of TransformMatrix are the directions of the axes.
 * ElementToIntensityFunction is left alone, as ITK does. Channels are stored voxel by
 * voxel; a fourth dimension is channels too.
 *
 * Source: itk.org/Wiki/ITK/MetaIO/Documentation, and what ITK makes of files.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/header_text.h"
#include "image/voxels.h"

enum { AXES = 8 };

static const struct {
    const char *word, *name;
} types[] = {
    {"MET_CHAR",       "i8" },
    {"MET_UCHAR",      "u8" },
    {"MET_SHORT",      "i16"},
    {"MET_USHORT",     "u16"},
    {"MET_INT",        "i32"},
    {"MET_UINT",       "u32"},
    {"MET_LONG",       "i32"}, /* the format says 4 bytes, whatever the machine */
    {"MET_ULONG",      "u32"},
    {"MET_LONG_LONG",  "i64"},
    {"MET_ULONG_LONG", "u64"},
    {"MET_FLOAT",      "f32"},
    {"MET_DOUBLE",     "f64"},
};

/* The fields as written, axes x first. */
typedef struct meta {
    int64_t axes, size[AXES], channels, skip;
    int sizes, spacings, matrix_numbers, offsets; /* how many were given */
    int big, packed, text;
    double spacing[AXES], matrix[AXES * AXES], offset[AXES];
    const vox_element *type;
    char data_file[VOX_VALUE_MAX];
    vox_lines rest; /* what follows the header */
} meta;

extern const vox_format vox_format_meta;

/* ---- fields ---- */

typedef int (*reader)(meta *m, const char *value);

static int read_one(int64_t *out, const char *value, int64_t least)
{
    return vox_value_ints(out, 1, value) == 1 && *out >= least;
}

static int read_axes(meta *m, const char *value)
{
    return read_one(&m->axes, value, 1) && m->axes <= AXES;
}

static int read_sizes(meta *m, const char *value)
{
    m->sizes = vox_value_ints(m->size, AXES, value);
    return m->sizes > 0;
}

static int read_channels(meta *m, const char *value)
{
    return read_one(&m->channels, value, 1);
}

static int read_spacing(meta *m, const char *value)
{
    m->spacings = vox_value_reals(m->spacing, AXES, value);
    return m->spacings > 0;
}

/* ElementSpacing wins, wherever it stands. */
static int read_element_size(meta *m, const char *value)
{
    return m->spacings ? 1 : read_spacing(m, value);
}

static int read_matrix(meta *m, const char *value)
{
    m->matrix_numbers = vox_value_reals(m->matrix, AXES * AXES, value);
    return m->matrix_numbers > 0;
}

static int read_offset(meta *m, const char *value)
{
    m->offsets = vox_value_reals(m->offset, AXES, value);
    return m->offsets > 0;
}

static int read_switch(int *out, const char *value)
{
    *out = *value == 'T' || *value == 't' || *value == '1';
    return *out || *value == 'F' || *value == 'f' || *value == '0';
}

static int read_big(meta *m, const char *value)
{
    return read_switch(&m->big, value);
}

static int read_packed(meta *m, const char *value)
{
    return read_switch(&m->packed, value);
}

static int read_binary(meta *m, const char *value)
{
    int binary = 0;
    const int good = read_switch(&binary, value);

    m->text = !binary;
    return good;
}

static int read_skip(meta *m, const char *value)
{
    return read_one(&m->skip, value, -1);
}

/* "MET_SHORT_ARRAY" is what some write with several channels. */
static int read_type(meta *m, const char *value)
{
    static const char array[] = "_ARRAY";
    const size_t len = strlen(value), tail = sizeof array - 1;
    const size_t n = len > tail && !strcmp(value + len - tail, array) ? len - tail : len;

    m->type = NULL;
    for (int i = 0; i < VOX_COUNT(types); i++) {
        if (strlen(types[i].word) == n && strncmp(value, types[i].word, n) == 0)
            m->type = vox_element_find(types[i].name);
    }
    return m->type != NULL;
}

static int read_data_file(meta *m, const char *value)
{
    snprintf(m->data_file, sizeof m->data_file, "%s", value);
    return *value != '\0';
}

static const struct {
    const char *key;
    reader read;
} fields[] = {
    {"NDims",                   read_axes        },
    {"DimSize",                 read_sizes       },
    {"ElementNumberOfChannels", read_channels    },
    {"ElementSpacing",          read_spacing     },
    {"ElementSize",             read_element_size},
    {"TransformMatrix",         read_matrix      },
    {"Rotation",                read_matrix      },
    {"Orientation",             read_matrix      },
    {"Offset",                  read_offset      },
    {"Position",                read_offset      },
    {"Origin",                  read_offset      },
    {"BinaryData",              read_binary      },
    {"BinaryDataByteOrderMSB",  read_big         },
    {"ElementByteOrderMSB",     read_big         },
    {"CompressedData",          read_packed      },
    {"HeaderSize",              read_skip        },
    {"ElementType",             read_type        },
    {"ElementDataFile",         read_data_file   },
};

static int read_field(meta *m, const char *key, const char *value, const char *name)
{
    for (int i = 0; i < VOX_COUNT(fields); i++) {
        if (strcmp(key, fields[i].key) == 0 && !fields[i].read(m, value))
            return vox_fail(VOX_E_FORMAT, "%s: MetaImage field %s is \"%.100s\"", name, key,
                            value);
    }
    return VOX_OK;
}

/* The last field is where the voxels are. */
static int read_fields(meta *m, const vox_bytes *file)
{
    char key[64], value[VOX_VALUE_MAX];
    vox_line line;
    int known = 0;

    memset(m, 0, sizeof *m);
    m->channels = 1;
    m->rest = vox_lines_of(file);
    if (file->len == 0)
        return vox_fail(VOX_E_FORMAT, "%s: is empty", file->name);
    while (!*m->data_file && vox_lines_next(&m->rest, &line)) {
        const int pair = vox_line_split(key, value, &line, '=');

        if (!pair && !known)
            break;
        known = 1;
        if (pair)
            VOX_TRY(read_field(m, key, value, file->name));
    }
    if (!*m->data_file)
        return vox_fail(VOX_E_FORMAT,
                        "%s: no MetaImage header that ends with ElementDataFile",
                        file->name);
    return VOX_OK;
}

static int is_local(const meta *m)
{
    return strcasecmp(m->data_file, "LOCAL") == 0;
}

/* ---- what they mean ---- */

static int check_counts(const meta *m, const char *name)
{
    const int64_t n = m->axes;

    if (!m->type)
        return vox_fail(VOX_E_FORMAT, "%s: MetaImage without ElementType", name);
    if (n < 1 || m->sizes != n)
        return vox_fail(VOX_E_FORMAT, "%s: MetaImage has %d sizes for %lld dimensions",
                        name, m->sizes, (long long)n);
    if ((m->spacings && m->spacings != n) || (m->offsets && m->offsets != n) ||
        (m->matrix_numbers && m->matrix_numbers != n * n))
        return vox_fail(VOX_E_FORMAT,
                        "%s: MetaImage has %d spacings, %d offsets, a matrix of %d, wanted "
                        "%lld, %lld, %lld",
                        name, m->spacings, m->offsets, m->matrix_numbers, (long long)n,
                        (long long)n, (long long)(n * n));
    return VOX_OK;
}

static int find_shape(const meta *m, vox_raster *r, vox_volume_info *info, const char *name)
{
    const int64_t *size = m->size;
    int64_t n = m->axes;

    while (n > 3 && size[n - 1] == 1)
        n--;
    if (n < 3 || n > 4 || (n == 4 && m->channels > 1))
        return vox_fail(VOX_E_FORMAT, "%s: %lld-D image of %lld channels, wanted 3-D", name,
                        (long long)n, (long long)m->channels);
    info->shape = VOX_SHAPE(n == 4 ? size[3] : m->channels, size[2], size[1], size[0]);
    r->inner = n == 4 ? 0 : 1;
    return vox_voxels_check(info, name);
}

static int find_geometry(const meta *m, vox_volume_info *info, const char *name)
{
    double spacing[3], axis[3][3];

    for (int i = 0; i < 3; i++) {
        spacing[i] = m->spacings ? m->spacing[i] : 1.0;
        info->origin[i] = m->offset[i];
        for (int world = 0; world < 3; world++)
            axis[i][world] =
                m->matrix_numbers ? m->matrix[i * m->axes + world] : world == i;
    }
    info->slope = 1.0;
    info->unit = 1.0;
    return vox_lps_geometry(info, spacing, axis, name);
}

static int parse(meta *m, vox_raster *r, vox_volume_info *info, const vox_bytes *file)
{
    memset(info, 0, sizeof *info);
    memset(r, 0, sizeof *r);
    VOX_TRY(read_fields(m, file));
    VOX_TRY(check_counts(m, file->name));
    r->type = m->type;
    r->big = m->big;
    r->packing = m->text ? VOX_TEXT : m->packed ? VOX_PACKED : VOX_UNPACKED;
    VOX_TRY(find_shape(m, r, info, file->name));
    snprintf(info->format, sizeof info->format, "meta");
    snprintf(info->stored, sizeof info->stored, "%s", vox_element_name(m->type));
    return find_geometry(m, info, file->name);
}

static int info(vox_volume_info *out, const vox_bytes *file)
{
    vox_volume_info found;
    vox_raster r;
    meta m;

    VOX_TRY(parse(&m, &r, &found, file));
    *out = found;
    return VOX_OK;
}

static int parts(vox_strs *out, const vox_bytes *file)
{
    meta m;

    VOX_TRY(read_fields(&m, file));
    if (is_local(&m))
        return VOX_OK;
    if (vox_parts_are_listed(m.data_file))
        return vox_parts_of_lines(out, &m.rest, file->name);
    return vox_parts_of_value(out, m.data_file, file->name);
}

/* HeaderSize: bytes to leave out at the begin of a part; -1: the voxels are its last
 * bytes. */
static int skip(const meta *m, vox_raster *r, const vox_volume_info *info, vox_bytes *part,
                int count)
{
    const uint64_t want = (uint64_t)(vox_shape_count(info->shape) / count) *
                          (uint64_t)vox_element_size(r->type);

    if (m->skip == 0)
        return VOX_OK;
    if (r->packing != VOX_UNPACKED || (is_local(m) && m->skip > 0))
        return vox_fail(
            VOX_E_FORMAT,
            "%s: HeaderSize %lld, wanted it only with raw voxels in other files",
            part->name, (long long)m->skip);
    if (m->skip > 0) {
        r->skip = (uint64_t)m->skip;
    } else if (want < part->len) {
        part->data = (const char *)part->data + (part->len - want);
        part->len = (size_t)want;
    }
    return VOX_OK;
}

static int read_parts(vox_volume *v, const meta *m, vox_raster *r, const vox_bytes *part,
                      int count)
{
    vox_bytes *own = vox_alloc((size_t)count, sizeof *own);
    int rc = own ? VOX_OK : VOX_E_NOMEM;

    for (int i = 0; i < count && rc == VOX_OK; i++) {
        own[i] = part[i];
        rc = skip(m, r, &v->info, &own[i], count);
    }
    if (rc == VOX_OK)
        rc = vox_voxels_read(v, r, own, count);
    vox_free(own);
    return rc;
}

static int read(vox_volume *out, const vox_bytes *file, const vox_bytes *part, int count)
{
    vox_volume v = {.stored = out->stored};
    vox_raster r;
    vox_bytes local;
    meta m;

    VOX_TRY(parse(&m, &r, &v.info, file));
    if (is_local(&m) != !count)
        return vox_fail(VOX_E_FORMAT, "%s: has %d files of voxels", file->name, count);
    local = (vox_bytes){m.rest.at, (size_t)(m.rest.end - m.rest.at), file->name};
    VOX_TRY(read_parts(&v, &m, &r, count ? part : &local, count ? count : 1));
    vox_volume_release(out);
    *out = v;
    return VOX_OK;
}

static const char *const endings[] = {".mha", ".mhd", NULL};

const vox_format vox_format_meta = {
    .name = "meta",
    .summary = "MetaImage, .mha and .mhd with its files: raw, zlib, text",
    .endings = endings,
    .long_header = 1,
    .info = info,
    .parts = parts,
    .read = read,
};
