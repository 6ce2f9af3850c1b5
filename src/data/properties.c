/* properties: as pickle and as JSON. */
#include "data/properties.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

void vox_properties_fill(vox_properties *out, const vox_prepared_case *p,
                         const vox_volume_info *file)
{
    memcpy(out->spacing_read, p->spacing_read, sizeof out->spacing_read);
    memcpy(out->shape_before_cropping, p->shape_before_cropping,
           sizeof out->shape_before_cropping);
    memcpy(out->bbox, p->bbox, sizeof out->bbox);
    memcpy(out->shape_after_cropping, p->shape_after_cropping,
           sizeof out->shape_after_cropping);
    memcpy(out->spacing, p->image.info.spacing, sizeof out->spacing);
    memcpy(out->shape, p->image.info.shape.n, sizeof out->shape);
    for (int i = 0; i < 3; i++)
        out->transpose[i] = p->transpose[i];
    memcpy(out->origin, file->origin, sizeof out->origin);
    memcpy(out->direction, file->direction, sizeof out->direction);
    out->zeroed = file->nonfinite;
    out->mean = p->mean;
    out->std = p->std;
}

/* Pickle, protocol 2: a stack machine; containers take what lies above the last mark. */
static int op(vox_buf *out, const char *codes)
{
    return vox_buf_add(out, codes, strlen(codes));
}

static int add_le32(vox_buf *out, uint32_t v)
{
    const unsigned char b[4] = {(unsigned char)v, (unsigned char)(v >> 8),
                                (unsigned char)(v >> 16), (unsigned char)(v >> 24)};

    return vox_buf_add(out, b, sizeof b);
}

static int add_text(vox_buf *out, const char *text)
{
    VOX_TRY(op(out, "X"));
    VOX_TRY(add_le32(out, (uint32_t)strlen(text)));
    return op(out, text);
}

static int add_int(vox_buf *out, int64_t v)
{
    VOX_TRY(op(out, "J"));
    return add_le32(out, (uint32_t)v);
}

static int add_double(vox_buf *out, double v)
{
    unsigned char b[8];
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    for (int i = 0; i < 8; i++)
        b[i] = (unsigned char)(bits >> (56 - 8 * i));
    VOX_TRY(op(out, "G"));
    return vox_buf_add(out, b, sizeof b);
}

/* `end` closes the container: "e" a list, opened by "](", "t" a tuple, opened by "(". */
static int add_doubles(vox_buf *out, const char *begin, const double *v, int n,
                       const char *end)
{
    VOX_TRY(op(out, begin));
    for (int i = 0; i < n; i++)
        VOX_TRY(add_double(out, v[i]));
    return op(out, end);
}

static int add_ints(vox_buf *out, const char *begin, const int64_t *v, int n,
                    const char *end)
{
    VOX_TRY(op(out, begin));
    for (int i = 0; i < n; i++)
        VOX_TRY(add_int(out, v[i]));
    return op(out, end);
}

/* SimpleITK's world has x and y the other way round than NIfTI's. */
static int add_sitk(vox_buf *out, const vox_properties *p)
{
    const double spacing[3] = {p->spacing_read[2], p->spacing_read[1], p->spacing_read[0]};
    const double origin[3] = {-p->origin[0], -p->origin[1], p->origin[2]};
    double direction[9];

    for (int i = 0; i < 9; i++)
        direction[i] = i < 6 ? -p->direction[i] : p->direction[i];
    VOX_TRY(op(out, "}("));
    VOX_TRY(add_text(out, "spacing"));
    VOX_TRY(add_doubles(out, "(", spacing, 3, "t"));
    VOX_TRY(add_text(out, "origin"));
    VOX_TRY(add_doubles(out, "(", origin, 3, "t"));
    VOX_TRY(add_text(out, "direction"));
    VOX_TRY(add_doubles(out, "(", direction, 9, "t"));
    return op(out, "u");
}

int vox_properties_pickle(vox_buf *out, const vox_properties *p)
{
    VOX_TRY(op(out, "\x80\x02}("));
    VOX_TRY(add_text(out, "sitk_stuff"));
    VOX_TRY(add_sitk(out, p));
    VOX_TRY(add_text(out, "spacing"));
    VOX_TRY(add_doubles(out, "](", p->spacing_read, 3, "e"));
    VOX_TRY(add_text(out, "shape_before_cropping"));
    VOX_TRY(add_ints(out, "(", p->shape_before_cropping, 3, "t"));
    VOX_TRY(add_text(out, "bbox_used_for_cropping"));
    VOX_TRY(op(out, "]("));
    for (int i = 0; i < 3; i++)
        VOX_TRY(add_ints(out, "](", p->bbox[i], 2, "e"));
    VOX_TRY(op(out, "e"));
    VOX_TRY(add_text(out, "shape_after_cropping_and_before_resampling"));
    VOX_TRY(add_ints(out, "(", p->shape_after_cropping, 3, "t"));
    return op(out, "u.");
}

