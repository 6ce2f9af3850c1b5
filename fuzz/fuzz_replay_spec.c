/* A replay spec from any bytes: a spec or an error, never a crash. */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "train/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_replay_spec s = VOX_REPLAY_SPEC_INIT;

    if (vox_replay_spec_parse(&s, (const char *)data, size) == VOX_OK)
        vox_replay_spec_release(&s);
    return 0;
}
