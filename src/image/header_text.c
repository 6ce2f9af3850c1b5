/* header_text: lines, numbers, names of parts, geometry in ITK's world. */
#include "image/header_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { PARTS_MAX = 1 << 16 };

/* ---- lines ---- */

vox_lines vox_lines_of(const vox_bytes *file)
{
    const char *text = file->data;

    return (vox_lines){text, text, text + file->len};
}

static void trim(vox_line *line)
{
    while (line->len && isspace((unsigned char)line->text[line->len - 1]))
        line->len--;
    while (line->len && isspace((unsigned char)*line->text)) {
        line->text++;
        line->len--;
    }
}

int vox_lines_next(vox_lines *l, vox_line *line)
{
    const size_t left = (size_t)(l->end - l->at);
    const char *stop = left ? memchr(l->at, '\n', left) : NULL;

    if (!left)
        return 0;
    *line = (vox_line){l->at, stop ? (size_t)(stop - l->at) : left};
    l->at = stop ? stop + 1 : l->end;
    trim(line);
    return 1;
}

/* Copy a part of a line that fits, with no zero in it. */
static int copy(char *to, size_t room, const char *text, size_t len)
{
    vox_line part = {text, len};

    trim(&part);
    if (part.len >= room || memchr(part.text, '\0', part.len))
        return 0;
    memcpy(to, part.text, part.len);
    to[part.len] = '\0';
    return 1;
}

int vox_line_split(char key[static 64], char value[static VOX_VALUE_MAX],
                   const vox_line *line, char mark)
{
    const char *at = line->len ? memchr(line->text, mark, line->len) : NULL;
    const size_t n = at ? (size_t)(at - line->text) : 0;

    return at && copy(key, 64, line->text, n) &&
           copy(value, VOX_VALUE_MAX, at + 1, line->len - n - 1);
}

/* ---- numbers ---- */

