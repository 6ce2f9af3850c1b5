/*
 * resenc_unet: residual encoder U-Net of any features, blocks and strides.
 *
 *   encoder  stem unit, then per stage residual blocks (ResNet-D); the first one strides
 *   decoder  per stage: transposed convolution, joined with the encoder's map, units
 *   heads    a 1x1x1 convolution per decoder stage: "y" at full size, "seg_1".. below
 *
 * A unit is convolution, instance norm, leaky ReLU. Features: "enc_0".. fine to coarse,
 * "dec_0".. coarse to fine. All heads are always declared, as the peer stores them; only
 * those asked for (a loss, a kept output) cost anything.
 *
 * With `skips` off nothing is joined: the decoder works from the coarsest map alone. Then
 * the outputs are "y", from the only head, and the maps above it, "dec_0"...
 *
 * Parameters: resenc_unet_params.c. Source: networks.md 2, 3, 4. Reference behaviour:
 * dynamic_network_architectures' ResidualEncoderUNet (names, order, sizes), nnssl's
 * get_network_by_name (initial values) and NoSkipResEncL.
 */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "nets/resenc_unet_impl.h"
#include "ops/avg_pool3d.h"
#include "ops/conv3d.h"
#include "ops/conv_transpose3d.h"
#include "ops/norm_act.h"

#define EPS    1e-5f
#define SLOPE  0.01f
#define LINEAR 1.0f /* slope of no activation */

typedef struct resenc_cfg {
    vox_ints features, blocks, strides, decoder_blocks;
    int kernel, skips;
    char *init;
} resenc_cfg;

static const vox_opt opts[] = {
    VOX_OPT_INTS(resenc_cfg, features, "[32,64,128,256,320,320]", 1, 4096,
                 "channels of each encoder stage"),
    VOX_OPT_INTS(resenc_cfg, blocks, "[1,3,4,6,6,6]", 1, 64,
                 "residual blocks of each stage"),
    VOX_OPT_INTS(resenc_cfg, strides, NULL, 1, 8, "stride of each stage (1,2,2,...)"),
    VOX_OPT_INTS(resenc_cfg, decoder_blocks, NULL, 1, 16,
                 "units of each decoder stage, coarse to fine (1,1,...)"),
    VOX_OPT_INT(resenc_cfg, kernel, 3, 1, 7, "edge of the convolutions, odd"),
    VOX_OPT_BOOL(resenc_cfg, skips, 1,
                 "join the encoder's maps in the decoder; without: one head"),
    VOX_OPT_STR(resenc_cfg, init, "default",
                "initial values: default (PyTorch's) or he (normal, last norms zero)"),
    VOX_OPT_END,
};

/* A list of `n` values; where none is given the first is `first`, the others `rest`. */
static int fill(int *out, const vox_ints *given, int n, int first, int rest,
                const char *name)
{
    if (given->count != 0 && given->count != n)
        return vox_fail(VOX_E_USAGE,
                        "resenc_unet.%s has %d values, wanted %d to go with features", name,
                        given->count, n);
    for (int i = 0; i < n; i++)
        out[i] = given->count ? given->v[i] : i == 0 ? first : rest;
    return VOX_OK;
}

static int resolve_lists(vox_resenc *a, const resenc_cfg *cfg)
{
    memcpy(a->features, cfg->features.v, sizeof a->features);
    VOX_TRY(fill(a->blocks, &cfg->blocks, a->stages, 1, 1, "blocks"));
    VOX_TRY(fill(a->stride, &cfg->strides, a->stages, 1, 2, "strides"));
    return fill(a->units, &cfg->decoder_blocks, a->stages - 1, 1, 1, "decoder_blocks");
}

