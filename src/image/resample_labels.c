/*
 * resample_labels: masks, by the vote of the eight voxels around each output position.
 *
 * The peer interpolates one indicator image per label and writes each label where its
 * indicator reaches one half, in ascending order. Only labels among the eight voxels can
 * reach it, so looking at those gives the same without an indicator image.
 *
 * Source: data.md 7.6.4.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/resample.h"
#include "image/resample_common.h"
#include "image/spline.h"

/* Two samples of an axis and the weight of the second. */
typedef struct tap {
    int64_t lo, hi;
    double t;
} tap;

static int64_t clamp(double v, int64_t n)
{
    return v < 0.0 ? 0 : v > (double)(n - 1) ? n - 1 : (int64_t)v;
}

/* m taps into n samples, half-voxel centres; thick slices are taken whole. */
static tap *make_taps(int64_t n, int64_t m, int thick)
{
    tap *taps = vox_alloc((size_t)m, sizeof *taps);

    for (int64_t k = 0; k < m && taps; k++) {
        const double u = vox_spline_place(k, n, m), base = floor(u);

        if (thick)
            taps[k] = (tap){vox_resample_nearest(k, n, m), 0, 0.0};
        else
            taps[k] = (tap){clamp(base, n), clamp(base + 1.0, n), u - base};
        if (taps[k].t == 0.0)
            taps[k].hi = taps[k].lo;
    }
    return taps;
}

/* The winner among eight labels with weights. */
static float vote(const float label[8], const double weight[8])
{
    float best = 0.0f;
    int found = 0;

    for (int i = 0; i < 8; i++) {
        double sum = 0.0;

        for (int j = 0; j < 8; j++)
            sum += label[j] == label[i] ? weight[j] : 0.0;
        if (sum >= 0.5 && (!found || label[i] > best)) {
            best = label[i];
            found = 1;
        }
    }
    return best;
}

static float label_at(const float *in, const int64_t n[3], const tap *z, const tap *y,
                      const tap *x)
{
    const float *row[4] = {
        in + (z->lo * n[1] + y->lo) * n[2], in + (z->lo * n[1] + y->hi) * n[2],
        in + (z->hi * n[1] + y->lo) * n[2], in + (z->hi * n[1] + y->hi) * n[2]};
    const double plane[4] = {(1.0 - z->t) * (1.0 - y->t), (1.0 - z->t) * y->t,
                             z->t * (1.0 - y->t), z->t * y->t};
    float label[8];
    double weight[8];
    int same = 1;

    for (int i = 0; i < 4; i++) {
        label[2 * i] = row[i][x->lo];
        label[2 * i + 1] = row[i][x->hi];
        same = same && label[2 * i] == label[0] && label[2 * i + 1] == label[0];
    }
    if (same)
        return label[0];
    for (int i = 0; i < 4; i++) {
        weight[2 * i] = plane[i] * (1.0 - x->t);
        weight[2 * i + 1] = plane[i] * x->t;
    }
    return vote(label, weight);
}

static void all_voxels(float *out, const float *in, const int64_t n[3], const int64_t m[3],
                       tap *const taps[3])
{
    for (int64_t z = 0; z < m[0]; z++) {
        for (int64_t y = 0; y < m[1]; y++) {
            for (int64_t x = 0; x < m[2]; x++)
                *out++ = label_at(in, n, &taps[0][z], &taps[1][y], &taps[2][x]);
        }
    }
}

static int all_channels(vox_volume *out, const vox_volume *in, int thick)
{
    const int64_t *n = in->info.shape.n + 1, *m = out->info.shape.n + 1;
    tap *taps[3];

    for (int a = 0; a < 3; a++)
        taps[a] = make_taps(n[a], m[a], a == thick);
    for (int64_t c = 0; c < in->info.shape.n[0] && taps[0] && taps[1] && taps[2]; c++)
        all_voxels(out->data + c * m[0] * m[1] * m[2], in->data + c * n[0] * n[1] * n[2], n,
                   m, taps);
    for (int a = 0; a < 3; a++)
        vox_free(taps[a]);
    return taps[0] && taps[1] && taps[2] ? VOX_OK : VOX_E_NOMEM;
}

int vox_volume_resample_labels(vox_volume *out, const vox_volume *in,
                               const int64_t shape[3], int thick)
{
    vox_volume v;
    int rc = vox_resample_begin(&v, in, shape, thick);

    if (rc == VOX_OK)
        rc = all_channels(&v, in, thick);
    if (rc != VOX_OK) {
        vox_volume_release(&v);
        return rc;
    }
    vox_volume_release(out);
    *out = v;
    return VOX_OK;
}
