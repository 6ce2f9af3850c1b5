/*
 * linear: three products of gemm.h. Forward's epilogue adds bias, scale, drop path and
 * residual while a tile is in L1. Backward's product for the weights sums dy on the way,
 * and its product for x takes the scale while packing.
 *
 * With a scale, the gradient of the weights goes through a copy of its size: the sums
 * before the scale are what the scale's own gradient is made of.
 */
#include "backend/cpu/gemm.h"
#include "backend/cpu/tiles.h"
#include "ops/linear.h"

enum {
    X = VOX_LINEAR_X,
    W = VOX_LINEAR_W,
    B = VOX_LINEAR_B,
    SCALE = VOX_LINEAR_SCALE,
    RESIDUAL = VOX_LINEAR_RESIDUAL,
    KEEP = VOX_LINEAR_KEEP
};

typedef struct prep {
    vox_gemm forward, data, weights;
    size_t product_bytes; /* of the largest product */
    size_t copy_bytes;    /* of the gradient of the weights before the scale; or 0 */
} prep;

static int supports(const vox_problem *q)
{
    (void)q;
    return 1;
}

static void plan(prep *p, int64_t tokens, int64_t k, int64_t o, int threads)
{
    const vox_gemm_shape forward = {.m = tokens, .n = o, .k = k, .b_by_n = 1};
    const vox_gemm_shape data = {.m = tokens, .n = k, .k = o};
    const vox_gemm_shape weights = {.m = o, .n = k, .k = tokens, .a_by_k = 1};

    vox_gemm_plan(&p->forward, &forward, VOX_LANES, VOX_GEMM_ROWS, threads);
    vox_gemm_plan(&p->data, &data, VOX_LANES, VOX_GEMM_ROWS, threads);
    vox_gemm_plan(&p->weights, &weights, VOX_LANES, VOX_GEMM_ROWS, threads);
    p->product_bytes =
        vox_larger(vox_gemm_bytes(&p->data, threads), vox_gemm_bytes(&p->weights, threads));
}

static int prepare(const vox_problem *q, vox_prepared *out)
{
    const vox_shape x = q->in[X].shape;
    const vox_linear_attr *attr = q->attr;
    prep *p = vox_arena_alloc(out->arena, 1, sizeof *p);

    if (!p)
        return VOX_E_NOMEM;
    plan(p, x.n[0] * x.n[1], x.n[2], attr->out, q->threads);
    p->copy_bytes =
        vox_problem_has(q, SCALE) ? (size_t)(attr->out * x.n[2]) * sizeof(float) : 0;
    out->prep = p;
    out->work_forward = vox_gemm_bytes(&p->forward, q->threads);
    /* behind the product's: sums of dy, then the copy */
    out->work_backward =
        p->product_bytes + p->copy_bytes + (size_t)attr->out * sizeof(float);
    return VOX_OK;
}

static void forward(const vox_call *c)
{
    const prep *p = c->prep;
    const vox_shape x = c->in[X].shape;
    const int64_t o = p->forward.s.n;
    const vox_gemm_io io = {.a = vox_call_in(c, X),
                            .a_step = x.n[2],
                            .b = vox_call_in(c, W),
                            .b_step = x.n[2],
                            .a_scale = vox_call_in(c, KEEP),
                            .a_run = x.n[1],
                            .c = vox_call_out(c, 0),
                            .c_step = o,
                            .put = VOX_WRITE,
                            .bias = vox_call_in(c, B),
                            .scale = vox_call_in(c, SCALE),
                            .add = vox_call_in(c, RESIDUAL),
                            .add_step = o};

    VOX_KERNEL(vox_gemm_run)(&p->forward, &io, c->work);
}

/* ---- backward ---- */

static void put(vox_grad g, int64_t i, float v)
{
    if (g.put != VOX_SKIP)
        vox_grad_put(g, i, v);
}

