/* picture: placeholder until io/plot.h is there. */
#include "train/picture.h"

#include "base/error.h"

int vox_picture_progress(const char *path, const vox_progress *at)
{
    (void)path;
    (void)at;
    return VOX_OK;
}

int vox_picture_reconstruction(const char *path, const vox_batch *b, const float *y,
                               int channels)
{
    (void)path;
    (void)b;
    (void)y;
    (void)channels;
    return VOX_OK;
}
