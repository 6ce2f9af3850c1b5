/* map: mmap behind our errors; file systems without it are read into memory. */
#define _DEFAULT_SOURCE /* madvise: posix_madvise may not drop pages */

#include "io/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

static int read_all(vox_map *m, int fd, const char *path)
{
    unsigned char *data = vox_alloc(m->len ? m->len : 1, 1);
    size_t at = 0;

    if (!data)
        return VOX_E_NOMEM;
    while (at < m->len) {
        const ssize_t n = pread(fd, data + at, m->len - at, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            const int rc =
                n < 0 ? vox_fail_errno(VOX_E_IO, "%s: cannot read", path)
                      : vox_fail(VOX_E_IO, "%s: ends at byte %zu of %zu", path, at, m->len);

            vox_free(data);
            return rc;
        }
        at += (size_t)n;
    }
    m->data = data;
    return VOX_OK;
}

static int open_fd(vox_map *m, int fd, const char *path)
{
    struct stat st;
    void *p;

    if (fstat(fd, &st) != 0)
        return vox_fail_errno(VOX_E_IO, "%s: cannot read", path);
    if (!S_ISREG(st.st_mode))
        return vox_fail(VOX_E_IO, "%s: is not a file", path);
    if ((uintmax_t)st.st_size > SIZE_MAX / 2)
        return vox_fail(VOX_E_NOMEM, "%s: too large to map", path);
    m->len = (size_t)st.st_size;
    p = m->len ? mmap(NULL, m->len, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (p == MAP_FAILED)
        return read_all(m, fd, path);
    m->data = p;
    m->mapped = 1;
    return VOX_OK;
}

int vox_map_open(vox_map *m, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc;

    *m = (vox_map)VOX_MAP_INIT;
    if (fd < 0)
        return vox_fail_errno(errno == ENOENT ? VOX_E_MISSING : VOX_E_IO, "%s: cannot open",
                              path);
    rc = open_fd(m, fd, path);
    close(fd);
    if (rc != VOX_OK)
        *m = (vox_map)VOX_MAP_INIT;
    return rc;
}

void vox_map_relax(const vox_map *m)
{
#ifdef MADV_DONTNEED
    if (m->mapped)
        madvise((void *)(uintptr_t)m->data, m->len, MADV_DONTNEED);
#else
    (void)m;
#endif
}

void vox_map_close(vox_map *m)
{
    if (m->mapped)
        munmap((void *)(uintptr_t)m->data, m->len);
    else
        vox_free((void *)(uintptr_t)m->data);
    *m = (vox_map)VOX_MAP_INIT;
}
