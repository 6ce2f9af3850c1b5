/* fuzz_nrrd: any bytes to the NRRD parser; what it accepts must be a sound volume. */
#include "volume_input.h"

extern const vox_format vox_format_nrrd;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_format(&vox_format_nrrd, data, size, "input.nhdr");
    return 0;
}
