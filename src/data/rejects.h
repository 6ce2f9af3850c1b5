/*
 * rejects: what was left out of a data set, and why; the report a person reads afterwards.
 */
#ifndef VOX_DATA_REJECTS_H
#define VOX_DATA_REJECTS_H

#include <stdint.h>

#include "base/arena.h"

struct json_object;

typedef struct vox_reject {
    const char *path;   /* file or folder */
    const char *id;     /* unique image id, or "" */
    const char *reason; /* one line */
    const char *cure;   /* what would make it usable, or "" */
} vox_reject;

typedef struct vox_rejects {
    vox_reject *v;
    int64_t count, cap;
    vox_arena arena; /* of the texts */
} vox_rejects;

#define VOX_REJECTS_INIT \
    {                    \
        0                \
    }

/** Append copies, without a cure. @return VOX_OK; VOX_E_NOMEM */
int vox_rejects_add(vox_rejects *r, const char *path, const char *id, const char *reason);

/** Append copies; the reason is the thread's failure of code `rc`, its cure the one that
 * came with it, or else the usual one of that code. @return VOX_OK; VOX_E_NOMEM */
int vox_rejects_add_failure(vox_rejects *r, const char *path, const char *id, int rc);

/** Append all of `from`. @return VOX_OK; VOX_E_NOMEM */
int vox_rejects_add_all(vox_rejects *r, const vox_rejects *from);

/** [{"id", "path", "reason", "cure"}, ...] ("cure" where there is one); a new reference, NULL without memory. */
struct json_object *vox_rejects_json(const vox_rejects *r);

/** Release; legal on an _INIT value. */
void vox_rejects_release(vox_rejects *r);

#endif
