/* gemm: the loops around the register tile of gemm.h. */
#include "backend/cpu/gemm.h"

enum {
    LANES = VOX_LANES,
    ROWS = VOX_GEMM_ROWS,
    COLUMNS = 2 * VOX_LANES,
    STEP = 4,               /* k whose code is unrolled */
    PANELS = 8,             /* of A that are packed at once */
    NEAR = 96 / ROWS * ROWS /* rows of a shared A that stay in L2 for a block's columns */
};

/* ---- the register tile ---- */

/* One k of a tile. */
VOX_INLINE void add_outer(const int vectors, vec x[ROWS], vec y[ROWS], const float *a,
                          const float *b)
{
    const vec b0 = vec_load(b), b1 = vectors == 2 ? vec_load(b + LANES) : b0;

    VOX_UNROLL
    for (int r = 0; r < ROWS; r++) {
        const vec s = vec_set1(a[r]);

        x[r] = vec_fma(s, b0, x[r]);
        if (vectors == 2)
            y[r] = vec_fma(s, b1, y[r]);
    }
}

/* Constant first: vectors of columns. C, whole tiles, gains the sum over k, or becomes it. */
VOX_INLINE void multiply(const int vectors, float *c, int64_t c_step, const float *a,
                         const float *b, int64_t k, int add)
{
    vec x[ROWS], y[ROWS];
    int64_t i = 0;

    VOX_UNROLL
    for (int r = 0; r < ROWS; r++)
        x[r] = y[r] = vec_zero();
    for (int r = 0; add && r < ROWS; r++)
        vec_prefetch(c + r * c_step);
    for (; i + STEP <= k; i += STEP, a += STEP * ROWS, b += STEP * COLUMNS) {
        VOX_UNROLL
        for (int u = 0; u < STEP; u++)
            add_outer(vectors, x, y, a + u * ROWS, b + u * COLUMNS);
    }
    for (; i < k; i++, a += ROWS, b += COLUMNS)
        add_outer(vectors, x, y, a, b);
    VOX_UNROLL
    for (int r = 0; r < ROWS; r++, c += c_step) {
        vec_store(c, add ? vec_add(vec_load(c), x[r]) : x[r]);
        if (vectors == 2)
            vec_store(c + LANES, add ? vec_add(vec_load(c + LANES), y[r]) : y[r]);
    }
}

/* Instances: multiply_1, multiply_2. */
#define INSTANCE(vectors)                                                                 \
    static VOX_NOINLINE void multiply_##vectors(float *c, int64_t c_step, const float *a, \
                                                const float *b, int64_t k, int add)       \
    {                                                                                     \
        multiply(vectors, c, c_step, a, b, k, add);                                       \
    }
INSTANCE(1)
INSTANCE(2)

/* ---- a tile of C ---- */

/* Part of the product: rows, columns, and k of the slab. */
typedef struct window {
    int64_t row, rows, column, columns, begin, k;
} window;

/* A tile of C, `rows` x `columns` of which exist. */
typedef struct tile {
    int64_t row, column;
    int rows, columns;
} tile;

/* A tile at the end of C, by way of one that is whole. */
static void multiply_part(float *c, int64_t c_step, const tile *t, const float *a,
                          const float *b, int64_t k, int add)
{
    float whole[ROWS * COLUMNS];

    if (t->columns > LANES)
        multiply_2(whole, COLUMNS, a, b, k, 0);
    else
        multiply_1(whole, COLUMNS, a, b, k, 0);
    for (int r = 0; r < t->rows; r++, c += c_step) {
        for (int i = 0; i < t->columns; i += LANES) {
            const int some = t->columns - i < LANES ? t->columns - i : LANES;
            const vec v = vec_load(whole + r * COLUMNS + i);

            vec_store_part(c + i, add ? vec_add(v, vec_load_part(c + i, some)) : v, some);
        }
    }
}

/* What follows the sums of one row of a tile. */
static void finish_row(const vox_gemm_io *io, int64_t m, int64_t n, int count)
{
    const float f = io->a_scale ? io->a_scale[m / io->a_run] : 1.0f;
    float *c = io->c + m * io->c_step + n;
    vec v = vec_load_part(c, count);

    if (io->bias)
        v = vec_fma(vec_set1(f), vec_load_part(io->bias + n, count), v);
    if (io->scale)
        v = vec_mul(v, vec_load_part(io->scale + n, count));
    if (io->add)
        v = vec_add(v, vec_load_part(io->add + m * io->add_step + n, count));
    vec_store_part(c, v, count);
}

