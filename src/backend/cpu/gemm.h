/*
 * gemm: C = A B for the layers of tokens, on plain rows of f32.
 *
 * The register tile is VOX_GEMM_ROWS rows by two vectors of columns. Both operands are
 * copied before use, into panels a tile reads from end to end:
 *
 *     A   [panel][k][VOX_GEMM_ROWS]        B   [panel][k][2 * VOX_LANES]
 *
 * rows and columns past the end being zero. The smaller operand is packed once and read by
 * all threads (it stays in L3), the larger in blocks by the thread that uses them (L2).
 * Within a block a panel of columns is the outer loop and the rows are the innermost one, so
 * that a strip of C is in L2 for all k.
 *
 * k is taken in slabs, whose sizes depend on the shape only, and a tile is one thread's
 * work: the bits do not depend on the threads.
 *
 * Source: token-kernels.md 2 (the measured blocking). Goto and van de Geijn 2008, Anatomy of
 * High-Performance Matrix Multiplication.
 */
#ifndef VOX_BACKEND_CPU_GEMM_H
#define VOX_BACKEND_CPU_GEMM_H

#include <stddef.h>
#include <stdint.h>

#include "base/simd.h"
#include "graph/op.h"

/** Rows of the register tile: the accumulators fill the registers but for a few. */
#define VOX_GEMM_ROWS (VOX_VECS >= 32 ? 12 : VOX_VECS >= 16 ? 6 : 2)

/** A is [m][k], B is [k][n], unless they lie the other way round. */
typedef struct vox_gemm_shape {
    int64_t m, n, k;
    int a_by_k; /* A lies as [k][m] */
    int b_by_n; /* B lies as [n][k] */
} vox_gemm_shape;

/** A product, planned. */
typedef struct vox_gemm {
    vox_gemm_shape s;
    int wide;              /* A is shared and a task has columns; else B and rows */
    int64_t slab;          /* k packed at once */
    int64_t step;          /* k a register tile sums before it moves on: B's part fits L1 */
    int64_t block, blocks; /* columns or rows of a task, in whole panels; tasks */
    size_t shared_bytes, worker_bytes;
} vox_gemm;

/** The arrays of a product. What is NULL is left out. */
typedef struct vox_gemm_io {
    const float *a, *b;
    int64_t a_step, b_step; /* floats from row to row, as they lie */
    /* Token t of A, which is row t or, where A lies by k, k = t, is multiplied by
     * a_scale[t / a_run]. */
    const float *a_scale;
    int64_t a_run;
    const float *b_scale; /* [k]: factors of B's rows, only where B lies as [k][n] */
    float *c;             /* NULL: only a_sums */
    int64_t c_step;
    vox_put put;
    /* Only with VOX_WRITE: C = add + scale[n] * (A B + a_scale[..] * bias[n]) */
    const float *bias, *scale, *add;
    int64_t add_step;
    float *a_sums; /* [m]: becomes the sums of A over k, only where A lies by k */
} vox_gemm_io;

/** Plan a product for `lanes` floats per vector and `rows` per register tile. */
void vox_gemm_plan(vox_gemm *g, const vox_gemm_shape *s, int lanes, int rows, int threads);

/** Work memory of a product. */
size_t vox_gemm_bytes(const vox_gemm *g, int threads);

/* Per path. */

/** Called by every member of a team; `work` as planned. */
void VOX_KERNEL(vox_gemm_run)(const vox_gemm *g, const vox_gemm_io *io, void *work);

/** Panels of rows [first, first + rows) of A, k [begin, begin + count). */
void VOX_KERNEL(vox_gemm_pack_a)(float *out, const vox_gemm *g, const vox_gemm_io *io,
                                 int64_t first, int64_t rows, int64_t begin, int64_t count);

/** The panel of columns from `first` on of B, k [begin, begin + count). */
void VOX_KERNEL(vox_gemm_pack_b)(float *out, const vox_gemm *g, const vox_gemm_io *io,
                                 int64_t first, int64_t begin, int64_t count);

#endif
