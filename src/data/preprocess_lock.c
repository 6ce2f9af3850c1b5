/*
 * preprocess_lock: two processes in one folder, and what a killed one left.
 *
 * Locks are the kernel's (fcntl), so they die with their process. Images are claimed as a
 * range of bytes of one lock file, a byte per image: parts of a run claim ranges that do
 * not touch, whatever number of parts each of them thinks there are.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dict.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/preprocess.h"

static int open_lock(vox_preprocess_lock *l, const char *dir, const char *name)
{
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_buf_printf(&path, "%s/%s", dir, name);

    l->fd = rc == VOX_OK ? open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (rc == VOX_OK && l->fd < 0)
        rc = vox_fail_errno(VOX_E_IO, "%s: cannot open", path.data);
    vox_buf_release(&path);
    return rc;
}

/* File systems without locks are taken as they are. */
static int has_no_locks(void)
{
    return errno == ENOLCK || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
}

int vox_preprocess_claim(vox_preprocess_lock *l, const char *dir, int64_t first,
                         int64_t count)
{
    struct flock range = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = first, .l_len = count};

    VOX_TRY(open_lock(l, dir, ".voxmind.lock"));
    if (count == 0 || fcntl(l->fd, F_SETLK, &range) == 0 || has_no_locks())
        return VOX_OK;
    if (errno != EAGAIN && errno != EACCES)
        return vox_fail_errno(VOX_E_IO, "%s: cannot lock", dir);
    if (fcntl(l->fd, F_GETLK, &range) != 0 || range.l_type == F_UNLCK)
        range.l_pid = 0;
    return vox_fail(VOX_E_EXISTS,
                    "%s: another process (%ld) preprocesses these images; wait for it, or "
                    "give each its own --part",
                    dir, (long)range.l_pid);
}

int vox_preprocess_enter(vox_preprocess_lock *l, const char *dir)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    VOX_TRY(open_lock(l, dir, ".join.lock"));
    while (fcntl(l->fd, F_SETLKW, &all) != 0) {
        if (has_no_locks())
            break;
        if (errno != EINTR)
            return vox_fail_errno(VOX_E_IO, "%s: cannot lock", dir);
    }
    return VOX_OK;
}

void vox_preprocess_unlock(vox_preprocess_lock *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

/* Bytes of a name in front of the ".tmp<pid>" of base/file; 0: it has none. */
static size_t before_temp(const char *name)
{
    const char *tmp = NULL;

    for (const char *p = strstr(name, ".tmp"); p; p = strstr(p + 1, ".tmp"))
        tmp = p;
    if (!tmp || !tmp[4] || tmp[4 + strspn(tmp + 4, "0123456789")])
        return 0;
    return (size_t)(tmp - name);
}

/* Bytes of "<stem>" in front of the endings of an image's files; 0: it has none. */
static size_t before_ending(const char *name, size_t len)
{
    static const char *const endings[] = {"__anon.b2nd", "__anat.b2nd", ".b2nd", ".pkl",
                                          ".json"};

    for (int i = 0; i < VOX_COUNT(endings); i++) {
        const size_t n = strlen(endings[i]);

        if (len > n && memcmp(name + len - n, endings[i], n) == 0)
            return len - n;
    }
    return 0;
}

/* Is `name` in folder `at` a temporary file of one of the images? */
static int is_leftover(const vox_dict *images, const char *at, const char *name)
{
    const size_t stem = before_ending(name, before_temp(name));
    vox_buf out = VOX_BUF_INIT;
    int found = 0;

    if (stem && vox_buf_printf(&out, "%s/%.*s", at, (int)stem, name) == VOX_OK)
        found = vox_dict_get(images, out.data, -1) >= 0;
    vox_buf_release(&out);
    return found;
}

/* The folder `at`, relative to `folder`. One that is not there holds nothing. */
static void tidy_folder(const vox_dict *images, const char *folder, const char *at)
{
    vox_strs names = {0};
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_buf_printf(&path, "%s/%s", folder, at);

    if (rc == VOX_OK)
        rc = vox_dir_list(&names, path.data);
    for (int64_t i = 0; i < names.count && rc == VOX_OK; i++) {
        char *full;

        if (!is_leftover(images, at, names.v[i]))
            continue;
        full = vox_path_join(path.data, names.v[i]);
        if (full)
            unlink(full);
        vox_free(full);
    }
    vox_error_clear();
    vox_strs_release(&names);
    vox_buf_release(&path);
}

/* Images of one session, which share a folder, stand together. */
static int tidy_all(const vox_dict *dict, const char *folder, const vox_record *images,
                    int64_t count)
{
    vox_buf last = VOX_BUF_INIT;
    int rc = VOX_OK;

    for (int64_t i = 0; i < count && rc == VOX_OK; i++) {
        const char *out = images[i].out, *slash = strrchr(out, '/');
        const size_t n = slash ? (size_t)(slash - out) : 0;

        if (last.len == n && memcmp(vox_buf_text(&last), out, n) == 0)
            continue;
        rc = vox_buf_resize(&last, 0);
        if (rc == VOX_OK)
            rc = vox_buf_add(&last, out, n);
        if (rc == VOX_OK)
            tidy_folder(dict, folder, last.data);
    }
    vox_buf_release(&last);
    return rc;
}

int vox_preprocess_tidy(const char *folder, const vox_record *images, int64_t count)
{
    vox_dict dict = VOX_DICT_INIT;
    int rc = VOX_OK;

    for (int64_t i = 0; i < count && rc == VOX_OK; i++)
        rc = vox_dict_set(&dict, images[i].out, i, NULL);
    if (rc == VOX_OK)
        rc = tidy_all(&dict, folder, images, count);
    vox_dict_release(&dict);
    return rc;
}

void vox_preprocess_tidy_lists(const char *dir, const char *name)
{
    vox_strs names = {0};

    if (vox_dir_list(&names, dir) != VOX_OK)
        vox_error_clear();
    for (int64_t i = 0; i < names.count; i++) {
        char *full;

        if (strncmp(names.v[i], name, strlen(name)) != 0 || !before_temp(names.v[i]))
            continue;
        full = vox_path_join(dir, names.v[i]);
        if (full)
            unlink(full);
        vox_free(full);
    }
    vox_strs_release(&names);
}
