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

/* ---- vectors of a tile ---- */

/* Whole vectors go without a mask: `count` is a constant then. */
VOX_INLINE vec load(const float *p, int count)
{
    return count == LANES ? vec_load(p) : vec_load_part(p, count);
}

VOX_INLINE void store(float *p, vec v, int count)
{
    if (count == LANES)
        vec_store(p, v);
    else
        vec_store_part(p, v, count);
}

/* ---- SGD ---- */

/* The arguments as the loop wants them: copies, for what it stores could be arguments as
 * far as the compiler knows. */
typedef struct sgd_job {
    float *value, *moment;
    const float *grad;
    vec lr, weight_decay, momentum, scale;
    int nesterov, first;
} sgd_job;

VOX_INLINE void sgd_values(const sgd_job *j, int64_t i, int count)
{
    const vec p = load(j->value + i, count);
    const vec g = vec_fma(j->scale, load(j->grad + i, count), vec_mul(j->weight_decay, p));
    const vec v = j->first ? g : vec_fma(j->momentum, load(j->moment + i, count), g);
    const vec step = j->nesterov ? vec_fma(j->momentum, v, g) : v;

    store(j->moment + i, v, count);
    store(j->value + i, vec_fnma(j->lr, step, p), count);
}

static void sgd(const vox_step_args *a)
{
    const sgd_job j = {.value = a->value,
                       .moment = a->moment[0],
                       .grad = a->grad,
                       .lr = vec_set1(a->lr),
                       .weight_decay = vec_set1(a->weight_decay),
                       .momentum = vec_set1(a->momentum),
                       .scale = vec_set1(a->scale),
                       .nesterov = a->nesterov,
                       .first = a->first};
    const int64_t count = a->count;

    VOX_SHARE(t, vox_tiles(count)) {
        const int64_t end = vox_tile_end(t, count);
        int64_t i = t * VOX_TILE;

        for (; i + LANES <= end; i += LANES)
            sgd_values(&j, i, LANES);
        if (i < end)
            sgd_values(&j, i, (int)(end - i));
    }
}

/* ---- AdamW ---- */

typedef struct adamw_job {
    float *value, *moment[2];
    const float *grad;
    vec scale, keep[2], fresh[2], decay, step, root, eps;
    int first;
} adamw_job;

/* beta * moment + (1 - beta) * g, the second term alone in the first step. */
VOX_INLINE vec moving(const adamw_job *j, int m, int64_t i, int count, vec g)
{
    const vec fresh = vec_mul(j->fresh[m], g);

    return j->first ? fresh : vec_fma(j->keep[m], load(j->moment[m] + i, count), fresh);
}

VOX_INLINE void adamw_values(const adamw_job *j, int64_t i, int count)
{
    const vec g = vec_mul(j->scale, load(j->grad + i, count));
    const vec m = moving(j, 0, i, count, g), v = moving(j, 1, i, count, vec_mul(g, g));
    const vec p = vec_mul(load(j->value + i, count), j->decay);
    const vec by = vec_add(vec_div(vec_sqrt(v), j->root), j->eps);

    store(j->moment[0] + i, m, count);
    store(j->moment[1] + i, v, count);
    store(j->value + i, vec_sub(p, vec_div(vec_mul(j->step, m), by)), count);
}

static adamw_job adamw_job_of(const vox_step_args *a)
{
    adamw_job j = {.value = a->value,
                   .grad = a->grad,
                   .scale = vec_set1(a->scale),
                   .decay = vec_set1(1.0f - a->lr * a->weight_decay),
                   .step = vec_set1((float)((double)a->lr / a->correction[0])),
                   .root = vec_set1((float)sqrt(a->correction[1])),
                   .eps = vec_set1(a->eps),
                   .first = a->first};

    for (int m = 0; m < 2; m++) {
        j.moment[m] = a->moment[m];
        j.keep[m] = vec_set1(a->beta[m]);
        j.fresh[m] = vec_set1(1.0f - a->beta[m]);
    }
    return j;
}

static void adamw(const vox_step_args *a)
{
    const adamw_job j = adamw_job_of(a);
    const int64_t count = a->count;

    VOX_SHARE(t, vox_tiles(count)) {
        const int64_t end = vox_tile_end(t, count);
        int64_t i = t * VOX_TILE;

        for (; i + LANES <= end; i += LANES)
            adamw_values(&j, i, LANES);
        if (i < end)
            adamw_values(&j, i, (int)(end - i));
    }
}

const vox_step_kernels VOX_KERNEL(vox_step) = {.sgd = sgd, .adamw = adamw, .norm2 = norm2};
