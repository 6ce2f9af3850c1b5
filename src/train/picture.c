/* picture: what a run shows of itself. */
#include "train/picture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/montage.h"
#include "io/plot.h"
#include "train/baseline.h"

/* ---- progress.png ---- */

enum { CURVES = 5, WIDTH = 900, HEIGHT = 1080 };

static int draw_panels(const char *path, const double *const column[CURVES],
                       const double *x, int64_t n)
{
    const vox_series losses[] = {
        {"loss_tr",  x, column[0], n, VOX_BLUE},
        {"loss_val", x, column[1], n, VOX_RED }
    };
    const vox_series seconds[] = {
        {"epoch duration", x, column[2], n, VOX_GREY}
    };
    const vox_series rates[] = {
        {"learning rate", x, column[3], n, VOX_GREEN}
    };
    const vox_panel panels[] = {
        {"loss",           "epoch", "loss",          losses,  2, 0},
        {"epoch duration", "epoch", "time [s]",      seconds, 1, 0},
        {"learning rate",  "epoch", "learning rate", rates,   1, 0}
    };

    return vox_plot_write(path, panels, VOX_COUNT(panels), WIDTH, HEIGHT);
}

int vox_picture_progress(const char *path, const vox_progress *at)
{
    const int64_t n = at->epoch;
    double *v = vox_alloc((size_t)(CURVES * (n + 1)), sizeof *v);
    const double *column[CURVES];
    int rc;

    if (!v)
        return VOX_E_NOMEM;
    for (int64_t e = 0; e < n; e++) {
        const vox_epoch_record *r = &at->record[e];
        const double row[CURVES] = {r->train_loss, r->val_loss, r->end - r->start, r->lr,
                                    (double)e};

        for (int k = 0; k < CURVES; k++)
            v[k * n + e] = row[k];
    }
    for (int k = 0; k < CURVES; k++)
        column[k] = v + k * n;
    rc = draw_panels(path, column, column[CURVES - 1], n);
    vox_free(v);
    return rc;
}

/* ---- reconstruction.png ---- */

static double variance(const float *x, int64_t n)
{
    double sum = 0, sum2 = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += (double)x[i];
        sum2 += (double)x[i] * (double)x[i];
    }
    return sum2 / (double)n - sum / (double)n * (sum / (double)n);
}

/* The crop that shows most; -1 when the batch holds no masked crops. */
static int64_t most_structured(const vox_batch *b)
{
    int64_t best = -1;
    double most = -1;
    vox_masked m;

    for (int64_t i = 0; i < b->size; i++) {
        double v;

        if (!vox_masked_of(&m, b, i))
            return -1;
        v = variance(m.x, m.n[0] * m.n[1] * m.n[2]);
        if (v > most) {
            most = v;
            best = i;
        }
    }
    return best;
}

/* Hidden voxels: NaN in `masked`, the network's in `filled`. */
static void compose(const vox_masked *m, const float *y, float *masked, float *filled)
{
    int64_t i = 0;

    for (int64_t z = 0; z < m->n[0]; z++) {
        for (int64_t v = 0; v < m->n[1]; v++) {
            for (int64_t x = 0; x < m->n[2]; x++, i++) {
                const int hidden = vox_masked_hidden(m, z, v, x);

                masked[i] = hidden ? (float)NAN : m->x[i];
                filled[i] = hidden ? y[i] : m->x[i];
            }
        }
    }
}

static int draw(const char *path, const vox_masked *m, const float *masked,
                const float *filled)
{
    static const char *const columns[] = {"input", "masked", "prediction"};
    static const char *const rows[] = {"z", "y", "x"};
    static const float cubic[3] = {1, 1, 1};
    const float *const volume[] = {m->x, masked, filled};
    vox_tile tile[9];
    const vox_montage all = {
        .rows = 3, .cols = 3, .tile = tile, .row_names = rows, .col_names = columns};
    float window[2];

    vox_window(m->x, m->n[0] * m->n[1] * m->n[2], 0.005, 0.995, window);
    for (int k = 0; k < 9; k++) {
        tile[k] = vox_tile_plane(volume[k % 3], m->n, cubic, k / 3, m->n[k / 3] / 2);
        tile[k].lo = window[0];
        tile[k].hi = window[1];
    }
    return vox_montage_write(path, &all, 256);
}

int vox_picture_reconstruction(const char *path, const vox_batch *b, const float *y,
                               int channels)
{
    const int64_t i = most_structured(b);
    float *masked, *filled;
    vox_masked m;
    int64_t n;
    int rc = VOX_E_NOMEM;

    if (i < 0)
        return VOX_OK;
    vox_masked_of(&m, b, i);
    n = m.n[0] * m.n[1] * m.n[2];
    masked = vox_alloc((size_t)n, sizeof *masked);
    filled = vox_alloc((size_t)n, sizeof *filled);
    if (masked && filled) {
        compose(&m, y + i * channels * n, masked, filled);
        rc = draw(path, &m, masked, filled);
    }
    vox_free(masked);
    vox_free(filled);
    return rc;
}
