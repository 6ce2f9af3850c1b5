/* spline_reference: the peer's interpolation, formula by formula, in double. */
#ifndef VOX_IMAGE_SPLINE_REFERENCE_H
#define VOX_IMAGE_SPLINE_REFERENCE_H

#include <stdint.h>

/** As vox_spline_volume without kernels. @return VOX_OK; VOX_E_NOMEM */
int vox_spline_volume_reference(float *out, const float *in, const int64_t n[3],
                                const int64_t m[3]);

#endif
