/*
 * norm_act: instance norm, residual, leaky ReLU on blocked tensors. The op's contract (what
 * is saved, that y tells the activation's side) is in ops/norm_act.c.
 *
 * Forward reads x twice: statistics, then y. Statistics are taken per run of RUN voxels,
 * which stay in L1: mean first, then squares around it; runs and tiles are merged as
 * (count, mean, M2) in f64 in their order. So a mean far from zero costs no digits, and the
 * bits do not depend on the number of threads.
 *
 * Backward reads x and dy twice: sums of d and d * xhat, then dx. The activation's side it
 * finds from x, as forward did, and where a residual was added from y, which it reads then.
 *
 * Active masks: norm_act_active_simd.c. Left to the reference: plain tensors (fewer than 8
 * channels).
 */
#include "backend/cpu/norm_act.h"

#include <math.h>

enum {
    LANES = VOX_LANES,
    RUN = 256,
    X = VOX_NORM_ACT_X,
    RESIDUAL = VOX_NORM_ACT_RESIDUAL,
    ACTIVE = VOX_NORM_ACT_ACTIVE
};

static int supports(const vox_problem *q)
{
    return !vox_problem_has(q, ACTIVE) && vox_norm_fits(q);
}

/* Two values per channel of a tile: mean and M2 forward, two sums backward. */
typedef struct pair {
    double a[LANES], b[LANES];
} pair;

static int prepare(const vox_problem *q, vox_prepared *out)
{
    const vox_blocked t = vox_blocked_of(q->in[X].shape);

    /* one pair per tile, and backward one more per (image, block) */
    out->work_forward =
        (size_t)(t.images * t.blocks * (vox_tiles(t.voxels) + 1)) * sizeof(pair);
    out->work_backward = out->work_forward;
    out->squares[VOX_NORM_ACT_GAMMA] = out->squares[VOX_NORM_ACT_BETA] = t.blocks;
    return VOX_OK;
}

/* ---- statistics ---- */

/* Merge n2 values of mean b and squares M2 into n1 of a: Chan, Golub and LeVeque 1983. */
static void merge(double *mean, double *m2, double n1, double mean2, double m22, double n2)
{
    const double delta = mean2 - *mean, n = n1 + n2;

    *mean += delta * n2 / n;
    *m2 += m22 + delta * delta * n1 * n2 / n;
}

/* Sum over n vectors of x - shift, or of its squares; four chains. */
VOX_INLINE vec sum_shifted(const int squares, vox_stream x, int64_t n, vec shift)
{
    vec s[4];

    VOX_UNROLL
    for (int k = 0; k < 4; k++)
        s[k] = vec_zero();
    for (int64_t i = 0; i < n; i += 4) {
        VOX_UNROLL
        for (int k = 0; k < 4; k++) {
            if (i + k < n) {
                const vec d = vec_sub(vox_stream_load(x, (i + k) * LANES), shift);

                s[k] = squares ? vec_fma(d, d, s[k]) : vec_add(s[k], d);
            }
        }
    }
    return vec_add(vec_add(s[0], s[1]), vec_add(s[2], s[3]));
}

/* Add a run of n <= RUN voxels to the statistics of `seen` voxels. */
static void measure_run(pair *p, double seen, vox_stream x, int64_t n)
{
    const vec count = vec_set1((float)n), first = vox_stream_load(x, 0);
    const vec mean = vec_add(first, vec_div(sum_shifted(0, x, n, first), count));
    float m[LANES], off[LANES], square[LANES];

    vec_store(m, mean);
    vec_store(off, sum_shifted(0, x, n, mean)); /* what rounding left in the mean */
    vec_store(square, sum_shifted(1, x, n, mean));
    for (int c = 0; c < LANES; c++) {
        const double rest = (double)off[c] / (double)n;

        merge(&p->a[c], &p->b[c], seen, (double)m[c] + rest,
              (double)square[c] - rest * (double)off[c], (double)n);
    }
}

static void measure_tile(pair *p, vox_stream x, int64_t voxels)
{
    *p = (pair){{0}, {0}};
    for (int64_t i = 0; i < voxels; i += RUN)
        measure_run(p, (double)i, vox_stream_at(x, i * LANES),
                    voxels - i < RUN ? voxels - i : RUN);
}

/* Tiles of one (image, block) into saved mean and rstd. */
static void save_statistics(float *saved, const pair *tile, int64_t voxels, int lanes,
                            float eps)
{
    pair all = tile[0];

    for (int64_t t = 1; t < vox_tiles(voxels); t++) {
        for (int c = 0; c < lanes; c++)
            merge(&all.a[c], &all.b[c], (double)(t * VOX_TILE), tile[t].a[c], tile[t].b[c],
                  (double)(vox_tile_end(t, voxels) - t * VOX_TILE));
    }
    for (int c = 0; c < lanes; c++) {
        const double variance = all.b[c] / (double)voxels;

        saved[2 * c] = (float)all.a[c];
        saved[2 * c + 1] = (float)(1.0 / sqrt(variance + (double)eps));
    }
}