static void finish(const vox_gemm_io *io, const tile *t)
{
    for (int r = 0; r < t->rows; r++) {
        for (int i = 0; i < t->columns; i += LANES)
            finish_row(io, t->row + r, t->column + i,
                       t->columns - i < LANES ? t->columns - i : LANES);
    }
}

static void run_tile(const vox_gemm_io *io, const tile *t, const float *a, const float *b,
                     int64_t k, int add)
{
    float *c = io->c + t->row * io->c_step + t->column;

    if (t->rows == ROWS && t->columns == COLUMNS)
        multiply_2(c, io->c_step, a, b, k, add);
    else if (t->rows == ROWS && t->columns == LANES)
        multiply_1(c, io->c_step, a, b, k, add);
    else
        multiply_part(c, io->c_step, t, a, b, k, add);
}

/* ---- blocks ---- */

static int least(int64_t v, int most)
{
    return v < most ? (int)v : most;
}

/* A window from its packed operands. Panels of columns outermost, then k, then rows. */
static void run_window(const vox_gemm *g, const vox_gemm_io *io, const window *w,
                       const float *a, const float *b)
{
    const int more = io->bias || io->scale || io->add;
    const int ends = more && w->begin + w->k == g->s.k;

    for (int64_t n = 0; io->c && n < w->columns; n += COLUMNS) {
        for (int64_t i = 0; i < w->k; i += g->step) {
            const int64_t k = w->k - i < g->step ? w->k - i : g->step;
            const int add = io->put == VOX_ADD || w->begin + i > 0;

            for (int64_t m = 0; m < w->rows; m += ROWS) {
                const tile t = {w->row + m, w->column + n, least(w->rows - m, ROWS),
                                least(w->columns - n, COLUMNS)};

                run_tile(io, &t, a + m * w->k + i * ROWS, b + n * w->k + i * COLUMNS, k,
                         add);
                if (ends && i + k == w->k)
                    finish(io, &t);
            }
        }
    }
}

/* All of A, or of B, for this slab. */
static void pack_shared(const vox_gemm *g, const vox_gemm_io *io, float *shared,
                        int64_t begin, int64_t k)
{
    const int64_t many = PANELS * ROWS;

    if (g->wide) {
        VOX_SHARE(i, (g->s.m + many - 1) / many)
            VOX_KERNEL(vox_gemm_pack_a)
        (shared + i * many * k, g, io, i * many, many, begin, k);
    } else {
        VOX_SHARE(i, (g->s.n + COLUMNS - 1) / COLUMNS)
            VOX_KERNEL(vox_gemm_pack_b)
        (shared + i * COLUMNS * k, g, io, i * COLUMNS, begin, k);
    }
}

/* Block number i of the other operand, and its part of C. */
static void run_block(const vox_gemm *g, const vox_gemm_io *io, const float *shared,
                      float *own, window w, int64_t i)
{
    if (g->wide) {
        w.column = i * g->block;
        w.columns = g->s.n - w.column < g->block ? g->s.n - w.column : g->block;
        for (int64_t n = 0; n < w.columns; n += COLUMNS)
            VOX_KERNEL(vox_gemm_pack_b)
        (own + n * w.k, g, io, w.column + n, w.begin, w.k);
        for (w.row = 0; w.row < g->s.m; w.row += NEAR) {
            w.rows = g->s.m - w.row < NEAR ? g->s.m - w.row : NEAR;
            run_window(g, io, &w, shared + w.row * w.k, own);
        }
    } else {
        w.row = i * g->block;
        w.rows = g->s.m - w.row < g->block ? g->s.m - w.row : g->block;
        VOX_KERNEL(vox_gemm_pack_a)(own, g, io, w.row, w.rows, w.begin, w.k);
        run_window(g, io, &w, own, shared);
    }
}

void VOX_KERNEL(vox_gemm_run)(const vox_gemm *g, const vox_gemm_io *io, void *work)
{
    float *shared = work;
    float *own = (float *)(void *)((char *)work + g->shared_bytes +
                                   (size_t)vox_team_member() * g->worker_bytes);

    for (int64_t begin = 0; begin < g->s.k; begin += g->slab) {
        const window w = {.rows = g->s.m,
                          .columns = g->s.n,
                          .begin = begin,
                          .k = g->s.k - begin < g->slab ? g->s.k - begin : g->slab};

        if (begin > 0)
            vox_barrier();
        pack_shared(g, io, shared, begin, w.k);
        vox_barrier();
        VOX_SHARE(i, g->blocks)
            run_block(g, io, shared, own, w, i);
    }
}
