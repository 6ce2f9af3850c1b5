/*
 * collection: the peer's description of a data set, in memory.
 *
 *     Collection > Dataset > Subject > Session > Image        (pretrain_data.json, data.md
 * 2)
 *
 * Order is kept. Metadata objects (subject_info, ...) are JSON values, NaN allowed. Keys
 * this program does not know are kept and written back. Strings live in the collection's
 * arena.
 */
#ifndef VOX_DATA_COLLECTION_H
#define VOX_DATA_COLLECTION_H

#include <json-c/json_object.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef struct vox_coll_image {
    const char *name, *path, *modality; /* path as in the file: may begin with $NAME */
    const char *anon, *anat;            /* paths of masks, or NULL */
    int has_masks;                      /* "associated_masks" is an object, not null */
    json_object *info, *extra;          /* or NULL; extra: keys unknown to us */
} vox_coll_image;

typedef struct vox_coll_session {
    const char *id;
    json_object *info, *extra;
    vox_coll_image *image;
    int64_t count, cap;
} vox_coll_session;

typedef struct vox_coll_subject {
    const char *id;
    json_object *info, *extra;
    vox_coll_session *session;
    int64_t count, cap;
} vox_coll_subject;

typedef struct vox_coll_dataset {
    const char *key;   /* of the "datasets" object */
    const char *index; /* "dataset_index" as text; wins over the key */
    int index_is_int;
    const char *name; /* or NULL */
    json_object *info, *extra;
    vox_coll_subject *subject;
    int64_t count, cap;
} vox_coll_dataset;

typedef struct vox_collection {
    const char *index, *name;
    int index_is_int;
    json_object *extra;
    vox_coll_dataset *dataset;
    int64_t count, cap;
    vox_arena arena;
} vox_collection;

#define VOX_COLLECTION_INIT \
    {                       \
        0                   \
    }

/** An empty collection of that name. @return VOX_OK; VOX_E_NOMEM */
int vox_collection_init(vox_collection *c, const char *name, int64_t index);

/** Release everything; legal on an _INIT value and after a failed parse. */
void vox_collection_release(vox_collection *c);

/**
 * Parse the text of a pretrain_data.json.
 *
 * @param[out] out   owned by the caller (vox_collection_release); empty when the call fails
 * @param      name  of the text, for messages
 * @return VOX_OK; VOX_E_FORMAT, VOX_E_MISSING with name and JSON path; VOX_E_NOMEM
 */
int vox_collection_parse(vox_collection *out, const char *text, size_t len,
                         const char *name);

/** Read a file. @return as vox_collection_parse, and VOX_E_IO */
int vox_collection_read(vox_collection *out, const char *path);

/** The collection as the peer writes it; a new reference, NULL without memory. */
json_object *vox_collection_json(const vox_collection *c);

/** Write as the peer does (sorted keys), atomically. @return VOX_OK; VOX_E_IO, VOX_E_NOMEM
 */
int vox_collection_write(const vox_collection *c, const char *path);

/**
 * Add everything of `from` to `into`.
 *
 * Datasets, subjects and sessions with equal ids are joined, what `into` says about them
 * stays. An image of a known name and path is the same image; another path gets a new name
 * ("scan_2.nii.gz").
 *
 * @param[out] added  NULL, or images that are new
 * @return VOX_OK; VOX_E_NOMEM, `into` then holds a part
 */
int vox_collection_merge(vox_collection *into, const vox_collection *from, int64_t *added);

/** Images in all. */
int64_t vox_collection_images(const vox_collection *c);

/* Append an object with copies of the texts; the pointer is good until the next append to
 * the same parent. NULL without memory. */
vox_coll_dataset *vox_collection_add_dataset(vox_collection *c, const char *index);
vox_coll_subject *vox_collection_add_subject(vox_collection *c, vox_coll_dataset *d,
                                             const char *id);
vox_coll_session *vox_collection_add_session(vox_collection *c, vox_coll_subject *s,
                                             const char *id);
vox_coll_image *vox_collection_add_image(vox_collection *c, vox_coll_session *s,
                                         const char *name, const char *path,
                                         const char *modality);

/** Length of an image name without ".nii.gz", ".nii" or ".nrrd" (data.md 2.5). */
size_t vox_image_stem(const char *name);

/**
 * A name like `name` that `taken` says is free: itself, or with _2, _3, ... before the
 * ending.
 * @return in the arena; NULL without memory
 */
const char *vox_free_name(vox_arena *a, const char *name,
                          int (*taken)(const char *name, void *arg), void *arg);

#endif
