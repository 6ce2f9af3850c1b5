/*
 * cpu: cpuid through the compiler, affinity through sched_getaffinity, limits from the
 * control group files. A limit holds for a group and all below it, so every parent is
 * asked.
 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/cpu.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

int vox_cpu_has(vox_isa isa)
{
    switch (isa) {
    case VOX_ISA_BASE:
        return 1;
    case VOX_ISA_AVX2:
        return VOX_CPU_HAS_X86_V3();
    case VOX_ISA_AVX512:
        return VOX_CPU_HAS_X86_V4();
    case VOX_ISA_BF16:
        return VOX_CPU_HAS_X86_BF16();
    }
    return 0;
}

/* The rest of the first line of a file that starts with `key`, into buf; 0 when there is
 * none. */
static int find_line(char *buf, size_t size, const char *path, const char *key)
{
    FILE *f = fopen(path, "r");
    const size_t len = strlen(key);
    int found = 0;

    if (!f)
        return 0;
    while (!found && fgets(buf, (int)size, f))
        found = strncmp(buf, key, len) == 0;
    fclose(f);
    if (found) {
        buf[strcspn(buf, "\n")] = 0;
        memmove(buf, buf + len, strlen(buf + len) + 1);
    }
    return found;
}

const char *vox_cpu_model(char buf[static 128])
{
    const char *value;

    if (!find_line(buf, 128, "/proc/cpuinfo", "model name"))
        return strcpy(buf, "unknown CPU");
    value = buf + strspn(buf, "\t :");
    return memmove(buf, value, strlen(value) + 1);
}

static int affinity_cores(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return CPU_COUNT(&set);
}

/* Where the control group of a controller is mounted, and this process's group in it.
 * Version 2 has one tree without a controller's name; version 1 a tree per controller. */
typedef struct group {
    char mount[512];
    char path[512];
} group;

/* Does the comma separated list hold the word? */
static int list_has(const char *list, size_t len, const char *word)
{
    const size_t n = strlen(word);

    for (size_t i = 0; i + n <= len; i++) {
        if ((i == 0 || list[i - 1] == ',') && (i + n == len || list[i + n] == ',') &&
            strncmp(list + i, word, n) == 0)
            return 1;
    }
    return 0;
}

/* Find this process's group for "cpu" or "memory"; `controller` NULL means version 2. Lines
 * read "4:memory:/some/path" or "0::/some/path". */
static int group_find(group *g, const char *root, const char *controller)
{
    char line[600], name[560];
    FILE *f;
    int found = 0;

    snprintf(name, sizeof name, "%.500s/proc/self/cgroup", root);
    f = fopen(name, "r");
    if (!f)
        return 0;
    while (!found && fgets(line, sizeof line, f)) {
        const char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;

        line[strcspn(line, "\n")] = 0;
        if (!path)
            continue;
        list++;
        found =
            controller ? list_has(list, (size_t)(path - list), controller) : path == list;
        snprintf(g->path, sizeof g->path, "%.500s", path + 1);
    }
    fclose(f);
    snprintf(g->mount, sizeof g->mount, "%.480s/sys/fs/cgroup%s%s", root,
             controller ? "/" : "", controller ? controller : "");
    return found;
}

/* The text of a file of the group, without its newline; 0 when it cannot be read. */
static int group_read(const group *g, const char *file, char text[static 64])
{
    char name[1100];

    snprintf(name, sizeof name, "%s%s/%s", g->mount, strcmp(g->path, "/") ? g->path : "",
             file);
    return find_line(text, 64, name, "");
}

/* Go to the parent group; 0 when this was the topmost. */
static int group_up(group *g)
{
    char *slash = strrchr(g->path, '/');

    if (!slash || strcmp(g->path, "/") == 0 || g->path[0] == 0)
        return 0;
    *slash = 0;
    return 1;
}

static void limit_memory(int64_t *memory, const char *text)
{
    int64_t bytes;

    /* "max", or in version 1 a number near 2^63, is above the host's memory anyway. */
    if (sscanf(text, "%" SCNd64, &bytes) == 1 && bytes > 0 && bytes < *memory)
        *memory = bytes;
}

/* quota and period in microseconds: the group may use quota/period cores. */
static void limit_cores(int *cores, int64_t quota, int64_t period)
{
    if (quota > 0 && period > 0 && (quota + period - 1) / period < *cores)
        *cores = (int)((quota + period - 1) / period);
}

static void read_group2(vox_cpu_limits *out, const char *root)
{
    group g;
    char text[64];
    int64_t quota, period;

    if (!group_find(&g, root, NULL))
        return;
    do {
        if (group_read(&g, "memory.max", text))
            limit_memory(&out->memory, text);
        if (group_read(&g, "cpu.max", text) &&
            sscanf(text, "%" SCNd64 " %" SCNd64, &quota, &period) == 2)
            limit_cores(&out->cores, quota, period);
    } while (group_up(&g));
}

static void read_group1(vox_cpu_limits *out, const char *root)
{
    group g;
    char quota[64], period[64];
    int64_t q, p;

    if (group_find(&g, root, "memory")) {
        do {
            if (group_read(&g, "memory.limit_in_bytes", quota))
                limit_memory(&out->memory, quota);
        } while (group_up(&g));
    }
    if (group_find(&g, root, "cpu")) {
        do {
            if (group_read(&g, "cpu.cfs_quota_us", quota) &&
                group_read(&g, "cpu.cfs_period_us", period) &&
                sscanf(quota, "%" SCNd64, &q) == 1 && sscanf(period, "%" SCNd64, &p) == 1)
                limit_cores(&out->cores, q, p);
        } while (group_up(&g));
    }
}

void vox_cpu_limits_read(vox_cpu_limits *out, const char *root)
{
    char name[560], text[128];
    int64_t kib;

    out->cores = affinity_cores();
    out->memory = INT64_MAX;
    snprintf(name, sizeof name, "%.500s/proc/meminfo", root);
    if (find_line(text, sizeof text, name, "MemTotal:") &&
        sscanf(text, "%" SCNd64, &kib) == 1 && kib > 0)
        out->memory = kib * 1024;
    read_group2(out, root);
    read_group1(out, root);
    if (out->cores < 1)
        out->cores = 1;
}

int vox_cpu_cores(void)
{
    vox_cpu_limits limits;

    vox_cpu_limits_read(&limits, "");
    return limits.cores;
}

int64_t vox_cpu_memory(void)
{
    vox_cpu_limits limits;

    vox_cpu_limits_read(&limits, "");
    return limits.memory;
}