static int resolve(vox_resenc *a, const vox_model *m)
{
    const resenc_cfg *cfg = m->cfg;

    *a = (vox_resenc){.stages = cfg->features.count, .kernel = cfg->kernel, .total = 1};
    a->skips = cfg->skips;
    a->in = m->in_channels;
    a->out = m->out_channels;
    if (a->stages < 2)
        return vox_fail(VOX_E_USAGE,
                        "resenc_unet.features has %d values, wanted at least 2", a->stages);
    VOX_TRY(resolve_lists(a, cfg));
    if (a->stride[0] != 1)
        return vox_fail(VOX_E_USAGE,
                        "resenc_unet.strides begins with %d, wanted 1: the output has the "
                        "input's size",
                        a->stride[0]);
    if (a->kernel % 2 == 0)
        return vox_fail(VOX_E_USAGE, "resenc_unet.kernel is %d, wanted an odd number",
                        a->kernel);
    a->he = cfg->init && strcmp(cfg->init, "he") == 0;
    if (!a->he && (!cfg->init || strcmp(cfg->init, "default") != 0))
        return vox_fail(VOX_E_USAGE, "resenc_unet.init is \"%s\", wanted default or he",
                        cfg->init ? cfg->init : "null");
    for (int s = 0; s < a->stages; s++)
        a->total *= a->stride[s];
    return VOX_OK;
}

/* ---- sizes ---- */

static int legal(const int64_t n[3], int64_t total)
{
    int64_t voxels = 1;

    for (int k = 0; k < 3; k++) {
        if (n[k] < total || n[k] % total != 0)
            return 0;
        voxels *= n[k] / total;
    }
    return voxels > 1; /* instance norm of a single voxel does not exist */
}

/* The nearest legal patch with no axis longer (up = 0) or shorter (up = 1), where there is
 * one. */
static int nearest(int64_t out[3], const int64_t n[3], int64_t total, int up)
{
    for (int k = 0; k < 3; k++) {
        const int64_t low = (n[k] / total) * total;

        out[k] = low > 0 && (low == n[k] || !up) ? low : low + total;
    }
    if (up && !legal(out, total))
        out[2] += total;
    return legal(out, total);
}

/* Strided convolution rounds up, the pool beside it down: both must agree at every stage.
 */
static int check(const vox_model *m, const int64_t patch[3])
{
    int64_t low[3], high[3];
    char text[80] = "";
    vox_resenc a;

    VOX_TRY(resolve(&a, m));
    if (legal(patch, a.total))
        return VOX_OK;
    nearest(high, patch, a.total, 1);
    if (nearest(low, patch, a.total, 0))
        snprintf(text, sizeof text, "%lldx%lldx%lld or ", (long long)low[0],
                 (long long)low[1], (long long)low[2]);
    return vox_fail(
        VOX_E_ARG,
        "patch is %lldx%lldx%lld, %s wants axes in multiples of %lld and more than "
        "one voxel at its coarsest stage: %s%lldx%lldx%lld",
        (long long)patch[0], (long long)patch[1], (long long)patch[2], m->preset,
        (long long)a.total, text, (long long)high[0], (long long)high[1],
        (long long)high[2]);
}

static int declare(const vox_model *m, vox_params *p)
{
    vox_resenc a;

    VOX_TRY(resolve(&a, m));
    return vox_resenc_declare(&a, p);
}

/* ---- graph ---- */

typedef struct builder {
    vox_graph *g;
    vox_params *p;
    vox_resenc a;
} builder;

static int begin(builder *b, const vox_model *m, vox_graph *g, vox_params *p)
{
    *b = (builder){.g = g, .p = p};
    if (resolve(&b->a, m) == VOX_OK)
        return 1;
    vox_graph_fail(g, VOX_E_USAGE, "%s", vox_error_text());
    return 0;
}

static vox_node *param(const builder *b, const char *prefix, const char *leaf)
{
    char name[VOX_RESENC_NAME];

    snprintf(name, sizeof name, "%s.%s", prefix, leaf);
    return vox_param_node(b->g, b->p, name);
}

/* act(norm(conv(x, x2)) + residual); x2 continues x's channels. */
typedef struct unit_call {
    vox_node *x, *x2, *residual;
    int stride, no_bias;
    float slope;
} unit_call;

static vox_node *run_unit(const builder *b, const char *prefix, unit_call u)
{
    vox_node *w = param(b, prefix, "conv.weight");
    vox_node *bias = u.no_bias ? NULL : param(b, prefix, "conv.bias");
    vox_node *gamma = param(b, prefix, "norm.weight"),
             *beta = param(b, prefix, "norm.bias");
    vox_node *y = vox_conv3d(b->g, u.x, u.x2, w, bias, u.stride, NULL);

    return vox_norm_act(b->g, y, gamma, beta, u.residual, NULL, EPS, u.slope);
}

