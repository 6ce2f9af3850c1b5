/* mask_blocks: rows are copied or cleared segment by segment. */
#include "ops/mask_blocks.h"

#include "backend/cpu/mask_rows.h"

static int supports(const vox_problem *q)
{
    return q->in[0].layout == q->out[0].layout;
}

static void forward(const vox_call *c)
{
    const vox_mask_rows r = vox_mask_rows_of(&c->in[0], &c->in[1]);

    vox_mask_copy(&r, vox_stream_out(c), vox_stream_in(c, 0));
}

static void put_segment(vox_grad dx, int64_t at, const float *dy, int64_t count, int keep)
{
    if (dx.put == VOX_WRITE && !keep) {
        memset(dx.data + at, 0, (size_t)count * sizeof *dx.data);
        return;
    }
    for (int64_t i = 0; keep && i < count; i++)
        vox_grad_put(dx, at + i, dy[i]);
}

static void backward(const vox_call *c)
{
    const vox_mask_rows r = vox_mask_rows_of(&c->in[0], &c->in[1]);
    const vox_grad dx = c->din[0];

    if (dx.put == VOX_SKIP)
        return;
    VOX_SHARE(i, r.planes * r.height) {
        const uint8_t *keep = vox_mask_row(&r, i / r.height, i % r.height);
        const float *dy = vox_call_dout(c, 0) + i * r.width;

        for (int64_t s = 0; s * r.segment < r.width; s++)
            put_segment(dx, i * r.width + s * r.segment, dy + s * r.segment, r.segment,
                        keep[s]);
    }
}

const vox_kernel VOX_KERNEL(vox_kernel_mask_blocks) = {
    .op = "mask_blocks",
    .name = "mask_blocks",
    .supports = supports,
    .forward = forward,
    .backward = backward,
};
