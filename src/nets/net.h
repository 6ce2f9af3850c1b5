/*
 * net: an architecture as builder calls, with PyTorch's parameter names.
 *
 * A net declares its parameters once, in state-dict order with all alias names; `encode`
 * and `decode` then only refer to them. Features and outputs carry names: every encoder
 * stage ("enc_0".."enc_5"), decoder maps ("dec_0"..), heads ("y", the main output;
 * "seg_1".."seg_4").
 */
#ifndef VOX_NETS_NET_H
#define VOX_NETS_NET_H

#include "base/sample.h"
#include "graph/graph.h"

typedef enum vox_net_kind { VOX_NET_CONV, VOX_NET_TOKENS } vox_net_kind;

enum { VOX_FEATURES_MAX = 48 };

/** Named nodes on their way through a net. */
typedef struct vox_features {
    int count;
    struct {
        char name[VOX_NAME];
        vox_node *node;
    } item[VOX_FEATURES_MAX];
} vox_features;

/** Where the transferable weights are: the adaptation plan's fields (checkpoints.md 11). */
typedef struct vox_net_adaptation {
    const char *key_to_encoder, *key_to_stem;
    const char *keys_to_in_proj[4]; /* NULL-terminated */
    const char *key_to_lpe;         /* or NULL */
} vox_net_adaptation;

struct json_object;
struct vox_model;

typedef struct vox_net {
    const char *name, *summary;
    const char *arch_class_name; /* the peer's, for the family with any options */
    vox_net_kind kind;
    size_t cfg_size;
    const vox_opt *opts;
    /** Is this patch [D, H, W] legal? Else VOX_E_ARG, the message names the nearest legal
     * sizes. */
    int (*check)(const struct vox_model *m, const int64_t patch[3]);
    /** Declare all parameters, state-dict order, aliases included. */
    int (*declare)(const struct vox_model *m, vox_params *p);
    /** Features of x [N, C, D, H, W]. */
    void (*encode)(const struct vox_model *m, vox_graph *g, vox_params *p, vox_node *x,
                   vox_features *feats);
    /** Outputs from features; "y" has the shape of x with out_channels. */
    void (*decode)(const struct vox_model *m, vox_graph *g, vox_params *p,
                   vox_features *feats, vox_features *outs);
    vox_net_adaptation adaptation;
    /** The peer's keyword arguments that build this architecture under the family's class,
     * a new reference; NULL without memory. For adaptation plans (checkpoints.md 11.1). */
    struct json_object *(*arch_kwargs)(const struct vox_model *m);
} vox_net;

/** A net with its options: what a run trains. */
typedef struct vox_model {
    const vox_net *net;
    const char *preset;          /* "resenc_l", or the family's name */
    const char *arch_class_name; /* of the peer: "ResEncL", "ResidualEncoderUNet" */
    void *cfg;                   /* net->cfg_size bytes, owned */
    int in_channels, out_channels;
} vox_model;

#define VOX_MODEL_INIT \
    {                  \
        0              \
    }

/** By preset or family name. @return VOX_OK; VOX_E_USAGE (with "did you mean"), VOX_E_NOMEM
 */
int vox_model_init(vox_model *m, const char *name);
void vox_model_release(vox_model *m);

/** Encode and decode; the main output "y". */
vox_node *vox_net_run(const vox_model *m, vox_graph *g, vox_params *p, vox_node *x);

/** Add a feature (name printed from fmt); find one or NULL. The node gets the name in the
 * graph too, unless it has one or another node holds it (a net called twice in one
 * graph). */
void vox_features_add(vox_features *f, vox_graph *g, vox_node *node, const char *fmt, ...)
    VOX_PRINTF(4, 5);
vox_node *vox_features_find(const vox_features *f, const char *name);

/** A row of nets/presets.def. */
typedef struct vox_preset {
    const char *name, *net, *arch_class_name, *options /* JSON */, *summary;
} vox_preset;

/** The i-th net or preset, NULL after the last. */
const vox_net *vox_net_at(int i);
const vox_preset *vox_preset_at(int i);

#endif
