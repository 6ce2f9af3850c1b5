/* pattern: a line with a pattern, then a path; and the guess from the path. */
#include <string.h>

#include "base/error.h"
#include "data/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(vox_arena *a, const char *pattern, const char *path)
{
    vox_buf info = VOX_BUF_INIT;
    vox_place place;

    if (vox_place_check_pattern(pattern) == VOX_OK)
        VOX_ASSERT(vox_place_match(&place, a, &info, pattern, path) != 1 || *place.subject);
    for (int skip = 0; skip < 3; skip++)
        VOX_ASSERT(vox_place_guess(&place, a, path, skip, skip & 1) == VOX_OK);
    vox_buf_release(&info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_arena a = VOX_ARENA_INIT;
    char *text = vox_arena_text(&a, (const char *)data, size);
    char *line = memchr(text, '\n', size);

    if (line)
        *line = '\0';
    use(&a, text, line ? line + 1 : "sub-01/ses-2/anat/sub-01_T1w.nii.gz");
    vox_arena_release(&a);
    return 0;
}
