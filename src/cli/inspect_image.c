/* inspect: images, and the distribution of their values. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/inspect.h"
#include "cli/report.h"
#include "data/case_geometry.h"
#include "data/fingerprint.h"
#include "data/store.h"
#include "image/volume.h"

/* ---- intensities ---- */

/* Move the values about so that v[k] is the k-th smallest (Hoare's selection). */
static float select_value(float *v, int64_t n, int64_t k)
{
    int64_t lo = 0, hi = n - 1;

    while (lo < hi) {
        const float pivot = v[lo + (hi - lo) / 2];
        int64_t i = lo, j = hi;

        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                const float t = v[i];

                v[i++] = v[j];
                v[j--] = t;
            }
        }
        if (k > j && k < i)
            break;
        lo = k >= i ? i : lo;
        hi = k <= j ? j : hi;
    }
    return v[k];
}

/* What is finite moves to the front; returns how many. */
static int64_t keep_finite(float *v, int64_t count)
{
    int64_t n = 0;

    for (int64_t i = 0; i < count; i++) {
        if (isfinite(v[i]))
            v[n++] = v[i];
    }
    return n;
}

static void moments(double *mean, double *std, const float *v, int64_t n)
{
    double sum = 0, squares = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (double)v[i];
    *mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) {
        const double d = (double)v[i] - *mean;

        squares += d * d;
    }
    *std = sqrt(squares / (double)n);
}

static double share_of_zero(const float *v, int64_t n)
{
    int64_t zero = 0;

    for (int64_t i = 0; i < n; i++)
        zero += v[i] == 0.0f;
    return (double)zero / (double)n;
}

void vox_inspect_intensity(json_object *o, float *v, int64_t count)
{
    static const struct {
        const char *name;
        double at;
    } order[] = {
        {"min",    0    },
        {"p0.5",   0.005},
        {"median", 0.5  },
        {"p99.5",  0.995},
        {"max",    1    }
    };
    const int64_t n = keep_finite(v, count);
    json_object *stats = json_object_new_object();
    double mean, std;

    vox_report_int(stats, "nonfinite", count - n);
    if (n > 0) {
        moments(&mean, &std, v, n);
        for (int i = 0; i < VOX_COUNT(order); i++)
            vox_report_num(
                stats, order[i].name,
                (double)select_value(v, n, llrint(order[i].at * (double)(n - 1))));
        vox_report_num(stats, "mean", mean);
        vox_report_num(stats, "std", std);
        vox_report_round(stats, "share_of_zero", share_of_zero(v, n), 4);
    }
    json_object_object_add(o, "intensity", stats);
}

/* ---- images ---- */

/* Where the voxel axes x, y, z run to, nearest: "RAS". World axes are x right, y front, z
 * up. */
static void orientation(char code[4], const double direction[9])
{
    static const char towards[3][2] = {
        {'R', 'L'},
        {'A', 'P'},
        {'S', 'I'}
    };

    for (int axis = 0; axis < 3; axis++) {
        int most = 0;

        for (int world = 1; world < 3; world++) {
            if (fabs(direction[3 * world + axis]) > fabs(direction[3 * most + axis]))
                most = world;
        }
        code[axis] = towards[most][direction[3 * most + axis] < 0];
    }
    code[3] = '\0';
}

static void add_info(json_object *o, const vox_volume_info *info)
{
    char code[4];

    orientation(code, info->direction);
    vox_report_text(o, "format", info->format);
    vox_report_text(o, "dtype", info->stored);
    vox_report_ints(o, "shape", info->shape.n, info->shape.rank);
    vox_report_nums(o, "spacing", info->spacing, 3);
    vox_report_text(o, "orientation", code);
    vox_report_nums(o, "origin", info->origin, 3);
    vox_report_nums(o, "direction", info->direction, 9);
    vox_report_num(o, "slope", info->slope);
    vox_report_num(o, "intercept", info->inter);
    vox_report_int(o, "qform", info->qform);
    vox_report_int(o, "sform", info->sform);
    json_object_object_add(o, "oblique", json_object_new_boolean(info->oblique));
}

/* Why the image cannot be trained on, or null. */
static void add_problem(json_object *o, const vox_volume *v, const char *path)
{
    int rc = vox_image_check(&v->info, path);

    if (rc == VOX_OK && v->info.nonfinite)
        rc = vox_fail(VOX_E_FORMAT, "%s: %lld voxels are NaN or infinite", path,
                      (long long)v->info.nonfinite);
    vox_report_text(o, "unusable", rc == VOX_OK ? NULL : vox_error_text());
    vox_error_clear();
}

