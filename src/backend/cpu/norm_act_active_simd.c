/*
 * norm_act_active: norm_act on blocked tensors under a mask of active blocks: statistics
 * over active voxels, zero elsewhere. Inactive voxels are not read.
 *
 * Work is shared out by planes, one z of a block of channels; their sums are added in f64
 * in their order. Statistics are two passes over x: sums, which give the mean nearly; then
 * deviations from that and their squares. The deviations' sum, which is small, corrects
 * both, so that a mean far from zero costs no digits.
 *
 * Backward reads x, y and dy twice: sums of d and d * xhat, then dx.
 *
 * Left to the reference: plain tensors (fewer than 8 channels).
 */
#include <math.h>

#include "backend/cpu/mask_rows.h"
#include "backend/cpu/norm_act.h"

enum {
    LANES = VOX_LANES,
    X = VOX_NORM_ACT_X,
    RESIDUAL = VOX_NORM_ACT_RESIDUAL,
    ACTIVE = VOX_NORM_ACT_ACTIVE
};

static int supports(const vox_problem *q)
{
    return vox_problem_has(q, ACTIVE) && vox_norm_fits(q);
}

/* Two sums per channel, of a plane or of an (image, block). */
typedef struct pair {
    double a[LANES], b[LANES];
} pair;

/* A call in short. Planes are numbered as in mask_rows.h; a unit is an (image, block). */
typedef struct job {
    const vox_call *c;
    vox_blocked t;
    vox_mask_rows rows;
    int64_t units, row; /* floats of a row */
    vec slope;
    pair *plane, *unit;
} job;

static job job_of(const vox_call *c)
{
    const vox_norm_act_attr *attr = c->attr;
    job j = {.c = c,
             .t = vox_blocked_of(c->in[X].shape),
             .rows = vox_mask_rows_of(&c->in[X], &c->in[ACTIVE]),
             .slope = vec_set1(attr->slope)};

    j.units = j.t.images * j.t.blocks;
    j.row = j.rows.width;
    j.plane = c->work;
    j.unit = j.plane + j.rows.planes;
    return j;
}

static int prepare(const vox_problem *q, vox_prepared *out)
{
    const vox_blocked t = vox_blocked_of(q->in[X].shape);

    out->work_forward =
        (size_t)(t.images * t.blocks * (q->in[X].shape.n[2] + 1)) * sizeof(pair);
    out->work_backward = out->work_forward;
    out->squares[VOX_NORM_ACT_GAMMA] = out->squares[VOX_NORM_ACT_BETA] = t.blocks;
    return VOX_OK;
}

/* Active voxels of unit u. */
static double active_voxels(const job *j, int64_t u)
{
    return (double)vox_blocks_active(&j->rows.keep, u / j->t.blocks, j->t.voxels);
}

static vox_norm_affine affine_of(const job *j, int64_t unit)
{
    return vox_norm_affine_of(j->c, &j->t, unit / j->t.blocks, unit % j->t.blocks);
}

static void add_row(pair *p, vec a, vec b)
{
    float sum[2][LANES];

    vec_store(sum[0], a);
    vec_store(sum[1], b);
    for (int i = 0; i < LANES; i++) {
        p->a[i] += (double)sum[0][i];
        p->b[i] += (double)sum[1][i];
    }
}

/* Planes of every unit, in order, when all are there. */
static void sum_planes(const job *j)
{
    const int64_t depth = j->rows.depth;

    vox_barrier();
    VOX_SHARE(u, j->units) {
        pair sum = {{0}, {0}};

        for (int64_t z = 0; z < depth; z++) {
            for (int i = 0; i < LANES; i++) {
                sum.a[i] += j->plane[u * depth + z].a[i];
                sum.b[i] += j->plane[u * depth + z].b[i];
            }
        }
        j->unit[u] = sum;
    }
    vox_barrier();
}

/* ---- statistics ---- */

