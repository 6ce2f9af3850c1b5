/* bundle: files of named tensors, as replay reads and writes them, and how far two are apart.
 * Everything fails the test when a tensor is missing or misshapen. */
#ifndef VOX_TESTS_SUPPORT_BUNDLE_H
#define VOX_TESTS_SUPPORT_BUNDLE_H

#include "io/safetensors.h"

void bundle_load(vox_tensors *ts, const char *path);

/** A tensor of f32 or f64 as new doubles, *n of them; vox_free. */
double *bundle_values(const vox_tensors *ts, const char *name, int64_t *n);

/** L2. */
double bundle_norm(const double *v, int64_t n);

/** Distance of one tensor in two bundles, and the norm of the second's. */
double bundle_distance(const vox_tensors *found, const vox_tensors *want, const char *name,
                       double *size);

/** Fails beyond rtol of the wanted tensor's norm, or of the floor where that is larger. */
void bundle_within(const vox_tensors *found, const vox_tensors *want, const char *name,
                   double rtol, double floor);

#endif
