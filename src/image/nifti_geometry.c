/*
 * nifti_geometry: where the voxels are.
 *
 * The spacing is pixdim's, never the length of the sform's columns. Which of the two
 * orientations counts is ITK's rule; what ITK refuses (no orthonormal one) we accept and
 * mark, as nothing after reading depends on it.
 *
 * Source: nifti1.h (METHOD 1 to 3), data.md 4.3.
 */
#include <math.h>
#include <string.h>

#include "image/nifti.h"

static const double unknown[9] = {-1, 0, 0, 0, -1,
                                  0,  0, 0, 1}; /* identity in ITK's world */
static const double tolerance = 1e-4;           /* ITK's */

/* mm per unit of the header. */
static double unit_mm(int units)
{
    switch (units & 7) {
    case 1:
        return 1000.0; /* metre */
    case 3:
        return 0.001; /* micrometre */
    default:
        return 1.0;
    }
}

/* Rotation of the qform: the third axis is flipped when pixdim[0] < 0. */
static void from_quaternion(double r[9], const vox_nifti_header *h)
{
    double b = h->quatern[0], c = h->quatern[1], d = h->quatern[2];
    double a = 1.0 - (b * b + c * c + d * d);
    const double flip = h->pixdim[0] < 0.0 ? -1.0 : 1.0;

    if (a < 1e-7) { /* a half turn, or not quite of length 1 */
        const double k = 1.0 / sqrt(b * b + c * c + d * d);

        b *= k;
        c *= k;
        d *= k;
        a = 0.0;
    } else {
        a = sqrt(a);
    }
    r[0] = a * a + b * b - c * c - d * d;
    r[1] = 2 * (b * c - a * d);
    r[2] = 2 * (b * d + a * c) * flip;
    r[3] = 2 * (b * c + a * d);
    r[4] = a * a + c * c - b * b - d * d;
    r[5] = 2 * (c * d - a * b) * flip;
    r[6] = 2 * (b * d - a * c);
    r[7] = 2 * (c * d + a * b);
    r[8] = (a * a + d * d - b * b - c * c) * flip;
}

/* Columns of the sform divided by their lengths. @return 0 if a column has none */
static int from_rows(double r[9], const vox_nifti_header *h)
{
    for (int j = 0; j < 3; j++) {
        const double len =
            sqrt(h->srow[0][j] * h->srow[0][j] + h->srow[1][j] * h->srow[1][j] +
                 h->srow[2][j] * h->srow[2][j]);

        if (!(len > 0.0) || !isfinite(len))
            return 0;
        for (int i = 0; i < 3; i++)
            r[3 * i + j] = h->srow[i][j] / len;
    }
    return 1;
}

static int is_orthonormal(const double r[9])
{
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            const double dot = r[3 * i] * r[3 * j] + r[3 * i + 1] * r[3 * j + 1] +
                               r[3 * i + 2] * r[3 * j + 2];

            if (!(fabs(dot - (i == j)) <= tolerance))
                return 0;
        }
    }
    return 1;
}

static int agree(const double a[9], const double b[9])
{
    for (int i = 0; i < 9; i++) {
        if (!(fabs(a[i] - b[i]) <= tolerance))
            return 0;
    }
    return 1;
}

static double finite_or_zero(double v)
{
    return isfinite(v) ? v : 0.0;
}

static void set_orientation(vox_volume_info *out, const vox_nifti_header *h)
{
    double s[9], q[9];
    const int has_s = h->sform > 0 && from_rows(s, h), has_q = h->qform > 0;
    int use_s = has_s && is_orthonormal(s);

    from_quaternion(q, h);
    use_s = use_s && (!has_q || h->sform == 1 || agree(s, q));
    out->oblique = !use_s && !has_q && h->sform > 0;
    use_s = use_s || (out->oblique && has_s);
    memcpy(out->direction, use_s ? s : has_q ? q : unknown, sizeof out->direction);
    if (!agree(out->direction, out->direction)) /* NaN */
        memcpy(out->direction, unknown, sizeof unknown);
    for (int i = 0; i < 3; i++)
        out->origin[i] = finite_or_zero(use_s   ? h->srow[i][3]
                                        : has_q ? h->qoffset[i]
                                                : 0.0);
}

void vox_nifti_geometry(vox_volume_info *out, const vox_nifti_header *h)
{
    const double mm = unit_mm(h->units);

    out->unit = mm;
    for (int i = 0; i < 3; i++) {
        const double stored = h->pixdim[1 + i] * mm;

        out->spacing[2 - i] = isfinite(stored) && stored != 0.0 ? fabs(stored) : 1.0;
    }
    set_orientation(out, h);
    for (int i = 0; i < 3; i++)
        out->origin[i] = finite_or_zero(out->origin[i] * mm);
    out->qform = h->qform;
    out->sform = h->sform;
}

static double determinant(const double r[9])
{
    return r[0] * (r[4] * r[8] - r[5] * r[7]) - r[1] * (r[3] * r[8] - r[5] * r[6]) +
           r[2] * (r[3] * r[7] - r[4] * r[6]);
}

/* The component of (a, b, c, d) that is largest is computed by a square root, the others
 * from it, so nothing is divided by a small number. */
int vox_nifti_quaternion(double bcd[3], const double r[9])
{
    double q[4];
    const double trace[4] = {r[0] + r[4] + r[8], r[0] - r[4] - r[8], r[4] - r[0] - r[8],
                             r[8] - r[0] - r[4]};
    /* 4 q[i] q[j] for i != j */
    const double cross[4][4] = {
        {0,           r[7] - r[5], r[2] - r[6], r[3] - r[1]},
        {r[7] - r[5], 0,           r[1] + r[3], r[2] + r[6]},
        {r[2] - r[6], r[1] + r[3], 0,           r[5] + r[7]},
        {r[3] - r[1], r[2] + r[6], r[5] + r[7], 0          },
    };
    int top = 0;

    if (!is_orthonormal(r) || determinant(r) < 0.0)
        return 0;
    for (int i = 1; i < 4; i++)
        top = trace[i] > trace[top] ? i : top;
    q[top] = 0.5 * sqrt(1.0 + trace[top]);
    for (int i = 0; i < 4; i++) {
        if (i != top)
            q[i] = cross[top][i] / (4.0 * q[top]);
    }
    for (int i = 0; i < 3; i++)
        bcd[i] = q[0] < 0.0 ? -q[1 + i] : q[1 + i];
    return 1;
}