/* The members of the side file: one table serves both directions. */
typedef struct member {
    const char *name;
    size_t offset;
    int count, is_int;
} member;

#define INTS(field, n)                                \
    {                                                 \
#field, offsetof(vox_properties, field), n, 1 \
    }
#define DOUBLES(field, n)                             \
    {                                                 \
#field, offsetof(vox_properties, field), n, 0 \
    }
static const member members[] = {
    DOUBLES(spacing_read, 3),
    INTS(shape_before_cropping, 3),
    INTS(bbox, 6),
    INTS(shape_after_cropping, 3),
    DOUBLES(spacing, 3),
    INTS(shape, 4),
    INTS(transpose, 3),
    DOUBLES(origin, 3),
    DOUBLES(direction, 9),
    DOUBLES(mean, 1),
    DOUBLES(std, 1),
    INTS(zeroed, 1),
    INTS(bytes, 3),
};
#undef INTS
#undef DOUBLES

static json_object *number(const vox_properties *p, const member *m, int i)
{
    const char *at = (const char *)p + m->offset;

    if (m->is_int)
        return json_object_new_int64(((const int64_t *)(const void *)at)[i]);
    return json_object_new_double(((const double *)(const void *)at)[i]);
}

static int add_member(json_object *o, const char *name, json_object *v)
{
    if (v && json_object_object_add(o, name, v) == 0)
        return VOX_OK;
    json_object_put(v);
    return vox_fail(VOX_E_NOMEM, "no memory for the properties of an image");
}

static int fill_json(json_object *o, const vox_properties *p)
{
    VOX_TRY(add_member(o, "key", json_object_new_string(p->key)));
    for (int k = 0; k < VOX_COUNT(members); k++) {
        json_object *list = json_object_new_array();

        VOX_TRY(add_member(o, members[k].name, list));
        for (int i = 0; i < members[k].count; i++) {
            json_object *v = number(p, &members[k], i);

            if (!v || json_object_array_add(list, v)) {
                json_object_put(v);
                return vox_fail(VOX_E_NOMEM, "no memory for the properties of an image");
            }
        }
    }
    return VOX_OK;
}

int vox_properties_write(const vox_properties *p, const char *path)
{
    json_object *o = json_object_new_object();
    int rc = o ? fill_json(o, p) : vox_fail(VOX_E_NOMEM, "%s: no memory", path);

    if (rc == VOX_OK)
        rc = vox_json_write(path, o, 1);
    json_object_put(o);
    return rc;
}

static int read_member(vox_properties *p, const member *m, json_object *o, const char *path)
{
    char *at = (char *)p + m->offset;
    json_object *list;

    if (m->offset == offsetof(vox_properties, transpose) && !vox_json_get(o, m->name))
        return VOX_OK; /* an older file */
    VOX_TRY(vox_json_array(&list, o, m->name, path));
    if (json_object_array_length(list) != (size_t)m->count)
        return vox_fail(VOX_E_FORMAT, "%s: \"%s\" has %zu numbers, wanted %d", path,
                        m->name, json_object_array_length(list), m->count);
    for (int i = 0; i < m->count; i++) {
        json_object *v = json_object_array_get_idx(list, (size_t)i);

        if (m->is_int)
            ((int64_t *)(void *)at)[i] = json_object_get_int64(v);
        else
            ((double *)(void *)at)[i] = json_object_get_double(v);
    }
    return VOX_OK;
}

static int read_json(vox_properties *p, json_object *o, const char *path)
{
    const char *key;

    VOX_TRY(vox_json_str(&key, o, "key", path));
    snprintf(p->key, sizeof p->key, "%s", key);
    for (int k = 0; k < VOX_COUNT(members); k++)
        VOX_TRY(read_member(p, &members[k], o, path));
    return VOX_OK;
}

int vox_properties_read(vox_properties *out, const char *path)
{
    vox_properties p = {
        .transpose = {0, 1, 2}
    };
    json_object *o = NULL;
    int rc = vox_json_read(&o, path);

    if (rc == VOX_OK)
        rc = read_json(&p, o, path);
    json_object_put(o);
    if (rc == VOX_OK)
        *out = p;
    return rc;
}
