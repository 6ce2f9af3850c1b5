/* splits: any bytes as splits_final.json. */
#include <stdint.h>

#include "base/error.h"
#include "data/splits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_splits s;

    if (vox_splits_parse(&s, (const char *)data, size, "fuzz") != VOX_OK)
        VOX_ASSERT(*vox_error_text());
    vox_splits_release(&s);
    return 0;
}
