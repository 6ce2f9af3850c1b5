/* tsv: any bytes as participants.tsv; what its rows say must be good as an info. */
#include "base/error.h"
#include "data/gather.h"
#include "data/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_row(vox_collection *c, vox_coll_subject *s, const vox_table *t, int64_t row)
{
    vox_buf info = VOX_BUF_INIT;

    for (int64_t k = 0; k < t->columns; k++)
        VOX_ASSERT(vox_info_add(&info, t->column[k], vox_table_cell(t, row, k), 0) ==
                   VOX_OK);
    if (info.len) {
        VOX_ASSERT(vox_buf_add(&info, "}", 1) == VOX_OK);
        VOX_ASSERT(vox_collection_set_info(c, &s->info, info.data) == VOX_OK);
    }
    vox_buf_release(&info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_table t;
    vox_collection c;
    vox_coll_dataset *d;
    vox_coll_subject *s;

    if (vox_table_parse(&t, (const char *)data, size, '\t', "fuzz") != VOX_OK) {
        VOX_ASSERT(*vox_error_text());
        return 0;
    }
    VOX_ASSERT(vox_collection_init(&c, "c", 1) == VOX_OK);
    d = vox_collection_add_dataset(&c, "1");
    s = vox_collection_add_subject(&c, d, "s");
    for (int64_t i = 0; i < t.rows; i++)
        use_row(&c, s, &t, i);
    vox_collection_release(&c);
    vox_table_release(&t);
    return 0;
}
