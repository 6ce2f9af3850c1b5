/* baseline: sums over hidden voxels, in f64. */
#include "train/baseline.h"

#include <math.h>

int vox_masked_of(vox_masked *out, const vox_batch *b, int64_t i)
{
    const vox_array *x = vox_sample_find(&b->stack, "x"),
                    *keep = vox_sample_find(&b->stack, "keep");

    if (!x || !keep || x->dtype != VOX_F32 || keep->dtype != VOX_U8 || x->shape.rank != 5 ||
        keep->shape.rank != 5 || keep->shape.n[1] != 1)
        return 0;
    out->x = vox_batch_row(x, i);
    out->keep = vox_batch_row(keep, i);
    out->c = x->shape.n[1];
    for (int a = 0; a < 3; a++) {
        out->n[a] = x->shape.n[a + 2];
        out->grid[a] = keep->shape.n[a + 2];
        if (out->grid[a] < 1 || out->n[a] % out->grid[a])
            return 0;
        out->block[a] = out->n[a] / out->grid[a];
    }
    return 1;
}

/* Sums over one channel of a crop. */
typedef struct sums {
    double visible, hidden, hidden2; /* sum of x, sum of x, sum of x^2 */
    int64_t n_visible, n_hidden;
} sums;

static void add_row(sums *s, const vox_masked *m, const float *row, int64_t z, int64_t y)
{
    for (int64_t x = 0; x < m->n[2]; x++) {
        const double v = (double)row[x];

        if (vox_masked_hidden(m, z, y, x)) {
            s->hidden += v;
            s->hidden2 += v * v;
            s->n_hidden++;
        } else {
            s->visible += v;
            s->n_visible++;
        }
    }
}

static sums channel_sums(const vox_masked *m, int64_t c)
{
    const float *row = m->x + c * m->n[0] * m->n[1] * m->n[2];
    sums s = {0};

    for (int64_t z = 0; z < m->n[0]; z++) {
        for (int64_t y = 0; y < m->n[1]; y++, row += m->n[2])
            add_row(&s, m, row, z, y);
    }
    return s;
}

int vox_baseline(const vox_batch *b, double *zero, double *mean)
{
    double sum_zero = 0, sum_mean = 0;
    int64_t hidden = 0;
    vox_masked m;

    *zero = *mean = (double)NAN;
    for (int64_t i = 0; i < b->size; i++) {
        if (!vox_masked_of(&m, b, i))
            return 0;
        for (int64_t c = 0; c < m.c; c++) {
            const sums s = channel_sums(&m, c);
            const double mu = s.n_visible ? s.visible / (double)s.n_visible : 0;

            sum_zero += s.hidden2;
            sum_mean += s.hidden2 - 2 * mu * s.hidden + mu * mu * (double)s.n_hidden;
            hidden += s.n_hidden;
        }
    }
    if (hidden == 0)
        return 0;
    *zero = sum_zero / (double)hidden;
    *mean = sum_mean / (double)hidden;
    return 1;
}
