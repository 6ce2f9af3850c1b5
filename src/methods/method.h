/*
 * method: a pretext task. Options, `prepare` (a sample from cases, in loader threads) and
 * `build` (the loss graph).
 *
 * A sample's arrays are per sample ("x" [C, D, H, W]); the graph's inputs of the same names
 * have a leading batch axis. train/ stacks and copies by name and refuses a wrong name or
 * shape.
 */
#ifndef VOX_METHODS_METHOD_H
#define VOX_METHODS_METHOD_H

#include "base/rng.h"
#include "base/sample.h"
#include "nets/net.h"

typedef enum vox_phase { VOX_TRAINING, VOX_VALIDATION } vox_phase;

/** What a method works on. */
typedef struct vox_pretext {
    const struct vox_method *method;
    const void *cfg; /* the method's options */
    const vox_model *net;
    vox_phase phase;
    vox_shape patch; /* of one sample: [C, D, H, W] */
    int64_t batch;   /* of the graph: the micro-batch */
    vox_graph *g;    /* build only, from here on */
    vox_params *params;
    vox_node *loss; /* set by build */
} vox_pretext;

typedef struct vox_method {
    const char *name, *summary;
    const char *inputs; /* help text: the named inputs with shapes, one per line */
    int cases_per_sample;
    vox_grouping grouping;
    unsigned nets; /* bit 1 << vox_net_kind: nets it works on */
    int couples;   /* 1: the loss couples samples, no micro-batches */
    size_t cfg_size;
    const vox_opt *opts;
    /** Further reasons to refuse net, options or patch; NULL: none. @return VOX_OK;
     * VOX_E_ARG */
    int (*check)(const vox_pretext *p);
    /** Size of the crop the loader shall read for a patch; NULL: the patch itself. */
    vox_shape (*extent)(const vox_pretext *p);
    /** Cases to named inputs. Re-entrant; randomness from `rng` only. @return VOX_OK or
     * error */
    int (*prepare)(vox_sample *out, const vox_cases *cases, const vox_pretext *p,
                   vox_rng rng);
    /** The sample's share of the batch's loss denominator (hidden voxels, ...).
     * Micro-batches and ranks are weighted by it. NULL: 1. */
    double (*weight)(const vox_sample *s, const vox_pretext *p);
    /** Build inputs, net and loss in p->g; set p->loss; name outputs ("y"). */
    int (*build)(vox_pretext *p);
    /** Output channels of the net; NULL: 1. */
    int (*out_channels)(const void *cfg);
} vox_method;

/** The method of that name. @return NULL with a message ("did you mean") */
const vox_method *vox_method_find(const char *name);

/** The i-th method, NULL after the last. */
const vox_method *vox_method_at(int i);

/** A batched input of the pretext's graph: [batch, per-sample shape...]. */
vox_node *vox_pretext_input(const vox_pretext *p, const char *name, vox_dtype dtype,
                            vox_shape per_sample);

/** Refuse an impossible pair or patch by name. @return VOX_OK; VOX_E_USAGE or VOX_E_ARG */
int vox_pretext_check(const vox_pretext *p);

#endif
