/*
 * params: the parameters of a net, outliving every plan: values, gradients, optimizer
 * moments, each one block on the device, in one layout that depends on names and shapes
 * alone: PyTorch's element order, unpadded, state-dict order.
 *
 * A net declares its keys once, in state-dict order with all alias names; graphs then refer
 * to them by any of their names. Calling a net twice on one vox_params shares weights; an
 * EMA teacher is a second, frozen one.
 */
#ifndef VOX_GRAPH_PARAMS_H
#define VOX_GRAPH_PARAMS_H

#include "base/dict.h"
#include "graph/device.h"

typedef enum vox_init_kind {
    VOX_INIT_CONST,   /* a */
    VOX_INIT_UNIFORM, /* in [-a, a) */
    VOX_INIT_NORMAL,  /* mean 0, standard deviation a */
    VOX_INIT_TRUNC    /* normal with deviation a, cut at +-b */
} vox_init_kind;

typedef struct vox_init {
    vox_init_kind kind;
    double a, b;
} vox_init;

typedef struct vox_param {
    const char *name; /* canonical: first in state-dict order */
    vox_role role;    /* PARAM or STATE */
    vox_shape shape;
    int64_t offset, count; /* in floats, in every block */
    vox_init init;
    int touched; /* a gradient was written in this step: the next one is added */
    /* What who wrote it last left of its squares, summed in vox_params.norm2; NULL when the
     * gradient has been changed otherwise: then its norm takes a pass over it. */
    const double *squares;
} vox_param;

/** A state-dict entry: a name and the parameter behind it. */
typedef struct vox_key {
    const char *name;
    int param;
} vox_key;

typedef struct vox_params {
    vox_device *dev;
    vox_arena arena;
    vox_param *param;
    int n_param;
    vox_key *key; /* state-dict order, aliases included */
    int n_key;
    int64_t count;                   /* floats in a block */
    float *value, *grad, *moment[2]; /* device blocks; NULL until needed */
    double
        *norm2; /* on the device: sum of squares of each gradient, see vox_param.squares */
    int frozen; /* no gradients flow into it */
    int64_t cap_param, cap_key;
    vox_dict index; /* parameter of each key */
} vox_params;

/** An empty set on a device (kept). */
int vox_params_new(vox_params **out, vox_device *dev);
void vox_params_free(vox_params *p);

/** Declare a parameter. @return VOX_OK; VOX_E_EXISTS, VOX_E_NOMEM */
int vox_params_add(vox_params *p, const char *name, vox_shape shape, vox_init init);

/** Declare another name of a declared parameter. @return VOX_OK; VOX_E_MISSING,
 * VOX_E_EXISTS */
int vox_params_alias(vox_params *p, const char *alias, const char *name);

/** Allocate the values (and, unless frozen, gradients). After this nothing can be declared.
 */
int vox_params_seal(vox_params *p);

/** Draw initial values: each parameter from its own stream, so the order does not matter.
 */
int vox_params_init(vox_params *p, uint64_t seed);

/** Index of the parameter with that name or alias, or -1. */
int vox_params_find(const vox_params *p, const char *name);

/** Host copies of one parameter's part of a block: `block` is p->value, p->grad or
 * p->moment[i]. In PyTorch's element order, param->count floats. */
int vox_params_get(vox_params *p, const float *block, int index, float *host);
int vox_params_set(vox_params *p, float *block, int index, const float *host);

/** Allocate moment block i (zeroed). */
int vox_params_need_moment(vox_params *p, int i);

/** A new step: the first gradient of each parameter is written, later ones added. */
void vox_params_begin_step(vox_params *p);

/** A frozen copy with the same keys and values. */
int vox_params_clone(vox_params **out, vox_params *p);

/** teacher = decay * teacher + (1 - decay) * student, same keys. */
int vox_params_ema(vox_params *teacher, vox_params *student, float decay);

/** Global L2 norm of the gradients written this step, f64, same bits for any thread count.
 * Gradients whose squares were gathered as they were written are not read again. */
int vox_params_grad_norm(vox_params *p, double *norm);

#endif
