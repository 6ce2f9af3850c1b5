/* sidecar: any bytes as the JSON file beside an image, twice, as inherited ones are. */
#include <string.h>

#include "base/error.h"
#include "data/bids.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_buf info = VOX_BUF_INIT, text = VOX_BUF_INIT;
    vox_collection c;
    vox_coll_dataset *d;
    int rc = vox_sidecar_parse(&info, (const char *)data, size, "fuzz");

    if (rc == VOX_OK)
        rc = vox_sidecar_parse(&info, (const char *)data, size, "fuzz");
    else
        VOX_ASSERT(*vox_error_text() && info.len == 0);
    VOX_ASSERT(vox_collection_init(&c, "c", 1) == VOX_OK);
    d = vox_collection_add_dataset(&c, "1");
    if (info.len) {
        VOX_ASSERT(rc == VOX_OK && vox_buf_add(&info, "}", 1) == VOX_OK);
        VOX_ASSERT(vox_collection_set_info(&c, &d->info, info.data) == VOX_OK);
        VOX_ASSERT(vox_info_text(&text, d->info, "Modality") >= 0);
        VOX_ASSERT(vox_collection_text(&text, &c) == VOX_OK);
    }
    vox_collection_release(&c);
    vox_buf_release(&info);
    vox_buf_release(&text);
    return 0;
}
