/*
 * batch: samples stacked by name, [B, per-sample shape...], with each one's share of the
 * loss.
 */
#ifndef VOX_TRAIN_BATCH_H
#define VOX_TRAIN_BATCH_H

#include "base/sample.h"

typedef struct vox_batch {
    int64_t size;     /* samples B */
    vox_sample stack; /* the arrays, leading axis B */
    double *weight;   /* B denominators */
} vox_batch;

#define VOX_BATCH_INIT \
    {                  \
        0              \
    }

/** Room for `size` samples. @return VOX_OK; VOX_E_NOMEM */
int vox_batch_init(vox_batch *b, int64_t size);

/** Copy a sample into its slot. Slot 0 sets names, types and shapes of the batch.
 * @return VOX_OK; VOX_E_ARG when a later sample differs (named); VOX_E_NOMEM */
int vox_batch_put(vox_batch *b, int64_t slot, const vox_sample *s, double weight);

/** Sum of the weights of the samples [first, first + count). */
double vox_batch_weight(const vox_batch *b, int64_t first, int64_t count);

/** Address of sample `first` in a stacked array. */
const void *vox_batch_row(const vox_array *a, int64_t first);

/** Bytes of all arrays. */
int64_t vox_batch_bytes(const vox_batch *b);

/** Release; legal on an _INIT value. */
void vox_batch_release(vox_batch *b);

#endif
