/*
 * mae: hide random blocks of the volume, reconstruct it, score the hidden voxels only.
 *
 *   sample  x     [C, D, H, W]  normalised intensities
 *           keep  [1, d, h, w]  u8, one value per block: 0 on exactly
 *                               floor(hidden * blocks) of them, else 1
 *   net     conv: an output with the shape of its input
 *   loss    sum((y - x)^2 * (1 - keep)) / (C * sum(1 - keep)), keep repeated over its
 *           block; with score_visible the mean over all voxels
 *
 * Source: He et al. 2022, arXiv:2111.06377; methods.md 2.2, 3.1, augmentation.md 8.1.
 * Reference behaviour: nnssl BaseMAETrainer.
 */
#include "base/error.h"
#include "methods/method.h"
#include "ops/mask_blocks.h"
#include "ops/masked_mse.h"
#include "transforms/block_mask.h"
#include "transforms/chain.h"

typedef struct mae_cfg {
    double hidden; /* not float: 0.9f of 1000 blocks would be 899 */
    int block, score_visible;
} mae_cfg;

static const vox_opt opts[] = {
    VOX_OPT_F64(mae_cfg, hidden, 0.75, 0.0, 1.0, "fraction of blocks hidden"),
    VOX_OPT_INT(mae_cfg, block, 16, 1, 128, "edge of a block, in voxels"),
    VOX_OPT_BOOL(mae_cfg, score_visible, 0, "score all voxels, not the hidden ones only"),
    VOX_OPT_END,
};

/* Blocks per axis. A patch that is no multiple of the block has floor(extent / block) of
 * them and they are larger: 160 voxels in blocks of 64 are 2 x 80. */
static vox_shape grid(const vox_pretext *p)
{
    const mae_cfg *cfg = p->cfg;
    vox_shape s = VOX_SHAPE(1, 0, 0, 0);

    for (int k = 1; k < 4; k++)
        s.n[k] = p->patch.n[k] / cfg->block;
    return s;
}

/* The blocks' true edge. */
static int edge(const vox_pretext *p)
{
    return (int)(p->patch.n[1] / grid(p).n[1]);
}

static int check(const vox_pretext *p)
{
    const mae_cfg *cfg = p->cfg;
    const vox_shape g = grid(p);
    char text[128];

    for (int k = 1; k < 4; k++) {
        if (g.n[k] == 0 || p->patch.n[k] % g.n[k] || p->patch.n[k] / g.n[k] != edge(p))
            return vox_fail(
                VOX_E_ARG,
                "patch %s cannot be cut into cubes of about %d voxels (mae.block)",
                vox_shape_text(p->patch, text), cfg->block);
    }
    return VOX_OK;
}

/* Runs in a loader thread: one case in, every named input of the graph out. */
static int prepare(vox_sample *out, const vox_cases *cases, const vox_pretext *p,
                   vox_rng rng)
{
    const mae_cfg *cfg = p->cfg;
    const char *chain = p->phase == VOX_TRAINING ? "mirror" : "";
    const double blocks = (double)vox_shape_count(grid(p));

    if (!cfg->score_visible && cfg->hidden * blocks < 1)
        return vox_fail(VOX_E_ARG, "mae.hidden is %g: of %g blocks none would be hidden",
                        cfg->hidden, blocks);
    VOX_TRY(vox_chain_apply(out, "x", cases, chain, p->patch,
                            vox_rng_stream(rng, VOX_STREAM("chain"), 0)));
    return vox_block_mask_draw(out, "keep", p->patch, edge(p), cfg->hidden,
                               vox_rng_stream(rng, VOX_STREAM("mask"), 0));
}

/* Voxels that the sample's loss is the mean of. */
static double weight(const vox_sample *s, const vox_pretext *p)
{
    const mae_cfg *cfg = p->cfg;
    const vox_array *keep = vox_sample_find(s, "keep");
    const uint8_t *v = keep ? keep->data : NULL;
    const int64_t blocks = keep ? vox_shape_count(keep->shape) : 0;
    const int64_t voxels = p->patch.n[1] * p->patch.n[2] * p->patch.n[3];
    int64_t hidden = 0;

    if (cfg->score_visible || blocks == 0)
        return (double)voxels;
    for (int64_t i = 0; i < blocks; i++)
        hidden += v[i] == 0;
    return (double)(hidden * (voxels / blocks));
}

static int build(vox_pretext *p)
{
    const mae_cfg *cfg = p->cfg;
    vox_graph *g = p->g;
    vox_node *x = vox_pretext_input(p, "x", VOX_F32, p->patch);
    vox_node *keep = vox_pretext_input(p, "keep", VOX_U8, grid(p));
    vox_node *y = vox_net_run(p->net, g, p->params, vox_mask_blocks(g, x, keep));

    p->loss = vox_masked_mse(g, y, x, cfg->score_visible ? NULL : keep);
    return vox_graph_status(g); /* the first error of any builder above */
}

const vox_method vox_method_mae = {
    .name = "mae",
    .summary = "masked autoencoder: reconstruct hidden blocks",
    .inputs = "x     f32 [B, C, D, H, W]  normalised intensities\n"
              "keep  u8  [B, 1, d, h, w]  one value per block, 1 = visible\n",
    .cases_per_sample = 1,
    .nets = 1u << VOX_NET_CONV,
    .cfg_size = sizeof(mae_cfg),
    .opts = opts,
    .check = check,
    .prepare = prepare,
    .weight = weight,
    .build = build,
};
