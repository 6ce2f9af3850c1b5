/*
 * winograd: the three passes of conv.h for kernels of 3x3x3 and stride 1, by F(2x2x4,
 * 3x3x3): 96 products per 2x2x4 target voxels and pair of channels instead of 432.
 *
 *     y = A' [ (G w) * (B' x) ] A        per axis, x the source's voxels, w three taps
 *
 * Depth and height, two voxels from four, by the points 0, 1, -1 and infinity:
 *
 *     B' = 1  0 -1  0     G =  1   0   0     A' = 1  1  1  0
 *          0  1  1  0         1/2  1/2 1/2        0  1 -1 -1
 *          0 -1  1  0         1/2 -1/2 1/2
 *          0  1  0 -1          0   0   1
 *
 * Width, four voxels from six, by 0, 1, -1, 1/2, -2 and infinity:
 *
 *     B' = 1 -3/2  -2  3/2  1  0     G =   1     0     0       A' = 1  1  1   1   1  0
 *          0  -1  1/2  5/2  1  0          1/3   1/3   1/3           0  1 -1  1/2 -2  0
 *          0   1 -5/2  1/2  1  0         -1/3   1/3  -1/3           0  1  1  1/4  4  0
 *          0  -2  -1    2   1  0        -16/15 -8/15 -4/15          0  1 -1  1/8 -8  1
 *          0  1/2 -1  -1/2  1  0         1/15  -2/15  4/15
 *          0   1 -3/2  -2  3/2 1           0     0     1
 *
 * Four voxels on one axis cost as much accuracy as the fewer sums save: the rms error stays
 * that of direct sums in f32. On two axes it would double.
 *
 * A tile is 2x2x4 target voxels with the 4x4x6 source voxels they read. Transformed, tiles
 * and weights are 96 planes; each plane is a matrix product over the source channels. The
 * gradient of x is the same pass with the kernel reversed; that of w multiplies transformed
 * tiles of x with A dy A' and transforms back by G'.
 *
 *     tiles     V[plane][block of source channels][tile][lane]
 *     weights   U[pair][plane][block][lane][2 vectors of target channels]
 *     products  M[plane][vector of the pair][tile][lane]
 *     dy        Z[plane][coarse vector][tile][lane]
 *
 * Planes are a cache line further apart than their size: so many of them at a distance of a
 * power of two would fall into the same sets of the caches.
 *
 * Tiles are independent and each sum runs over the channels in one order, so neither the
 * number of tiles taken at once nor the threads change a bit. The gradient of w sums fixed
 * parts of the tiles, as conv_weigh does.
 *
 * Source: Winograd 1980; Lavin and Gray 2016, arXiv:1509.09308. Figures: cpu-engine.md 9.4.
 */
#ifndef VOX_BACKEND_CPU_WINOGRAD_H
#define VOX_BACKEND_CPU_WINOGRAD_H

#include "backend/cpu/conv.h"

enum {
    VOX_WINOGRAD_WIDTH = 4, /* target voxels of a tile on the last axis; 2 on the others */
    VOX_WINOGRAD_COLUMNS = VOX_WINOGRAD_WIDTH + 2, /* source voxels */
    VOX_WINOGRAD_SLICE = 4 * VOX_WINOGRAD_COLUMNS, /* planes of one depth */
    VOX_WINOGRAD_PLANES = 4 * VOX_WINOGRAD_SLICE,
    VOX_WINOGRAD_TAPS = 27,
    VOX_WINOGRAD_PAD = 16 /* floats between planes */
};

/** Tiles of a pass: `pass.source` is transformed, its channels in whole blocks. */
typedef struct vox_winograd {
    vox_conv_pass pass;
    int flip;         /* the kernel is reversed */
    int64_t count[3]; /* tiles per axis */
    int64_t tiles;    /* of all images */
} vox_winograd;

/** Forward, or the gradient of x, planned. Wide: all weights are transformed first, then
 * runs of tiles pass through all of them. Deep, for few tiles: all tiles are transformed
 * first, then each pair's weights as they are needed. */
typedef struct vox_winograd_sum {
    vox_winograd w;
    int deep;
    int64_t run, runs; /* tiles at once, and how many such runs there are */
    int64_t splits;    /* deep: tasks that share a pair, each some runs */
    int64_t v_plane, u_plane, m_plane;
    int64_t v_size, u_size, m_size; /* floats; u of one pair */
    size_t shared_bytes, worker_bytes;
} vox_winograd_sum;

