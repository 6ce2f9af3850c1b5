/* chain: centre crop, then the named transforms in place on the sample's array. */
#include "transforms/chain.h"

#include <stdalign.h>
#include <string.h>

#include "base/error.h"
#include "transforms/transform.h"

/* Is the crop an image of the patch's channels, no axis shorter? */
static int check_shapes(const vox_case *item, vox_shape patch)
{
    char have[128], want[128];
    int fits = patch.rank == 4 && item->shape.rank == 4 && patch.n[0] == item->shape.n[0];

    for (int a = 1; fits && a < 4; a++)
        fits = patch.n[a] >= 1 && patch.n[a] <= item->shape.n[a];
    if (fits)
        return VOX_OK;
    return vox_fail(VOX_E_ARG, "%s: crop is %s, wanted at least %s (C, D, H, W)",
                    item->id ? item->id : "case", vox_shape_text(item->shape, have),
                    vox_shape_text(patch, want));
}

static void crop_centre(float *out, vox_shape patch, const float *in, vox_shape shape)
{
    int64_t lo[4] = {0};

    for (int a = 1; a < 4; a++)
        lo[a] = (shape.n[a] - patch.n[a]) / 2;
    for (int64_t c = 0; c < patch.n[0]; c++) {
        for (int64_t z = 0; z < patch.n[1]; z++) {
            for (int64_t y = 0; y < patch.n[2]; y++) {
                const int64_t plane = c * shape.n[1] + lo[1] + z;
                const int64_t row = plane * shape.n[2] + lo[2] + y;

                memcpy(out, in + row * shape.n[3] + lo[3],
                       sizeof *out * (size_t)patch.n[3]);
                out += patch.n[3];
            }
        }
    }
}

/* Take the next name off the chain. @return 1; 0 at the end; -1 when it is too long */
static int next_name(char name[VOX_NAME], const char **chain)
{
    const char *start = *chain + strspn(*chain, " ");
    const size_t len = strcspn(start, " ");

    *chain = start + len;
    if (len == 0)
        return 0;
    if (len >= VOX_NAME)
        return -1;
    memcpy(name, start, len);
    name[len] = '\0';
    return 1;
}

/* A transform that stands in the chain twice draws from two streams: `place` is its number.
 */
static int apply_named(const char *name, uint32_t place, float *image, vox_shape shape,
                       vox_rng rng)
{
    alignas(16) unsigned char draw[VOX_DRAW_MAX];
    const vox_transform *t = vox_transform_find(name);

    if (!t)
        return VOX_E_ARG;
    VOX_ASSERT(t->draw_size <= sizeof draw);
    t->draw(draw, shape, vox_rng_stream(rng, VOX_STREAM(t->name), place));
    t->apply(draw, image, shape);
    return VOX_OK;
}

static int apply_all(float *image, const char *chain, vox_shape shape, vox_rng rng)
{
    char name[VOX_NAME];
    uint32_t place = 0;
    int more;

    while ((more = next_name(name, &chain)) > 0)
        VOX_TRY(apply_named(name, place++, image, shape, rng));
    return more == 0 ? VOX_OK : vox_fail(VOX_E_ARG, "no transform has a name this long");
}

int vox_chain_apply(vox_sample *out, const char *name, const vox_cases *cases,
                    const char *chain, vox_shape patch, vox_rng rng)
{
    float *image;

    VOX_ASSERT(cases->count >= 1);
    VOX_TRY(check_shapes(&cases->item[0], patch));
    image = vox_sample_add(out, name, VOX_F32, patch);
    if (!image)
        return VOX_E_NOMEM;
    crop_centre(image, patch, cases->item[0].image, cases->item[0].shape);
    return apply_all(image, chain, patch, rng);
}
