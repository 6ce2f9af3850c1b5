/*
 * conv_transpose3d: a transposed convolution is the spread of conv.h, its gradients a
 * gather and a weigh: x is the coarse side, y the fine one.
 */
#include "backend/cpu/conv.h"
#include "base/error.h"
#include "ops/conv_transpose3d.h"

typedef struct prep {
    vox_conv_shape shape;
    vox_conv_pass forward, data;
    vox_conv_weigh weigh;
} prep;

static vox_conv_shape shape_of(const vox_problem *q)
{
    const vox_conv_transpose3d_attr *attr = q->attr;
    vox_conv_shape s = {.images = q->out[0].shape.n[0],
                        .fine = vox_conv_side_of(&q->out[0], NULL),
                        .coarse = vox_conv_side_of(&q->in[VOX_CONVT3D_X], NULL)};

    for (int i = 0; i < 3; i++)
        s.kernel[i] = s.stride[i] = attr->stride.v[i];
    return s;
}

static int supports(const vox_problem *q)
{
    const vox_conv_shape s = shape_of(q);

    if (s.fine.lanes == 1 && s.fine.channels > VOX_LANES)
        return 0; /* a plain target's copy has one block */
    return vox_conv_supports(&s, VOX_LANES);
}

static int prepare(const vox_problem *q, vox_prepared *out)
{
    prep *p = vox_arena_alloc(out->arena, 1, sizeof *p);

    if (!p)
        return VOX_E_NOMEM;
    p->shape = shape_of(q);
    p->shape.fine.bf16 = q->out[0].dtype == VOX_BF16;
    vox_conv_plan_spread(&p->forward, &p->shape, VOX_LANES, q->threads);
    vox_conv_plan_gather(&p->data, &p->shape, VOX_LANES, q->threads);
    vox_conv_plan_weigh(&p->weigh, &p->shape, VOX_LANES, q->threads);
    out->prep = p;
    out->work_forward = vox_conv_pass_bytes(&p->forward, q->threads);
    out->work_backward =
        vox_larger(vox_larger(vox_conv_pass_bytes(&p->data, q->threads),
                              vox_conv_weigh_bytes(&p->weigh, q->threads)),
                   vox_channel_sums_bytes(&p->shape.fine, p->shape.images));
    out->squares[VOX_CONVT3D_W] = vox_conv_squares(&p->weigh.pass);
    out->squares[VOX_CONVT3D_B] = vox_channel_squares(&p->shape.fine);
    return VOX_OK;
}

static void forward(const vox_call *c)
{
    const prep *p = c->prep;
    vox_conv_io io = {.weight = vox_call_in(c, VOX_CONVT3D_W),
                      .bias = vox_call_in(c, VOX_CONVT3D_B)};

    io.source[0] = vox_stream_in(c, VOX_CONVT3D_X);
    io.target[0] = vox_stream_out(c);
    io.put[0] = VOX_WRITE;
    VOX_KERNEL(vox_conv_sum)(&p->forward, &io, c->work);
}

/* The three gradients, one after the other in the same work memory. */
static void backward(const vox_call *c)
{
    const prep *p = c->prep;
    const vox_stream dy[2] = {vox_stream_f32(vox_call_dout(c, 0)), vox_stream_f32(NULL)};
    const vox_grad dx = c->din[VOX_CONVT3D_X], dw = c->din[VOX_CONVT3D_W];
    vox_conv_io io = {.weight = vox_call_in(c, VOX_CONVT3D_W)};

    io.source[0] = dy[0];
    io.target[0] = vox_stream_f32(dx.data);
    io.put[0] = dx.put;
    if (dx.put != VOX_SKIP)
        VOX_KERNEL(vox_conv_sum)(&p->data, &io, c->work);
    vox_barrier();
    if (dw.put != VOX_SKIP)
        VOX_KERNEL(vox_conv_weigh)
    (&p->weigh, dy, vox_call_in(c, VOX_CONVT3D_X), dw, c->work);
    vox_barrier();
    if (VOX_CONVT3D_B < c->n_in && c->din[VOX_CONVT3D_B].put != VOX_SKIP)
        VOX_KERNEL(vox_channel_sums)
    (c->din[VOX_CONVT3D_B], vox_call_dout(c, 0), &p->shape.fine, p->shape.images, c->work);
}

const vox_kernel VOX_KERNEL(vox_kernel_conv_transpose3d) = {
    .op = "conv_transpose3d",
    .name = "conv_transpose3d",
    .bf16 = VOX_OUT(0),
    .supports = supports,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
