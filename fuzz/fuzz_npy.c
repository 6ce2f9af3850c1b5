/* fuzz: .npy from any bytes; every element of what parses is read. */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_view t;
    float *v;

    if (vox_npy_parse(&t, data, size, "fuzz") != VOX_OK)
        return 0;
    v = vox_alloc((size_t)vox_shape_count(t.shape) + 1, sizeof *v);
    if (v)
        vox_view_f32(v, &t);
    vox_free(v);
    return 0;
}
