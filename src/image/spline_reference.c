/*
 * spline_reference: pad 12 samples, filter with half-sample reflection, take four taps:
 * steps (a) to (c) of data.md 7.6.1 as they stand there. Double between the axes.
 */
#include "image/spline_reference.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/spline.h"

enum { PAD = 12 };

/* B-spline coefficients of a padded line of n samples, in place. */
static void filter(double *c, int64_t n)
{
    const double z = VOX_SPLINE_POLE, zn = pow(z, (double)n);
    double sum, zi = 1.0;

    for (int64_t i = 0; i < n; i++)
        c[i] *= 6.0;
    sum = c[0] + zn * c[n - 1];
    for (int64_t i = 1; i < n; i++) {
        zi *= z;
        sum += zi * (c[i] + zn * c[n - 1 - i]);
    }
    c[0] += sum * z / (1.0 - zn * zn);
    for (int64_t i = 1; i < n; i++)
        c[i] += z * c[i - 1];
    c[n - 1] *= z / (z - 1.0);
    for (int64_t i = n - 2; i >= 0; i--)
        c[i] = z * (c[i + 1] - c[i]);
}

/* One line, `stride` apart; `line` has room for n + 2 PAD. */
static void resample_line(double *out, const double *in, int64_t stride, int64_t n,
                          int64_t m, double *line)
{
    double w[4];

    for (int64_t i = 0; i < n + 2 * PAD; i++) {
        const int64_t j = i < PAD ? 0 : i - PAD < n ? i - PAD : n - 1;

        line[i] = in[j * stride];
    }
    filter(line, n + 2 * PAD);
    for (int64_t k = 0; k < m; k++) {
        const double u = vox_spline_place(k, n, m) + PAD, base = floor(u);
        const double *c = line + (int64_t)base - 1;

        vox_spline_weights(w, u - base);
        out[k * stride] = w[0] * c[0] + w[1] * c[1] + w[2] * c[2] + w[3] * c[3];
    }
}

/* [outer, n, inner] to [outer, m, inner]. */
static int resample_axis(double *out, const double *in, int64_t outer, int64_t inner,
                         int64_t n, int64_t m)
{
    double *line = vox_alloc((size_t)(n + 2 * PAD), sizeof *line);

    if (!line)
        return VOX_E_NOMEM;
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < inner; i++)
            resample_line(out + o * m * inner + i, in + o * n * inner + i, inner, n, m,
                          line);
    }
    vox_free(line);
    return VOX_OK;
}

/* Replace *x, of extents `now`, by itself with axis `a` of length m. */
static int change_axis(double **x, int64_t now[3], int a, int64_t m)
{
    const int64_t outer = a == 0 ? 1 : a == 1 ? now[0] : now[0] * now[1];
    const int64_t inner = a == 0 ? now[1] * now[2] : a == 1 ? now[2] : 1;
    double *out = vox_alloc((size_t)(outer * inner * m), sizeof *out);
    int rc = out ? resample_axis(out, *x, outer, inner, now[a], m) : VOX_E_NOMEM;

    if (rc != VOX_OK) {
        vox_free(out);
        return rc;
    }
    vox_free(*x);
    *x = out;
    now[a] = m;
    return VOX_OK;
}

int vox_spline_volume_reference(float *out, const float *in, const int64_t n[3],
                                const int64_t m[3])
{
    int64_t now[3] = {n[0], n[1], n[2]};
    const int64_t count = n[0] * n[1] * n[2];
    double *x = vox_alloc((size_t)count, sizeof *x);
    int rc = x ? VOX_OK : VOX_E_NOMEM;

    for (int64_t i = 0; i < count && x; i++)
        x[i] = (double)in[i];
    for (int a = 2; a >= 0 && rc == VOX_OK; a--) {
        if (n[a] != m[a])
            rc = change_axis(&x, now, a, m[a]);
    }
    for (int64_t i = 0; i < m[0] * m[1] * m[2] && rc == VOX_OK; i++)
        out[i] = (float)x[i];
    vox_free(x);
    return rc;
}
