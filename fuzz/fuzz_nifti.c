/* fuzz_nifti: any bytes to the NIfTI parser; what it accepts must be a sound volume. */
#include "volume_input.h"

extern const vox_format vox_format_nifti;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_format(&vox_format_nifti, data, size, "input.hdr");
    return 0;
}
