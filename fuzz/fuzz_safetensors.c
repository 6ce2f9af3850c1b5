/* fuzz: safetensors from any bytes; every element of what parses is read. */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_tensors ts;

    if (vox_safetensors_parse(&ts, data, size, "fuzz") != VOX_OK)
        return 0;
    for (int64_t i = 0; i < ts.count; i++) {
        float *v = vox_alloc((size_t)vox_shape_count(ts.item[i].shape) + 1, sizeof *v);

        if (v)
            vox_view_f32(v, &ts.item[i]);
        vox_free(v);
    }
    vox_tensors_release(&ts);
    return 0;
}
