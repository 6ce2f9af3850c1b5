/* formats: the table of formats.def and the choice by a file name's ending, in any case. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "image/volume.h"

#define VOX_FORMAT(name) extern const vox_format vox_format_##name;
#include "image/formats.def"
#undef VOX_FORMAT

static const vox_format *const table[] = {
#define VOX_FORMAT(name) &vox_format_##name,
#include "image/formats.def"
#undef VOX_FORMAT
};

const vox_format *vox_format_at(int i)
{
    return i >= 0 && i < VOX_COUNT(table) ? table[i] : NULL;
}

/* `tail` is lower case. */
static int ends_with(const char *path, const char *tail)
{
    const size_t n = strlen(path), m = strlen(tail);

    if (n <= m)
        return 0;
    for (size_t i = 0; i < m; i++) {
        if (tolower((unsigned char)path[n - m + i]) != tail[i])
            return 0;
    }
    return 1;
}

const vox_format *vox_format_of(const char *path)
{
    for (int i = 0; i < VOX_COUNT(table); i++) {
        for (const char *const *tail = table[i]->endings; *tail; tail++) {
            if (ends_with(path, *tail))
                return table[i];
        }
    }
    return NULL;
}

const char *vox_format_endings(char text[static 128])
{
    size_t n = 0;

    text[0] = '\0';
    for (int i = 0; i < VOX_COUNT(table); i++) {
        for (const char *const *tail = table[i]->endings; *tail && n < 128; tail++)
            n += (size_t)snprintf(text + n, 128 - n, "%s%s", n ? ", " : "", *tail);
    }
    return text;
}
