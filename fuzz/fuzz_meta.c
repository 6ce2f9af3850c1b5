/* fuzz_meta: any bytes to the MetaImage parser; what it accepts must be a sound volume. */
#include "volume_input.h"

extern const vox_format vox_format_meta;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_format(&vox_format_meta, data, size, "input.mhd");
    return 0;
}