static const char *skip_space(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

int vox_value_ints(int64_t *out, int max, const char *value)
{
    const char *p = skip_space(value);
    int n = 0;

    for (; *p; p = skip_space(p)) {
        char *end;
        const long long v = (errno = 0, strtoll(p, &end, 10));

        if (n == max || end == p || errno || (*end && !isspace((unsigned char)*end)))
            return -1;
        out[n++] = v;
        p = end;
    }
    return n;
}

int vox_value_reals(double *out, int max, const char *value)
{
    const char *p = skip_space(value);
    int n = 0;

    for (; *p; p = skip_space(p)) {
        char *end;
        const double v = strtod(p, &end);

        if (n == max || end == p || (*end && !isspace((unsigned char)*end)))
            return -1;
        out[n++] = v;
        p = end;
    }
    return n;
}

/* ---- names of parts ---- */

/* "%d", "%3d", "%03d". @return what follows it, or NULL */
static const char *read_conversion(const char *p, int *width, int *zeros)
{
    *zeros = *++p == '0';
    *width = 0;
    for (; isdigit((unsigned char)*p) && *width < 20; p++)
        *width = 10 * *width + (*p - '0');
    return *p == 'd' && *width < 20 ? p + 1 : NULL;
}

static int count_up(vox_strs *out, const char *pattern, const int64_t range[3],
                    const char *name)
{
    const char *at = strchr(pattern, '%');
    int width, zeros;
    const char *rest = read_conversion(at, &width, &zeros);
    const int64_t first = range[0], last = range[1], step = range[2];

    if (!rest || strchr(rest, '%') || first < 0 || last < 0 || first > INT32_MAX ||
        last > INT32_MAX || step == 0 || step > INT32_MAX || step < -INT32_MAX ||
        (last - first) / step < 0 || (last - first) / step >= PARTS_MAX)
        return vox_fail(
            VOX_E_FORMAT,
            "%s: voxels are in files %s from %lld to %lld by %lld, wanted one %%d "
            "and a range",
            name, pattern, (long long)first, (long long)last, (long long)step);
    for (int64_t i = first; step > 0 ? i <= last : i >= last; i += step) {
        char text[VOX_VALUE_MAX + 64];

        snprintf(text, sizeof text, zeros ? "%.*s%0*lld%s" : "%.*s%*lld%s",
                 (int)(at - pattern), pattern, width, (long long)i, rest);
        VOX_TRY(vox_strs_add(out, text));
    }
    return VOX_OK;
}

int vox_parts_of_value(vox_strs *out, const char *value, const char *name)
{
    char pattern[VOX_VALUE_MAX];
    int64_t range[4] = {0};
    const char *end = strchr(value, '%');

    if (!*value)
        return vox_fail(VOX_E_FORMAT, "%s: the file with the voxels has no name", name);
    if (!end)
        return vox_strs_add(out, value);
    while (*end && !isspace((unsigned char)*end))
        end++;
    memcpy(pattern, value, (size_t)(end - value));
    pattern[end - value] = '\0';
    if (vox_value_ints(range, 4, end) < 3)
        return vox_fail(VOX_E_FORMAT,
                        "%s: voxels are in files \"%s\", wanted three numbers "
                        "behind the pattern",
                        name, value);
    return count_up(out, pattern, range, name);
}

int vox_parts_are_listed(const char *value)
{
    return strncmp(value, "LIST", 4) == 0 &&
           (!value[4] || isspace((unsigned char)value[4]));
}

int vox_parts_of_lines(vox_strs *out, vox_lines *l, const char *name)
{
    vox_line line;

    while (vox_lines_next(l, &line) && line.len) {
        char text[VOX_VALUE_MAX];

        if (out->count == PARTS_MAX || !copy(text, sizeof text, line.text, line.len))
            return vox_fail(VOX_E_FORMAT, "%s: the list of its files is too long", name);
        VOX_TRY(vox_strs_add(out, text));
    }
    return out->count ? VOX_OK
                      : vox_fail(VOX_E_FORMAT, "%s: the list of its files is empty", name);
}

/* ---- geometry ---- */

static double length(const double v[3])
{
    return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

/* Any right angle missing? */
static int is_oblique(double axis[3][3])
{
    for (int i = 0; i < 3; i++) {
        const double *a = axis[i], *b = axis[(i + 1) % 3];
        const double lengths = length(a) * length(b);

        if (!(lengths > 0.0) ||
            !(fabs(a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) <= 1e-4 * lengths))
            return 1;
    }
    return 0;
}

/* Unit vectors as columns, x and y turned; the identity of L, P, S where one has no
 * length. */
static void set_direction(vox_volume_info *out, const double spacing[3], double axis[3][3])
{
    for (int i = 0; i < 3; i++) {
        for (int world = 0; world < 3; world++) {
            const double turn = (world < 2 ? -1.0 : 1.0) * (spacing[i] < 0.0 ? -1.0 : 1.0);
            const double n = length(axis[i]);

            out->direction[3 * world + i] =
                turn * (n > 0.0 && isfinite(n) ? axis[i][world] / n : world == i) +
                0.0; /* no -0 */
        }
    }
}

int vox_lps_geometry(vox_volume_info *out, const double spacing[3], double axis[3][3],
                     const char *name)
{
    for (int i = 0; i < 3; i++) {
        if (!isfinite(spacing[i]) || spacing[i] == 0.0)
            return vox_fail(VOX_E_FORMAT,
                            "%s: spacing is %g x %g x %g mm, wanted none of 0", name,
                            spacing[0], spacing[1], spacing[2]);
        out->spacing[2 - i] = fabs(spacing[i]);
    }
    out->oblique = is_oblique(axis);
    set_direction(out, spacing, axis);
    for (int i = 0; i < 3; i++) {
        const double o = isfinite(out->origin[i]) ? out->origin[i] : 0.0;

        out->origin[i] = i < 2 ? 0.0 - o : o;
    }
    return VOX_OK;
}
