/* host: reads /proc and asks the file system. */
#include "base/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "base/cpu.h"

enum { PATH_LEN = 4096 };

/* The number of KiB behind `key` at the start of a line, in bytes; `otherwise` without one.
 */
static int64_t read_field(const char *path, const char *key, int64_t otherwise)
{
    FILE *f = fopen(path, "r");
    const size_t n = strlen(key);
    char line[256];
    int64_t kib = -1;

    if (!f)
        return otherwise;
    while (kib < 0 && fgets(line, sizeof line, f)) {
        if (strncmp(line, key, n) == 0 && sscanf(line + n, " %" SCNd64, &kib) != 1)
            kib = -1;
    }
    fclose(f);
    return kib < 0 ? otherwise : kib * 1024;
}

static int64_t left(int64_t limit, int64_t used)
{
    return limit > used ? limit - used : 0;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t vox_host_memory(void)
{
    const char *status = "/proc/self/status";
    int64_t bytes = read_field("/proc/meminfo", "MemAvailable:", INT64_MAX);
    struct rlimit lim;

    bytes = smaller(bytes, left(vox_cpu_memory(), read_field(status, "VmRSS:", 0)));
    if (getrlimit(RLIMIT_AS, &lim) == 0 && lim.rlim_cur != RLIM_INFINITY)
        bytes =
            smaller(bytes, left((int64_t)lim.rlim_cur, read_field(status, "VmSize:", 0)));
    return bytes;
}

int64_t vox_host_disk(const char *path)
{
    char dir[PATH_LEN];
    struct statvfs fs;

    snprintf(dir, sizeof dir, "%s", path);
    while (statvfs(dir, &fs) != 0) {
        char *slash = strrchr(dir, '/');

        if (strcmp(dir, ".") == 0 || strcmp(dir, "/") == 0)
            return INT64_MAX;
        if (!slash)
            strcpy(dir, ".");
        else
            slash[slash == dir] = '\0';
    }
    return (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
}

int64_t vox_host_resident(void)
{
    return read_field("/proc/self/status", "VmRSS:", 0);
}

int64_t vox_host_peak(void)
{
    return read_field("/proc/self/status", "VmHWM:", 0);
}
