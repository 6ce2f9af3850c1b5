/* fuzz_nifti: any bytes to the NIfTI parser; what it accepts must be a sound volume. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/nifti.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const vox_volume *v)
{
    const int64_t count = vox_shape_count(v->info.shape);

    VOX_ASSERT(count >= 1 && v->info.shape.rank == 4);
    for (int64_t i = 0; i < count; i++)
        VOX_ASSERT(isfinite(v->data[i]));
    for (int i = 0; i < 3; i++)
        VOX_ASSERT(isfinite(v->info.spacing[i]) && v->info.spacing[i] > 0.0);
    for (int i = 0; i < 9; i++)
        VOX_ASSERT(isfinite(v->info.direction[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_volume v = VOX_VOLUME_INIT;
    vox_volume_info info;
    const int head = vox_format_nifti.info(&info, data, size, "input");

    if (vox_format_nifti.read(&v, data, size, "input") == VOX_OK) {
        VOX_ASSERT(head == VOX_OK && vox_shape_equal(info.shape, v.info.shape));
        check(&v);
    }
    vox_volume_release(&v);
    return 0;
}
