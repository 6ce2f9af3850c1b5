/*
 * inspect: what a file holds, as one JSON object: "file", "format", and what belongs to the
 * format. One function per kind of file; each returns a new object, or fails with a message
 * that names the file.
 */
#ifndef VOX_CLI_INSPECT_H
#define VOX_CLI_INSPECT_H

#include <json-c/json_object.h>

/** An image: geometry, and unless `header` the distribution of its intensities. */
int vox_inspect_image(json_object **out, const char *path, int header);

/** A preprocessed image, .b2nd, with what its side file says. */
int vox_inspect_store(json_object **out, const char *path, int header);

/** A checkpoint or state dict, .pth: tensors, adaptation plan, where training stands. */
int vox_inspect_pth(json_object **out, const char *path, int header);

int vox_inspect_safetensors(json_object **out, const char *path, int header);
int vox_inspect_npy(json_object **out, const char *path, int header);

/** A .json file: fingerprint, plan, collection, split, ... */
int vox_inspect_json(json_object **out, const char *path, int header);

/** Distribution of `count` values as the member "intensity"; `v` is sorted in parts.
 * @return VOX_OK; VOX_E_NOMEM */
void vox_inspect_intensity(json_object *o, float *v, int64_t count);

#endif