static void measure(const vox_call *c)
{
    const vox_norm_act_attr *attr = c->attr;
    const vox_blocked t = vox_blocked_of(c->in[X].shape);
    const int64_t tiles = vox_tiles(t.voxels), units = t.images * t.blocks;
    pair *tile = c->work;

    VOX_SHARE(i, units * tiles) {
        const int64_t unit = i / tiles, first = i % tiles * VOX_TILE;

        measure_tile(&tile[i],
                     vox_stream_at(vox_stream_in(c, X), (unit * t.voxels + first) * LANES),
                     vox_tile_end(i % tiles, t.voxels) - first);
    }
    vox_barrier();
    VOX_SHARE(i, units) {
        const int64_t n = i / t.blocks, block = i % t.blocks;

        save_statistics((float *)c->saved + (n * t.channels + block * LANES) * 2,
                        tile + i * tiles, t.voxels, vox_blocked_lanes(&t, block),
                        attr->eps);
    }
}

/* ---- forward ---- */

static void apply_tile(vox_stream y, vox_stream x, vox_stream residual, int64_t at,
                       int64_t end, vox_norm_affine f, vec slope)
{
    const vec scale = vec_mul(f.rstd, f.gamma);

    for (int64_t i = at; i < end; i += LANES) {
        vec v = vec_fma(vec_sub(vox_stream_load(x, i), f.mean), scale, f.beta);

        if (residual.data)
            v = vec_add(v, vox_stream_load(residual, i));
        vox_stream_store(y, i, vec_leaky(v, slope));
    }
}

/* y from x and what is saved. */
static void apply(const vox_call *c)
{
    const vox_norm_act_attr *attr = c->attr;
    const vox_blocked t = vox_blocked_of(c->in[X].shape);
    const int64_t tiles = vox_tiles(t.voxels);
    const vox_stream x = vox_stream_in(c, X), y = vox_stream_out(c);
    const vox_stream residual = vox_stream_in(c, RESIDUAL);
    const vec slope = vec_set1(attr->slope);

    VOX_SHARE(i, t.images * t.blocks * tiles) {
        const int64_t unit = i / tiles, first = i % tiles * VOX_TILE;
        const int64_t at = (unit * t.voxels + first) * LANES;
        const int64_t count = (vox_tile_end(i % tiles, t.voxels) - first) * LANES;
        const vox_norm_affine f =
            vox_norm_affine_of(c, &t, unit / t.blocks, unit % t.blocks);

        apply_tile(y, x, residual, at, at + count, f, slope);
    }
}

static void forward(const vox_call *c)
{
    measure(c);
    vox_barrier();
    apply(c);
}

/* ---- backward ---- */

/* y, or nothing where x tells the activation's side. */
static vox_stream side_of(const vox_call *c)
{
    const int added = RESIDUAL < c->n_in && c->in[RESIDUAL].shape.rank >= 0;

    return added ? vox_stream_out(c) : (vox_stream){NULL, 0};
}

/* Gradient before the activation, of vector i. */
VOX_INLINE vec gradient_at(vox_stream y, const float *dy, int64_t i, vec x,
                           const vox_norm_affine *f, vec slope)
{
    const vec side =
        y.data ? vox_stream_load(y, i)
               : vec_fma(vec_sub(x, f->mean), vec_mul(f->rstd, f->gamma), f->beta);

    return vox_norm_before_activation(side, vec_load(dy + i), slope);
}

static void sum_tile(pair *p, vox_stream x, vox_stream y, const float *dy, int64_t voxels,
                     const vox_norm_affine *f, vec slope)
{
    float a[LANES], b[LANES];

    *p = (pair){{0}, {0}};
    for (int64_t i = 0; i < voxels; i += RUN) {
        const int64_t end = (voxels - i < RUN ? voxels : i + RUN) * LANES;
        vec s[2] = {vec_zero(), vec_zero()};

        for (int64_t k = i * LANES; k < end; k += LANES) {
            const vec v = vox_stream_load(x, k);
            const vec d = gradient_at(y, dy, k, v, f, slope);
            const vec xhat = vec_mul(vec_sub(v, f->mean), f->rstd);

            s[0] = vec_add(s[0], d);
            s[1] = vec_fma(d, xhat, s[1]);
        }
        vec_store(a, s[0]);
        vec_store(b, s[1]);
        for (int c = 0; c < LANES; c++) {
            p->a[c] += (double)a[c];
            p->b[c] += (double)b[c];
        }
    }
}

