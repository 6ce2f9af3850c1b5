/* file: POSIX files with our errors. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

static int fail_open(const char *path)
{
    return vox_fail_errno(errno == ENOENT ? VOX_E_MISSING : VOX_E_IO, "%s: cannot open",
                          path);
}

int vox_file_read(vox_buf *out, const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    int rc = VOX_OK;

    if (!f)
        return fail_open(path);
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
        rc = vox_fail(VOX_E_IO, "%s: is %s", path,
                      vox_is_dir(path) ? "a folder, wanted a file" : "not a file");
    if (rc == VOX_OK)
        rc = vox_buf_resize(out, (size_t)st.st_size);
    if (rc == VOX_OK && fread(out->data, 1, out->len, f) != out->len)
        rc = ferror(f) ? vox_fail_errno(VOX_E_IO, "%s: cannot read", path)
                       : vox_fail(VOX_E_IO, "%s: became shorter than its %zu bytes", path,
                                  out->len);
    fclose(f);
    return rc;
}

int vox_writer_open(vox_writer *w, const char *path)
{
    const size_t n = strlen(path) + 32;

    *w = (vox_writer)VOX_WRITER_INIT;
    w->path = vox_strdup(path);
    w->temp = vox_alloc(n, 1);
    if (!w->path || !w->temp) {
        vox_writer_abort(w);
        return VOX_E_NOMEM;
    }
    snprintf(w->temp, n, "%s.tmp%ld", path, (long)getpid());
    w->f = fopen(w->temp, "wb");
    if (!w->f) {
        const int rc = vox_fail_errno(VOX_E_IO, "%s: cannot write", path);

        w->temp[0] = '\0'; /* nothing to remove */
        vox_writer_abort(w);
        return rc;
    }
    return VOX_OK;
}

/* Make the rename itself durable. Not every file system can; the data is safe either way.
 */
static void sync_folder_of(const char *path)
{
    char *dir = vox_strdup(path);
    char *slash = dir ? strrchr(dir, '/') : NULL;
    int fd;

    if (slash)
        *slash = '\0';
    fd = open(slash ? (*dir ? dir : "/") : ".", O_RDONLY | O_DIRECTORY);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    vox_free(dir);
}

int vox_writer_commit(vox_writer *w)
{
    FILE *f = w->f;
    int bad, cause;

    w->f = NULL;
    bad = fflush(f) != 0 || ferror(f) || fsync(fileno(f)) != 0;
    cause = errno;
    if (fclose(f) != 0 && !bad) {
        bad = 1;
        cause = errno;
    }
    errno = cause; /* of the first failure; a rename that fails sets its own */
    if (bad || rename(w->temp, w->path) != 0) {
        const int rc = vox_fail_errno(VOX_E_IO, "%s: cannot write", w->path);

        vox_writer_abort(w);
        return rc;
    }
    sync_folder_of(w->path);
    w->temp[0] = '\0';
    vox_writer_abort(w);
    return VOX_OK;
}

void vox_writer_abort(vox_writer *w)
{
    if (w->f)
        fclose(w->f);
    if (w->temp && w->temp[0])
        unlink(w->temp);
    vox_free(w->temp);
    vox_free(w->path);
    *w = (vox_writer)VOX_WRITER_INIT;
}

int vox_file_write(const char *path, const void *data, size_t len)
{
    vox_writer w;
    int rc;

    VOX_TRY(vox_writer_open(&w, path));
    if (len && fwrite(data, 1, len, w.f) != len) {
        rc = vox_fail_errno(VOX_E_IO, "%s: cannot write %zu bytes", path, len);
        vox_writer_abort(&w);
        return rc;
    }
    return vox_writer_commit(&w);
}

char *vox_path_join(const char *dir, const char *name)
{
    const size_t n = strlen(dir), m = strlen(name);
    char *path = vox_alloc(n + m + 2, 1);

    if (!path)
        return NULL;
    memcpy(path, dir, n);
    path[n] = '/';
    memcpy(path + n + (n && dir[n - 1] != '/'), name, m + 1);
    return path;
}

const char *vox_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* mkdir(made) on the way to `path` failed with errno. */
static int fail_mkdir(const char *path, const char *made)
{
    if (errno == EEXIST)
        return vox_fail(VOX_E_IO, "%s: cannot make the folder: %s is a file", path, made);
    if (strcmp(path, made) == 0)
        return vox_fail_errno(VOX_E_IO, "%s: cannot make the folder", path);
    return vox_fail_errno(VOX_E_IO, "%s: cannot make the folder %s", path, made);
}

int vox_mkdirs(const char *path)
{
    char *copy = vox_strdup(path);
    int rc = VOX_OK;

    if (!copy)
        return VOX_E_NOMEM;
    for (char *p = copy + (copy[0] == '/'); rc == VOX_OK; p++) {
        const char c = *p;

        if (c != '/' && c != '\0')
            continue;
        *p = '\0';
        if (mkdir(copy, 0777) != 0 && !(errno == EEXIST && vox_is_dir(copy)))
            rc = fail_mkdir(path, copy);
        *p = c;
        if (c == '\0')
            break;
    }
    vox_free(copy);
    return rc;
}

int vox_file_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

int vox_is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int64_t vox_file_size(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int vox_dir_list(vox_strs *out, const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int rc = VOX_OK;

    if (!d)
        return vox_fail_errno(errno == ENOENT ? VOX_E_MISSING : VOX_E_IO,
                              "%s: cannot read the folder", dir);
    for (errno = 0; rc == VOX_OK && (e = readdir(d)) != NULL; errno = 0) {
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            rc = vox_strs_add(out, e->d_name);
    }
    if (rc == VOX_OK && errno)
        rc = vox_fail_errno(VOX_E_IO, "%s: cannot read the folder to its end", dir);
    closedir(d);
    if (out->count)
        qsort(out->v, (size_t)out->count, sizeof *out->v, compare_text);
    return rc;
}

int vox_ends_with(const char *text, const char *tail)
{
    const size_t n = strlen(text), m = strlen(tail);

    return n >= m && memcmp(text + n - m, tail, m) == 0;
}
