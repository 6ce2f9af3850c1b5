/*
 * channel_sums: the sum of each channel over images and voxels, gradient of a bias.
 *
 * Fixed tiles of voxels are summed apart, in f32 over short runs and in f64 over the runs,
 * then in their order: the same bits for any thread count.
 */
#include "backend/cpu/conv.h"
#include "backend/cpu/tiles.h"

enum { LANES = VOX_LANES, TILE = VOX_CHANNEL_SUMS_TILE, RUN = 256 };

/* Sum of n vectors, by four chains. */
VOX_INLINE vec sum_run(const float *v, int64_t n)
{
    vec s[4];
    int64_t i = 0;

    VOX_UNROLL
    for (int k = 0; k < 4; k++)
        s[k] = vec_zero();
    for (; i + 4 <= n; i += 4) {
        VOX_UNROLL
        for (int k = 0; k < 4; k++)
            s[k] = vec_add(s[k], vec_load(v + (i + k) * LANES));
    }
    for (; i < n; i++)
        s[0] = vec_add(s[0], vec_load(v + i * LANES));
    return vec_add(vec_add(s[0], s[1]), vec_add(s[2], s[3]));
}

static void sum_blocked(double *out, const float *v, int64_t voxels)
{
    float lane[LANES];

    for (int c = 0; c < LANES; c++)
        out[c] = 0.0;
    for (int64_t i = 0; i < voxels; i += RUN) {
        vec_store(lane, sum_run(v + i * LANES, voxels - i < RUN ? voxels - i : RUN));
        for (int c = 0; c < LANES; c++)
            out[c] += (double)lane[c];
    }
}

static void sum_plain(double *out, const float *v, int64_t voxels)
{
    double sum = 0.0;
    int64_t i = 0;

    for (; i + LANES <= voxels; i += LANES)
        sum += (double)vec_sum(vec_load(v + i));
    if (i < voxels)
        sum += (double)vec_sum(vec_load_part(v + i, (int)(voxels - i)));
    *out = sum;
}

/* Sum of one lane over all tiles. */
static double sum_lane(const double *v, int64_t tiles, int lanes)
{
    double sum = 0.0;

    for (int64_t i = 0; i < tiles; i++)
        sum += v[i * lanes];
    return sum;
}

void VOX_KERNEL(vox_channel_sums)(vox_grad grad, const float *v, const vox_conv_side *s,
                                  int64_t images, void *work)
{
    const int64_t blocks = (s->channels + s->lanes - 1) / s->lanes;
    const int64_t tiles = (s->voxels + TILE - 1) / TILE, all = images * tiles;
    double *sum = work; /* [block][image][tile][lane] */

    VOX_SHARE(i, blocks * all) {
        const int64_t block = i / all, image = i / tiles % images, first = i % tiles * TILE;
        const int64_t left = s->voxels - first, n = left < TILE ? left : TILE;
        const float *from = v + ((image * blocks + block) * s->voxels + first) * s->lanes;

        if (s->lanes == 1)
            sum_plain(sum + i, from, n);
        else
            sum_blocked(sum + i * LANES, from, n);
    }
    vox_barrier();
    VOX_SHARE(block, blocks) {
        const int64_t first = block * s->lanes, left = s->channels - first;
        double total[LANES];

        for (int c = 0; c < s->lanes; c++)
            total[c] = sum_lane(sum + block * all * s->lanes + c, all, s->lanes);
        vox_grad_put_sums(grad, first, (int)(left < s->lanes ? left : s->lanes), total,
                          block);
    }
}
