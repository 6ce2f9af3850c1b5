/*
 * host: reads /proc and the two kinds of cgroup file systems.
 *
 * A limit may sit at any level of the hierarchy, so every parent of the own group is asked.
 */
#include "base/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#ifdef _OPENMP
#include <omp.h>
#endif

enum { PATH_LEN = 1024 };

/* First number of a file; -1 when it cannot be read or says "max". */
static int64_t read_number(const char *path)
{
    FILE *f = fopen(path, "r");
    int64_t v = -1;

    if (!f)
        return -1;
    if (fscanf(f, "%" SCNd64, &v) != 1)
        v = -1;
    fclose(f);
    return v;
}

/* The number behind `key` at the start of a line; -1 when there is none. */
static int64_t read_field(const char *path, const char *key)
{
    FILE *f = fopen(path, "r");
    const size_t n = strlen(key);
    char line[256];
    int64_t v = -1;

    if (!f)
        return -1;
    while (v < 0 && fgets(line, sizeof line, f)) {
        if (strncmp(line, key, n) == 0 && sscanf(line + n, " %" SCNd64, &v) != 1)
            v = -1;
    }
    fclose(f);
    return v;
}

/* Own group below a hierarchy: "" names the single one of version 2. */
static int own_group(char group[static PATH_LEN], const char *controller)
{
    FILE *f = fopen("/proc/self/cgroup", "r");
    char line[PATH_LEN];
    int found = 0;

    if (!f)
        return 0;
    while (!found && fgets(line, sizeof line, f)) {
        char *name = strchr(line, ':'), *path = name ? strchr(name + 1, ':') : NULL;

        if (!path)
            continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        if (strcmp(name + 1, controller) == 0) {
            snprintf(group, PATH_LEN, "%s", path);
            found = 1;
        }
    }
    fclose(f);
    return found;
}

/* One level: limit minus use, caches that can be dropped given back. */
static int64_t room_at(const char *dir, const char *limit, const char *use,
                       const char *cache)
{
    char path[2 * PATH_LEN + 64];
    int64_t most, used, idle;

    snprintf(path, sizeof path, "%s/%s", dir, limit);
    most = read_number(path);
    snprintf(path, sizeof path, "%s/%s", dir, use);
    used = read_number(path);
    snprintf(path, sizeof path, "%s/memory.stat", dir);
    idle = read_field(path, cache);
    if (most < 0 || used < 0)
        return INT64_MAX;
    used -= idle > 0 ? idle : 0;
    return most > used ? most - used : 0;
}

/* The least room over the own group and its parents. Inside a container the group's path
 * may not exist below the mount; then only the mount itself counts. */
static int64_t group_memory(const char *mount, const char *controller, const char *limit,
                            const char *use, const char *cache)
{
    char group[PATH_LEN], dir[2 * PATH_LEN];
    int64_t least = INT64_MAX;

    if (!own_group(group, controller))
        return INT64_MAX;
    for (;;) {
        char *slash = strrchr(group, '/');
        int64_t room;

        snprintf(dir, sizeof dir, "%s%s", mount, strcmp(group, "/") ? group : "");
        room = room_at(dir, limit, use, cache);
        least = room < least ? room : least;
        if (!slash || group[0] == '\0')
            return least;
        *slash = '\0';
    }
}

/* Address space mapped now. */
static int64_t mapped(void)
{
    const int64_t kib = read_field("/proc/self/status", "VmSize:");

    return kib > 0 ? kib * 1024 : 0;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t vox_host_memory(void)
{
    const int64_t kib = read_field("/proc/meminfo", "MemAvailable:");
    int64_t bytes = kib >= 0 ? kib * 1024 : INT64_MAX;
    struct rlimit lim;

    bytes = smaller(bytes, group_memory("/sys/fs/cgroup", "", "memory.max",
                                        "memory.current", "inactive_file"));
    bytes = smaller(bytes,
                    group_memory("/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes",
                                 "memory.usage_in_bytes", "total_inactive_file"));
    if (getrlimit(RLIMIT_AS, &lim) == 0 && lim.rlim_cur != RLIM_INFINITY) {
        const int64_t size = mapped();

        bytes =
            smaller(bytes, (int64_t)lim.rlim_cur > size ? (int64_t)lim.rlim_cur - size : 0);
    }
    return bytes;
}

/* Cores the quota allows, rounded up; 0 when there is none. */
static int quota_cores(void)
{
    char group[PATH_LEN], path[2 * PATH_LEN];
    double quota = 0, period = 0;
    FILE *f;

    if (!own_group(group, ""))
        return 0;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max",
             strcmp(group, "/") ? group : "");
    f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%lf %lf", &quota, &period) != 2 || quota <= 0 || period <= 0)
        quota = 0, period = 1;
    fclose(f);
    return (int)((quota + period - 1) / period);
}

int vox_host_cores(void)
{
    const int quota = quota_cores();
    int cores = 1;

#ifdef _OPENMP
    cores = omp_get_num_procs(); /* asks the affinity mask */
#endif
    if (quota > 0 && quota < cores)
        cores = quota;
    return cores > 0 ? cores : 1;
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

int64_t vox_host_peak(void)
{
    const int64_t kib = read_field("/proc/self/status", "VmHWM:");

    return kib > 0 ? kib * 1024 : 0;
}
