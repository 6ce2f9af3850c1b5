/* bundle: see bundle.h. */
#include "support/unit.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "support/bundle.h"

void bundle_load(vox_tensors *ts, const char *path)
{
    *ts = (vox_tensors)VOX_TENSORS_INIT;
    if (vox_safetensors_read(ts, path) != VOX_OK)
        fail_msg("%s", vox_error_text());
}

double *bundle_values(const vox_tensors *ts, const char *name, int64_t *n)
{
    const vox_view *t = vox_tensors_find(ts, name);
    double *v;

    if (!t)
        fail_msg("%s is missing", name);
    *n = vox_shape_count(t->shape);
    v = vox_alloc((size_t)*n, sizeof *v);
    assert_non_null(v);
    if (t->dtype == VOX_F64) {
        vox_view_pack(v, t);
    } else {
        float *f = vox_alloc((size_t)*n, sizeof *f);

        assert_non_null(f);
        vox_view_f32(f, t);
        for (int64_t i = 0; i < *n; i++)
            v[i] = (double)f[i];
        vox_free(f);
    }
    return v;
}

double bundle_norm(const double *v, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += v[i] * v[i];
    return sqrt(sum);
}

double bundle_distance(const vox_tensors *found, const vox_tensors *want, const char *name,
                       double *size)
{
    int64_t n, m;
    double *a = bundle_values(found, name, &n), *b = bundle_values(want, name, &m), d;

    assert_int_equal(n, m);
    *size = bundle_norm(b, n);
    for (int64_t i = 0; i < n; i++)
        a[i] -= b[i];
    d = bundle_norm(a, n);
    vox_free(a);
    vox_free(b);
    return d;
}

void bundle_within(const vox_tensors *found, const vox_tensors *want, const char *name,
                   double rtol, double floor)
{
    double size;
    const double d = bundle_distance(found, want, name, &size);

    if (!(d <= rtol * fmax(size, floor)))
        fail_msg("%s is off by %.2e of %.2e", name, d, fmax(size, floor));
}
