/*
 * inspect: what a file holds, as one JSON object: "file", "format", and what belongs to the
 * format. One function per kind of file; each returns a new object, or fails with a message
 * that names the file.
 */
#ifndef VOX_CLI_INSPECT_H
#define VOX_CLI_INSPECT_H

#include <json-c/json_object.h>

#include "image/volume.h"

/** What of a file is looked at. */
typedef struct vox_inspect_how {
    int header;      /* 1: leave voxels alone */
    const char *png; /* file for a picture of an image, or NULL */
} vox_inspect_how;

/** An image: geometry, and unless the header is enough the distribution of its
 * intensities. */
int vox_inspect_image(json_object **out, const char *path, const vox_inspect_how *how);

/** A preprocessed image, .b2nd, with what its side file says. */
int vox_inspect_store(json_object **out, const char *path, const vox_inspect_how *how);

/** A checkpoint or state dict, .pth: tensors, adaptation plan, where training stands. */
int vox_inspect_pth(json_object **out, const char *path, const vox_inspect_how *how);

int vox_inspect_safetensors(json_object **out, const char *path,
                            const vox_inspect_how *how);
int vox_inspect_npy(json_object **out, const char *path, const vox_inspect_how *how);

/** A .json file: fingerprint, plan, collection, split, ... */
int vox_inspect_json(json_object **out, const char *path, const vox_inspect_how *how);

/** The middle planes of an image, its first four channels, as a PNG.
 * @return VOX_OK; as vox_montage_write */
int vox_inspect_picture(const char *png, const vox_volume *v, const char *path);

/** Distribution of `count` values as the member "intensity"; `v` is sorted in parts.
 * @return VOX_OK; VOX_E_NOMEM */
void vox_inspect_intensity(json_object *o, float *v, int64_t count);

#endif
