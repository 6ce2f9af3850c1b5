/*
 * collection: vox/collection.h, and what only this program needs of it.
 *
 * All texts and arrays of a collection lie in one arena; words that come again (ids,
 * modalities, infos) are there once. The 114,543 images of OpenMind take some 50 MiB.
 */
#ifndef VOX_DATA_COLLECTION_H
#define VOX_DATA_COLLECTION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/dict.h"
#include "base/intern.h"
#include "base/json_pull.h"
#include "vox/collection.h"

struct vox_coll_store {
    vox_arena arena;
    vox_intern words;
};

/** The text that vox_collection_write writes, appended. @return VOX_OK; VOX_E_FORMAT,
 * VOX_E_NOMEM as there */
int vox_collection_text(vox_buf *out, const vox_collection *c);

/** A text of the collection, in it once: for ids and other words. NULL without memory. */
const char *vox_collection_word(vox_collection *c, const char *text, size_t len);

/** An image's name: the tail of its path where that is the same, else a copy. */
const char *vox_collection_name(vox_collection *c, const char *path, const char *name);

/** `text` as a slice; NULL gives an empty one. */
vox_slice vox_slice_of(const char *text);

/** Append the text of a string member of an info; nothing when there is none.
 * @return 1 when there is one, 0, or VOX_E_NOMEM */
int vox_info_text(vox_buf *out, const char *info, const char *key);

/**
 * A name whose stem is free: `name` itself, or in the arena with _2, _3, ... before the ending.
 * The stem is taken from then on.
 *
 * @param[in,out] stems  those that are taken, each behind its `scope`: the last number that
 *                       was tried for it, or 1
 * @return NULL without memory
 */
const char *vox_free_name(vox_arena *a, vox_dict *stems, const char *scope,
                          const char *name);

#endif