/* The block's input as the sum wants it: pooled, then projected, each where needed. */
static vox_node *run_skip(const builder *b, const char *block, vox_node *x, int stride,
                          int project)
{
    char prefix[VOX_RESENC_PREFIX + 16];

    if (stride != 1)
        x = vox_avg_pool3d(b->g, x, (const int[3]){stride, stride, stride}, NULL);
    if (!project)
        return x;
    snprintf(prefix, sizeof prefix, "%s.skip.%d", block, stride != 1);
    return run_unit(b, prefix,
                    (unit_call){.x = x, .stride = 1, .no_bias = 1, .slope = LINEAR});
}

static vox_node *run_block(const builder *b, int s, int i, vox_node *x)
{
    const int stride = i == 0 ? b->a.stride[s] : 1;
    const int project = i == 0 && s > 0 && b->a.features[s] != b->a.features[s - 1];
    char block[VOX_RESENC_PREFIX], prefix[VOX_RESENC_PREFIX + 16];
    vox_node *skip, *y;

    snprintf(block, sizeof block, "encoder.stages.%d.blocks.%d", s, i);
    vox_graph_scope(b->g, block);
    skip = run_skip(b, block, x, stride, project);
    snprintf(prefix, sizeof prefix, "%s.conv1", block);
    y = run_unit(b, prefix, (unit_call){.x = x, .stride = stride, .slope = SLOPE});
    snprintf(prefix, sizeof prefix, "%s.conv2", block);
    return run_unit(b, prefix,
                    (unit_call){.x = y, .residual = skip, .stride = 1, .slope = SLOPE});
}

static void encode(const vox_model *m, vox_graph *g, vox_params *p, vox_node *x,
                   vox_features *feats)
{
    builder b;

    if (!begin(&b, m, g, p))
        return;
    vox_graph_scope(g, "encoder.stem");
    x = run_unit(&b, "encoder.stem.convs.0",
                 (unit_call){.x = x, .stride = 1, .slope = SLOPE});
    for (int s = 0; s < b.a.stages; s++) {
        for (int i = 0; i < b.a.blocks[s]; i++)
            x = run_block(&b, s, i, x);
        vox_features_add(feats, g, x, "enc_%d", s);
    }
    vox_graph_scope(g, "");
}

static vox_node *run_decoder_stage(const builder *b, int d, vox_node *x, vox_node *skip)
{
    char prefix[VOX_RESENC_PREFIX];

    snprintf(prefix, sizeof prefix, "decoder.stages.%d", d);
    vox_graph_scope(b->g, prefix);
    snprintf(prefix, sizeof prefix, "decoder.transpconvs.%d", d);
    x = vox_conv_transpose3d(b->g, x, param(b, prefix, "weight"), param(b, prefix, "bias"));
    for (int i = 0; i < b->a.units[d]; i++) {
        snprintf(prefix, sizeof prefix, "decoder.stages.%d.convs.%d", d, i);
        x = run_unit(
            b, prefix,
            (unit_call){.x = x, .x2 = i == 0 ? skip : NULL, .stride = 1, .slope = SLOPE});
    }
    return x;
}

static vox_node *run_head(const builder *b, const char *prefix, vox_node *x)
{
    vox_graph_scope(b->g, prefix);
    return vox_conv3d(b->g, x, NULL, param(b, prefix, "weight"), param(b, prefix, "bias"),
                      1, NULL);
}

/* The head of a decoder stage; without skips the last stage alone has one, and the maps of
 * the others are outputs themselves. */
static void add_output(const builder *b, int d, vox_node *x, vox_features *outs)
{
    const int level = b->a.stages - 2 - d; /* 0 = full size */
    char prefix[VOX_RESENC_PREFIX] = "decoder.seg_layer";

    if (!b->a.skips && level > 0) {
        vox_features_add(outs, b->g, x, "dec_%d", d);
        return;
    }
    if (b->a.skips)
        snprintf(prefix, sizeof prefix, "decoder.seg_layers.%d", d);
    x = run_head(b, prefix, x);
    if (level == 0)
        vox_features_add(outs, b->g, x, "y");
    else
        vox_features_add(outs, b->g, x, "seg_%d", level);
}

