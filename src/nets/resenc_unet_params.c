/*
 * resenc_unet's parameters: names, order, aliases and initial values, as the peer's state
 * dict has them.
 *
 *   encoder   stem, then blocks; again as "decoder.encoder."
 *   decoder   with skips: stages, transposed convolutions, a head per stage
 *             ("seg_layers.<d>"); without: the one head ("seg_layer") first, stages,
 *             transposed convolutions
 *
 * Source: networks.md 2, 3, 4; initial values 3.6.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nets/resenc_unet_impl.h"

static int add(vox_params *p, const char *prefix, const char *leaf, vox_shape shape,
               vox_init init)
{
    char name[VOX_RESENC_NAME];

    snprintf(name, sizeof name, "%s.%s", prefix, leaf);
    return vox_params_add(p, name, shape, init);
}

static int alias(vox_params *p, const char *prefix, const char *leaf, const char *of)
{
    char name[VOX_RESENC_NAME], target[VOX_RESENC_NAME];

    snprintf(name, sizeof name, "%s.%s", prefix, leaf);
    snprintf(target, sizeof target, "%s.%s", prefix, of);
    return vox_params_alias(p, name, target);
}

static vox_init weight_init(const vox_resenc *a, double fan_in)
{
    if (a->he)
        return (vox_init){VOX_INIT_NORMAL, sqrt(2.0 / (1.0 + 1e-4) / fan_in), 0};
    return (vox_init){VOX_INIT_UNIFORM, 1.0 / sqrt(fan_in), 0};
}

static vox_init bias_init(const vox_resenc *a, double fan_in)
{
    return a->he ? (vox_init){VOX_INIT_CONST, 0, 0} : weight_init(a, fan_in);
}

static vox_init constant(double v)
{
    return (vox_init){VOX_INIT_CONST, v, 0};
}

/* Convolution and norm of one unit, with the second names its Sequential gives them. */
typedef struct unit {
    int in, out, kernel, bias;
    double scale; /* initial norm weight */
} unit;

static int declare_unit(const vox_resenc *a, vox_params *p, const char *prefix, unit u)
{
    const int k = u.kernel;
    const double fan_in = (double)u.in * k * k * k;

    VOX_TRY(add(p, prefix, "conv.weight", VOX_SHAPE(u.out, u.in, k, k, k),
                weight_init(a, fan_in)));
    if (u.bias)
        VOX_TRY(add(p, prefix, "conv.bias", VOX_SHAPE(u.out), bias_init(a, fan_in)));
    VOX_TRY(add(p, prefix, "norm.weight", VOX_SHAPE(u.out), constant(u.scale)));
    VOX_TRY(add(p, prefix, "norm.bias", VOX_SHAPE(u.out), constant(0)));
    VOX_TRY(alias(p, prefix, "all_modules.0.weight", "conv.weight"));
    if (u.bias)
        VOX_TRY(alias(p, prefix, "all_modules.0.bias", "conv.bias"));
    VOX_TRY(alias(p, prefix, "all_modules.1.weight", "norm.weight"));
    return alias(p, prefix, "all_modules.1.bias", "norm.bias");
}

/* Weights and bias of a plain (1x1x1) or transposed convolution. */
static int declare_conv(const vox_resenc *a, vox_params *p, const char *prefix,
                        vox_shape weight, int out, double fan_in)
{
    VOX_TRY(add(p, prefix, "weight", weight, weight_init(a, fan_in)));
    return add(p, prefix, "bias", VOX_SHAPE(out), bias_init(a, fan_in));
}

static int declare_block(const vox_resenc *a, vox_params *p, int s, int b)
{
    const int out = a->features[s];
    const int in = b > 0 ? out : a->features[s > 0 ? s - 1 : 0];
    char prefix[VOX_RESENC_PREFIX];

    snprintf(prefix, sizeof prefix, "encoder.stages.%d.blocks.%d.conv1", s, b);
    VOX_TRY(declare_unit(a, p, prefix, (unit){in, out, a->kernel, 1, 1.0}));
    snprintf(prefix, sizeof prefix, "encoder.stages.%d.blocks.%d.conv2", s, b);
    VOX_TRY(declare_unit(a, p, prefix, (unit){out, out, a->kernel, 1, a->he ? 0.0 : 1.0}));
    if (in == out)
        return VOX_OK;
    snprintf(prefix, sizeof prefix, "encoder.stages.%d.blocks.%d.skip.%d", s, b,
             a->stride[s] != 1); /* behind the pool, if there is one */
    return declare_unit(a, p, prefix, (unit){in, out, 1, 0, 1.0});
}

