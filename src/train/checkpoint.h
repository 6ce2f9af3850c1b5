/*
 * checkpoint: a run on disk, in the peer's layout, and exactly as it was.
 *
 * One .pth file: the peer's keys in the peer's order (network_weights with all alias names,
 * optimizer_state, logging, ...), and under the key "voxmind" what exact resuming needs
 * beyond them: settings, counters, seed, a checksum of all tensors.
 *
 * Source: checkpoints.md 7, 8.1, 9, 10, 13.
 */
#ifndef VOX_TRAIN_CHECKPOINT_H
#define VOX_TRAIN_CHECKPOINT_H

#include "io/pth.h"
#include "train/optim.h"
#include "train/progress.h"

struct json_object;

/** What is saved. Everything is borrowed. */
typedef struct vox_saving {
    vox_params *params;
    vox_optim *optim;
    const vox_progress *at;
    const char *trainer, *configuration;
    struct json_object *settings;   /* vox_run_json, with the data's */
    struct json_object *plan;       /* vox_run_plan */
    struct json_object *adaptation; /* vox_adaptation_plan */
} vox_saving;

/** Write a checkpoint atomically. @return VOX_OK; VOX_E_IO, the old file untouched;
 * VOX_E_NOMEM
 */
int vox_checkpoint_write(const char *path, const vox_saving *s);

/** A checkpoint that was read and found sound. */
typedef struct vox_saved {
    char *path;
    vox_pth pth;                  /* tensors are views of the mapped file */
    struct json_object *settings; /* a new object */
    vox_progress at;
    int64_t seed;
} vox_saved;

#define VOX_SAVED_INIT \
    {                  \
        0              \
    }

/**
 * Read a checkpoint of ours and verify it, its checksum too.
 *
 * @param[out] out  an _INIT value, owned by the caller; stays one on failure
 * @return VOX_OK; VOX_E_IO; VOX_E_FORMAT, VOX_E_MISSING: damaged; VOX_E_ARG: whole, but
 *         not written by this program
 */
int vox_saved_open(vox_saved *out, const char *path);

/** Values, moments and ages into a model of the same names and shapes.
 * @return VOX_OK; VOX_E_MISSING, VOX_E_FORMAT naming the tensor */
int vox_saved_restore(const vox_saved *s, vox_params *params, vox_optim *optim);

/** The kernel path that computed it, borrowed, or NULL. */
const char *vox_saved_kernels(const vox_saved *s);

void vox_saved_close(vox_saved *s);

/**
 * Weights alone, from any checkpoint with "network_weights" (-pretrained_weights): every
 * tensor but the heads (".seg_layers.") must be there in its shape.
 *
 * @return VOX_OK; VOX_E_MISSING, VOX_E_FORMAT naming file and tensor
 */
int vox_checkpoint_weights(vox_params *params, const char *path);

#endif
