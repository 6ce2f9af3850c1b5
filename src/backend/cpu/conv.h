/*
 * conv: what the convolution kernels of the CPU share. Three passes serve conv3d and
 * conv_transpose3d, any kernel up to 7, any stride up to 4, any extents:
 *
 *     gather  fine -> coarse    y[i] = sum over a of x[stride * i + a - pad] w[a]
 *             conv3d forward, conv_transpose3d gradient of its input
 *     spread  coarse -> fine    the transposed sum
 *             conv3d gradient of its input, conv_transpose3d forward
 *     weigh   dw[a] = sum over i of x[stride * i + a - pad] dy[i]
 *
 * "Fine" is the side with more voxels (x of a convolution), "coarse" the other one. Weights
 * are [coarse channels, fine channels, kd, kh, kw] for both ops.
 *
 * Gather and spread are one program. On each axis target voxels fall into phases (one when
 * gathering, `stride` when spreading); all voxels of a phase read the source at the same
 * shifts:
 *
 *     target first + target_step * i  reads  source source_step * i + shift, for each tap
 *
 * Work is cut into tiles of target voxels, whole rows long. A thread copies what a tile
 * reads into its own small buffer (vox_conv_tile) with zeros left and right of the rows,
 * parted into source_step interleaved planes, so that the inner loops know neither borders
 * nor strides nor layouts. Rows above and below the volume are not stored: a tile is cut
 * into regions whose voxels all have the same taps inside the volume, and the others are
 * left out.
 *
 * Methods and figures: cpu-engine.md 4 and 9 (K1, K3, K4; border classes).
 */
#ifndef VOX_BACKEND_CPU_CONV_H
#define VOX_BACKEND_CPU_CONV_H

#include "backend/cpu/tiles.h"

enum {
    VOX_CONV_KERNEL = 7,          /* longest kernel */
    VOX_CONV_STRIDE = 4,          /* largest stride */
    VOX_CHANNEL_SUMS_TILE = 1024, /* voxels summed apart by vox_channel_sums */
    VOX_CONV_CHUNK = 8, /* channels of a blocked source that lie together in a tile */
    /* What an inner loop of this path keeps in registers: so many groups of so many
     * neighbouring voxels, two vectors of target channels each. */
    VOX_CONV_GROUP = VOX_VECS >= 32   ? 4
                     : VOX_VECS >= 16 ? 2
                                      : 1,
    VOX_CONV_GROUPS = VOX_VECS >= 16 ? 3 : 2
};

/** Target voxels that read the source at the same shifts; taps in order of their shifts. */
typedef struct vox_conv_phase {
    int first;
    int64_t count;
    int taps;
    int shift[VOX_CONV_KERNEL], index[VOX_CONV_KERNEL]; /* index: place in the kernel */
} vox_conv_phase;

typedef struct vox_conv_axis {
    int kernel, source_step, target_step;
    int low, high;          /* smallest and largest shift of all phases */
    int64_t source, target; /* extents */
    int phases;
    vox_conv_phase phase[VOX_CONV_STRIDE];
} vox_conv_axis;

/** One side of a pass: one tensor, or two whose channels follow each other. */
typedef struct vox_conv_side {
    int lanes;        /* channels per block; 1: plain */
    int64_t channels; /* of both tensors */
    int64_t split;    /* of the first tensor */
    int64_t extent[3], voxels;
    int bf16; /* as a target: rounded to bf16, tile by tile */
} vox_conv_side;

/** The k-th group of `size` channels of a side: a tensor's last group may be short, and no
 * group holds channels of both tensors. */
typedef struct vox_conv_group {
    int second, count;      /* which tensor; channels it holds, 0 behind the last group */
    int64_t first, channel; /* its first channel, within the tensor and within both */
} vox_conv_group;
vox_conv_group vox_conv_group_of(const vox_conv_side *s, int size, int64_t k);

/** Floats of one image of a side's first or second tensor. */
static inline int64_t vox_conv_image_size(const vox_conv_side *s, int second)
{
    const int64_t channels = second ? s->channels - s->split : s->split;

    return (channels + s->lanes - 1) / s->lanes * s->voxels * s->lanes;
}

/** Where a group's first channel starts in its image. */
static inline int64_t vox_conv_group_at(const vox_conv_side *s, const vox_conv_group *g)
{
    return g->first / s->lanes * s->voxels * s->lanes + g->first % s->lanes;
}

/** A gather or a spread, planned. */
typedef struct vox_conv_pass {
    int64_t images;
    vox_conv_side source, target;
    vox_conv_axis axis[3];
    int taps;                             /* volume of the kernel */
    int64_t weight_target, weight_source; /* strides of the weights' axes */
    int chunk;                            /* source channels per chunk: 8, or 1 if plain */
    int64_t chunks, pairs;                /* of the source; of vectors of target channels */
    /* Tiles: rows per tile (depth, height, counted within a phase), and how many. */
    int64_t tile[2], tiles[2];
    int64_t splits; /* tasks that share a tile, each some pairs */
    /* The tile buffer, in floats. */
    int64_t columns, plane, row, rows[2], chunk_size, tile_size;
    int64_t copy_size; /* of the f32 blocks that a plain or bf16 target is put from */
    int64_t regions, region_taps; /* at most, per tile */
    size_t weight_bytes, worker_bytes;
} vox_conv_pass;

/** The weight gradient, planned: a gather whose tiles are reduced instead of written. */
typedef struct vox_conv_weigh {
    vox_conv_pass pass;
    int in_place;        /* the fine side is read where it lies: each voxel meets one tap */
    int64_t parts;       /* runs of tiles summed apart; depends on shapes only */
    int64_t chunk_split; /* tasks that share a part and a pair, each some chunks */
    int64_t coarse_size; /* floats of the copy of a plain coarse side's tile */
    size_t partial_bytes, worker_bytes;
} vox_conv_weigh;

