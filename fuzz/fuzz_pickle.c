/* fuzz: pickles from any bytes, strict and skipping unknown objects; what parses is written
 * again and must then parse. */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (unsigned flags = 0; flags < 2; flags++) {
        vox_buf text = VOX_BUF_INIT;
        vox_storages storages = VOX_STORAGES_INIT;
        vox_tree tree, again;

        if (vox_pickle_parse(&tree, data, size, "fuzz", flags) != VOX_OK)
            continue;
        if (vox_pickle_write(&text, &storages, &tree) == VOX_OK) {
            VOX_ASSERT(vox_pickle_parse(&again, text.data, text.len, "again", 0) == VOX_OK);
            vox_tree_release(&again);
        }
        vox_storages_release(&storages);
        vox_buf_release(&text);
        vox_tree_release(&tree);
    }
    return 0;
}
