/*
 * resample: which way, to which shape, and the image half: spline, clip, nearest slice.
 *
 * The order is the peer's: clipping comes after all three axes (or both, of a thick slice)
 * and before slices are repeated.
 */
#include "image/resample.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/resample_common.h"
#include "image/spline.h"

static const double aniso = 3.0; /* a ratio above this makes slices thick */
static const double voxels_max = 8589934592.0, extent_max = 16777216.0;

/* The one axis that is coarsest by far, -1: no such axis, -2: the spacing is not
 * anisotropic. */
static int coarse_axis(const double s[3])
{
    const double hi = fmax(s[0], fmax(s[1], s[2])), lo = fmin(s[0], fmin(s[1], s[2]));
    int axis = -1, count = 0;

    if (!(hi / lo > aniso))
        return -2;
    for (int a = 0; a < 3; a++) {
        if (hi / s[a] == 1.0) {
            axis = a;
            count++;
        }
    }
    return count == 1 ? axis : -1;
}

int vox_resample_thick_axis(const double from[3], const double to[3])
{
    int axis = coarse_axis(from);

    if (axis == -2)
        axis = coarse_axis(to);
    return axis < 0 ? -1 : axis;
}

int vox_resample_shape(int64_t out[3], const int64_t n[3], const double from[3],
                       const double to[3])
{
    double count = 1.0;

    for (int a = 0; a < 3; a++) {
        const double m = fmax(1.0, rint(from[a] / to[a] * (double)n[a]));

        count *= m;
        if (!(m <= extent_max) || !(count <= voxels_max))
            return vox_cure(
                vox_fail(VOX_E_FORMAT,
                         "spacing %g mm to %g mm makes %lld voxels %g along axis %d: too "
                         "many",
                         from[a], to[a], (long long)n[a], m, a),
                "check the voxel size in its header");
        out[a] = (int64_t)m;
    }
    return VOX_OK;
}

int64_t vox_resample_nearest(int64_t k, int64_t n, int64_t m)
{
    const double step = (double)n / (double)m;
    const double at = floor(step * ((double)k + 0.5) - 0.5 + 0.5);

    return at < 0.0 ? 0 : at > (double)(n - 1) ? n - 1 : (int64_t)at;
}

int vox_resample_begin(vox_volume *out, const vox_volume *in, const int64_t shape[3],
                       int thick)
{
    *out = (vox_volume){.info = in->info};
    if (thick < -1 || thick > 2)
        return vox_fail(VOX_E_ARG, "thick axis is %d, wanted -1 to 2", thick);
    for (int a = 0; a < 3; a++) {
        const double n = (double)in->info.shape.n[1 + a];

        if (shape[a] < 1)
            return vox_fail(VOX_E_ARG, "extent %d is %lld, wanted at least 1", a,
                            (long long)shape[a]);
        out->info.shape.n[1 + a] = shape[a];
        out->info.spacing[a] = in->info.spacing[a] * n / (double)shape[a];
    }
    out->data = vox_alloc((size_t)vox_shape_count(out->info.shape), sizeof *out->data);
    return out->data ? VOX_OK : VOX_E_NOMEM;
}

/* What a grid's voxels become: they mean stored * slope + inter, in [range[0], range[1]]. */
static vox_spline_map map_of(const vox_grid *v, const vox_norm_map *map,
                             const float range[2])
{
    const double a = ((double)range[0] - map->shift) * map->scale;
    const double b = ((double)range[1] - map->shift) * map->scale;
    const double shift = (map->shift - v->inter) / v->slope, scale = v->slope * map->scale;

    return (vox_spline_map){.shift = (float)shift,
                            .scale = (float)scale,
                            .rest = (float)(((double)(float)shift - shift) * scale),
                            .lo = (float)fmin(a, b),
                            .hi = (float)fmax(a, b)};
}

/* The range of what the voxels mean. */
static void range_of(float out[2], const vox_grid *v)
{
    float stored[2];

    vox_grid_range(stored, v);
    for (int i = 0; i < 2; i++)
        out[i] = (float)((double)stored[i] * v->slope + v->inter);
}

