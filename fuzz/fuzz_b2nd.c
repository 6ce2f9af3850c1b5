/* fuzz_b2nd: any bytes as a .b2nd file; every voxel of what opens is read. */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VOXELS_MAX = 1 << 18 };

static void read_voxels(vox_store *s, const int64_t shape[4])
{
    static const int64_t lo[4] = {0};
    const int64_t n = shape[0] * shape[1] * shape[2] * shape[3];
    float *values = n > 0 && n <= VOXELS_MAX ? vox_alloc((size_t)n, sizeof *values) : NULL;
    uint8_t *flags = values ? vox_alloc((size_t)n, 1) : NULL;

    if (flags && vox_store_read(s, lo, shape, values, shape) != VOX_OK)
        VOX_ASSERT(*vox_error_text());
    if (flags)
        (void)vox_store_read_mask(s, lo, shape, flags, shape);
    vox_free(values);
    vox_free(flags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_store *s = NULL;
    vox_store_info info;

    if (vox_store_open_bytes(&s, data, size, "fuzz") == VOX_OK) {
        vox_store_describe(s, &info);
        read_voxels(s, info.shape);
    } else {
        VOX_ASSERT(*vox_error_text());
    }
    vox_store_close(s);
    return 0;
}
