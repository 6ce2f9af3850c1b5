/*
 * tiles: how the kernels that pass once over a tensor share it out. A tensor is cut into
 * fixed tiles, whatever the number of threads, so that sums per tile give the same bits.
 */
#ifndef VOX_BACKEND_CPU_TILES_H
#define VOX_BACKEND_CPU_TILES_H

#include <string.h>

#include "base/simd.h"
#include "graph/kernel.h"

enum { VOX_TILE = 1024 }; /* floats, or voxels of one block of channels */

/** Of two calls' work, which follow each other in the same memory. */
static inline size_t vox_larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static inline int64_t vox_tiles(int64_t count)
{
    return (count + VOX_TILE - 1) / VOX_TILE;
}

/** End of tile `t`. */
static inline int64_t vox_tile_end(int64_t t, int64_t count)
{
    return (t + 1) * VOX_TILE < count ? (t + 1) * VOX_TILE : count;
}

/** A blocked tensor: image by image blocks of channels, each `voxels` vectors. */
typedef struct vox_blocked {
    int64_t images, blocks, channels, voxels;
} vox_blocked;

static inline vox_blocked vox_blocked_of(vox_shape s)
{
    return (vox_blocked){s.n[0], (s.n[1] + VOX_LANES - 1) / VOX_LANES, s.n[1],
                         s.n[2] * s.n[3] * s.n[4]};
}

/** Channels of block b that exist: VOX_LANES, or fewer in the last. */
static inline int vox_blocked_lanes(const vox_blocked *t, int64_t b)
{
    const int64_t left = t->channels - b * VOX_LANES;

    return (int)(left < VOX_LANES ? left : VOX_LANES);
}

/** Does the tensor lie in this path's blocks? */
static inline int vox_is_blocked(const vox_tensor *t)
{
    return t->shape.rank == 5 && vox_layout_lanes(t->layout) == VOX_LANES;
}

/** A few sums into a gradient, values [first, first + count), and, as part number `part`,
 * their squares. Does nothing when the gradient is not wanted. */
static inline void vox_grad_put_sums(vox_grad g, int64_t first, int count, const double *v,
                                     int64_t part)
{
    double squares = 0.0;

    for (int i = 0; g.put != VOX_SKIP && i < count; i++) {
        const double now = (double)vox_grad_put(g, first + i, (float)v[i]);

        squares += now * now;
    }
    if (g.squares)
        g.squares[part] = squares;
}

/** What a kernel streams through: f32, or bf16 where the plan chose to store it so
 * (vox_kernel.bf16). */
typedef struct vox_stream {
    void *data;
    int bf16;
} vox_stream;

/** Operand i as a stream; data is NULL when absent. */
static inline vox_stream vox_stream_in(const vox_call *c, int i)
{
    if (i >= c->n_in)
        return (vox_stream){NULL, 0};
    return (vox_stream){c->in[i].data, c->in[i].dtype == VOX_BF16};
}

/** Output 0 as a stream. */
static inline vox_stream vox_stream_out(const vox_call *c)
{
    return (vox_stream){c->out[0].data, c->out[0].dtype == VOX_BF16};
}

/** A gradient, or its absence. */
static inline vox_stream vox_stream_f32(const float *v)
{
    return (vox_stream){(void *)(uintptr_t)v, 0};
}

/** The stream from element i on. */
static inline vox_stream vox_stream_at(vox_stream s, int64_t i)
{
    return (vox_stream){(char *)s.data + (s.bf16 ? 2 : 4) * i, s.bf16};
}

VOX_INLINE vec vox_stream_load(vox_stream s, int64_t i)
{
    return s.bf16 ? vec_load_bf16((const uint16_t *)s.data + i)
                  : vec_load((const float *)s.data + i);
}

VOX_INLINE void vox_stream_store(vox_stream s, int64_t i, vec v)
{
    if (s.bf16)
        vec_store_bf16((uint16_t *)s.data + i, v);
    else
        vec_store((float *)s.data + i, v);
}

/** The first `count` elements become 0. */
static inline void vox_stream_clear(vox_stream s, int64_t count)
{
    memset(s.data, 0, (size_t)count * (s.bf16 ? 2 : 4));
}

/** `count` lanes of v into a gradient that is wanted. */
VOX_INLINE void vox_grad_put_vec(vox_grad g, int64_t i, vec v)
{
    vec_store(g.data + i, g.put == VOX_ADD ? vec_add(vec_load(g.data + i), v) : v);
}

#endif
