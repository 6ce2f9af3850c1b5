/*
 * tiny_net: the smallest graph with what real nets have: two levels, a skip, a residual,
 * channels that are no multiple of a vector. As a masked autoencoder it takes inputs "x"
 * and "keep". Every function fails the test where something fails.
 */
#ifndef VOX_TESTS_SUPPORT_TINY_NET_H
#define VOX_TESTS_SUPPORT_TINY_NET_H

#include "graph/plan.h"
#include "support/unit.h"

enum { TINY_CHANNELS = 11, TINY_EDGE = 8 };

/** Its parameters, drawn; vox_params_free. */
vox_params *tiny_params(vox_device *dev);

/** Convolution and norm of that name, its scope: "stem", "down", "fuse". */
vox_node *tiny_unit(vox_graph *g, vox_params *p, const char *name, vox_node *x,
                    vox_node *x2, int stride, vox_node *residual, vox_node *active);

/** The net on x [N, 1, D, H, W]. */
vox_node *tiny_net(vox_graph *g, vox_params *p, vox_node *x);

/** A graph with its plan. */
typedef struct tiny_run {
    vox_graph *g;
    vox_plan *plan;
    vox_node *loss;
} tiny_run;

/** Kept by every plan: {"y", NULL}. */
extern const char *const tiny_keep[];

/** The autoencoder's graph on [batch, 1, edge, TINY_EDGE, TINY_EDGE]; no plan yet. */
tiny_run tiny_open(vox_params *p, int64_t batch, int64_t edge);

/** Its plan, bound. @param recompute  as in vox_plan_cfg */
void tiny_compile(tiny_run *r, vox_device *dev, vox_block *block, const char *recompute);
void tiny_close(tiny_run *r);

/** Fill the inputs, forward, backward; the loss. Image number `first + n` is the same
 * whoever asks. */
double tiny_step(tiny_run *r, int64_t first, int64_t batch, int64_t edge, float seed);

/** n normal values. */
void tiny_noise(float *v, int64_t n, uint64_t seed);

/** All gradients, each touched; vox_free. */
float *tiny_gradients(vox_params *p);

/** Run tests on "cpu" and "fake", on every path of this machine; their state is the device.
 * @return failures, leaked blocks among them */
int tiny_everywhere(const struct CMUnitTest *tests, int n);

#endif
