/* csv: any bytes as a table, with the separator that its header row holds most. */
#include <string.h>

#include "base/error.h"
#include "data/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_table t;
    size_t cells = 0;

    if (vox_table_parse(&t, (const char *)data, size, 0, "fuzz") != VOX_OK) {
        VOX_ASSERT(*vox_error_text() && t.columns == 0 && t.rows == 0);
        return 0;
    }
    for (int64_t i = 0; i < t.columns; i++)
        VOX_ASSERT(!*t.column[i] || vox_table_find(&t, t.column[i]) == i);
    for (int64_t i = 0; i < t.rows; i++) {
        for (int64_t k = -1; k < t.columns; k++)
            cells += strlen(vox_table_cell(&t, i, k));
    }
    VOX_ASSERT(cells <= size);
    vox_table_release(&t);
    return 0;
}
