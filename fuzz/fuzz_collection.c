/* collection: any bytes as pretrain_data.json, flattened and written back when they are
 * one. */
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "data/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const vox_collection *c)
{
    vox_records r = VOX_RECORDS_INIT;
    vox_buf text = VOX_BUF_INIT;
    json_object *o = vox_collection_json(c);

    VOX_ASSERT(o && vox_json_text(&text, o, 1) == VOX_OK);
    json_object_put(o);
    if (vox_records_make(&r, c) == VOX_OK) {
        VOX_ASSERT(r.count == vox_collection_images(c));
        for (int64_t i = 0; i < r.count; i++)
            json_object_put(vox_record_json(&r, &r.v[i]));
    }
    vox_records_release(&r);
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
