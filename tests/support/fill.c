/* fill: see fill.h. */
#include "support/unit.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "support/fill.h"

double fill_signed(uint32_t t, uint32_t i)
{
    uint32_t h = (i + 1) * 2654435761u + (t + 1) * 2246822519u;

    h ^= h >> 16;
    h *= 0x45d9f3bu;
    h ^= h >> 16;
    h *= 0x45d9f3bu;
    h ^= h >> 16;
    return 2 * ((double)h / 4294967296.0) - 1;
}

void fill_values(float *out, int64_t n, uint32_t t, double factor)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = (float)(factor * fill_signed(t, (uint32_t)i));
}

static double value(const vox_param *q, int smooth, double s, int64_t i)
{
    if (q->shape.rank >= 2)
        return sqrt(3.0 / ((double)q->count / (double)q->shape.n[0])) * s;
    if (smooth && vox_ends_with(q->name, "norm.weight"))
        return 0.1 * (1 + 0.2 * s);
    if (smooth && vox_ends_with(q->name, "norm.bias"))
        return (i % 2 ? -1 : 1) * (1 + 0.05 * s);
    return vox_ends_with(q->name, "weight") ? 1 + 0.2 * s : 0.2 * s;
}

void fill_params(vox_params *p, int smooth)
{
    for (int t = 0; t < p->n_param; t++) {
        const vox_param *q = &p->param[t];
        float *v = vox_alloc((size_t)q->count, sizeof *v);

        assert_non_null(v);
        for (int64_t i = 0; i < q->count; i++)
            v[i] = (float)value(q, smooth, fill_signed((uint32_t)t, (uint32_t)i), i);
        assert_int_equal(vox_params_set(p, p->value, t, v), VOX_OK);
        vox_free(v);
    }
}
