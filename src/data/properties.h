/*
 * properties: what is remembered of an image beside its voxels, for the peer (.pkl) and for
 * us
 * (.json, which also says from what the files were made).
 */
#ifndef VOX_DATA_PROPERTIES_H
#define VOX_DATA_PROPERTIES_H

#include "base/buf.h"
#include "image/prepare.h"

typedef struct vox_properties {
    double spacing_read[3];           /* mm, as read, before transposing */
    int64_t shape_before_cropping[3]; /* from here on in output axis order */
    int64_t bbox[3][2];
    int64_t shape_after_cropping[3];
    double spacing[3];              /* mm, of the stored image */
    int64_t shape[4];               /* of the stored image */
    int64_t transpose[3];           /* output axis i is axis transpose[i] of the file */
    double origin[3], direction[9]; /* of the file, as vox_volume_info has them */
    double mean, std;
    char key[20];     /* of the input and the plan: same key, same files */
    int64_t zeroed;   /* voxels that were NaN or infinite and became 0, of masks too */
    int64_t bytes[3]; /* sizes of the image's and the masks' files; -1: no such file */
} vox_properties;

/** Collect them; key and bytes are left alone. */
void vox_properties_fill(vox_properties *out, const vox_prepared_case *p,
                         const vox_volume_info *file);

/** The peer's dictionary as a pickle of protocol 2, plain types only (data.md 8.5).
 * @return VOX_OK; VOX_E_NOMEM */
int vox_properties_pickle(vox_buf *out, const vox_properties *p);

/** Write the JSON side file, atomically. @return VOX_OK; VOX_E_IO, VOX_E_NOMEM */
int vox_properties_write(const vox_properties *p, const char *path);

/** Read it; one without "transpose" (older) has the axes of the file.
 * @return VOX_OK; VOX_E_MISSING, VOX_E_FORMAT, VOX_E_IO */
int vox_properties_read(vox_properties *out, const char *path);

/**
 * Read the peer's pickle. It does not say how axes were transposed, nor what the voxels
 * were made of: transpose is kept as given; key, bytes, mean, std, shape and spacing stay
 * 0.
 *
 * @param[in,out] out  transpose given
 * @return VOX_OK; VOX_E_FORMAT, VOX_E_NOMEM
 */
int vox_properties_unpickle(vox_properties *out, const void *bytes, size_t len,
                            const char *name);

#endif
