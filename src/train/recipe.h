/*
 * recipe: method, net and hyper-parameters under one name.
 *
 * A row of train/recipes.def is a trainer of the peer: the recipe it starts from, and what
 * differs, as JSON. A user's --recipe file is the same JSON:
 *
 *     {"base": "BaseMAETrainer_BS8", "name": "mine", "net": "resenc_xs", "patch": 96,
 *      "lr": 0.003, "mae.block": 8}
 *
 * Keys are the fields below and options of methods and nets, "method.option".
 */
#ifndef VOX_TRAIN_RECIPE_H
#define VOX_TRAIN_RECIPE_H

#include "base/opt.h"
#include "graph/device.h"
#include "methods/method.h"
#include "train/optim.h"
#include "train/schedule.h"

struct json_object;

typedef struct vox_recipe {
    char *name; /* goes into paths and checkpoints */
    char *method, *net;
    int batch, epochs, steps, val_steps; /* steps are per epoch */
    vox_ints patch;                      /* three values */
    char *optimizer;                     /* "sgd", "adamw" */
    double lr, weight_decay, momentum, beta1, beta2, eps, clip;
    int nesterov;
    char *schedule; /* "poly", "warmup_poly", "constant" */
    int warmup;     /* epochs */
    char *sampling; /* "uniform", or "anat": crops centred on anatomy */
    double iqs_max; /* images of an image-quality score above are left out; 0: none are */
    vox_strs modalities;         /* only these; empty: all */
    double train_fraction;       /* share of the training images that is used */
    char *note;                  /* to be logged: where the peer does otherwise; or NULL */
    struct json_object *options; /* {"mae.block": 8, ...}, or NULL */
} vox_recipe;

#define VOX_RECIPE_INIT \
    {                   \
        0               \
    }

/** The fields as option rows, for help and for --set. */
extern const vox_opt vox_recipe_opts[];

/** BaseMAETrainer's settings without a name. @return VOX_OK; VOX_E_NOMEM */
int vox_recipe_init(vox_recipe *r);

/** A trainer by name. @return VOX_OK; VOX_E_USAGE ("did you mean"), VOX_E_NOMEM. `out` is
 * an _INIT value and stays one on failure. */
int vox_recipe_find(vox_recipe *out, const char *name);

/** A user's recipe from its bytes; `where` names them in messages and, without "name", the
 * recipe (base name without ".json"). @return VOX_OK; VOX_E_FORMAT (no JSON), VOX_E_USAGE
 * (a key or value that is wrong), VOX_E_NOMEM */
int vox_recipe_parse(vox_recipe *out, const char *text, size_t len, const char *where);

/** vox_recipe_parse of a file. @return also VOX_E_MISSING, VOX_E_IO */
int vox_recipe_read(vox_recipe *out, const char *path);

/** Set a field, or an option when the key holds a dot. Options are checked by
 * vox_setup_init. */
int vox_recipe_set(vox_recipe *r, const char *key, struct json_object *value);

/** vox_recipe_set from a command line's "key=value"; a value that is no JSON is text. */
int vox_recipe_set_word(vox_recipe *r, const char *word);

void vox_recipe_release(vox_recipe *r);

/** Name of the i-th trainer, NULL after the last. */
const char *vox_recipe_name(int i);

/** The recipe's optimizer and schedule. @return VOX_OK; VOX_E_USAGE */
int vox_recipe_optim(vox_optim_cfg *out, const vox_recipe *r);
int vox_recipe_schedule(vox_schedule *out, const vox_recipe *r);

/** A method and a net with their options, and how kernels compute: what is trained. */
typedef struct vox_setup {
    const vox_method *method;
    void *cfg; /* the method's options, owned */
    vox_model model;
    vox_cpu_cfg cpu;
} vox_setup;

#define VOX_SETUP_INIT \
    {                  \
        0              \
    }

/**
 * Look up method and net and set their options.
 *
 * @param options  object with keys "<method>.<option>", "<net family>.<option>" and
 *                 "cpu.<option>", or NULL
 * @return VOX_OK; VOX_E_USAGE for an unknown name or option (with "did you mean") or an
 * impossible pair; VOX_E_NOMEM. `out` is an _INIT value and stays one on failure.
 *
 * A preset whose options are changed is no longer the peer's named class: arch_class_name
 * becomes the family's.
 */
int vox_setup_init(vox_setup *out, const char *method, const char *net,
                   struct json_object *options);
void vox_setup_release(vox_setup *s);

/** `cfg` with the setup's choices of kernels. */
vox_device_cfg vox_setup_device(const vox_setup *s, vox_device_cfg cfg);

/** Method, net, patch [C, D, H, W] and batch as a pretext; the graph's part is empty. */
vox_pretext vox_setup_pretext(const vox_setup *s, vox_phase phase, const int64_t patch[3],
                              int64_t batch);

#endif