/* Slice `at` of a grid along an axis, as a plane; one along x is gathered into `room`. */
static int slice_of(vox_grid *out, const vox_grid *v, int axis, int64_t at,
                    vox_scratch *room)
{
    const size_t size = vox_voxel_size(v->voxel);
    const int64_t along = axis == 0 ? v->step[0] : axis == 1 ? v->step[1] : 1;
    const char *from = (const char *)v->data + at * along * (int64_t)size;
    char *to;

    *out = *v;
    out->data = from;
    out->n[0] = 1;
    if (axis == 0)
        return VOX_OK;
    out->n[1] = v->n[0];
    out->n[2] = axis == 1 ? v->n[2] : v->n[1];
    out->step[1] = v->step[0];
    if (axis == 1)
        return VOX_OK;
    out->step[1] = v->n[1];
    out->data = to = vox_scratch_need(room, (size_t)(v->n[0] * v->n[1]), size);
    if (!to)
        return VOX_E_NOMEM;
    for (int64_t z = 0; z < v->n[0]; z++) {
        for (int64_t y = 0; y < v->n[1]; y++, to += size)
            memcpy(to, from + (z * v->step[0] + y * v->step[1]) * (int64_t)size, size);
    }
    return VOX_OK;
}

/* A plane into slice `at` of [m] along an axis. */
static void put_slice(float *out, const float *plane, const int64_t m[3], int axis,
                      int64_t at)
{
    const int64_t step[3] = {m[1] * m[2], m[2], 1};
    const int p = axis == 0 ? 1 : 0, q = axis == 2 ? 1 : 2;

    out += at * step[axis];
    for (int64_t i = 0; i < m[p]; i++) {
        for (int64_t j = 0; j < m[q]; j++)
            out[i * step[p] + j * step[q]] = plane[i * m[q] + j];
    }
}

static int resample_slice(float *out, const vox_grid *v, const int64_t m[3], int axis,
                          int64_t at, const vox_norm_map *map, vox_resample_space *space)
{
    const int64_t plane[3] = {1, axis == 0 ? m[1] : m[0], axis == 2 ? m[1] : m[2]};
    vox_spline_map slice_map;
    vox_grid slice;
    float range[2];

    VOX_TRY(slice_of(&slice, v, axis, at, &space->in));
    range_of(range, &slice);
    slice_map = map_of(&slice, map, range);
    return vox_spline_grid(out, &slice, plane, &slice_map, &space->spline,
                           vox_spline_kernel_choose());
}

/* Each slice that some output takes is resampled once and copied where it is wanted. */
static int resample_slices(float *out, const vox_grid *v, const int64_t m[3], int axis,
                           const vox_norm_map *map, vox_resample_space *space)
{
    const int64_t each = m[0] * m[1] * m[2] / m[axis];
    float *plane = vox_scratch_need(&space->out, (size_t)each, sizeof *plane);
    int64_t have = -1;

    if (!plane)
        return VOX_E_NOMEM;
    for (int64_t i = 0; i < m[axis]; i++) {
        const int64_t want = vox_resample_nearest(i, v->n[axis], m[axis]);

        if (want != have)
            VOX_TRY(resample_slice(plane, v, m, axis, want, map, space));
        have = want;
        put_slice(out, plane, m, axis, i);
    }
    return VOX_OK;
}

int vox_grid_resample(float *out, const vox_grid *v, const int64_t m[3], int thick,
                      const vox_norm_map *map, const float range[2],
                      vox_resample_space *space)
{
    vox_spline_map whole;
    float measured[2];

    if (thick >= 0)
        return resample_slices(out, v, m, thick, map, space);
    if (!range) {
        range_of(measured, v);
        range = measured;
    }
    whole = map_of(v, map, range);
    return vox_spline_grid(out, v, m, &whole, &space->spline, vox_spline_kernel_choose());
}

void vox_resample_space_release(vox_resample_space *s)
{
    vox_spline_space_release(&s->spline);
    vox_scratch_release(&s->in);
    vox_scratch_release(&s->out);
}

static int all_channels(vox_volume *out, const vox_volume *in, int thick)
{
    const int64_t *m = out->info.shape.n + 1;
    const vox_norm_map as_is = {0.0, 1.0};
    vox_resample_space space = VOX_RESAMPLE_SPACE_INIT;
    int rc = VOX_OK;

    for (int64_t c = 0; c < in->info.shape.n[0] && rc == VOX_OK; c++) {
        const vox_grid v = vox_volume_grid(in, c);

        rc = vox_grid_resample(out->data + c * m[0] * m[1] * m[2], &v, m, thick, &as_is,
                               NULL, &space);
    }
    vox_resample_space_release(&space);
    return rc;
}

int vox_volume_resample(vox_volume *out, const vox_volume *in, const int64_t shape[3],
                        int thick)
{
    vox_volume v;
    int rc = vox_resample_begin(&v, in, shape, thick);

    if (rc == VOX_OK)
        rc = all_channels(&v, in, thick);
    if (rc != VOX_OK) {
        vox_volume_release(&v);
        return rc;
    }
    vox_volume_release(out);
    *out = v;
    return VOX_OK;
}
