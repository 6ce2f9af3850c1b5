/*
 * block_mask: choose the blocks to hide, all sets of the right size equally likely.
 *
 * One pass without memory: block i of n is hidden with probability (left to hide) / (n -
 * i), which gives every set the same chance and hits the number exactly.
 *
 * Source: augmentation.md 8.1; Knuth, The Art of Computer Programming 2, 3.4.2, algorithm
 * S.
 */
#include "transforms/block_mask.h"

#include "base/error.h"

/* The grid of blocks, [1, d, h, w]. */
static int grid_of(vox_shape *grid, vox_shape patch, int block)
{
    char text[128];

    if (patch.rank != 4 || block < 1)
        return vox_fail(VOX_E_ARG,
                        "mask of %d-voxel blocks on patch %s, wanted [C, D, H, W]", block,
                        vox_shape_text(patch, text));
    *grid = VOX_SHAPE(1, 0, 0, 0);
    for (int a = 1; a < 4; a++) {
        if (patch.n[a] < 1 || patch.n[a] % block != 0)
            return vox_fail(VOX_E_ARG,
                            "patch %s: extent %lld is not a multiple of block %d",
                            vox_shape_text(patch, text), (long long)patch.n[a], block);
        grid->n[a] = patch.n[a] / block;
    }
    return VOX_OK;
}

int vox_block_mask_draw(vox_sample *out, const char *name, vox_shape patch, int block,
                        double hidden, vox_rng rng)
{
    vox_shape grid;
    uint8_t *keep;
    int64_t n, hide;

    if (!(hidden >= 0.0 && hidden <= 1.0))
        return vox_fail(VOX_E_ARG, "hidden share is %g, wanted 0 to 1", hidden);
    VOX_TRY(grid_of(&grid, patch, block));
    keep = vox_sample_add(out, name, VOX_U8, grid);
    if (!keep)
        return VOX_E_NOMEM;
    n = vox_shape_count(grid);
    hide = (int64_t)(hidden * (double)n);
    for (int64_t i = 0; i < n; i++) {
        keep[i] = (int64_t)vox_rng_below(&rng, (uint64_t)(n - i)) >= hide;
        hide -= !keep[i];
    }
    return VOX_OK;
}