/* Sums of x - shift and its squares over the active voxels of a row. */
static void measure_row(pair *p, const job *j, const float *x, const uint8_t *active,
                        vec shift)
{
    const int64_t segment = j->rows.segment;
    vec sum = vec_zero(), square = vec_zero();

    for (int64_t s = 0; s * segment < j->row; s++) {
        for (int64_t i = s * segment; active[s] && i < (s + 1) * segment; i += LANES) {
            const vec d = vec_sub(vec_load(x + i), shift);

            sum = vec_add(sum, d);
            square = vec_fma(d, d, square);
        }
    }
    add_row(p, sum, square);
}

/* One pass over x around the saved means; the first time around zero. */
static void measure_planes(const job *j, int first)
{
    VOX_SHARE(i, j->rows.planes) {
        const int64_t unit = i / j->rows.depth;
        const vec shift = first ? vec_zero() : affine_of(j, unit).mean;
        pair *p = &j->plane[i];

        *p = (pair){{0}, {0}};
        for (int64_t h = 0; h < j->rows.height; h++)
            measure_row(p, j, vox_call_in(j->c, X) + (i * j->rows.height + h) * j->row,
                        vox_mask_row(&j->rows, i, h), shift);
    }
    sum_planes(j);
}

/* Move the saved means by the mean deviations from them, and save rstd. */
static void save_statistics(const job *j, int first)
{
    const vox_norm_act_attr *attr = j->c->attr;

    VOX_SHARE(u, j->units) {
        const int64_t block = u % j->t.blocks;
        float *saved =
            (float *)j->c->saved + (u / j->t.blocks * j->t.channels + block * LANES) * 2;
        const double count = active_voxels(j, u), by = count > 0 ? 1 / count : 0;

        for (int i = 0; i < vox_blocked_lanes(&j->t, block); i++, saved += 2) {
            const double off = j->unit[u].a[i] * by;
            const double variance = fmax(j->unit[u].b[i] * by - off * off, 0.0);

            saved[0] = (float)(first ? off : (double)saved[0] + off);
            saved[1] = (float)(1.0 / sqrt(variance + (double)attr->eps));
        }
    }
}

/* ---- forward ---- */

static void apply_row(const job *j, int64_t at, const uint8_t *active,
                      const vox_norm_affine *f)
{
    const float *x = vox_call_in(j->c, X), *residual = vox_call_in(j->c, RESIDUAL);
    float *y = vox_call_out(j->c, 0);
    const int64_t segment = j->rows.segment;
    const vec scale = vec_mul(f->rstd, f->gamma);

    for (int64_t s = 0; s * segment < j->row; s++) {
        const int64_t end = at + (s + 1) * segment;

        if (!active[s])
            memset(y + at + s * segment, 0, (size_t)segment * sizeof *y);
        for (int64_t i = at + s * segment; active[s] && i < end; i += LANES) {
            vec v = vec_fma(vec_sub(vec_load(x + i), f->mean), scale, f->beta);

            if (residual)
                v = vec_add(v, vec_load(residual + i));
            vec_store(y + i, vec_leaky(v, j->slope));
        }
    }
}

/* y from x and what is saved. */
static void apply(const vox_call *c)
{
    const job j = job_of(c);

    VOX_SHARE(i, j.rows.planes) {
        const vox_norm_affine f = affine_of(&j, i / j.rows.depth);

        for (int64_t h = 0; h < j.rows.height; h++)
            apply_row(&j, (i * j.rows.height + h) * j.row, vox_mask_row(&j.rows, i, h), &f);
    }
}

static void forward(const vox_call *c)
{
    const job j = job_of(c);

    for (int first = 1; first >= 0; first--) {
        measure_planes(&j, first);
        save_statistics(&j, first);
        vox_barrier();
    }
    apply(c);
}

/* ---- backward ---- */

/* Gradient before the activation of the vector at i. */
VOX_INLINE vec gradient_at(const job *j, int64_t i)
{
    return vox_norm_before_activation(vec_load(vox_call_out(j->c, 0) + i),
                                      vec_load(vox_call_dout(j->c, 0) + i), j->slope);
}

VOX_INLINE vec xhat_at(const job *j, int64_t i, const vox_norm_affine *f)
{
    return vec_mul(vec_sub(vec_load(vox_call_in(j->c, X) + i), f->mean), f->rstd);
}