/** The gradient of the weights, planned. Wide: runs of tiles are transformed and added to
 * dU's of all weights. Deep, for few tiles: all tiles are transformed first, then summed at
 * once for one pair and block after the other, so that no dU of all weights exists. */
typedef struct vox_winograd_weigh {
    vox_winograd w;
    int deep;
    int64_t run;    /* tiles at once */
    int64_t parts;  /* wide: runs of tiles summed apart; depends on shapes only */
    int64_t splits; /* tasks that share a part, each some pairs (wide), or a pair (deep) */
    int64_t cuts;   /* wide: tasks that share those, each some blocks of the source */
    int64_t v_plane, z_plane, u_plane;
    int64_t v_size, z_size, u_size; /* floats; u of one pair, or of one block */
    size_t shared_bytes, worker_bytes;
} vox_winograd_weigh;

/** Can the shape be computed so at all, and is it expected to be faster than directly? */
int vox_winograd_supports(const vox_conv_shape *s, int lanes);
int vox_winograd_pays(const vox_conv_shape *s, int spread, int lanes);
int vox_winograd_weigh_pays(const vox_conv_shape *s, int lanes);

/** Plan the passes: forward (spread = 0) or the gradient of x (1); of w. */
void vox_winograd_plan_sum(vox_winograd_sum *p, const vox_conv_shape *s, int spread,
                           int lanes, int threads);
void vox_winograd_plan_weigh(vox_winograd_weigh *p, const vox_conv_shape *s, int lanes,
                             int threads);

size_t vox_winograd_sum_bytes(const vox_winograd_sum *p, int threads);
size_t vox_winograd_weigh_bytes(const vox_winograd_weigh *p, int threads);

/** Where a tile lies. */
typedef struct vox_winograd_place {
    int64_t image, at[3];
} vox_winograd_place;

static inline vox_winograd_place vox_winograd_place_of(const vox_winograd *w, int64_t tile)
{
    return (vox_winograd_place){
        tile / (w->count[0] * w->count[1] * w->count[2]),
        {tile / (w->count[1] * w->count[2]) % w->count[0], tile / w->count[2] % w->count[1],
                                                      tile % w->count[2]}
    };
}

/** The next tile. */
static inline void vox_winograd_step(const vox_winograd *w, vox_winograd_place *p)
{
    if (++p->at[2] < w->count[2])
        return;
    p->at[2] = 0;
    if (++p->at[1] < w->count[1])
        return;
    p->at[1] = 0;
    if (++p->at[0] < w->count[0])
        return;
    p->at[0] = 0;
    p->image++;
}

/** Tiles [first, first + count) in buffers that hold `run` tiles, planes `plane` apart. */
typedef struct vox_winograd_run {
    int64_t first, count, run, plane;
} vox_winograd_run;

/* Per path. */

/** B' x B of one block of source channels: `x` is the block's first channel in image 0,
 * images `image` floats apart. */
void VOX_KERNEL(vox_winograd_source)(float *v, const vox_winograd *w, vox_winograd_run r,
                                     vox_stream x, int64_t image);

/** A dy A' of one vector of target channels; dy as x above. */
void VOX_KERNEL(vox_winograd_target)(float *z, const vox_winograd *w, vox_winograd_run r,
                                     const float *dy, int64_t image);

/** A' m A of one vector of target channels, plus a bias (VOX_LANES floats), into y. */
void VOX_KERNEL(vox_winograd_result)(vox_stream y, vox_put put, const vox_winograd *w,
                                     vox_winograd_run r, const float *m, int64_t image,
                                     const float *bias);

/** G w G' of one pair and block into its place in U; `packed` is scratch for 27 taps. */
void VOX_KERNEL(vox_winograd_weights)(float *u, int64_t plane, const vox_winograd *w,
                                      const float *weight, int64_t pair, int64_t block,
                                      float *packed);

/** G' dU G, summed over `parts` dU's `part` floats apart, of one pair and block, into the
 * gradient of the weights. */
void VOX_KERNEL(vox_winograd_gradient)(vox_grad grad, const vox_winograd *w, const float *u,
                                       int64_t plane, int64_t parts, int64_t part,
                                       int64_t pair, int64_t block, float *packed);

/* Called by every member of a team; `work` as planned. */

void VOX_KERNEL(vox_winograd_sum)(const vox_winograd_sum *p, const vox_conv_io *io,
                                  void *work);

void VOX_KERNEL(vox_winograd_weigh)(const vox_winograd_weigh *p, const vox_stream fine[2],
                                    const float *coarse, vox_grad grad, void *work);

#endif
