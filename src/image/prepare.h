/*
 * prepare: from a volume as read to what training stores: transpose, crop, normalise,
 * resample.
 *
 * One call for one image and its masks. The order is fixed: masks must have the image's
 * shape, transpose, crop to the box of non-zero voxels, normalise over the box, resample.
 * Results are the peer's to 1e-4 of a z-score (data.md 7.2-7.6, 7.8).
 */
#ifndef VOX_IMAGE_PREPARE_H
#define VOX_IMAGE_PREPARE_H

#include "image/resample.h"
#include "image/stored.h"

/** The roles of the masks an image may have; the order of vox_prepared_case.mask. */
enum { VOX_MASK_ANON, VOX_MASK_ANAT, VOX_MASKS };

/** What a plan says about one image, and how much memory there is for it. */
typedef struct vox_prepare_cfg {
    int transpose[3]; /* transpose_forward: output axis i is input axis transpose[i] */
    double target[3]; /* mm, in output order; all 0: keep the resolution ("noresample") */
    vox_norm norm;    /* of every channel */
    int norm_in_mask; /* use_mask_for_norm */
    int64_t memory;   /* bytes one image may take; 0: any */
} vox_prepare_cfg;

#define VOX_PREPARE_CFG_INIT                        \
    {                                               \
        {0, 1, 2}, {1, 1, 1}, VOX_NORM_ZSCORE, 0, 0 \
    }

/** A prepared image; everything is in output (transposed) axis order except `spacing_read`.
 */
typedef struct vox_prepared_case {
    vox_volume image;       /* [C, D, H, W]; info.spacing is the spacing it now has */
    float *mask[VOX_MASKS]; /* [D, H, W] labels, -1 outside the body; NULL: no such mask */
    double spacing_read[3]; /* "spacing" of the properties: as read, before transposing */
    int64_t shape_before_cropping[3];
    int64_t bbox[3][2];              /* "bbox_used_for_cropping", half open */
    int64_t shape_after_cropping[3]; /* and before resampling */
    double mean, std;                /* of channel 0, in the units of the image */
    int transpose[3]; /* of the cfg: output axis i is input axis transpose[i] */
    int thick_axis;   /* axis resampled slice by slice (data.md 7.6), or -1 */
    /* memory of this and of later cases; image.data lies in `voxels` */
    vox_scratch voxels, turned;
    vox_resample_space space;
} vox_prepared_case;

#define VOX_PREPARED_CASE_INIT \
    {                          \
        0                      \
    }

/**
 * Prepare one image with its masks.
 *
 * @param[in,out] out  an _INIT value or an earlier case, which is overwritten and whose
 *                memory is used again; after a failure it holds no image
 * @param      image  [C, D, H, W]; borrowed
 * @param      anon, anat  [1, D, H, W] or NULL; borrowed
 * @param      cfg    what the plan says; borrowed
 * @param      name   of the image, for messages
 * @return VOX_OK; VOX_E_FORMAT: a mask of another shape, more than one channel, a constant
 *         image, a result of an absurd size; VOX_E_ARG: cfg; VOX_E_NOMEM, also where it would
 *         take more than cfg->memory
 *
 * Threads  re-entrant, one thread.
 * Source   data.md 7.2, 7.3.  Tests  tests/unit/test_prepare.c
 */
int vox_prepare_case(vox_prepared_case *out, const vox_stored *image,
                     const vox_volume *anon, const vox_volume *anat,
                     const vox_prepare_cfg *cfg, const char *name);

/** Release image, masks and memory; legal on an _INIT value. */
void vox_prepared_case_release(vox_prepared_case *p);

/** Bytes of memory a case keeps for the next one. */
size_t vox_prepared_case_kept(const vox_prepared_case *p);

/** Bytes vox_prepare_case needs at its peak for an image of that header, the voxels as
 * read and the result included; INT64_MAX when they cannot be had. */
int64_t vox_prepare_memory(const vox_volume_info *image, int n_masks,
                           const vox_prepare_cfg *cfg);

#endif
