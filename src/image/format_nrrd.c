/*
 * format_nrrd: NRRD in one file, or a header with the voxels in one or several others; raw,
 * gzip and text.
 *
 * As ITK reads it (data.md 4.3): file order; the spacing is the length of each space
 * direction, or "spacings"; 1 where neither is known. ITK's world is to the left, back and
 * up; headers in RAS and LAS are turned, any other space is taken as it is. An axis of
 * values (kinds vector, list, ...) or of time becomes channels, wherever it stands. "axis
 * mins" and units are ignored.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/nrrd.h"
#include "image/voxels.h"

/* Spellings of the types, as teem takes them. */
static const struct {
    const char *word, *name;
} types[] = {
    {"signed char",            "i8" },
    {"int8",                   "i8" },
    {"int8_t",                 "i8" },
    {"uchar",                  "u8" },
    {"unsigned char",          "u8" },
    {"uint8",                  "u8" },
    {"uint8_t",                "u8" },
    {"short",                  "i16"},
    {"short int",              "i16"},
    {"signed short",           "i16"},
    {"signed short int",       "i16"},
    {"int16",                  "i16"},
    {"int16_t",                "i16"},
    {"ushort",                 "u16"},
    {"unsigned short",         "u16"},
    {"unsigned short int",     "u16"},
    {"uint16",                 "u16"},
    {"uint16_t",               "u16"},
    {"int",                    "i32"},
    {"signed int",             "i32"},
    {"int32",                  "i32"},
    {"int32_t",                "i32"},
    {"uint",                   "u32"},
    {"unsigned int",           "u32"},
    {"uint32",                 "u32"},
    {"uint32_t",               "u32"},
    {"longlong",               "i64"},
    {"long long",              "i64"},
    {"long long int",          "i64"},
    {"signed long long",       "i64"},
    {"signed long long int",   "i64"},
    {"int64",                  "i64"},
    {"int64_t",                "i64"},
    {"ulonglong",              "u64"},
    {"unsigned long long",     "u64"},
    {"unsigned long long int", "u64"},
    {"uint64",                 "u64"},
    {"uint64_t",               "u64"},
    {"float",                  "f32"},
    {"double",                 "f64"},
};

/* What the entry points share. */
typedef struct nrrd {
    vox_nrrd_header header;
    vox_raster raster;
    int channel_axis; /* or -1 */
    int space[3];     /* the axes of x, y and z */
} nrrd;

static int find_type(nrrd *n, vox_volume_info *info, const char *name)
{
    for (int i = 0; i < VOX_COUNT(types) && !n->raster.type; i++) {
        if (strcasecmp(n->header.type, types[i].word) == 0)
            n->raster.type = vox_element_find(types[i].name);
    }
    if (!n->raster.type)
        return vox_fail(VOX_E_FORMAT, "%s: NRRD type \"%s\", wanted one number per sample",
                        name, n->header.type);
    snprintf(info->stored, sizeof info->stored, "%s", vox_element_name(n->raster.type));
    return VOX_OK;
}

static int find_packing(nrrd *n, const char *name)
{
    static const struct {
        const char *word;
        vox_packing packing;
    } rows[] = {
        {"raw",   VOX_UNPACKED},
        {"gzip",  VOX_PACKED  },
        {"gz",    VOX_PACKED  },
        {"ascii", VOX_TEXT    },
        {"text",  VOX_TEXT    },
        {"txt",   VOX_TEXT    },
    };
    const char *endian = n->header.endian;
    int known = 0;

    for (int i = 0; i < VOX_COUNT(rows); i++) {
        if (strcasecmp(n->header.encoding, rows[i].word) == 0) {
            n->raster.packing = rows[i].packing;
            known = 1;
        }
    }
    if (!known)
        return vox_fail(VOX_E_FORMAT, "%s: NRRD encoding \"%s\", wanted raw, gzip or ascii",
                        name, n->header.encoding);
    n->raster.big = strcasecmp(endian, "big") == 0;
    if (!n->raster.big && strcasecmp(endian, "little") != 0 &&
        n->raster.packing != VOX_TEXT && vox_element_size(n->raster.type) > 1)
        return vox_fail(VOX_E_FORMAT, "%s: NRRD endian \"%s\", wanted big or little", name,
                        endian);
    return VOX_OK;
}

