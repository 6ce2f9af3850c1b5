/* fill: the fixed values that goldens are made with (networks.md 19), and
 * tools/golden/voxgold.py makes too: a 32-bit hash of tensor number and element number. */
#ifndef VOX_TESTS_SUPPORT_FILL_H
#define VOX_TESTS_SUPPORT_FILL_H

#include <stdint.h>

#include "graph/params.h"

/** s(t, i) in [-1, 1). */
double fill_signed(uint32_t t, uint32_t i);

/** factor * s(t, i) for i = 0..n-1, rounded to f32. */
void fill_values(float *out, int64_t n, uint32_t t, double factor);

/** Every parameter of a sealed set. smooth = 0: the published recipe; 1: norms near scale
 * 0.1 and bias +-1, so that nothing comes near a leaky ReLU's kink. */
void fill_params(vox_params *p, int smooth);

#endif
