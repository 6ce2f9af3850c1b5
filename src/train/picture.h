/* picture: progress.png and reconstruction.png. */
#ifndef VOX_TRAIN_PICTURE_H
#define VOX_TRAIN_PICTURE_H

#include "train/batch.h"
#include "train/progress.h"

/** Losses, epoch times and learning rates over epochs: three panels, as the peer's.
 * @return VOX_OK; VOX_E_IO, VOX_E_NOMEM */
int vox_picture_progress(const char *path, const vox_progress *at);

/**
 * Input, masked input and prediction of the batch's most structured crop, in three planes.
 * In the prediction visible voxels are the input's: only the hidden ones are the network's.
 *
 * @param y  [B, channels, D, H, W], the network's output; its first channel is drawn
 * @return VOX_OK, also when the batch holds no masked crops (nothing is written); VOX_E_IO,
 *         VOX_E_NOMEM
 */
int vox_picture_reconstruction(const char *path, const vox_batch *b, const float *y,
                               int channels);

#endif