static int declare_encoder(const vox_resenc *a, vox_params *p)
{
    VOX_TRY(declare_unit(a, p, "encoder.stem.convs.0",
                         (unit){a->in, a->features[0], a->kernel, 1, 1.0}));
    for (int s = 0; s < a->stages; s++) {
        for (int b = 0; b < a->blocks[s]; b++)
            VOX_TRY(declare_block(a, p, s, b));
    }
    return VOX_OK;
}

/* The decoder holds the encoder too: every key again below "decoder.". */
static int declare_encoder_again(vox_params *p)
{
    const int n = p->n_key;

    for (int i = 0; i < n; i++) {
        const char *key = p->key[i].name;
        char name[VOX_RESENC_NAME];

        if (strncmp(key, "encoder.", 8) != 0)
            continue;
        snprintf(name, sizeof name, "decoder.%s", key);
        VOX_TRY(vox_params_alias(p, name, key));
    }
    return VOX_OK;
}

/* Units of one decoder stage: the first joins the transposed convolution's map with the
 * encoder's, where there are skips. */
static int declare_stage(const vox_resenc *a, vox_params *p, int d)
{
    const int f = a->features[a->stages - 2 - d];
    char prefix[VOX_RESENC_PREFIX];

    for (int i = 0; i < a->units[d]; i++) {
        const int in = i == 0 && a->skips ? 2 * f : f;

        snprintf(prefix, sizeof prefix, "decoder.stages.%d.convs.%d", d, i);
        VOX_TRY(declare_unit(a, p, prefix, (unit){in, f, a->kernel, 1, 1.0}));
    }
    return VOX_OK;
}

static int declare_transposed(const vox_resenc *a, vox_params *p, int d)
{
    const int s = a->stages - 1 - d; /* the encoder stage whose stride it undoes */
    const int from = a->features[s], f = a->features[s - 1], k = a->stride[s];
    char prefix[VOX_RESENC_PREFIX];

    snprintf(prefix, sizeof prefix, "decoder.transpconvs.%d", d);
    return declare_conv(a, p, prefix, VOX_SHAPE(from, f, k, k, k), f,
                        (double)f * k * k * k); /* PyTorch's fan-in: its dimension 1 */
}

static int declare_head(const vox_resenc *a, vox_params *p, const char *prefix, int d)
{
    const int f = a->features[a->stages - 2 - d];

    return declare_conv(a, p, prefix, VOX_SHAPE(a->out, f, 1, 1, 1), a->out, f);
}

static int declare_heads(const vox_resenc *a, vox_params *p)
{
    char prefix[VOX_RESENC_PREFIX];

    for (int d = 0; d < a->stages - 1; d++) {
        snprintf(prefix, sizeof prefix, "decoder.seg_layers.%d", d);
        VOX_TRY(declare_head(a, p, prefix, d));
    }
    return VOX_OK;
}

static int declare_decoder(const vox_resenc *a, vox_params *p)
{
    if (!a->skips)
        VOX_TRY(declare_head(a, p, "decoder.seg_layer", a->stages - 2));
    for (int d = 0; d < a->stages - 1; d++)
        VOX_TRY(declare_stage(a, p, d));
    for (int d = 0; d < a->stages - 1; d++)
        VOX_TRY(declare_transposed(a, p, d));
    return a->skips ? declare_heads(a, p) : VOX_OK;
}

int vox_resenc_declare(const vox_resenc *a, vox_params *p)
{
    VOX_TRY(declare_encoder(a, p));
    VOX_TRY(declare_encoder_again(p));
    return declare_decoder(a, p);
}
