/* A user's recipe from any bytes: a recipe or an error, never a crash. */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "train/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vox_recipe r = VOX_RECIPE_INIT;
    vox_setup s = VOX_SETUP_INIT;

    if (vox_recipe_parse(&r, (const char *)data, size, "fuzz.json") == VOX_OK) {
        if (vox_setup_init(&s, r.method, r.net, r.options) == VOX_OK)
            vox_setup_release(&s);
        vox_recipe_release(&r);
    }
    return 0;
}