/** What a convolution is: the geometry both ops share. */
typedef struct vox_conv_shape {
    int64_t images;
    int kernel[3], stride[3], pad[3];
    vox_conv_side fine, coarse;
    int fine_bf16; /* as a source: to be widened before it is used */
} vox_conv_shape;

/** Fill a side from a problem's tensors; `second` may be NULL or absent (rank < 0). */
vox_conv_side vox_conv_side_of(const vox_tensor *first, const vox_tensor *second);

/** 1 if the passes can work on the shape: kernel and stride in range, layouts that fit. A
 * spread writes a plain fine side of at most `lanes` channels: callers see to that. */
int vox_conv_supports(const vox_conv_shape *s, int lanes);

/** Plan the passes for vectors of `lanes` channels and that many threads. */
void vox_conv_plan_gather(vox_conv_pass *p, const vox_conv_shape *s, int lanes,
                          int threads);
void vox_conv_plan_spread(vox_conv_pass *p, const vox_conv_shape *s, int lanes,
                          int threads);
void vox_conv_plan_weigh(vox_conv_weigh *p, const vox_conv_shape *s, int lanes,
                         int threads);

/** Sides, axes and order of the weights of a gather or spread whose chunks are whole blocks
 * of channels; no tiles. */
void vox_conv_plan_blocks(vox_conv_pass *p, const vox_conv_shape *s, int spread, int lanes);

/** Bytes of work. Passes of a backward follow each other in the same. */
size_t vox_conv_pass_bytes(const vox_conv_pass *p, int threads);
size_t vox_conv_weigh_bytes(const vox_conv_weigh *p, int threads);
size_t vox_channel_sums_bytes(const vox_conv_side *s, int64_t images);

/** Parts that the squares of gradients come in (vox_prepared.squares): of weights, one per
 * vector of target channels and chunk; of a bias, one per block of channels. */
static inline int64_t vox_conv_squares(const vox_conv_pass *p)
{
    return 2 * p->pairs * p->chunks;
}

static inline int64_t vox_channel_squares(const vox_conv_side *s)
{
    return (s->channels + s->lanes - 1) / s->lanes;
}

/** Tile number `index` of a pass. Ranges count voxels within a phase. */
typedef struct vox_conv_box {
    int64_t image, begin[2], end[2];
    int64_t low[2], high[2]; /* source rows the tile holds */
} vox_conv_box;
vox_conv_box vox_conv_tile_box(const vox_conv_pass *p, int64_t index);

/** One tap of a region: where it reads, and its weights. Offsets in floats. */
typedef struct vox_conv_tap {
    int64_t source, weight;
} vox_conv_tap;

/** Voxels of a tile that have the same taps. */
typedef struct vox_conv_region {
    const vox_conv_phase *phase[3];
    int64_t begin[2], end[2];
    int64_t origin; /* of the first tap at row 0, voxel 0 */
    int taps;
    const vox_conv_tap *tap;
} vox_conv_region;

/** Cut a tile into regions. @return how many; `tap` has room for region_taps */
int vox_conv_regions(const vox_conv_pass *p, const vox_conv_box *b, vox_conv_region *out,
                     vox_conv_tap *tap);

/** Operands of a gather or spread. */
typedef struct vox_conv_io {
    vox_stream source[2], target[2];
    vox_put put[2];
    const float *weight, *bias; /* bias of the target's channels, or NULL */
} vox_conv_io;

/* Per path, called by every member of a team; `work` as planned. None ends with a barrier,
 * and all use the same memory: callers put one between two of them. */

/** Gradient of a bias: the sum of each channel over images and voxels. */
void VOX_KERNEL(vox_channel_sums)(vox_grad grad, const float *v, const vox_conv_side *s,
                                  int64_t images, void *work);

/** Where a chunk's first channel of an image starts. */
vox_stream VOX_KERNEL(vox_conv_chunk)(const vox_conv_pass *p, const vox_stream source[2],
                                      int64_t image, int64_t chunk);

/** Copy what a tile reads of chunks [begin, end) into `tile`, as f32. */
void VOX_KERNEL(vox_conv_tile)(float *tile, const vox_conv_pass *p, const vox_conv_box *b,
                               const vox_stream source[2], int64_t begin, int64_t end);

/** Weights as the inner loops want them: [pair][chunk][tap][channel of chunk][2 vectors].
 */
void VOX_KERNEL(vox_conv_pack)(float *packed, const vox_conv_pass *p, const float *weight);

/** The weights of one pair and chunk. */
void VOX_KERNEL(vox_conv_pack_chunk)(float *packed, const vox_conv_pass *p,
                                     const float *weight, int64_t pair, int64_t chunk);

/** The reverse of pack_chunk, into a gradient. */
void VOX_KERNEL(vox_conv_unpack_chunk)(vox_grad grad, const vox_conv_pass *p,
                                       const float *packed, int64_t pair, int64_t chunk);

/** The reverse of pack, summing `parts` of packed gradients. */
void VOX_KERNEL(vox_conv_unpack)(vox_grad grad, const vox_conv_pass *p, const float *packed,
                                 int64_t parts);

/** Run a gather or a spread. */
void VOX_KERNEL(vox_conv_sum)(const vox_conv_pass *p, const vox_conv_io *io, void *work);

/** Gradient of the weights. */
void VOX_KERNEL(vox_conv_weigh)(const vox_conv_weigh *p, const vox_stream fine[2],
                                const float *coarse, vox_grad grad, void *work);

#endif
