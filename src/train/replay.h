/*
 * replay: training steps from a bundle: same weights, same batch, same masks, here and in
 * any other program. How a build proves that it computes what PyTorch computes, and what a
 * bug report carries.
 *
 * A bundle is a safetensors file. Input: metadata "voxmind.replay" (the spec below, JSON),
 * tensors "param/<name>" and "step<k>/<input>". Output: "step<k>/loss",
 * "step<k>/grad_norm", "step<k>/out/<name>", "step<k>/grad/<name>" (before clipping),
 * "step<k>/param/<name>" (after the update; with "final" the last step's alone),
 * "step<k>/activation/<name>".
 */
#ifndef VOX_TRAIN_REPLAY_H
#define VOX_TRAIN_REPLAY_H

#include "graph/device.h"
#include "train/recipe.h"

/* Bits of vox_replay_spec.want. */
enum {
    VOX_WANT_LOSS = 1,
    VOX_WANT_OUT = 2,
    VOX_WANT_GRAD = 4,
    VOX_WANT_PARAM = 8,
    VOX_WANT_FINAL = 16 /* parameters after the last step */
};

/** The parsed "voxmind.replay" text. */
typedef struct vox_replay_spec {
    vox_recipe recipe;
    int update; /* 0: no optimizer */
    int steps;
    double *lr; /* `steps` rates, or NULL: the schedule's */
    unsigned want;
    vox_strs activations; /* names of further values to fetch */
} vox_replay_spec;

#define VOX_REPLAY_SPEC_INIT \
    {                        \
        0                    \
    }

/**
 * Parse the spec. A pure function.
 *
 * @param[out] out  an _INIT value, owned by the caller; stays one on failure
 * @return VOX_OK; VOX_E_FORMAT (no JSON); VOX_E_USAGE for a field, name or value that is
 * wrong (with "did you mean"); VOX_E_NOMEM
 */
int vox_replay_spec_parse(vox_replay_spec *out, const char *text, size_t len);
void vox_replay_spec_release(vox_replay_spec *s);

/** Where and how a bundle is computed. */
typedef struct vox_replay_cfg {
    vox_device_cfg device;
    const vox_strs *set; /* "key=value" each, over the bundle's options; or NULL */
    int64_t micro;       /* samples per piece; 0: the whole batch at once */
} vox_replay_cfg;

/**
 * Read a bundle, compute its steps, write what it wants.
 *
 * @return VOX_OK; VOX_E_FORMAT, VOX_E_MISSING or VOX_E_ARG for a bundle that does not fit:
 * missing, extra and misshapen tensors are listed in one message; VOX_E_USAGE for its spec;
 *         VOX_E_NUMERIC when a gradient is not finite; VOX_E_IO, VOX_E_NOMEM. Nothing is
 * written on failure.
 *
 * Shape    "x" is [B, C, D, H, W]; the method's file head lists the others.
 * Source   replay.md.  Tests  tests/e2e/test_replay.c, tests/cli
 */
int vox_replay(const char *in, const char *out, const vox_replay_cfg *cfg);

#endif
