/*
 * normalise: statistics in two passes over double sums, then one affine map.
 *
 * The first pass finds range and mean, the second the moments about that mean, which also
 * correct it. Values are dealt to eight lanes in turn, joined at the end, always alike: the
 * bits depend on the values alone, and the lanes keep the processor busy.
 */
#include "image/normalise.h"

#include <math.h>
#include <stddef.h>

#include "base/error.h"

enum { LANES = 8 };

/* Sums of x - centre and of its square, and the range, of the values a lane was dealt. */
typedef struct lanes {
    double sum[LANES], squares[LANES];
    float lo[LANES], hi[LANES];
} lanes;

static double join(const double lane[LANES])
{
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) +
           ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

/* Deal `n` <= LANES values. */
static inline void deal_range(lanes *l, const float *x, int n)
{
    for (int j = 0; j < n; j++) {
        l->lo[j] = x[j] < l->lo[j] ? x[j] : l->lo[j];
        l->hi[j] = x[j] > l->hi[j] ? x[j] : l->hi[j];
        l->sum[j] += (double)x[j];
    }
}

static inline void deal_moments(lanes *l, const float *x, int n, double centre)
{
    for (int j = 0; j < n; j++) {
        const double d = (double)x[j] - centre;

        l->sum[j] += d;
        l->squares[j] += d * d;
    }
}

/* All values of one pass; centre is NULL in the first. */
static void deal(lanes *out, const float *x, int64_t n, const double *centre)
{
    lanes l;

    for (int j = 0; j < LANES; j++) {
        l.sum[j] = l.squares[j] = 0.0;
        l.lo[j] = INFINITY;
        l.hi[j] = -INFINITY;
    }
    if (centre) {
        for (; n >= LANES; n -= LANES, x += LANES)
            deal_moments(&l, x, LANES, *centre);
        deal_moments(&l, x, (int)n, *centre);
    } else {
        for (; n >= LANES; n -= LANES, x += LANES)
            deal_range(&l, x, LANES);
        deal_range(&l, x, (int)n);
    }
    *out = l;
}

static vox_stats stats_of_all(const float *x, int64_t n)
{
    const double count = (double)n;
    vox_stats s = {.count = n};
    double shift;
    lanes l;

    deal(&l, x, n, NULL);
    s.lo = l.lo[0];
    s.hi = l.hi[0];
    for (int j = 1; j < LANES; j++) {
        s.lo = l.lo[j] < s.lo ? l.lo[j] : s.lo;
        s.hi = l.hi[j] > s.hi ? l.hi[j] : s.hi;
    }
    s.mean = join(l.sum) / count;
    deal(&l, x, n, &s.mean);
    shift = join(l.sum) / count; /* what the first pass rounded off */
    s.mean += shift;
    s.std = sqrt(fmax(0.0, join(l.squares) / count - shift * shift));
    return s;
}

/* The same where some values do not count; rarely asked for, so no lanes. */
static vox_stats stats_of_some(const float *x, int64_t n, const uint8_t *skip)
{
    vox_stats s = {.lo = INFINITY, .hi = -INFINITY};
    double sum = 0.0, squares = 0.0;

    for (int64_t i = 0; i < n; i++) {
        if (skip[i])
            continue;
        s.count++;
        s.lo = x[i] < s.lo ? x[i] : s.lo;
        s.hi = x[i] > s.hi ? x[i] : s.hi;
        sum += (double)x[i];
    }
    if (s.count == 0)
        return (vox_stats){0};
    s.mean = sum / (double)s.count;
    for (int64_t i = 0; i < n; i++) {
        const double d = skip[i] ? 0.0 : (double)x[i] - s.mean;

        squares += d * d;
    }
    s.std = sqrt(squares / (double)s.count);
    return s;
}

vox_stats vox_stats_of(const float *x, int64_t n, const uint8_t *skip)
{
    if (n == 0)
        return (vox_stats){0};
    return skip ? stats_of_some(x, n, skip) : stats_of_all(x, n);
}

int vox_stats_constant(const vox_stats *s)
{
    return s->std <= 1e-6 * fabs(s->mean) || s->lo == s->hi;
}

/* x = (x - shift) * scale. */
static void affine(float *x, int64_t n, float shift, float scale, const uint8_t *skip)
{
    for (int64_t i = 0; i < n && !skip; i++)
        x[i] = (x[i] - shift) * scale;
    for (int64_t i = 0; i < n && skip; i++)
        x[i] = skip[i] ? x[i] : (x[i] - shift) * scale;
}

int vox_norm_map_of(vox_norm_map *out, vox_norm norm, const vox_stats *s)
{
    *out = (vox_norm_map){0.0, 1.0};
    if (norm == VOX_NORM_ZSCORE) {
        if (vox_stats_constant(s))
            return vox_cure(
                vox_fail(VOX_E_FORMAT,
                         "constant image: values %g to %g, wanted some contrast",
                         (double)s->lo, (double)s->hi),
                "none: there is nothing to learn from it; take it out of the dataset");
        *out = (vox_norm_map){s->mean, 1.0 / fmax(s->std, 1e-8)};
    } else if (norm == VOX_NORM_RESCALE) {
        out->shift = (double)s->lo;
        out->scale = 1.0 / fmax((double)s->hi - (double)s->lo, 1e-8);
    } else if (norm == VOX_NORM_RGB) {
        if (s->lo < 0.0f || s->hi > 255.0f)
            return vox_cure(vox_fail(VOX_E_FORMAT,
                                     "values %g to %g, wanted colours of 0 to 255",
                                     (double)s->lo, (double)s->hi),
                            "plan ZScoreNormalization for images that are no colours");
        out->scale = 1.0 / 255.0;
    }
    return VOX_OK;
}

int vox_normalise(float *x, int64_t n, vox_norm norm, const uint8_t *skip, vox_stats *out)
{
    const vox_stats s = vox_stats_of(x, n, skip);
    vox_norm_map map;

    VOX_TRY(vox_norm_map_of(&map, norm, &s));
    if (norm != VOX_NORM_NONE)
        affine(x, n, (float)map.shift, (float)map.scale, skip);
    if (out)
        *out = s;
    return VOX_OK;
}
