/*
 * spline: cubic B-spline interpolation of one axis, the kernel behind resample.
 *
 * The coefficients of endless edge replication have a closed form, so nothing is padded
 * (equal to the peer's 12 samples of padding to 1e-7). With z = sqrt(3) - 2 and without the
 * gain 6, which sits in the weights:
 *
 *     forward    s[0] = x[0] / (1 - z),  s[i] = x[i] + z s[i-1]
 *     turn       d = -z / (1 - z^2) (s[n-1] - x[n-1] / (1 - z))
 *                c[n-1+k] = x[n-1] / 6 + d z^k,  k = 0, 1, 2
 *     backward   c[i] = z (c[i+1] - s[i]),  with s[-1] = s[-2] = s[0]
 *
 * Source: data.md 7.6.1; Unser 1999, "Splines: a perfect fit for signal and image
 * processing".
 */
#ifndef VOX_IMAGE_SPLINE_H
#define VOX_IMAGE_SPLINE_H

#include <stdint.h>

#define VOX_SPLINE_POLE (-0.26794919243112270647) /* sqrt(3) - 2 */

enum { VOX_SPLINE_STRIP = 128 }; /* floats side by side, at most */

/** One axis, n samples to m. */
typedef struct vox_spline_axis {
    int64_t n, m;
    int64_t *first; /* [m] first of four coefficients, -2 <= first <= n - 2 */
    float *weight;  /* [m][4], times 6 */
} vox_spline_axis;

/** Half-voxel centres. @return VOX_OK; VOX_E_NOMEM */
int vox_spline_axis_init(vox_spline_axis *a, int64_t n, int64_t m);
void vox_spline_axis_release(vox_spline_axis *a);

/** Floats of scratch a kernel needs for the axis. */
int64_t vox_spline_scratch(const vox_spline_axis *a);

/** Position of output k in a row of n samples, and the four weights of that place. */
double vox_spline_place(int64_t k, int64_t n, int64_t m);
void vox_spline_weights(double w[4], double t);

/** Kernels of one path. `out` may not overlap `in`. */
typedef struct vox_spline_kernel {
    /** [lines, n] to [lines, m]. */
    void (*rows)(float *out, const float *in, int64_t lines, const vox_spline_axis *a,
                 float *scratch);
    /** [n, width] to [m, width]. */
    void (*columns)(float *out, const float *in, int64_t width, const vox_spline_axis *a,
                    float *scratch);
    /** Smallest and largest of n >= 1 values. */
    void (*range)(float lo_hi[2], const float *x, int64_t n);
    /** Clamp every value to [lo, hi]. */
    void (*clip)(float *x, int64_t n, float lo, float hi);
} vox_spline_kernel;

/** The kernels for this CPU, or of the path named in VOX_CPU; NULL for `reference`. */
const vox_spline_kernel *vox_spline_kernel_choose(void);

/**
 * Interpolate [n] to [m] without clipping, axis by axis.
 *
 * @param k  kernels; NULL: everything in double, the peer's formulas step by step
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_spline_volume(float *out, const float *in, const int64_t n[3], const int64_t m[3],
                      const vox_spline_kernel *k);

#endif
