/*
 * step: optimizer steps and the norm they are clipped by, one pass each. What they compute
 * is said by the references in graph/step.c; here f32 with fused multiply-adds.
 */
#include <math.h>

#include "backend/cpu/tiles.h"

enum { LANES = VOX_LANES, RUN = 256 };

/* ---- norm ---- */

/* Squares of a run in f32, lane by lane; runs in f64. */
static double norm2_tile(const float *v, int64_t count)
{
    double sum = 0.0;

    for (int64_t i = 0; i < count; i += RUN) {
        const int64_t n = count - i < RUN ? count - i : RUN;
        vec s = vec_zero();

        for (int64_t k = 0; k < n; k += LANES) {
            const vec a = k + LANES <= n ? vec_load(v + i + k)
                                         : vec_load_part(v + i + k, (int)(n - k));

            s = vec_fma(a, a, s);
        }
        sum += (double)vec_sum(s);
    }
    return sum;
}

static void norm2(double *sum, const float *v, int64_t count, double *tile)
{
    const int64_t tiles = vox_norm2_tiles(count),
                  size = tiles ? (count + tiles - 1) / tiles : 0;

    VOX_SHARE(t, tiles) {
        const int64_t left = count - t * size;

        tile[t] = left > 0 ? norm2_tile(v + t * size, left < size ? left : size) : 0.0;
    }
    vox_barrier();
    VOX_SHARE(one, 1) {
        *sum = 0.0;
        for (int64_t t = 0; t < tiles; t++)
            *sum += tile[t];
    }
}

/* ---- SGD ---- */

static void sgd_values(const vox_step_args *a, int64_t i, int count)
{
    const vec p = vec_load_part(a->value + i, count);
    const vec g = vec_fma(vec_set1(a->scale), vec_load_part(a->grad + i, count),
                          vec_mul(vec_set1(a->weight_decay), p));
    const vec momentum = vec_set1(a->momentum);
    const vec v =
        a->first ? g : vec_fma(momentum, vec_load_part(a->moment[0] + i, count), g);
    const vec step = a->nesterov ? vec_fma(momentum, v, g) : v;

    vec_store_part(a->moment[0] + i, v, count);
    vec_store_part(a->value + i, vec_fnma(vec_set1(a->lr), step, p), count);
}

static void sgd(const vox_step_args *a)
{
    VOX_SHARE(t, vox_tiles(a->count)) {
        const int64_t end = vox_tile_end(t, a->count);

        for (int64_t i = t * VOX_TILE; i < end; i += LANES)
            sgd_values(a, i, (int)(end - i < LANES ? end - i : LANES));
    }
}

/* ---- AdamW ---- */

/* beta * moment + (1 - beta) * g, the second term alone in the first step. */
VOX_INLINE vec moving(const vox_step_args *a, int m, int64_t i, int count, vec g)
{
    const vec fresh = vec_mul(vec_set1(1.0f - a->beta[m]), g);

    if (a->first)
        return fresh;
    return vec_fma(vec_set1(a->beta[m]), vec_load_part(a->moment[m] + i, count), fresh);
}

static void adamw_values(const vox_step_args *a, int64_t i, int count, float step,
                         float root)
{
    const vec g = vec_mul(vec_set1(a->scale), vec_load_part(a->grad + i, count));
    const vec m = moving(a, 0, i, count, g), v = moving(a, 1, i, count, vec_mul(g, g));
    const vec p = vec_mul(vec_load_part(a->value + i, count),
                          vec_set1(1.0f - a->lr * a->weight_decay));
    const vec by = vec_add(vec_div(vec_sqrt(v), vec_set1(root)), vec_set1(a->eps));

    vec_store_part(a->moment[0] + i, m, count);
    vec_store_part(a->moment[1] + i, v, count);
    vec_store_part(a->value + i, vec_sub(p, vec_div(vec_mul(vec_set1(step), m), by)),
                   count);
}

static void adamw(const vox_step_args *a)
{
    const float step = (float)((double)a->lr / a->correction[0]);
    const float root = (float)sqrt(a->correction[1]);

    VOX_SHARE(t, vox_tiles(a->count)) {
        const int64_t end = vox_tile_end(t, a->count);

        for (int64_t i = t * VOX_TILE; i < end; i += LANES)
            adamw_values(a, i, (int)(end - i < LANES ? end - i : LANES), step, root);
    }
}

const vox_step_kernels VOX_KERNEL(vox_step) = {.sgd = sgd, .adamw = adamw, .norm2 = norm2};
