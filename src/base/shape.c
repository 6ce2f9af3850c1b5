/* shape: counting, comparing and printing extents. */
#include "base/shape.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/error.h"

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [VOX_F32] = {"f32",  4},
      [VOX_U8] = {"u8",   1},
      [VOX_I64] = {"i64",  8},
    [VOX_F64] = {"f64",  8},
      [VOX_F16] = {"f16",  2},
      [VOX_BF16] = {"bf16", 2},
    [VOX_I32] = {"i32",  4},
      [VOX_I16] = {"i16",  2},
      [VOX_I8] = {"i8",   1},
    [VOX_BOOL] = {"bool", 1},
};

size_t vox_dtype_size(vox_dtype t)
{
    return types[t].size;
}

const char *vox_dtype_name(vox_dtype t)
{
    return types[t].name;
}

int64_t vox_shape_count(vox_shape s)
{
    int64_t count = 1;

    for (int i = 0; i < s.rank; i++) {
        if (s.n[i] < 0 || (s.n[i] && count > (INT64_MAX / 16) / s.n[i]))
            return -1;
        count *= s.n[i];
    }
    return count;
}

int vox_shape_equal(vox_shape a, vox_shape b)
{
    if (a.rank != b.rank)
        return 0;
    for (int i = 0; i < a.rank; i++) {
        if (a.n[i] != b.n[i])
            return 0;
    }
    return 1;
}

const char *vox_shape_text(vox_shape s, char buf[static 128])
{
    int at = 0;

    if (s.rank == 0)
        return "scalar";
    for (int i = 0; i < s.rank; i++)
        at += snprintf(buf + at, (size_t)(128 - at), "%s%lld", i ? "x" : "",
                       (long long)s.n[i]);
    return buf;
}

int vox_shape_parse(vox_shape *out, const char *text)
{
    vox_shape s = {0};
    const char *p = text;

    for (;;) {
        char *end;
        const long long v = strtoll(p, &end, 10);

        if (end == p || v < 0 || s.rank == VOX_MAX_RANK)
            return vox_fail(VOX_E_ARG, "\"%s\" is not a shape like 2x1x64x64x64", text);
        s.n[s.rank++] = v;
        if (*end == '\0')
            break;
        if (*end != 'x' && *end != ',')
            return vox_fail(VOX_E_ARG, "\"%s\" is not a shape like 2x1x64x64x64", text);
        p = end + 1;
    }
    *out = s;
    return VOX_OK;
}
