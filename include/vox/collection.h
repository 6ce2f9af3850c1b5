/*
 * collection: what images there are, whose they are, what is known about them.
 *
 *     Collection > Dataset > Subject > Session > Image            (pretrain_data.json)
 *
 * Read, build, join and write the description that nnssl and Voxmind train from. The
 * objects are plain structs to be read; their arrays keep the file's order. What is changed
 * is changed through the functions below, which copy what they are given: every text
 * belongs to the collection and lives as long as it does. Metadata ("info") is JSON text
 * without white space, NaN allowed, NULL where there is none.
 *
 *     vox_collection c = VOX_COLLECTION_INIT;
 *
 *     if (vox_collection_read(&c, "pretrain_data.json") != VOX_OK)
 *         fprintf(stderr, "%s\n", vox_error_text());
 *     ...
 *     vox_collection_release(&c);
 *
 * Threads: a collection may be read by many; changing it is for one.
 */
#ifndef VOX_COLLECTION_H
#define VOX_COLLECTION_H

#include <stddef.h>
#include <stdint.h>

#include "vox/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vox_coll_image {
    const char *name, *path, *modality; /* path as in the file: may begin with $NAME */
    const char *anon, *anat; /* paths of the masks: where the image was anonymised, and
                              * where the body is; or NULL */
    const char *info;        /* or NULL */
    const char *extra;       /* JSON object of the keys unknown to us, or NULL */
    const char *mask_extra;  /* of those in "associated_masks" */
    int has_masks;           /* "associated_masks" is an object, not null */
} vox_coll_image;

typedef struct vox_coll_session {
    const char *id, *info, *extra;
    vox_coll_image *image;
    int64_t count, cap;
} vox_coll_session;

typedef struct vox_coll_subject {
    const char *id, *info, *extra;
    vox_coll_session *session;
    int64_t count, cap;
} vox_coll_subject;

typedef struct vox_coll_dataset {
    const char *key;   /* of the "datasets" object */
    const char *index; /* "dataset_index" as text; wins over the key */
    const char *name;  /* or NULL */
    const char *info, *extra;
    int index_is_int;
    vox_coll_subject *subject;
    int64_t count, cap;
} vox_coll_dataset;

typedef struct vox_collection {
    const char *index, *name, *extra;
    int index_is_int;
    vox_coll_dataset *dataset;
    int64_t count, cap;
    struct vox_coll_store *store; /* of the texts and arrays; internal */
} vox_collection;

#define VOX_COLLECTION_INIT \
    {                       \
        0                   \
    }

/** An empty collection of that name. @return VOX_OK; VOX_E_NOMEM */
int vox_collection_init(vox_collection *c, const char *name, int64_t index);

/** Release everything; legal on an _INIT value and after a failed read. */
void vox_collection_release(vox_collection *c);

/**
 * Parse the text of a pretrain_data.json.
 *
 * @param[out] out   owned by the caller (vox_collection_release); empty when the call fails
 * @param      name  of the text, for messages
 * @return VOX_OK; VOX_E_FORMAT, VOX_E_MISSING with name and JSON path; VOX_E_NOMEM
 *
 * Two datasets of one index, two subjects or sessions of one id in one object are refused.
 */
int vox_collection_parse(vox_collection *out, const char *text, size_t len,
                         const char *name);

/** Read a file. @return as vox_collection_parse, and VOX_E_IO */
int vox_collection_read(vox_collection *out, const char *path);

/** Write as nnssl does (sorted keys), atomically.
 * @return VOX_OK; VOX_E_FORMAT: two datasets, subjects or sessions of one id in one object;
 * VOX_E_IO, VOX_E_NOMEM; the file is then as it was */
int vox_collection_write(const vox_collection *c, const char *path);

/** A copy with a life of its own. @return VOX_OK; VOX_E_NOMEM, `out` is then empty */
int vox_collection_copy(vox_collection *out, const vox_collection *from);

/** What joining did. */
typedef struct vox_coll_merged {
    int64_t added;   /* images that are new */
    int64_t known;   /* images that were there: same session and path */
    int64_t renamed; /* of the new ones: another path had the name */
    int64_t joined;  /* subjects that both had */
} vox_coll_merged;

/**
 * Add everything of `from` to `into`.
 *
 * Datasets, subjects and sessions with equal ids are joined, what `into` says about them
 * stays. An image of a known path ($NAME counts as its value) is the same image; one of
 * another path whose name is taken gets a new one ("scan_2.nii.gz").
 *
 * @param[out] done  NULL, or what was done
 * @return VOX_OK; VOX_E_NOMEM, `into` then holds a part
 */
int vox_collection_merge(vox_collection *into, const vox_collection *from,
                         vox_coll_merged *done);

/** Images in all. */
int64_t vox_collection_images(const vox_collection *c);

/* Append an object with copies of the texts; the pointer is good until the next append to
 * the same parent. NULL, with a message, without memory. */
vox_coll_dataset *vox_collection_add_dataset(vox_collection *c, const char *index);
vox_coll_subject *vox_collection_add_subject(vox_collection *c, vox_coll_dataset *d,
                                             const char *id);
vox_coll_session *vox_collection_add_session(vox_collection *c, vox_coll_subject *s,
                                             const char *id);
vox_coll_image *vox_collection_add_image(vox_collection *c, vox_coll_session *s,
                                         const char *name, const char *path,
                                         const char *modality);

/* The object of that id, or NULL (no message). One after the other is looked at. */
vox_coll_dataset *vox_collection_find_dataset(const vox_collection *c, const char *index);
vox_coll_subject *vox_coll_find_subject(const vox_coll_dataset *d, const char *id);
vox_coll_session *vox_coll_find_session(const vox_coll_subject *s, const char *id);
vox_coll_image *vox_coll_find_image(const vox_coll_session *s, const char *name);

/** Replace a text of an object of the collection by a copy of `text`, or by NULL:
 * vox_collection_set(&c, &image->path, "/data/x.nii"). @return VOX_OK; VOX_E_NOMEM */
int vox_collection_set(vox_collection *c, const char **field, const char *text);

/** The masks of an image; either may be NULL. @return VOX_OK; VOX_E_NOMEM */
int vox_collection_set_masks(vox_collection *c, vox_coll_image *image, const char *anon,
                             const char *anat);

/** Replace an info by a JSON value: vox_collection_set_info(&c, &s->info, "{\"age\": 26}").
 * @return VOX_OK; VOX_E_FORMAT: it is not JSON; VOX_E_NOMEM */
int vox_collection_set_info(vox_collection *c, const char **field, const char *json);

/** Paths below $nnssl_raw or $nnssl_preprocessed begin with that variable from now on, so
 * that the file may move with them. @return VOX_OK; VOX_E_NOMEM */
int vox_collection_relative_paths(vox_collection *c);

/** Length of an image name without ".nii.gz", ".nii" or ".nrrd". */
size_t vox_image_stem(const char *name);

#ifdef __cplusplus
}
#endif

#endif
