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
            return vox_fail(
                VOX_E_FORMAT,
                "spacing %g mm to %g mm makes %lld voxels %g along axis %d: too "
                "many",
                from[a], to[a], (long long)n[a], m, a);
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

static void range_of(float lo_hi[2], const float *x, int64_t n, const vox_spline_kernel *k)
{
    if (k) {
        k->range(lo_hi, x, n);
        return;
    }
    lo_hi[0] = lo_hi[1] = x[0];
    for (int64_t i = 1; i < n; i++) {
        lo_hi[0] = x[i] < lo_hi[0] ? x[i] : lo_hi[0];
        lo_hi[1] = x[i] > lo_hi[1] ? x[i] : lo_hi[1];
    }
}

static void clip_to(float *x, int64_t n, const float lo_hi[2], const vox_spline_kernel *k)
{
    if (k) {
        k->clip(x, n, lo_hi[0], lo_hi[1]);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        x[i] = fminf(fmaxf(x[i], lo_hi[0]), lo_hi[1]);
}

/* All three axes of one channel. */
static int plain(float *out, const float *in, const int64_t n[3], const int64_t m[3],
                 const vox_spline_kernel *k)
{
    float lo_hi[2];

    range_of(lo_hi, in, n[0] * n[1] * n[2], k);
    VOX_TRY(vox_spline_volume(out, in, n, m, k));
    clip_to(out, m[0] * m[1] * m[2], lo_hi, k);
    return VOX_OK;
}

/* Slice `at` along an axis of [n] to or from a contiguous plane. */
static void copy_slice(float *to, const int64_t to_step[3], const float *from,
                       const int64_t from_step[3], const int64_t n[3], int axis)
{
    const int p = axis == 0 ? 1 : 0, q = axis == 2 ? 1 : 2;

    for (int64_t i = 0; i < n[p]; i++) {
        for (int64_t j = 0; j < n[q]; j++)
            to[i * to_step[p] + j * to_step[q]] = from[i * from_step[p] + j * from_step[q]];
    }
}

/* Strides of a contiguous [n], and of it without one axis. */
static void strides(int64_t step[3], const int64_t n[3], int without)
{
    int64_t next = 1;

    for (int a = 2; a >= 0; a--) {
        step[a] = a == without ? 0 : next;
        next *= a == without ? 1 : n[a];
    }
}

/* The planes of a thick volume: one of the source, the same resampled. */
typedef struct slices {
    float *in, *out;
    int64_t n[3], m[3]; /* extents of a slice; 1 along the thick axis */
} slices;

/* Each slice that some output takes is resampled once and copied where it is wanted. */
static int thick_channel(float *out, const float *in, const int64_t n[3],
                         const int64_t m[3], int axis, slices *s,
                         const vox_spline_kernel *k)
{
    int64_t in_step[3], out_step[3], flat_in[3], flat_out[3], have = -1;

    strides(in_step, n, -1);
    strides(out_step, m, -1);
    strides(flat_in, n, axis);
    strides(flat_out, m, axis);
    for (int64_t i = 0; i < m[axis]; i++) {
        const int64_t want = vox_resample_nearest(i, n[axis], m[axis]);

        if (want != have) {
            copy_slice(s->in, flat_in, in + want * in_step[axis], in_step, n, axis);
            VOX_TRY(plain(s->out, s->in, s->n, s->m, k));
            have = want;
        }
        copy_slice(out + i * out_step[axis], out_step, s->out, flat_out, m, axis);
    }
    return VOX_OK;
}

static int slices_init(slices *s, const int64_t n[3], const int64_t m[3], int axis)
{
    for (int a = 0; a < 3; a++) {
        s->n[a] = a == axis ? 1 : n[a];
        s->m[a] = a == axis ? 1 : m[a];
    }
    s->in = vox_alloc((size_t)(s->n[0] * s->n[1] * s->n[2]), sizeof *s->in);
    s->out = vox_alloc((size_t)(s->m[0] * s->m[1] * s->m[2]), sizeof *s->out);
    return s->in && s->out ? VOX_OK : VOX_E_NOMEM;
}

static int all_channels(vox_volume *out, const vox_volume *in, int thick)
{
    const vox_spline_kernel *k = vox_spline_kernel_choose();
    const int64_t *n = in->info.shape.n + 1, *m = out->info.shape.n + 1;
    slices s = {NULL, NULL, {0}, {0}};
    int rc = thick < 0 ? VOX_OK : slices_init(&s, n, m, thick);

    for (int64_t c = 0; c < in->info.shape.n[0] && rc == VOX_OK; c++) {
        const float *from = in->data + c * n[0] * n[1] * n[2];
        float *to = out->data + c * m[0] * m[1] * m[2];

        rc = thick < 0 ? plain(to, from, n, m, k)
                       : thick_channel(to, from, n, m, thick, &s, k);
    }
    vox_free(s.in);
    vox_free(s.out);
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
