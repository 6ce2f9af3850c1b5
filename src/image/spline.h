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

#include "base/scratch.h"
#include "image/grid.h"

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

/** What becomes of values on the way: clip((x - shift) * scale + rest, lo, hi). */
typedef struct vox_spline_map {
    float shift, scale;
    float rest; /* what a float could not hold of the shift, scaled */
    float lo, hi;
} vox_spline_map;

/** Rows of stored voxels, `step` voxels apart. */
typedef struct vox_spline_rows {
    const void *data;
    vox_voxel voxel;
    int64_t count, step;
    float shift; /* taken off every value */
} vox_spline_rows;

/** Kernels of one path. `out` may not overlap `in`. */
typedef struct vox_spline_kernel {
    /** [count, n] to [count, m]. */
    void (*rows)(float *out, const vox_spline_rows *in, const vox_spline_axis *a,
                 float *scratch);
    /** [n, width] to [m, width], and then scaled and clipped where `map` is not NULL. */
    void (*columns)(float *out, const float *in, int64_t width, const vox_spline_axis *a,
                    const vox_spline_map *map, float *scratch);
    /** Scale and clip n values in place. */
    void (*finish)(float *x, int64_t n, const vox_spline_map *map);
} vox_spline_kernel;

/** The kernels for this CPU, or of the path named in VOX_CPU; NULL for `reference`. */
const vox_spline_kernel *vox_spline_kernel_choose(void);

/** Memory of the passes, kept from call to call. */
typedef struct vox_spline_space {
    vox_scratch scratch, plane, planes;
} vox_spline_space;

#define VOX_SPLINE_SPACE_INIT \
    {                         \
        0                     \
    }

void vox_spline_space_release(vox_spline_space *s);

/**
 * Interpolate a grid to m, axis by axis; what its voxels mean is left to the map.
 *
 * @param[out] out  [m0, m1, m2]
 * @param k  kernels; NULL: everything in double, the peer's formulas step by step
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_spline_grid(float *out, const vox_grid *in, const int64_t m[3],
                    const vox_spline_map *map, vox_spline_space *space,
                    const vox_spline_kernel *k);

#endif
