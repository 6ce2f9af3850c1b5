/*
 * step: optimizer steps and the norm they are clipped by, in plain C: what every device's
 * own versions are compared with.
 *
 * Source: methods.md 1.6. Rates are formed in f64, the update runs in f32 as PyTorch's
 * does.
 */
#include <math.h>

#include "graph/kernel.h"

enum { TILE = 4096 };

int64_t vox_norm2_tiles(int64_t count)
{
    return (count + TILE - 1) / TILE;
}

static void norm2(double *sum, const float *v, int64_t count, double *tile)
{
    const int64_t tiles = vox_norm2_tiles(count);

    VOX_SHARE(t, tiles) {
        const int64_t end = (t + 1) * TILE < count ? (t + 1) * TILE : count;
        double s = 0;

        for (int64_t i = t * TILE; i < end; i++)
            s += (double)v[i] * (double)v[i];
        tile[t] = s;
    }
    vox_barrier();
    VOX_SHARE(one, 1) {
        *sum = 0;
        for (int64_t t = 0; t < tiles; t++)
            *sum += tile[t];
    }
}

static void sgd(const vox_step_args *a)
{
    float *p = a->value, *v = a->moment[0];

    VOX_SHARE(i, a->count) {
        const float g = a->scale * a->grad[i] + a->weight_decay * p[i];

        v[i] = a->first ? g : a->momentum * v[i] + g;
        p[i] -= a->lr * (a->nesterov ? g + a->momentum * v[i] : v[i]);
    }
}

static void adamw(const vox_step_args *a)
{
    const float step = (float)((double)a->lr / a->correction[0]);
    const float root = (float)sqrt(a->correction[1]);
    float *p = a->value, *m = a->moment[0], *v = a->moment[1];

    VOX_SHARE(i, a->count) {
        const float g = a->scale * a->grad[i];

        p[i] *= 1.0f - a->lr * a->weight_decay;
        m[i] = a->first ? (1.0f - a->beta[0]) * g
                        : a->beta[0] * m[i] + (1.0f - a->beta[0]) * g;
        v[i] = a->first ? (1.0f - a->beta[1]) * g * g
                        : a->beta[1] * v[i] + (1.0f - a->beta[1]) * g * g;
        p[i] -= step * m[i] / (sqrtf(v[i]) / root + a->eps);
    }
}

const vox_step_kernels vox_step_reference = {.sgd = sgd, .adamw = adamw, .norm2 = norm2};
