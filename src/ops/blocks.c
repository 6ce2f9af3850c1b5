/* blocks: masks of one value per block of voxels. */
#include "ops/blocks.h"

#include "base/error.h"

vox_blocks vox_blocks_of(const vox_tensor *mask, vox_shape image)
{
    vox_blocks b = {.keep = mask->data};

    for (int a = 0; b.keep && a < 3; a++) {
        b.n[a] = mask->shape.n[2 + a];
        b.size[a] = image.n[2 + a] / b.n[a];
    }
    return b;
}

int64_t vox_blocks_active(const vox_blocks *b, int64_t n, int64_t voxels)
{
    const int64_t blocks = b->n[0] * b->n[1] * b->n[2];
    int64_t count = 0;

    if (!b->keep)
        return voxels;
    for (int64_t i = 0; i < blocks; i++)
        count += b->keep[n * blocks + i] != 0;
    return count * b->size[0] * b->size[1] * b->size[2];
}

int vox_blocks_infer(const vox_infer *io, int i, vox_shape image)
{
    char found[128], wanted[128];
    vox_shape m;
    int fits;

    VOX_TRY(vox_infer_want(io, i, VOX_U8, 5));
    m = io->in[i]->shape;
    fits = image.rank == 5 && m.n[0] == image.n[0] && m.n[1] == 1;
    for (int a = 2; fits && a < 5; a++)
        fits = m.n[a] >= 1 && image.n[a] % m.n[a] == 0;
    return fits ? VOX_OK
                : vox_infer_fail(io, "mask %s does not tile an image %s",
                                 vox_shape_text(m, found), vox_shape_text(image, wanted));
}

static int64_t smallest_factor(int64_t n)
{
    for (int64_t f = 2; f * f <= n; f++) {
        if (n % f == 0)
            return f;
    }
    return n;
}

vox_shape vox_blocks_shape(vox_shape image)
{
    return VOX_SHAPE(image.n[0], 1, smallest_factor(image.n[2]),
                     smallest_factor(image.n[3]), smallest_factor(image.n[4]));
}