static void sum_row(pair *p, const job *j, int64_t at, const uint8_t *active,
                    const vox_norm_affine *f)
{
    const int64_t segment = j->rows.segment;
    vec sum = vec_zero(), with = vec_zero();

    for (int64_t s = 0; s * segment < j->row; s++) {
        const int64_t end = at + (s + 1) * segment;

        for (int64_t i = at + s * segment; active[s] && i < end; i += LANES) {
            const vec d = gradient_at(j, i);

            sum = vec_add(sum, d);
            with = vec_fma(d, xhat_at(j, i, f), with);
        }
    }
    add_row(p, sum, with);
}

/* Sums of d and of d * xhat per unit. */
static void sum_gradients(const job *j)
{
    VOX_SHARE(i, j->rows.planes) {
        const vox_norm_affine f = affine_of(j, i / j->rows.depth);

        j->plane[i] = (pair){{0}, {0}};
        for (int64_t h = 0; h < j->rows.height; h++)
            sum_row(&j->plane[i], j, (i * j->rows.height + h) * j->row,
                    vox_mask_row(&j->rows, i, h), &f);
    }
    sum_planes(j);
}

/* Units of a block into gamma and beta. */
static void put_params(const job *j)
{
    VOX_SHARE(block, j->t.blocks) {
        pair total = {{0}, {0}};

        for (int64_t n = 0; n < j->t.images; n++) {
            for (int i = 0; i < LANES; i++) {
                total.a[i] += j->unit[n * j->t.blocks + block].a[i];
                total.b[i] += j->unit[n * j->t.blocks + block].b[i];
            }
        }
        vox_norm_put_params(j->c, block, vox_blocked_lanes(&j->t, block), total.b, total.a);
    }
}

/* dx and dresidual of a row: in one loop, for they may be one tensor. `mean` is what a
 * voxel's gradient is freed of: the means of d and of d * xhat. */
static void put_row(const job *j, int64_t at, const uint8_t *active,
                    const vox_norm_affine *f, const vec mean[2])
{
    const vox_grad dx = vox_call_din(j->c, X), dr = vox_call_din(j->c, RESIDUAL);
    const vec scale = vec_mul(f->gamma, f->rstd);

    for (int64_t i = at; i < at + j->row; i += LANES) {
        vec d = vec_zero(), g = vec_zero();

        if (active[(i - at) / j->rows.segment]) {
            d = gradient_at(j, i);
            g = vec_fnma(xhat_at(j, i, f), mean[1], vec_sub(d, mean[0]));
            g = vec_mul(scale, g);
        }
        if (dx.put != VOX_SKIP)
            vox_grad_put_vec(dx, i, g);
        if (dr.put != VOX_SKIP)
            vox_grad_put_vec(dr, i, d);
    }
}

static void put_planes(const job *j)
{
    VOX_SHARE(i, j->rows.planes) {
        const int64_t unit = i / j->rows.depth;
        const vox_norm_affine f = affine_of(j, unit);
        const double count = active_voxels(j, unit), by = count > 0 ? 1 / count : 0;
        float a[LANES], b[LANES];

        for (int k = 0; k < LANES; k++) {
            a[k] = (float)(j->unit[unit].a[k] * by);
            b[k] = (float)(j->unit[unit].b[k] * by);
        }
        for (int64_t h = 0; h < j->rows.height; h++)
            put_row(j, (i * j->rows.height + h) * j->row, vox_mask_row(&j->rows, i, h), &f,
                    (const vec[]){vec_load(a), vec_load(b)});
    }
}

static void backward(const vox_call *c)
{
    const job j = job_of(c);

    sum_gradients(&j);
    put_params(&j);
    if (vox_call_din(c, X).put != VOX_SKIP || vox_call_din(c, RESIDUAL).put != VOX_SKIP)
        put_planes(&j);
}

const vox_kernel VOX_KERNEL(vox_kernel_norm_act_active) = {
    .op = "norm_act",
    .name = "norm_act_active",
    .supports = supports,
    .prepare = prepare,
    .forward = forward,
    .rebuild = apply,
    .backward = backward,
};
