/*
 * conv3d: convolution on blocked tensors. The passes are in conv.h: forward gathers, the
 * gradient of x (and x2) spreads, the gradient of w weighs; each goes by winograd.h instead
 * where that is expected to be faster.
 *
 * With active blocks the passes are the same: forward clears the inactive voxels of y
 * afterwards, backward works on a copy of dy in which they are zero.
 *
 * Left to the reference: two plain sources.
 */
#include "backend/cpu/mask_rows.h"
#include "backend/cpu/winograd.h"
#include "base/error.h"
#include "ops/conv3d.h"

/* A pass, planned either way. */
typedef struct sum_pass {
    int winograd;
    vox_conv_pass direct;
    vox_winograd_sum tiled;
} sum_pass;

typedef struct prep {
    vox_conv_shape shape;
    sum_pass forward, data;
    int winograd; /* the weight gradient: which of the two */
    vox_conv_weigh weigh;
    vox_winograd_weigh tiled;
    size_t masked_bytes; /* of the copy of dy, at the start of backward's work memory */
} prep;

static vox_conv_shape shape_of(const vox_problem *q)
{
    const vox_conv3d_attr *attr = q->attr;
    const vox_tensor *x = &q->in[VOX_CONV3D_X];
    const vox_tensor *x2 = q->n_in > VOX_CONV3D_X2 ? &q->in[VOX_CONV3D_X2] : NULL;
    vox_conv_shape s = {.images = x->shape.n[0],
                        .fine = vox_conv_side_of(x, x2),
                        .coarse = vox_conv_side_of(&q->out[0], NULL),
                        .fine_bf16 =
                            x->dtype == VOX_BF16 ||
                            (vox_problem_has(q, VOX_CONV3D_X2) && x2->dtype == VOX_BF16)};

    for (int i = 0; i < 3; i++) {
        s.kernel[i] = attr->kernel.v[i];
        s.stride[i] = attr->stride.v[i];
        s.pad[i] = attr->pad.v[i];
    }
    return s;
}

static int supports(const vox_problem *q)
{
    const vox_conv_shape s = shape_of(q);

    if (vox_problem_has(q, VOX_CONV3D_X2) &&
        q->in[VOX_CONV3D_X2].layout != q->in[VOX_CONV3D_X].layout)
        return 0;
    if (q->grads & 1u << VOX_CONV3D_X && s.fine.lanes == 1 && s.fine.channels > VOX_LANES)
        return 0;
    return vox_conv_supports(&s, VOX_LANES);
}

/* ---- planning ---- */

static int wants_winograd(const vox_problem *q, int able, int pays)
{
    return able && (q->winograd == VOX_WINOGRAD_ALWAYS ||
                    (q->winograd == VOX_WINOGRAD_AUTO && pays));
}

/* Forward, or the gradient of x. @return bytes of work */
static size_t plan_sum(sum_pass *p, const vox_problem *q, const vox_conv_shape *s,
                       int spread)
{
    p->winograd = wants_winograd(q, vox_winograd_supports(s, VOX_LANES),
                                 vox_winograd_pays(s, spread, VOX_LANES));
    if (p->winograd) {
        vox_winograd_plan_sum(&p->tiled, s, spread, VOX_LANES, q->threads);
        return vox_winograd_sum_bytes(&p->tiled, q->threads);
    }
    if (spread)
        vox_conv_plan_spread(&p->direct, s, VOX_LANES, q->threads);
    else
        vox_conv_plan_gather(&p->direct, s, VOX_LANES, q->threads);
    return vox_conv_pass_bytes(&p->direct, q->threads);
}

static size_t plan_weigh(prep *p, const vox_problem *q, vox_prepared *out)
{
    p->winograd = wants_winograd(q, vox_winograd_supports(&p->shape, VOX_LANES),
                                 vox_winograd_weigh_pays(&p->shape, VOX_LANES));
    if (p->winograd) {
        vox_winograd_plan_weigh(&p->tiled, &p->shape, VOX_LANES, q->threads);
        out->squares[VOX_CONV3D_W] = vox_conv_squares(&p->tiled.w.pass);
        return vox_winograd_weigh_bytes(&p->tiled, q->threads);
    }
    vox_conv_plan_weigh(&p->weigh, &p->shape, VOX_LANES, q->threads);
    out->squares[VOX_CONV3D_W] = vox_conv_squares(&p->weigh.pass);
    return vox_conv_weigh_bytes(&p->weigh, q->threads);
}

