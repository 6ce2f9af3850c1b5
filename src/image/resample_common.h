/* resample_common: what images and labels share. */
#ifndef VOX_IMAGE_RESAMPLE_COMMON_H
#define VOX_IMAGE_RESAMPLE_COMMON_H

#include "image/volume.h"

/** The slice that output slice k takes: nearest centre, ties go up (data.md 7.6.3). */
int64_t vox_resample_nearest(int64_t k, int64_t n, int64_t m);

/** Check the arguments, set the info of `out`, allocate its voxels.
 * @return VOX_OK; VOX_E_ARG; VOX_E_NOMEM. `out` must be released in any case. */
int vox_resample_begin(vox_volume *out, const vox_volume *in, const int64_t shape[3],
                       int thick);

#endif