/* A row of the weights' gradient times its scale. @return the sum of its products with w */
static float scale_row(vox_grad dw, const float *from, const float *w, int64_t k,
                       float scale)
{
    vec sum = vec_zero();

    for (int64_t i = 0; i < k; i += VOX_LANES) {
        const int some = k - i < VOX_LANES ? (int)(k - i) : VOX_LANES;
        const vec v = vec_load_part(from + i, some), s = vec_mul(vec_set1(scale), v);

        sum = vec_fma(v, vec_load_part(w + i, some), sum);
        if (dw.put == VOX_SKIP)
            continue;
        vec_store_part(dw.data + i,
                       dw.put == VOX_ADD ? vec_add(s, vec_load_part(dw.data + i, some)) : s,
                       some);
    }
    return vec_sum(sum);
}

/* What the product of the weights left: sums of dy, and their products with x. */
static void finish(const vox_call *c, const float *sums, const float *copy)
{
    const prep *p = c->prep;
    const float *scale = vox_call_in(c, SCALE), *b = vox_call_in(c, B);
    const int64_t k = p->weights.s.n;

    VOX_SHARE(o, p->weights.s.m) {
        vox_grad dw = vox_call_din(c, W);
        float product = b ? b[o] * sums[o] : 0.0f;

        if (scale) {
            dw.data += dw.put == VOX_SKIP ? 0 : o * k;
            product += scale_row(dw, copy + o * k, vox_call_in(c, W) + o * k, k, scale[o]);
            put(vox_call_din(c, SCALE), o, product);
        }
        put(vox_call_din(c, B), o, scale ? scale[o] * sums[o] : sums[o]);
    }
}

static void backward_params(const vox_call *c)
{
    const prep *p = c->prep;
    const vox_grad dw = vox_call_din(c, W);
    float *sums = (float *)(void *)((char *)c->work + p->product_bytes);
    float *copy = p->copy_bytes ? sums + p->weights.s.m : NULL;
    const vox_gemm_io io = {.a = vox_call_dout(c, 0),
                            .a_step = p->weights.s.m,
                            .a_scale = vox_call_in(c, KEEP),
                            .a_run = c->in[X].shape.n[1],
                            .b = vox_call_in(c, X),
                            .b_step = p->weights.s.n,
                            .c = copy                 ? copy
                                 : dw.put == VOX_SKIP ? NULL
                                                      : dw.data,
                            .c_step = p->weights.s.n,
                            .put = copy ? VOX_WRITE : dw.put,
                            .a_sums = sums};

    VOX_KERNEL(vox_gemm_run)(&p->weights, &io, c->work);
    vox_barrier();
    finish(c, sums, copy);
}

static void backward_data(const vox_call *c, vox_grad dx)
{
    const prep *p = c->prep;
    const vox_gemm_io io = {.a = vox_call_dout(c, 0),
                            .a_step = p->data.s.k,
                            .a_scale = vox_call_in(c, KEEP),
                            .a_run = c->in[X].shape.n[1],
                            .b = vox_call_in(c, W),
                            .b_step = p->data.s.n,
                            .b_scale = vox_call_in(c, SCALE),
                            .c = dx.data,
                            .c_step = p->data.s.n,
                            .put = dx.put};

    VOX_KERNEL(vox_gemm_run)(&p->data, &io, c->work);
}

static void put_residual(const vox_call *c, vox_grad dr)
{
    const float *dy = vox_call_dout(c, 0);
    const int64_t o = c->out[0].shape.n[2];

    VOX_SHARE(t, c->out[0].count / o) {
        for (int64_t i = t * o; i < (t + 1) * o; i++)
            vox_grad_put(dr, i, dy[i]);
    }
}

static void backward(const vox_call *c)
{
    const vox_grad dx = vox_call_din(c, X), dr = vox_call_din(c, RESIDUAL);

    if (vox_call_din(c, W).put != VOX_SKIP || vox_call_din(c, B).put != VOX_SKIP ||
        vox_call_din(c, SCALE).put != VOX_SKIP)
        backward_params(c);
    vox_barrier();
    if (dx.put != VOX_SKIP)
        backward_data(c, dx);
    vox_barrier();
    if (dr.put != VOX_SKIP)
        put_residual(c, dr);
}

const vox_kernel VOX_KERNEL(vox_kernel_linear) = {
    .op = "linear",
    .name = "linear",
    .supports = supports,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
