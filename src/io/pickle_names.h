/*
 * pickle_names: the globals that a pickle may name, and the names of opcodes. Internal to
 * the pickle reader and writer.
 */
#ifndef VOX_IO_PICKLE_NAMES_H
#define VOX_IO_PICKLE_NAMES_H

#include "base/shape.h"

typedef enum vox_pickle_global {
    VOX_GLOBAL_UNKNOWN,
    VOX_GLOBAL_ORDERED_DICT,
    VOX_GLOBAL_TENSOR_V1,
    VOX_GLOBAL_TENSOR_V2,
    VOX_GLOBAL_TENSOR_V3,
    VOX_GLOBAL_PARAMETER,       /* torch._utils._rebuild_parameter and its kin */
    VOX_GLOBAL_PARAMETER_CLASS, /* torch.nn.parameter.Parameter */
    VOX_GLOBAL_STORAGE,         /* torch.FloatStorage: carries a dtype */
    VOX_GLOBAL_UNTYPED_STORAGE,
    VOX_GLOBAL_DTYPE, /* torch.float32, ... */
    VOX_GLOBAL_DEVICE,
    VOX_GLOBAL_SIZE,
    VOX_GLOBAL_NP_SCALAR,
    VOX_GLOBAL_NP_DTYPE,
    VOX_GLOBAL_NP_RECONSTRUCT,
    VOX_GLOBAL_NP_ARRAY,
    VOX_GLOBAL_ENCODE,
    VOX_GLOBAL_SET,
    VOX_GLOBAL_COMPLEX,
    VOX_GLOBAL_BYTEARRAY
} vox_pickle_global;

/** What "module name" means; for storages and dtypes also the element type (-1: one that we
 * do not know). */
vox_pickle_global vox_pickle_global_of(const char *module, const char *name, int *dtype);

/** "FloatStorage" for VOX_F32, ... */
const char *vox_pickle_storage_name(vox_dtype dtype);

/** "POP" for '0', ...; "unknown opcode" for a byte that is none. */
const char *vox_pickle_opcode_name(unsigned char code);

#endif
