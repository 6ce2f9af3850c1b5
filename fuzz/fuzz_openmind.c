/* openmind: any bytes as openneuro_metadata.csv; the collection is written and read again.
 */
#include "base/error.h"
#include "base/log.h"
#include "data/openmind.h"
#include "vox/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_collection c, again;
    vox_rejects skipped = VOX_REJECTS_INIT;
    vox_buf text = VOX_BUF_INIT;

    vox_log_set_level(VOX_ERROR); /* names that come twice are told */
    if (vox_openmind_parse(&c, (const char *)data, size, "fuzz", "/d", "c", &skipped) ==
        VOX_OK) {
        VOX_ASSERT(vox_collection_text(&text, &c) == VOX_OK);
        VOX_ASSERT(vox_collection_parse(&again, text.data, text.len, "text") == VOX_OK);
        VOX_ASSERT(vox_collection_images(&again) == vox_collection_images(&c));
        vox_collection_release(&again);
    } else {
        VOX_ASSERT(*vox_error_text());
    }
    vox_collection_release(&c);
    vox_rejects_release(&skipped);
    vox_buf_release(&text);
    return 0;
}
