/*
 * fingerprint: the spacing of every image, from headers alone (data.md 5).
 */
#ifndef VOX_DATA_FINGERPRINT_H
#define VOX_DATA_FINGERPRINT_H

#include "base/progress.h"
#include "data/records.h"
#include "data/rejects.h"
#include "image/volume.h"

typedef struct vox_fingerprint {
    double (*spacing)[3]; /* mm, array axis order; one row per readable image, in order */
    int64_t count;
} vox_fingerprint;

#define VOX_FINGERPRINT_INIT \
    {                        \
        0                    \
    }

/**
 * Read the headers of all images.
 *
 * @param[out] out       owned by the caller; empty when the call fails
 * @param      threads   1 or less: none besides the caller
 * @param[out] rejected  initialised; images without a usable header are appended, with why
 * @param      progress  or NULL
 * @return VOX_OK; VOX_E_FORMAT: not one image is usable; VOX_E_NOMEM
 */
int vox_fingerprint_make(vox_fingerprint *out, const vox_records *images, int threads,
                         vox_rejects *rejected, vox_progress_fn progress, void *arg);

/** Read dataset_fingerprint.json. @return VOX_OK; VOX_E_MISSING, VOX_E_FORMAT, VOX_E_IO */
int vox_fingerprint_read(vox_fingerprint *out, const char *path);

/** Parse its text; `name` is for messages. */
int vox_fingerprint_parse(vox_fingerprint *out, const char *text, size_t len,
                          const char *name);

/** Write as the peer does, atomically. @return VOX_OK; VOX_E_IO, VOX_E_NOMEM */
int vox_fingerprint_write(const vox_fingerprint *f, const char *path);

/**
 * Per axis, the middle spacing, twice: as NumPy's percentile(50) and as its median. For
 * even counts these may differ in the last bit, and plans hold both. count must be > 0.
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_fingerprint_middle(const vox_fingerprint *f, double percentile[3],
                           double median[3]);

/** Release; legal on an _INIT value. */
void vox_fingerprint_release(vox_fingerprint *f);

/** Is the image one that can be preprocessed: one channel, three axes, spacing > 0?
 * @return VOX_OK; VOX_E_FORMAT with name, found, wanted */
int vox_image_check(const vox_volume_info *info, const char *name);

#endif