static void decode(const vox_model *m, vox_graph *g, vox_params *p, vox_features *feats,
                   vox_features *outs)
{
    vox_node *x, *skip;
    builder b;

    if (!begin(&b, m, g, p) || vox_graph_status(g) != VOX_OK)
        return;
    x = feats->item[b.a.stages - 1].node;
    for (int d = 0; d < b.a.stages - 1; d++) {
        skip = b.a.skips ? feats->item[b.a.stages - 2 - d].node : NULL;
        x = run_decoder_stage(&b, d, x, skip);
        vox_features_add(feats, g, x, "dec_%d", d);
        add_output(&b, d, x, outs);
    }
    vox_graph_scope(g, "");
}

/* ---- the peer's description ---- */

static json_object *ints(const int *v, int n, int axes)
{
    json_object *list = json_object_new_array();

    for (int i = 0; list && i < n; i++) {
        json_object *item = axes ? json_object_new_array() : json_object_new_int(v[i]);

        for (int k = 0; axes && k < 3; k++)
            json_object_array_add(item, json_object_new_int(v[i]));
        json_object_array_add(list, item);
    }
    return list;
}

static void put(json_object *o, const char *key, json_object *value)
{
    json_object_object_add(o, key, value);
}

/* Those of ResidualEncoderUNet. Without skips they build the net whose encoder and stem,
 * all that is ever transferred, are this one's; the peer has no class of such nets. */
static json_object *arch_kwargs(const vox_model *m)
{
    json_object *o = json_object_new_object(), *norm = json_object_new_object();
    int kernel[VOX_INTS_MAX] = {0};
    vox_resenc a;

    if (!o || !norm || resolve(&a, m) != VOX_OK) {
        json_object_put(o);
        json_object_put(norm);
        return NULL;
    }
    for (int i = 0; i < a.stages; i++)
        kernel[i] = a.kernel;
    put(norm, "eps", json_object_new_double_s(1e-5, "1e-05"));
    put(norm, "affine", json_object_new_boolean(1));
    put(o, "n_stages", json_object_new_int(a.stages));
    put(o, "features_per_stage", ints(a.features, a.stages, 0));
    put(o, "conv_op", json_object_new_string("torch.nn.modules.conv.Conv3d"));
    put(o, "kernel_sizes", ints(kernel, a.stages, 1));
    put(o, "strides", ints(a.stride, a.stages, 1));
    put(o, "n_blocks_per_stage", ints(a.blocks, a.stages, 0));
    put(o, "n_conv_per_stage_decoder", ints(a.units, a.stages - 1, 0));
    put(o, "conv_bias", json_object_new_boolean(1));
    put(o, "norm_op",
        json_object_new_string("torch.nn.modules.instancenorm.InstanceNorm3d"));
    put(o, "norm_op_kwargs", norm);
    put(o, "dropout_op", NULL);
    put(o, "dropout_op_kwargs", NULL);
    put(o, "nonlin", json_object_new_string("torch.nn.modules.activation.LeakyReLU"));
    put(o, "nonlin_kwargs", json_object_new_object());
    put(json_object_object_get(o, "nonlin_kwargs"), "inplace", json_object_new_boolean(1));
    return o;
}

const vox_net vox_net_resenc_unet = {
    .name = "resenc_unet",
    .summary = "residual encoder U-Net of any features, blocks and strides",
    .arch_class_name = "ResidualEncoderUNet",
    .kind = VOX_NET_CONV,
    .cfg_size = sizeof(resenc_cfg),
    .opts = opts,
    .check = check,
    .declare = declare,
    .encode = encode,
    .decode = decode,
    .adaptation = {.key_to_encoder = "encoder.stages",
                   .key_to_stem = "encoder.stem",
                   .keys_to_in_proj = {"encoder.stem.convs.0.conv",
                                       "encoder.stem.convs.0.all_modules.0"}},
    .arch_kwargs = arch_kwargs,
};
