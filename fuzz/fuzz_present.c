/* present: any bytes as a list of valid images. */
#include <stddef.h>

#include "base/error.h"
#include "data/present.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_present p = VOX_PRESENT_INIT;
    const int rc = vox_present_parse(&p, (const char *)data, size, "fuzz");

    VOX_ASSERT(p.has_list == (rc == VOX_OK));
    VOX_ASSERT(rc == VOX_OK || *vox_error_text());
    vox_present_release(&p);
    return 0;
}
