/* estimate: hours, memory and disk of a run before it starts. */
#ifndef VOX_TRAIN_ESTIMATE_H
#define VOX_TRAIN_ESTIMATE_H

#include "base/buf.h"
#include "train/engine.h"
#include "train/pace.h"
#include "train/run.h"

typedef struct vox_estimate {
    int64_t steps, validations, micro;
    double gflop;        /* of a step: forward, data and weight gradients */
    double seconds;      /* of a step; 0: unknown */
    double hours;        /* of the run, validation included; 0: unknown */
    int64_t activations; /* bytes: activations and workspace, of the largest plan */
    int64_t parameters;  /* values, gradients, moments */
    int64_t loading;     /* samples on their way, batches, pictures of them */
    int64_t process;     /* the program, its libraries, plans */
    int64_t checkpoint;  /* of one file */
    int64_t disk;        /* of the run folder: three of them beside best, metrics */
    int64_t parameter_count;
} vox_estimate;

/**
 * Estimate a run from its plans. The process's part is what it holds resident now, and what
 * it will.
 *
 * @param run     resolved, its micro-batch chosen
 * @param engine  opened for it, not started yet
 */
void vox_estimate_run(vox_estimate *out, const vox_run *run, const vox_engine *engine);

/** Hours at a pace. */
void vox_estimate_at(vox_estimate *e, const vox_pace *pace);

/** Bytes of all parts: the peak of the process. */
int64_t vox_estimate_memory(const vox_estimate *e);

/** Bytes that a run takes besides its engine and what the process holds now. */
int64_t vox_estimate_besides(const vox_run *run);

/** One line for people. @return VOX_OK; VOX_E_NOMEM */
int vox_estimate_text(vox_buf *out, const vox_estimate *e);

/** A new object, or NULL without memory. */
struct json_object *vox_estimate_json(const vox_estimate *e);

#endif
