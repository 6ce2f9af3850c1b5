/*
 * case_geometry: where a preprocessed image lies in the world of the scan it was made from.
 */
#ifndef VOX_DATA_CASE_GEOMETRY_H
#define VOX_DATA_CASE_GEOMETRY_H

#include "data/properties.h"

/**
 * The properties of a .b2nd file, of an image or of one of its masks: from the side file
 * "<stem>.json", or else from the peer's "<stem>.pkl" with "transpose_forward" of the plans
 * that lie where the peer puts them, above the folder of the configuration.
 *
 * @param shape  of the stored image
 * @return VOX_OK; VOX_E_MISSING: there is neither; VOX_E_FORMAT: also of another shape;
 *         VOX_E_IO, VOX_E_NOMEM
 */
int vox_case_properties(vox_properties *out, const char *b2nd, const int64_t shape[4]);

/**
 * Spacing, origin and direction that lay the stored voxels over the scan.
 *
 * The spacing is that of the cropped extent divided among the stored voxels: beside the
 * plan's it has the rounding of their number. Voxel 0 begins where the crop begins.
 *
 * @param[in,out] out  spacing, origin and direction are set; unchanged on failure
 * @return VOX_OK; VOX_E_FORMAT: properties that contradict themselves, naming `name`
 * Source  data.md 7.2, 7.6.1 (half-voxel centres).
 */
int vox_case_geometry(vox_volume_info *out, const vox_properties *p, const char *name);

#endif
