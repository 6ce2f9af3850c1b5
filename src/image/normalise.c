/*
 * normalise: statistics in two passes over double sums, then one affine map.
 *
 * Sums run in eight lanes joined at the end, always alike, so that the bits depend on the
 * values alone.
 */
#include "image/normalise.h"

#include <math.h>

#include "base/error.h"

enum { LANES = 8 };

static double join(const double lane[LANES])
{
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) +
           ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

/* Sum of (x - centre), or of its square. */
static double sum_all(const float *x, int64_t n, double centre, int square)
{
    double lane[LANES] = {0};
    int64_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        for (int j = 0; j < LANES; j++) {
            const double d = (double)x[i + j] - centre;

            lane[j] += square ? d * d : d;
        }
    }
    for (int j = 0; i < n; i++, j++) {
        const double d = (double)x[i] - centre;

        lane[j] += square ? d * d : d;
    }
    return join(lane);
}

static double sum_some(const float *x, int64_t n, double centre, int square,
                       const uint8_t *skip)
{
    double sum = 0.0;

    for (int64_t i = 0; i < n; i++) {
        const double d = skip[i] ? 0.0 : (double)x[i] - centre;

        sum += square ? d * d : d;
    }
    return sum;
}

static double sum_of(const float *x, int64_t n, double centre, int square,
                     const uint8_t *skip)
{
    return skip ? sum_some(x, n, centre, square, skip) : sum_all(x, n, centre, square);
}

vox_stats vox_stats_of(const float *x, int64_t n, const uint8_t *skip)
{
    vox_stats s = {.lo = INFINITY, .hi = -INFINITY};
    double count;

    for (int64_t i = 0; i < n; i++) {
        if (skip && skip[i])
            continue;
        s.count++;
        s.lo = x[i] < s.lo ? x[i] : s.lo;
        s.hi = x[i] > s.hi ? x[i] : s.hi;
    }
    if (s.count == 0)
        return (vox_stats){0};
    count = (double)s.count;
    s.mean = sum_of(x, n, 0.0, 0, skip) / count;
    s.mean += sum_of(x, n, s.mean, 0, skip) / count; /* what the first pass rounded off */
    s.std = sqrt(sum_of(x, n, s.mean, 1, skip) / count);
    return s;
}

int vox_stats_constant(const vox_stats *s)
{
    return s->std <= 1e-6 * fabs(s->mean) || s->lo == s->hi;
}

/* x = (x - shift) * scale. */
static void affine(float *x, int64_t n, float shift, float scale, const uint8_t *skip)
{
    for (int64_t i = 0; i < n; i++) {
        if (!skip || !skip[i])
            x[i] = (x[i] - shift) * scale;
    }
}

int vox_normalise(float *x, int64_t n, vox_norm norm, const uint8_t *skip, vox_stats *out)
{
    const vox_stats s = vox_stats_of(x, n, skip);
    double shift = 0.0, scale = 1.0;

    if (norm == VOX_NORM_ZSCORE) {
        if (vox_stats_constant(&s))
            return vox_fail(VOX_E_FORMAT,
                            "constant image: values %g to %g, wanted some contrast",
                            (double)s.lo, (double)s.hi);
        shift = s.mean;
        scale = 1.0 / fmax(s.std, 1e-8);
    } else if (norm == VOX_NORM_RESCALE) {
        shift = (double)s.lo;
        scale = 1.0 / fmax((double)s.hi - (double)s.lo, 1e-8);
    } else if (norm == VOX_NORM_RGB) {
        if (s.lo < 0.0f || s.hi > 255.0f)
            return vox_fail(VOX_E_FORMAT, "values %g to %g, wanted colours of 0 to 255",
                            (double)s.lo, (double)s.hi);
        scale = 1.0 / 255.0;
    }
    if (norm != VOX_NORM_NONE)
        affine(x, n, (float)shift, (float)scale, skip);
    if (out)
        *out = s;
    return VOX_OK;
}
