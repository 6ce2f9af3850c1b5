/*
 * masked_mse: a sum per plane, f32 over a segment of a row, f64 above; planes in their
 * order. The op saves the divisor first (ops/masked_mse.c); that is all backward needs of
 * it.
 *
 * Left to the reference: operands of two layouts, tensors that are no images.
 */
#include "ops/masked_mse.h"

#include "backend/cpu/mask_rows.h"

enum { Y = 0, X = 1, KEEP = 2 };

static int supports(const vox_problem *q)
{
    return q->in[Y].shape.rank == 5 && q->in[Y].layout == q->in[X].layout;
}

static int prepare(const vox_problem *q, vox_prepared *out)
{
    const vox_mask_rows r = vox_mask_rows_of(&q->in[Y], NULL);

    out->work_forward = (size_t)r.planes * sizeof(double);
    return VOX_OK;
}

static vox_mask_rows rows_of(const vox_call *c)
{
    return vox_mask_rows_of(&c->in[Y],
                            c->n_in > KEEP && c->in[KEEP].data ? &c->in[KEEP] : NULL);
}

static double sum_segment(const float *y, const float *x, int64_t count)
{
    vec sum = vec_zero();
    int64_t i = 0;

    for (; i + VOX_LANES <= count; i += VOX_LANES) {
        const vec d = vec_sub(vec_load(y + i), vec_load(x + i));

        sum = vec_fma(d, d, sum);
    }
    if (i < count) {
        const int left = (int)(count - i);
        const vec d = vec_sub(vec_load_part(y + i, left), vec_load_part(x + i, left));

        sum = vec_fma(d, d, sum);
    }
    return (double)vec_sum(sum);
}

static double sum_plane(const vox_mask_rows *r, const vox_call *c, int64_t plane)
{
    double sum = 0.0;

    for (int64_t h = 0; h < r->height; h++) {
        const uint8_t *keep = vox_mask_row(r, plane, h);
        const int64_t at = (plane * r->height + h) * r->width;

        for (int64_t s = 0; s * r->segment < r->width; s++) {
            const int64_t i = at + s * r->segment;

            if (!keep || !keep[s])
                sum +=
                    sum_segment(vox_call_in(c, Y) + i, vox_call_in(c, X) + i, r->segment);
        }
    }
    return sum;
}

/* Channels x hidden voxels. */
static double divisor(const vox_call *c, const vox_mask_rows *r)
{
    const vox_shape s = c->in[Y].shape;
    const int64_t voxels = s.n[2] * s.n[3] * s.n[4];
    int64_t hidden = s.n[0] * voxels;

    for (int64_t n = 0; r->keep.keep && n < s.n[0]; n++)
        hidden -= vox_blocks_active(&r->keep, n, voxels);
    return (double)(s.n[1] * hidden);
}

static void forward(const vox_call *c)
{
    const vox_mask_rows r = rows_of(c);
    double *plane = c->work;

    VOX_SHARE(i, r.planes)
        plane[i] = sum_plane(&r, c, i);
    vox_barrier();
    VOX_SHARE(one, 1) {
        const double by = divisor(c, &r);
        double sum = 0.0;

        for (int64_t i = 0; i < r.planes; i++)
            sum += plane[i];
        *(double *)c->saved = by;
        vox_call_out(c, 0)[0] = by > 0.0 ? (float)(sum / by) : 0.0f;
    }
}

/* One loop for both gradients, for y and x may be one tensor. Visible voxels get a zero
 * that is no product, for y may be inf or NaN there. */
static void put_segment(const vox_call *c, int64_t at, int64_t end, int visible,
                        float scale)
{
    const float *y = vox_call_in(c, Y), *x = vox_call_in(c, X);
    const vox_grad dy = c->din[Y], dx = c->din[X];

    for (int64_t i = at; i < end; i++) {
        const float d = visible ? 0.0f : scale * (y[i] - x[i]);

        if (dy.put != VOX_SKIP)
            vox_grad_put(dy, i, d);
        if (dx.put != VOX_SKIP)
            vox_grad_put(dx, i, -d);
    }
}

/* dy = 2 (y - x) / divisor where hidden, dx = -dy. */
static void backward(const vox_call *c)
{
    const vox_mask_rows r = rows_of(c);
    const double by = *(const double *)c->saved;
    const float scale =
        by > 0.0 ? (float)(2.0 * (double)vox_call_dout(c, 0)[0] / by) : 0.0f;

    VOX_SHARE(i, r.planes * r.height) {
        const uint8_t *keep = vox_mask_row(&r, i / r.height, i % r.height);

        for (int64_t s = 0; s * r.segment < r.width; s++) {
            const int64_t at = i * r.width + s * r.segment;

            put_segment(c, at, at + r.segment, keep && keep[s], scale);
        }
    }
}

const vox_kernel VOX_KERNEL(vox_kernel_masked_mse) = {
    .op = "masked_mse",
    .name = "masked_mse",
    .supports = supports,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