static int prepare(const vox_problem *q, vox_prepared *out)
{
    prep *p = vox_arena_alloc(out->arena, 1, sizeof *p);

    if (!p)
        return VOX_E_NOMEM;
    p->shape = shape_of(q);
    if (vox_problem_has(q, VOX_CONV3D_ACTIVE))
        p->masked_bytes = ((size_t)q->out[0].count * sizeof(float) + 63) / 64 * 64;
    p->shape.coarse.bf16 = q->out[0].dtype == VOX_BF16;
    out->prep = p;
    out->work_forward = plan_sum(&p->forward, q, &p->shape, 0);
    out->work_backward =
        vox_larger(vox_larger(plan_sum(&p->data, q, &p->shape, 1), plan_weigh(p, q, out)),
                   vox_channel_sums_bytes(&p->shape.coarse, p->shape.images));
    out->work_backward += p->masked_bytes;
    out->squares[VOX_CONV3D_B] = vox_channel_squares(&p->shape.coarse);
    return VOX_OK;
}

/* ---- running ---- */

static void run_sum(const sum_pass *p, const vox_conv_io *io, void *work)
{
    if (p->winograd)
        VOX_KERNEL(vox_winograd_sum)(&p->tiled, io, work);
    else
        VOX_KERNEL(vox_conv_sum)(&p->direct, io, work);
}

/* The gradients of x and x2. Those of one tensor are one buffer, into which the second must
 * not be added before the first is written: a pass each. */
static void run_data(const sum_pass *p, vox_conv_io io, void *work)
{
    const vox_put second = io.put[1];

    if (io.target[0].data == io.target[1].data) {
        io.put[1] = VOX_SKIP;
        run_sum(p, &io, work);
        vox_barrier();
        io.put[0] = VOX_SKIP;
        io.put[1] = second;
    }
    run_sum(p, &io, work);
}

static void run_weigh(const prep *p, const vox_stream x[2], const float *dy, vox_grad dw,
                      void *work)
{
    if (p->winograd)
        VOX_KERNEL(vox_winograd_weigh)(&p->tiled, x, dy, dw, work);
    else
        VOX_KERNEL(vox_conv_weigh)(&p->weigh, x, dy, dw, work);
}

/* dst = src but for inactive output voxels, where it is zero. */
static void clear_inactive(const vox_call *c, vox_stream dst, vox_stream src)
{
    const vox_mask_rows r = vox_mask_rows_of(&c->out[0], &c->in[VOX_CONV3D_ACTIVE]);

    vox_mask_copy(&r, dst, src);
}

static void forward(const vox_call *c)
{
    const prep *p = c->prep;
    vox_conv_io io = {.weight = vox_call_in(c, VOX_CONV3D_W),
                      .bias = vox_call_in(c, VOX_CONV3D_B)};

    io.source[0] = vox_stream_in(c, VOX_CONV3D_X);
    io.source[1] = vox_stream_in(c, VOX_CONV3D_X2);
    io.target[0] = vox_stream_out(c);
    io.put[0] = VOX_WRITE;
    run_sum(&p->forward, &io, c->work);
    if (p->masked_bytes) {
        vox_barrier();
        clear_inactive(c, vox_stream_out(c), vox_stream_out(c));
    }
}

/* The three gradients, one after the other in the same work memory. */
static void backward(const vox_call *c)
{
    const prep *p = c->prep;
    const vox_stream x[2] = {vox_stream_in(c, VOX_CONV3D_X),
                             vox_stream_in(c, VOX_CONV3D_X2)};
    const vox_grad dx = vox_call_din(c, VOX_CONV3D_X), dx2 = vox_call_din(c, VOX_CONV3D_X2);
    const vox_grad dw = vox_call_din(c, VOX_CONV3D_W), db = vox_call_din(c, VOX_CONV3D_B);
    const float *dy = p->masked_bytes ? c->work : vox_call_dout(c, 0);
    void *work = (char *)c->work + p->masked_bytes;
    vox_conv_io io = {.weight = vox_call_in(c, VOX_CONV3D_W)};

    io.source[0] = vox_stream_f32(dy);
    io.target[0] = vox_stream_f32(dx.data);
    io.target[1] = vox_stream_f32(dx2.data);
    io.put[0] = dx.put;
    io.put[1] = dx2.put;
    if (p->masked_bytes)
        clear_inactive(c, vox_stream_f32(c->work), vox_stream_f32(vox_call_dout(c, 0)));
    vox_barrier();
    if (dx.put != VOX_SKIP || dx2.put != VOX_SKIP)
        run_data(&p->data, io, work);
    vox_barrier();
    if (dw.put != VOX_SKIP)
        run_weigh(p, x, dy, dw, work);
    vox_barrier();
    if (db.put != VOX_SKIP)
        VOX_KERNEL(vox_channel_sums)(db, dy, &p->shape.coarse, p->shape.images, work);
}

const vox_kernel VOX_KERNEL(vox_kernel_conv3d) = {
    .op = "conv3d",
    .name = "conv3d",
    .bf16 = VOX_IN(VOX_CONV3D_X) | VOX_IN(VOX_CONV3D_X2) | VOX_OUT(0),
    .supports = supports,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