/* Sums per (image, block) into `unit`, over the images into gamma and beta. */
static void sum_tiles(const vox_call *c, pair *unit, const pair *tile)
{
    const vox_blocked t = vox_blocked_of(c->in[X].shape);
    const int64_t tiles = vox_tiles(t.voxels);

    VOX_SHARE(block, t.blocks) {
        pair total = {{0}, {0}};

        for (int64_t n = 0; n < t.images; n++) {
            pair *u = &unit[n * t.blocks + block];

            *u = (pair){{0}, {0}};
            for (int64_t i = 0; i < tiles; i++) {
                const pair *from = &tile[(n * t.blocks + block) * tiles + i];

                for (int k = 0; k < LANES; k++) {
                    u->a[k] += from->a[k];
                    u->b[k] += from->b[k];
                }
            }
            for (int k = 0; k < LANES; k++) {
                total.a[k] += u->a[k];
                total.b[k] += u->b[k];
            }
        }
        vox_norm_put_params(c, block, vox_blocked_lanes(&t, block), total.b, total.a);
    }
}

static void sum_all(const vox_call *c, pair *tile)
{
    const vox_norm_act_attr *attr = c->attr;
    const vox_blocked t = vox_blocked_of(c->in[X].shape);
    const int64_t tiles = vox_tiles(t.voxels);
    const vox_stream y = side_of(c);

    VOX_SHARE(i, t.images * t.blocks * tiles) {
        const int64_t unit = i / tiles, first = i % tiles * VOX_TILE;
        const int64_t at = (unit * t.voxels + first) * LANES;
        const vox_norm_affine f =
            vox_norm_affine_of(c, &t, unit / t.blocks, unit % t.blocks);

        sum_tile(&tile[i], vox_stream_at(vox_stream_in(c, X), at),
                 y.data ? vox_stream_at(y, at) : y, vox_call_dout(c, 0) + at,
                 vox_tile_end(i % tiles, t.voxels) - first, &f, vec_set1(attr->slope));
    }
}

/* dx and dresidual of vectors [at, end): in one loop, for they may be one tensor. */
static void put_tile(const vox_call *c, int64_t at, int64_t end, const vox_norm_affine *f,
                     const pair *sum, int64_t voxels)
{
    const vox_norm_act_attr *attr = c->attr;
    const vox_grad dx = vox_call_din(c, X), dr = vox_call_din(c, RESIDUAL);
    const vox_stream x = vox_stream_in(c, X), y = side_of(c);
    const float *dy = vox_call_dout(c, 0);
    const vec slope = vec_set1(attr->slope), scale = vec_mul(f->gamma, f->rstd);
    float a[LANES], b[LANES];

    for (int i = 0; i < LANES; i++) {
        a[i] = (float)(sum->a[i] / (double)voxels);
        b[i] = (float)(sum->b[i] / (double)voxels);
    }
    for (int64_t i = at; i < end; i += LANES) {
        const vec v = vox_stream_load(x, i);
        const vec d = gradient_at(y, dy, i, v, f, slope);
        const vec xhat = vec_mul(vec_sub(v, f->mean), f->rstd);

        if (dx.put != VOX_SKIP)
            vox_grad_put_vec(
                dx, i,
                vec_mul(scale, vec_fnma(xhat, vec_load(b), vec_sub(d, vec_load(a)))));
        if (dr.put != VOX_SKIP)
            vox_grad_put_vec(dr, i, d);
    }
}

static void backward(const vox_call *c)
{
    const vox_blocked t = vox_blocked_of(c->in[X].shape);
    const int64_t tiles = vox_tiles(t.voxels), units = t.images * t.blocks;
    pair *unit = c->work, *tile = unit + units;

    sum_all(c, tile);
    vox_barrier();
    sum_tiles(c, unit, tile);
    if (vox_call_din(c, X).put == VOX_SKIP && vox_call_din(c, RESIDUAL).put == VOX_SKIP)
        return;
    vox_barrier();
    VOX_SHARE(i, units * tiles) {
        const int64_t u = i / tiles, first = i % tiles * VOX_TILE;
        const vox_norm_affine f = vox_norm_affine_of(c, &t, u / t.blocks, u % t.blocks);

        put_tile(c, (u * t.voxels + first) * LANES,
                 (u * t.voxels + vox_tile_end(i % tiles, t.voxels)) * LANES, &f, &unit[u],
                 t.voxels);
    }
}

const vox_kernel VOX_KERNEL(vox_kernel_norm_act) = {
    .op = "norm_act",
    .name = "norm_act",
    .bf16 = VOX_IN(X) | VOX_IN(RESIDUAL) | VOX_OUT(0),
    .supports = supports,
    .prepare = prepare,
    .forward = forward,
    .rebuild = apply,
    .backward = backward,
};
