/*
 * conv3d: direct convolution on blocked tensors. The passes are in conv.h: forward gathers,
 * the gradient of x (and x2) spreads, the gradient of w weighs.
 *
 * Left to the reference: active masks, two plain sources.
 */
#include "backend/cpu/conv.h"
#include "base/error.h"
#include "ops/conv3d.h"

typedef struct prep {
    vox_conv_shape shape;
    vox_conv_pass forward, data;
    vox_conv_weigh weigh;
} prep;

static vox_conv_shape shape_of(const vox_problem *q)
{
    const vox_conv3d_attr *attr = q->attr;
    const vox_tensor *x = &q->in[VOX_CONV3D_X];
    const vox_tensor *x2 = q->n_in > VOX_CONV3D_X2 ? &q->in[VOX_CONV3D_X2] : NULL;
    vox_conv_shape s = {.images = x->shape.n[0],
                        .fine = vox_conv_side_of(x, x2),
                        .coarse = vox_conv_side_of(&q->out[0], NULL)};

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

    if (vox_problem_has(q, VOX_CONV3D_ACTIVE))
        return 0;
    if (vox_problem_has(q, VOX_CONV3D_X2) &&
        q->in[VOX_CONV3D_X2].layout != q->in[VOX_CONV3D_X].layout)
        return 0;
    if (q->grads & 1u << VOX_CONV3D_X && s.fine.lanes == 1 && s.fine.channels > VOX_LANES)
        return 0;
    return vox_conv_supports(&s, VOX_LANES);
}

static int prepare(const vox_problem *q, vox_prepared *out)
{
    prep *p = vox_arena_alloc(out->arena, 1, sizeof *p);

    if (!p)
        return VOX_E_NOMEM;
    p->shape = shape_of(q);
    vox_conv_plan_gather(&p->forward, &p->shape, VOX_LANES, q->threads);
    vox_conv_plan_spread(&p->data, &p->shape, VOX_LANES, q->threads);
    vox_conv_plan_weigh(&p->weigh, &p->shape, VOX_LANES, q->threads);
    out->prep = p;
    out->work_forward = vox_conv_pass_bytes(&p->forward, q->threads);
    out->work_backward =
        vox_conv_backward_bytes(&p->data, &p->weigh, &p->shape.coarse, q->threads);
    return VOX_OK;
}

static void forward(const vox_call *c)
{
    const prep *p = c->prep;
    const vox_conv_io io = {
        .source = {vox_call_in(c,   VOX_CONV3D_X), vox_call_in(c, VOX_CONV3D_X2)},
        .target = {vox_call_out(c, 0),              NULL},
        .put = {VOX_WRITE,             VOX_SKIP        },
        .weight = vox_call_in(c, VOX_CONV3D_W),
        .bias = vox_call_in(c, VOX_CONV3D_B),
    };

    VOX_KERNEL(vox_conv_sum)(&p->forward, &io, c->work);
}

/* The three gradients, one after the other in the same work memory: each ends with a
 * barrier. */
static void backward(const vox_call *c)
{
    const prep *p = c->prep;
    const float *const x[2] = {vox_call_in(c, VOX_CONV3D_X), vox_call_in(c, VOX_CONV3D_X2)};
    const vox_grad dx = vox_call_din(c, VOX_CONV3D_X), dx2 = vox_call_din(c, VOX_CONV3D_X2);
    const vox_grad dw = vox_call_din(c, VOX_CONV3D_W), db = vox_call_din(c, VOX_CONV3D_B);
    const float *dy = vox_call_dout(c, 0);
    const vox_conv_io io = {
        .source = {dy,      NULL    },
        .target = {dx.data, dx2.data},
        .put = {dx.put,  dx2.put },
        .weight = vox_call_in(c, VOX_CONV3D_W),
    };

    if (dx.put != VOX_SKIP || dx2.put != VOX_SKIP)
        VOX_KERNEL(vox_conv_sum)(&p->data, &io, c->work);
    if (dw.put != VOX_SKIP)
        VOX_KERNEL(vox_conv_weigh)(&p->weigh, x, dy, dw, c->work);
    if (db.put != VOX_SKIP)
        VOX_KERNEL(vox_channel_sums)(db, dy, &p->shape.coarse, p->shape.images, c->work);
}

const vox_kernel VOX_KERNEL(vox_kernel_conv3d) = {
    .op = "conv3d",
    .name = "conv3d",
    .supports = supports,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
