/* gemm_plan: how a product is divided. Sizes in floats are those of token-kernels.md 2,
 * within a third of which nothing changes. */
#include <string.h>

#include "backend/cpu/conv_math.h"
#include "backend/cpu/gemm.h"

enum {
    SHARED = 4500000, /* of the shared operand: it should stay in L3 */
    SLAB_MOST = 1160, /* k: with ROWS_MOST rows, a private block stays in L2 */
    SLAB_LEAST = 64,
    STEP = 240, /* k: with two vectors, a panel's part stays in L1 */
    ROWS_MOST = 192,
    TASKS = 4, /* per thread, at least, where there is enough to divide */
    LINE = 16  /* floats of a cache line */
};

static int64_t round_up(int64_t v, int64_t unit)
{
    return ceil_div(v, unit) * unit;
}

/* `whole` in equal parts of at most `most`, each a multiple of 4. */
static int64_t equal_parts(int64_t whole, int64_t most)
{
    return round_up(ceil_div(whole, ceil_div(whole, most)), 4);
}

/* Rows or columns of a task: at most `most`, fewer to give every thread some. */
static int64_t block_of(int64_t whole, int64_t most, int64_t panel, int threads)
{
    const int64_t wanted = threads > 1 ? (int64_t)TASKS * threads : 1;
    const int64_t parts = max(ceil_div(whole, most), min(wanted, ceil_div(whole, panel)));

    return round_up(ceil_div(whole, parts), panel);
}

void vox_gemm_plan(vox_gemm *g, const vox_gemm_shape *s, int lanes, int rows, int threads)
{
    const int64_t columns = 2 * (int64_t)lanes;
    int64_t shared;

    memset(g, 0, sizeof *g);
    g->s = *s;
    g->wide = s->n > s->m;
    shared = g->wide ? round_up(s->m, rows) : round_up(s->n, columns);
    g->slab = equal_parts(s->k, max(SLAB_LEAST, min(SLAB_MOST, SHARED / shared)));
    g->step = equal_parts(g->slab, STEP);
    g->block = g->wide ? block_of(s->n, 4 * columns, columns, threads)
                       : block_of(s->m, ROWS_MOST / rows * rows, rows, threads);
    g->blocks = ceil_div(g->wide ? s->n : s->m, g->block);
    g->shared_bytes = (size_t)round_up(shared * g->slab, LINE) * sizeof(float);
    g->worker_bytes = (size_t)round_up(g->block * g->slab, LINE) * sizeof(float);
}

size_t vox_gemm_bytes(const vox_gemm *g, int threads)
{
    return g->shared_bytes + (size_t)threads * g->worker_bytes;
}
