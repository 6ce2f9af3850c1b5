/* log: levels by component, one write per line so that threads do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_int base_level = VOX_INFO;

void vox_log_set_level(vox_level level)
{
    atomic_store(&base_level, (int)level);
}

static int level_of_word(const char *word, size_t n)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};

    for (int i = 0; i < VOX_COUNT(names); i++) {
        if (strlen(names[i]) == n && memcmp(names[i], word, n) == 0)
            return i;
    }
    return -1;
}

/* The level VOX_LOG names for the component, or -1. Later entries win. */
static int level_from_env(const char *component)
{
    const char *p = getenv("VOX_LOG");
    int level = -1;

    while (p && *p) {
        const size_t n = strcspn(p, ",");
        const char *colon = memchr(p, ':', n);
        const size_t name = colon ? (size_t)(colon - p) : 0;

        if (!colon)
            level = level_of_word(p, n);
        else if (strlen(component) == name && memcmp(component, p, name) == 0)
            level = level_of_word(colon + 1, n - name - 1);
        p += n + (p[n] == ',');
    }
    return level;
}

int vox_log_shows(vox_level level, const char *component)
{
    const int env = level_from_env(component);

    return (int)level <= (env >= 0 ? env : atomic_load(&base_level));
}

void vox_log(vox_level level, const char *component, const char *fmt, ...)
{
    static const char *const prefix[] = {"error: ", "warning: ", "", ""};
    char line[2048];
    va_list ap;
    int n;

    if (!vox_log_shows(level, component))
        return;
    n = snprintf(line, sizeof line, "voxmind: %s: %s", component, prefix[level]);
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
    va_end(ap);
    strcat(line, "\n");
    fputs(line, stderr);
}
