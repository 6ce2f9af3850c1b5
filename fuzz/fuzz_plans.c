/* plans: any bytes as a plan and as a fingerprint. */
#include "base/error.h"
#include "data/planner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_plans p;
    vox_fingerprint f;

    if (vox_plans_parse(&p, (const char *)data, size, "fuzz") == VOX_OK) {
        for (int64_t i = 0; i < p.count; i++) {
            vox_prepare_cfg cfg;

            (void)vox_plans_prepare(&cfg, &p, &p.configuration[i]);
        }
    }
    if (vox_fingerprint_parse(&f, (const char *)data, size, "fuzz") == VOX_OK) {
        double a[3], b[3];

        VOX_ASSERT(vox_fingerprint_middle(&f, a, b) == VOX_OK);
    }
    vox_plans_release(&p);
    vox_fingerprint_release(&f);
    return 0;
}
