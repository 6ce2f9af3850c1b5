/* estimate: hours, memory and disk of a run before it starts. */
#ifndef VOX_TRAIN_ESTIMATE_H
#define VOX_TRAIN_ESTIMATE_H

#include "base/buf.h"
#include "train/trainer.h"

typedef struct vox_estimate {
    int64_t steps, micro;
    double gflop;        /* of a step: forward, data and weight gradients */
    double gflops;       /* the rate the hours count on */
    double hours;        /* validation included; 0 when the rate is unknown */
    int64_t activations; /* bytes: activations and workspace */
    int64_t parameters;  /* values, gradients, moments */
    int64_t loading;     /* samples on their way */
    int64_t checkpoint;  /* of one file */
    int64_t disk;        /* of the run folder: three of them beside best, metrics */
    int64_t parameter_count;
} vox_estimate;

/**
 * Estimate a run from its plans.
 *
 * @param run     resolved, its micro-batch chosen
 * @param engine  opened for it; need not be started
 * @param gflops  sustained rate, 0: unknown
 */
void vox_estimate_run(vox_estimate *out, const vox_run *run, const vox_engine *engine,
                      double gflops);

/** Rate that a run on this device may count on: a share of the measured peak. */
double vox_estimate_rate(const vox_device *dev);

/** One line for people. @return VOX_OK; VOX_E_NOMEM */
int vox_estimate_text(vox_buf *out, const vox_estimate *e);

/** A new object, or NULL without memory. */
struct json_object *vox_estimate_json(const vox_estimate *e);

#endif
