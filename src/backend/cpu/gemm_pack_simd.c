/*
 * gemm_pack: the operands of gemm.h into panels. Rows along k are turned by squares of
 * VOX_LANES x VOX_LANES.
 *
 * A panel of A is narrower than a vector. Its rows are stored as whole vectors all the
 * same, the next ones over what is too much; but not past the end of the panel, for what
 * follows may be another thread's.
 */
#include "backend/cpu/gemm.h"

enum { LANES = VOX_LANES, ROWS = VOX_GEMM_ROWS, COLUMNS = 2 * VOX_LANES };

/* How many of `left` lie in a vector. */
VOX_INLINE int part(int64_t left)
{
    return left < 0 ? 0 : left < LANES ? (int)left : LANES;
}

/* A row of a panel, `left` rows with it to the end. */
VOX_INLINE void put_row(float *out, vec v, int64_t left)
{
    if (left * ROWS >= LANES)
        vec_store(out, v);
    else
        vec_store_part(out, v, ROWS);
}

static float token_scale(const vox_gemm_io *io, int64_t token)
{
    return io->a_scale ? io->a_scale[token / io->a_run] : 1.0f;
}

/* ---- A ---- */

/* One panel of A that lies by k: rows of it are rows of the panel. `count` exist. */
static void pack_a_by_k(float *out, const vox_gemm_io *io, int64_t first, int count,
                        int64_t begin, int64_t k)
{
    const float *from = io->a + begin * io->a_step + first;
    vec sum = vec_zero();

    for (int64_t i = 0; i < k; i++, from += io->a_step, out += ROWS) {
        vec v = vec_load_part(from, count);

        if (io->a_scale)
            v = vec_mul(v, vec_set1(token_scale(io, begin + i)));
        sum = vec_add(sum, v);
        put_row(out, v, k - i);
    }
    if (io->a_sums && begin > 0)
        sum = vec_add(sum, vec_load_part(io->a_sums + first, count));
    if (io->a_sums)
        vec_store_part(io->a_sums + first, sum, count);
}

/* One panel of A that lies by rows. */
static void pack_a_by_row(float *out, const vox_gemm_io *io, int64_t first, int count,
                          int64_t begin, int64_t k)
{
    for (int64_t i = 0; i < k; i += LANES) {
        const int some = part(k - i);
        vec square[LANES];

        for (int r = 0; r < LANES; r++)
            square[r] =
                r < count
                    ? vec_load_part(io->a + (first + r) * io->a_step + begin + i, some)
                    : vec_zero();
        if (io->a_scale) {
            for (int r = 0; r < count; r++)
                square[r] = vec_mul(square[r], vec_set1(token_scale(io, first + r)));
        }
        vec_transpose(square);
        for (int c = 0; c < some; c++, out += ROWS)
            put_row(out, square[c], k - i - c);
    }
}

void VOX_KERNEL(vox_gemm_pack_a)(float *out, const vox_gemm *g, const vox_gemm_io *io,
                                 int64_t first, int64_t rows, int64_t begin, int64_t count)
{
    const int64_t end = first + rows < g->s.m ? first + rows : g->s.m;

    for (int64_t m = first; m < end; m += ROWS, out += ROWS * count) {
        const int some = end - m < ROWS ? (int)(end - m) : ROWS;

        if (g->s.a_by_k)
            pack_a_by_k(out, io, m, some, begin, count);
        else
            pack_a_by_row(out, io, m, some, begin, count);
    }
}

/* ---- B ---- */

static void pack_b_by_k(float *out, const vox_gemm_io *io, int64_t first, int64_t columns,
                        int64_t begin, int64_t k)
{
    const int low = part(columns), high = part(columns - LANES);
    const float *from = io->b + begin * io->b_step + first;

    for (int64_t i = 0; i < k; i++, from += io->b_step, out += COLUMNS) {
        const vec f = vec_set1(io->b_scale ? io->b_scale[begin + i] : 1.0f);
        const vec rest = high ? vec_load_part(from + LANES, high) : vec_zero();

        vec_store(out, vec_mul(f, vec_load_part(from, low)));
        vec_store(out + LANES, vec_mul(f, rest));
    }
}

/* One vector of columns of B that lies by columns. */
static void pack_b_by_column(float *out, const vox_gemm_io *io, int64_t first, int columns,
                             int64_t begin, int64_t k)
{
    for (int64_t i = 0; i < k; i += LANES) {
        const int some = part(k - i);
        vec square[LANES];

        for (int c = 0; c < LANES; c++)
            square[c] =
                c < columns
                    ? vec_load_part(io->b + (first + c) * io->b_step + begin + i, some)
                    : vec_zero();
        vec_transpose(square);
        for (int r = 0; r < some; r++)
            vec_store(out + (i + r) * COLUMNS, square[r]);
    }
}

void VOX_KERNEL(vox_gemm_pack_b)(float *out, const vox_gemm *g, const vox_gemm_io *io,
                                 int64_t first, int64_t begin, int64_t count)
{
    const int64_t columns = g->s.n - first;

    if (!g->s.b_by_n) {
        pack_b_by_k(out, io, first, columns, begin, count);
        return;
    }
    pack_b_by_column(out, io, first, part(columns), begin, count);
    pack_b_by_column(out + LANES, io, first + LANES, part(columns - LANES), begin, count);
}
