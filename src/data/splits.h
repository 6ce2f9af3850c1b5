/*
 * splits: which subjects train and which validate; splits_final.json (data.md 9.2).
 */
#ifndef VOX_DATA_SPLITS_H
#define VOX_DATA_SPLITS_H

#include <stddef.h>

#include "base/opt.h"
#include "data/records.h"

typedef struct vox_splits {
    vox_strs train, val; /* unique subject ids */
} vox_splits;

#define VOX_SPLITS_INIT \
    {                   \
        {0},            \
        {               \
            0           \
        }               \
    }

/** Subjects to validate on, of n: the peer's number, but never all (n >= 2 leaves both
 * sides). */
int64_t vox_splits_validation(int64_t n);

/**
 * Split the subjects of a collection. One subject cannot be split: it is on both sides,
 * with a warning.
 *
 * @param[out] out  owned by the caller (vox_splits_release)
 * @return VOX_OK; VOX_E_MISSING: no images; VOX_E_NOMEM
 */
int vox_splits_make(vox_splits *out, const vox_records *images);

/** Read a splits_final.json. @return VOX_OK; VOX_E_MISSING, VOX_E_FORMAT, VOX_E_IO */
int vox_splits_read(vox_splits *out, const char *path);

/** Parse its text; `name` is for messages. */
int vox_splits_parse(vox_splits *out, const char *text, size_t len, const char *name);

/** Write as the peer does, atomically. @return VOX_OK; VOX_E_IO */
int vox_splits_write(const vox_splits *s, const char *path);

/** Release; legal on an _INIT value. */
void vox_splits_release(vox_splits *s);

#endif