static void add_files(json_object *o, const char *path)
{
    json_object *list = json_object_new_array();
    vox_strs parts = {0};

    if (vox_volume_parts(&parts, path) == VOX_OK) {
        for (int64_t i = 0; i < parts.count; i++)
            json_object_array_add(list, json_object_new_string(parts.v[i]));
    }
    if (parts.count)
        json_object_object_add(o, "voxels_in", json_object_get(list));
    json_object_put(list);
    vox_strs_release(&parts);
    vox_error_clear();
}

/* Everything of the voxels; the distribution comes last, as it sorts them. */
static int add_voxels(json_object *o, vox_volume *v, const char *path,
                      const vox_inspect_how *how)
{
    if (how->png)
        VOX_TRY(vox_inspect_picture(how->png, v, path));
    vox_inspect_intensity(o, v->data, vox_shape_count(v->info.shape));
    return VOX_OK;
}

int vox_inspect_image(json_object **out, const char *path, const vox_inspect_how *how)
{
    vox_volume v = VOX_VOLUME_INIT;
    json_object *o;
    int rc = VOX_OK;

    VOX_TRY(how->header ? vox_volume_read_info(&v.info, path) : vox_volume_read(&v, path));
    o = json_object_new_object();
    vox_report_text(o, "file", path);
    add_info(o, &v.info);
    add_files(o, path);
    add_problem(o, &v, path);
    if (v.data) {
        vox_report_int(o, "nonfinite_stored", v.info.nonfinite);
        rc = add_voxels(o, &v, path, how);
    }
    vox_volume_release(&v);
    if (rc == VOX_OK)
        *out = o;
    else
        json_object_put(o);
    return rc;
}

/* ---- preprocessed images ---- */

/* Read what is stored, with the geometry of the case, or as one of 1 mm without its side
 * files. */
static int add_values(json_object *o, vox_store *s, const vox_volume_info *info,
                      const char *path, const vox_inspect_how *how)
{
    static const int64_t lo[4] = {0};
    const int64_t *shape = info->shape.n;
    vox_volume v = {.info = *info};
    int rc;

    v.data = vox_alloc((size_t)vox_shape_count(info->shape), sizeof *v.data);
    rc = v.data ? vox_store_read(s, lo, shape, v.data, shape) : VOX_E_NOMEM;
    if (rc == VOX_OK)
        rc = add_voxels(o, &v, path, how);
    vox_volume_release(&v);
    return rc;
}

/* What the side files say, where there are any. */
static void add_properties(json_object *o, vox_volume_info *info, const char *path)
{
    vox_properties p = {.std = 0.0};
    char code[4];

    for (int i = 0; i < 3; i++) {
        info->spacing[i] = 1.0;
        info->direction[4 * i] = i < 2 ? -1.0 : 1.0;
    }
    if (vox_case_properties(&p, path, info->shape.n) == VOX_OK &&
        vox_case_geometry(info, &p, path) == VOX_OK) {
        orientation(code, info->direction);
        vox_report_nums(o, "spacing", p.spacing, 3);
        vox_report_text(o, "orientation", code);
        vox_report_nums(o, "origin", info->origin, 3);
        vox_report_nums(o, "spacing_read", p.spacing_read, 3);
        vox_report_ints(o, "transpose", p.transpose, 3);
        vox_report_ints(o, "shape_before_cropping", p.shape_before_cropping, 3);
        vox_report_ints(o, "crop", &p.bbox[0][0], 6);
        vox_report_ints(o, "shape_after_cropping", p.shape_after_cropping, 3);
    }
    if (p.std > 0.0) { /* the peer keeps neither */
        vox_report_num(o, "mean_read", p.mean);
        vox_report_num(o, "std_read", p.std);
    }
    vox_error_clear();
}

static void add_store(json_object *o, const vox_store_info *info)
{
    vox_report_text(o, "format", "b2nd");
    vox_report_text(o, "dtype", info->dtype);
    vox_report_ints(o, "shape", info->shape, 4);
    vox_report_ints(o, "chunk", info->chunk, 4);
    vox_report_ints(o, "block", info->block, 4);
    vox_report_text(o, "codec", info->codec);
    vox_report_int(o, "bytes", info->bytes);
    vox_report_int(o, "bytes_packed", info->packed);
}

int vox_inspect_store(json_object **out, const char *path, const vox_inspect_how *how)
{
    vox_volume_info volume = {.format = "b2nd"};
    vox_store *s;
    vox_store_info info;
    json_object *o;
    int rc;

    VOX_TRY(vox_store_open(&s, path));
    vox_store_describe(s, &info);
    volume.shape = VOX_SHAPE(info.shape[0], info.shape[1], info.shape[2], info.shape[3]);
    o = json_object_new_object();
    vox_report_text(o, "file", path);
    add_store(o, &info);
    add_properties(o, &volume, path);
    rc = how->header ? VOX_OK : add_values(o, s, &volume, path, how);
    vox_store_close(s);
    if (rc == VOX_OK)
        *out = o;
    else
        json_object_put(o);
    return rc;
}
