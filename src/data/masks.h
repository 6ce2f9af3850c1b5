/*
 * masks: which files are masks, and of which images.
 *
 * An anonymisation mask is 1 where an image was altered (a face cut off), an anatomy mask
 * where the body is. A mask belongs to an image by its name:
 *
 *     <image>__anon.nii.gz, <image>__anat.nii.gz
 *         our own words and the peer's
 *     <image>__Data/deface_mask.nii.gz, <image>__Data/fb_mask.nii.gz
 *         OpenMind's; also of the images in that folder
 *     <image>_<word>.nii.gz beside it
 *         with a word of masks.c: deface_mask, brain_mask, ...; "mask" alone: anatomy
 *     <entities>[_desc-<what>]_mask.nii.gz, <entities>_defacemask.nii.gz
 *         BIDS: of all images of the session with those entities and the mask's shape
 *
 * Any other file that ends in "mask", "seg", "label", ... is a label map and no image.
 */
#ifndef VOX_DATA_MASKS_H
#define VOX_DATA_MASKS_H

#include "data/walk.h"

/** Is it a mask or a label map, by its name? */
int vox_mask_name(const char *name);

/** Is it a folder of masks or label maps, by its name? */
int vox_mask_folder(const char *name);

/**
 * Give every image its masks; those that were taken are `used`.
 *
 * @param w  the images come first, sorted by place, `images` of them
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_masks_attach(vox_walk *w, int64_t images);

#endif