/* Fields with an entry for each axis must have all. */
static int check_counts(const vox_nrrd_header *h, const char *name)
{
    const struct {
        const char *field;
        int count;
    } rows[] = {
        {"spacings",         h->spacings},
        {"space directions", h->vectors },
        {"kinds",            h->kinds   },
    };

    for (int i = 0; i < VOX_COUNT(rows); i++) {
        if (rows[i].count && rows[i].count != h->axes)
            return vox_fail(VOX_E_FORMAT, "%s: NRRD field \"%s\" has %d entries, wanted %d",
                            name, rows[i].field, rows[i].count, h->axes);
    }
    if (h->axes < 1 || h->sizes != h->axes)
        return vox_fail(VOX_E_FORMAT, "%s: NRRD has %d sizes for %d dimensions", name,
                        h->sizes, h->axes);
    return VOX_OK;
}

static int is_values(const vox_nrrd_header *h, int axis)
{
    return h->kind[axis] == VOX_NRRD_VALUES ||
           (h->kind[axis] == VOX_NRRD_SPACE && h->vectors && isnan(h->vector[axis][0]));
}

static int find_channels(nrrd *n, const char *name)
{
    const vox_nrrd_header *h = &n->header;
    int time = -1;

    n->channel_axis = -1;
    for (int i = 0; i < h->axes; i++) {
        if (h->kind[i] == VOX_NRRD_REFUSED)
            return vox_fail(VOX_E_FORMAT,
                            "%s: colour or complex voxels, wanted one real number each",
                            name);
        if (is_values(h, i) && n->channel_axis >= 0)
            return vox_fail(VOX_E_FORMAT,
                            "%s: two axes are none of space, wanted one at most", name);
        if (is_values(h, i))
            n->channel_axis = i;
        if (h->kind[i] == VOX_NRRD_TIME)
            time = i;
    }
    n->channel_axis = n->channel_axis < 0 ? time : n->channel_axis;
    return VOX_OK;
}

/* Which axes are x, y, z; without a word of it the fourth holds channels. Further axes must
 * be of length 1. */
static int find_axes(nrrd *n, const char *name)
{
    const vox_nrrd_header *h = &n->header;
    int count = 0;

    VOX_TRY(check_counts(h, name));
    VOX_TRY(find_channels(n, name));
    for (int i = 0; i < h->axes; i++) {
        if (i == n->channel_axis)
            continue;
        if (count < 3)
            n->space[count] = i;
        else if (h->size[i] != 1 && n->channel_axis < 0)
            n->channel_axis = i;
        else if (h->size[i] != 1)
            return vox_fail(VOX_E_FORMAT, "%s: %d-D image, wanted 3-D", name, h->axes);
        count++;
    }
    if (count < 3)
        return vox_fail(VOX_E_FORMAT, "%s: %d-D image, wanted 3-D", name, count);
    return VOX_OK;
}

static int find_shape(nrrd *n, vox_volume_info *info, const char *name)
{
    const int64_t *size = n->header.size;
    const int c = n->channel_axis;

    info->shape = VOX_SHAPE(c < 0 ? 1 : size[c], size[n->space[2]], size[n->space[1]],
                            size[n->space[0]]);
    VOX_TRY(vox_voxels_check(info, name));
    n->raster.inner = 1;
    for (int i = 0; i < c; i++)
        n->raster.inner *= size[i];
    return VOX_OK;
}

/* ITK turns the worlds that it can name into its own. */
static double turn(const char *space, int world)
{
    static const char *const ras[] = {"right-anterior-superior", "RAS"};
    static const char *const las[] = {"left-anterior-superior", "LAS"};

    for (int i = 0; i < 2; i++) {
        if (strcasecmp(space, ras[i]) == 0)
            return world < 2 ? -1.0 : 1.0;
        if (strcasecmp(space, las[i]) == 0)
            return world == 1 ? -1.0 : 1.0;
    }
    return 1.0;
}

static int find_geometry(const nrrd *n, vox_volume_info *info, const char *name)
{
    const vox_nrrd_header *h = &n->header;
    double spacing[3], axis[3][3];

    for (int i = 0; i < 3; i++) {
        const double *v = h->vector[n->space[i]];
        const int known = h->vectors && !isnan(v[0]);
        const double given = h->spacings ? h->spacing[n->space[i]] : (double)NAN;

        spacing[i] = known ? sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) : given;
        if (!known && isnan(given))
            spacing[i] = 1.0;
        for (int world = 0; world < 3; world++)
            axis[i][world] = known ? v[world] * turn(h->space, world) : world == i;
        info->origin[i] = h->origin[i] * turn(h->space, i);
    }
    info->slope = 1.0;
    info->unit = 1.0;
    return vox_lps_geometry(info, spacing, axis, name);
}

