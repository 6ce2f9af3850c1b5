/* net_run: a net with fixed values, its outputs, and its gradients of mean((y - target)^2).
 */
#ifndef VOX_TESTS_SUPPORT_NET_RUN_H
#define VOX_TESTS_SUPPORT_NET_RUN_H

#include "graph/plan.h"
#include "nets/net.h"

typedef struct net_run {
    vox_device *dev;
    vox_model model;
    vox_params *params;
    vox_graph *g;
    vox_plan *plan;
    vox_block block;
} net_run;

/** Which net, where. in_channels and out_channels 0: 1. */
typedef struct net_case {
    vox_device_cfg device;
    const char *net;
    const char *options[6][2]; /* name, value; up to the first NULL */
    int in_channels, out_channels;
    int64_t batch, patch[3];
    const char *const *keep; /* values to be fetched after a run */
    int smooth, zero_target;
} net_case;

/** Build it, fill it, run forward and backward. Fails the test when anything does. */
void net_run_open(net_run *r, const net_case *c);
void net_run_close(net_run *r);

/** A kept value: new array of *count floats, vox_free. */
float *net_run_value(net_run *r, const char *name, int64_t *count);

/** Gradient of parameter i, or (i = n_param) of the input. */
float *net_run_grad(net_run *r, int i, int64_t *count);

double net_run_loss(net_run *r);

/** mean, root mean square, elements 0, n/3, 2n/3, n-1. */
void net_run_stats(double out[6], const float *v, int64_t n);

#endif
