/*
 * mirror: flip each of the three axes with probability one half.
 *
 * All flips are one pass: a row changes places with the row at the mirrored (z, y), read
 * backwards when x is flipped too.
 *
 * Source: augmentation.md 6.2.  Tests: tests/unit/test_chain.c
 */
#include "transforms/transform.h"

typedef struct mirror_draw {
    int flip[3]; /* z, y, x */
} mirror_draw;

static void draw(void *d, vox_shape shape, vox_rng rng)
{
    mirror_draw *m = d;

    (void)shape;
    for (int a = 0; a < 3; a++)
        m->flip[a] = vox_rng_below(&rng, 2) == 1;
}

static void reverse_row(float *row, int64_t n)
{
    for (int64_t i = 0, j = n - 1; i < j; i++, j--) {
        const float t = row[i];

        row[i] = row[j];
        row[j] = t;
    }
}

static void swap_rows(float *restrict a, float *restrict b, int64_t n, int backwards)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t j = backwards ? n - 1 - i : i;
        const float t = a[i];

        a[i] = b[j];
        b[j] = t;
    }
}

static void apply_channel(const mirror_draw *m, float *image, const int64_t n[3])
{
    for (int64_t z = 0; z < n[0]; z++) {
        for (int64_t y = 0; y < n[1]; y++) {
            const int64_t row = z * n[1] + y;
            const int64_t other =
                (m->flip[0] ? n[0] - 1 - z : z) * n[1] + (m->flip[1] ? n[1] - 1 - y : y);

            if (other > row)
                swap_rows(image + row * n[2], image + other * n[2], n[2], m->flip[2]);
            else if (other == row && m->flip[2])
                reverse_row(image + row * n[2], n[2]);
        }
    }
}

static void apply(const void *d, float *image, vox_shape shape)
{
    const int64_t voxels = shape.n[1] * shape.n[2] * shape.n[3];

    for (int64_t c = 0; c < shape.n[0]; c++)
        apply_channel(d, image + c * voxels, shape.n + 1);
}

const vox_transform vox_transform_mirror = {
    .name = "mirror",
    .summary = "flip each axis with probability 1/2",
    .draw_size = sizeof(mirror_draw),
    .draw = draw,
    .apply = apply,
};
