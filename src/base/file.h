/*
 * file: whole files, folders, and writing that leaves the old file or the new one, never
 * half.
 */
#ifndef VOX_BASE_FILE_H
#define VOX_BASE_FILE_H

#include <stdio.h>

#include "base/buf.h"
#include "base/opt.h"

/** Read a whole file. @return VOX_OK; VOX_E_MISSING, VOX_E_IO (with the path), VOX_E_NOMEM
 */
int vox_file_read(vox_buf *out, const char *path);

/** Write a whole file atomically: temporary name in the same folder, fsync, rename.
 * @return VOX_OK; VOX_E_IO, the old file untouched and nothing left behind */
int vox_file_write(const char *path, const void *data, size_t len);

/** A file being written under a temporary name. */
typedef struct vox_writer {
    FILE *f;
    char *path, *temp; /* final and temporary name */
} vox_writer;

#define VOX_WRITER_INIT \
    {                   \
        0               \
    }

/** Begin writing `path`; write through w->f. @return VOX_OK; VOX_E_IO */
int vox_writer_open(vox_writer *w, const char *path);

/** Flush, fsync, rename, fsync the folder. On any failure the temporary file is removed and
 * `path` is as it was. @return VOX_OK; VOX_E_IO */
int vox_writer_commit(vox_writer *w);

/** Give up: remove the temporary file. Legal on an _INIT value and after commit. */
void vox_writer_abort(vox_writer *w);

/** dir + "/" + name, new string the caller frees; NULL without memory. */
char *vox_path_join(const char *dir, const char *name);

/** The last component, borrowed. */
const char *vox_path_base(const char *path);

/** Make a folder and its parents; fine if it is there. @return VOX_OK; VOX_E_IO */
int vox_mkdirs(const char *path);

/** 1 if something of that name exists. */
int vox_file_exists(const char *path);

/** 1 if it is a folder. */
int vox_is_dir(const char *path);

/** Size in bytes, or -1 (no message). */
int64_t vox_file_size(const char *path);

/** Names in a folder (without . and ..), sorted by code point. @return VOX_OK; VOX_E_IO */
int vox_dir_list(vox_strs *out, const char *dir);

/** 1 if `text` ends with `tail`. */
int vox_ends_with(const char *text, const char *tail);

#endif