static int parse(nrrd *n, vox_volume_info *info, const vox_bytes *file)
{
    memset(info, 0, sizeof *info);
    memset(n, 0, sizeof *n);
    VOX_TRY(vox_nrrd_header_read(&n->header, file));
    VOX_TRY(find_type(n, info, file->name));
    VOX_TRY(find_packing(n, file->name));
    VOX_TRY(find_axes(n, file->name));
    VOX_TRY(find_shape(n, info, file->name));
    snprintf(info->format, sizeof info->format, "nrrd");
    return find_geometry(n, info, file->name);
}

static int info(vox_volume_info *out, const vox_bytes *file)
{
    vox_volume_info found;
    nrrd n;

    VOX_TRY(parse(&n, &found, file));
    *out = found;
    return VOX_OK;
}

static int parts(vox_strs *out, const vox_bytes *file)
{
    vox_nrrd_header h;

    VOX_TRY(vox_nrrd_header_read(&h, file));
    if (!*h.data_file)
        return VOX_OK;
    if (vox_parts_are_listed(h.data_file))
        return vox_parts_of_lines(out, &h.rest, file->name);
    return vox_parts_of_value(out, h.data_file, file->name);
}

/* Leave out "line skip" lines of a part. */
static int skip_lines(vox_bytes *part, int64_t lines)
{
    vox_lines l = vox_lines_of(part);
    vox_line line;

    for (int64_t i = 0; i < lines; i++) {
        if (!vox_lines_next(&l, &line))
            return vox_fail(VOX_E_FORMAT, "%s: ends within the %lld lines to skip",
                            part->name, (long long)lines);
    }
    part->data = l.at;
    part->len = (size_t)(l.end - l.at);
    return VOX_OK;
}

/* Byte skip -1: the voxels are the last bytes of a raw file. */
static int skip_bytes(nrrd *n, const vox_volume_info *info, vox_bytes *part, int parts)
{
    const uint64_t want = (uint64_t)(vox_shape_count(info->shape) / parts) *
                          (uint64_t)vox_element_size(n->raster.type);
    const char *data = part->data;

    if (n->header.byte_skip >= 0) {
        n->raster.skip = (uint64_t)n->header.byte_skip;
        return VOX_OK;
    }
    if (n->raster.packing != VOX_UNPACKED)
        return vox_fail(VOX_E_FORMAT, "%s: byte skip -1 of voxels that are not raw",
                        part->name);
    if (want < part->len) {
        part->data = data + (part->len - want);
        part->len = (size_t)want;
    }
    return VOX_OK;
}

static int read_parts(vox_volume *v, nrrd *n, const vox_bytes *part, int count)
{
    vox_bytes *own = vox_alloc((size_t)count, sizeof *own);
    int rc = own ? VOX_OK : VOX_E_NOMEM;

    for (int i = 0; i < count && rc == VOX_OK; i++) {
        own[i] = part[i];
        rc = skip_lines(&own[i], n->header.line_skip);
        if (rc == VOX_OK)
            rc = skip_bytes(n, &v->info, &own[i], count);
    }
    if (rc == VOX_OK)
        rc = vox_voxels_read(v, &n->raster, own, count);
    vox_free(own);
    return rc;
}

static int read(vox_volume *out, const vox_bytes *file, const vox_bytes *part, int count)
{
    vox_volume v = {.stored = out->stored};
    vox_bytes behind;
    nrrd n;

    VOX_TRY(parse(&n, &v.info, file));
    if (!*n.header.data_file != !count)
        return vox_fail(VOX_E_FORMAT, "%s: has %d files of voxels", file->name, count);
    behind = (vox_bytes){n.header.rest.at, (size_t)(n.header.rest.end - n.header.rest.at),
                         file->name};
    VOX_TRY(read_parts(&v, &n, count ? part : &behind, count ? count : 1));
    vox_volume_release(out);
    *out = v;
    return VOX_OK;
}

static const char *const endings[] = {".nrrd", ".nhdr", NULL};

const vox_format vox_format_nrrd = {
    .name = "nrrd",
    .summary = "NRRD, .nrrd and .nhdr with its files: raw, gzip, ascii",
    .endings = endings,
    .long_header = 1,
    .info = info,
    .parts = parts,
    .read = read,
};
