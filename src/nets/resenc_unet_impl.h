/* resenc_unet_impl: what resenc_unet's two files share. */
#ifndef VOX_NETS_RESENC_UNET_IMPL_H
#define VOX_NETS_RESENC_UNET_IMPL_H

#include "nets/net.h"

/* Bytes of a module's name, and of a parameter's. */
enum { VOX_RESENC_PREFIX = 96, VOX_RESENC_NAME = 160 };

/** The options with all defaults filled in. */
typedef struct vox_resenc {
    int stages, kernel, he, skips, in, out;
    int features[VOX_INTS_MAX], blocks[VOX_INTS_MAX], stride[VOX_INTS_MAX];
    int units[VOX_INTS_MAX]; /* of the decoder's stages, one less */
    int64_t total;           /* product of the strides */
} vox_resenc;

/** Declare all parameters. @return VOX_OK; VOX_E_EXISTS, VOX_E_NOMEM */
int vox_resenc_declare(const vox_resenc *a, vox_params *p);

#endif
