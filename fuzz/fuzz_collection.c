/* collection: any bytes as pretrain_data.json, flattened and written back when they are
 * one. */
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "data/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const vox_collection *c)
{
    vox_records r = VOX_RECORDS_INIT;
    vox_buf text = VOX_BUF_INIT, again = VOX_BUF_INIT;
    vox_collection same = VOX_COLLECTION_INIT;

    VOX_ASSERT(vox_collection_text(&text, c) == VOX_OK);
    VOX_ASSERT(vox_collection_parse(&same, vox_buf_text(&text), text.len, "text") ==
               VOX_OK);
    VOX_ASSERT(vox_collection_text(&again, &same) == VOX_OK);
    VOX_ASSERT(text.len == again.len && memcmp(text.data, again.data, text.len) == 0);
    if (vox_records_make(&r, c) == VOX_OK) {
        VOX_ASSERT(r.count == vox_collection_images(c));
        for (int64_t i = 0; i < r.count; i++)
            json_object_put(vox_record_json(&r, &r.v[i]));
    }
    vox_records_release(&r);
    vox_collection_release(&same);
    vox_buf_release(&again);
    vox_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_collection c = VOX_COLLECTION_INIT;

    if (vox_collection_parse(&c, (const char *)data, size, "fuzz") == VOX_OK)
        use(&c);
    else
        VOX_ASSERT(*vox_error_text());
    vox_collection_release(&c);
    return 0;
}
