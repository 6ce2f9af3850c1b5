/* fuzz: checkpoints from any bytes, with and without checksums; every tensor is read. */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/pth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned flags[] = {0, VOX_PTH_NO_CHECKSUMS | VOX_PTH_SKIP_UNKNOWN};

    for (int i = 0; i < VOX_COUNT(flags); i++) {
        vox_pth p;
        int64_t read = 0;

        if (vox_pth_parse(&p, data, size, "fuzz", flags[i]) != VOX_OK)
            continue;
        for (const vox_obj_view *v = p.tree.views; v && read < 1 << 20; v = v->next) {
            const int64_t n = vox_shape_count(v->view.shape);
            float *copy = vox_alloc((size_t)n + 1, sizeof *copy);

            if (copy)
                vox_view_f32(copy, &v->view);
            vox_free(copy);
            read += n;
        }
        vox_pth_release(&p);
    }
    return 0;
}
