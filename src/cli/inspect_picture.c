/*
 * inspect: three planes of an image as a PNG, as radiologists look at them: axial and
 * coronal with the patient's left on the right, sagittal with the face to the left, heads
 * up.
 */
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/inspect.h"
#include "io/montage.h"

enum { PLANES = 3, ROWS_MAX = 4, CELL = 320 };

static const char *const names[PLANES] = {"axial", "coronal", "sagittal"};

/* World axes (0 left-right, 1 back-front, 2 foot-head): across a plane, down it, along
 * it. */
static const struct {
    int normal, down, along;
} planes[PLANES] = {
    {2, 1, 0},
    {1, 2, 0},
    {0, 2, 1}
};

/* An axis of the array that runs along an axis of the world. */
typedef struct axis {
    int array;  /* 0 z, 1 y, 2 x */
    int rising; /* 1: to the right, to the front, to the head */
} axis;

/* The array axis of each world axis, nearest; file order in ITK's world where two
 * compete. */
static void find_axes(axis out[3], const double direction[9])
{
    int seen[3] = {0};

    for (int array = 0; array < 3; array++) {
        const int column = 2 - array;
        int world = 0;

        for (int w = 1; w < 3; w++) {
            if (fabs(direction[3 * w + column]) > fabs(direction[3 * world + column]))
                world = w;
        }
        seen[world]++;
        out[world] = (axis){array, direction[3 * world + column] > 0.0};
    }
    for (int w = 0; w < 3 && (seen[0] != 1 || seen[1] != 1 || seen[2] != 1); w++)
        out[w] = (axis){2 - w, w == 2};
}

/* The middle plane of a channel. Pictures run down and to the right: to the foot, the back,
 * the left. */
static vox_tile make_tile(const float *data, const vox_volume_info *info,
                          const axis axes[3], int plane, const float window[2])
{
    const int64_t *n = info->shape.n + 1;
    const int64_t stride[3] = {n[1] * n[2], n[2], 1};
    const axis down = axes[planes[plane].down], along = axes[planes[plane].along];
    const int normal = axes[planes[plane].normal].array;
    vox_tile t = {.data = data + n[normal] / 2 * stride[normal],
                  .height = n[down.array],
                  .width = n[along.array],
                  .row_stride = stride[down.array],
                  .col_stride = stride[along.array],
                  .row_mm = info->spacing[down.array],
                  .col_mm = info->spacing[along.array],
                  .lo = window[0],
                  .hi = window[1]};

    if (down.rising) {
        t.data += (t.height - 1) * t.row_stride;
        t.row_stride = -t.row_stride;
    }
    if (along.rising) {
        t.data += (t.width - 1) * t.col_stride;
        t.col_stride = -t.col_stride;
    }
    return t;
}

int vox_inspect_picture(const char *png, const vox_volume *v, const char *path)
{
    const int64_t each = vox_shape_count(v->info.shape) / v->info.shape.n[0];
    const int rows = v->info.shape.n[0] < ROWS_MAX ? (int)v->info.shape.n[0] : ROWS_MAX;
    const double *s = v->info.spacing;
    vox_tile tiles[ROWS_MAX * PLANES];
    char title[512], text[128];
    axis axes[3];

    find_axes(axes, v->info.direction);
    for (int c = 0; c < rows; c++) {
        const float *data = v->data + c * each;
        float window[2];

        vox_window(data, each, 0.005, 0.995, window);
        for (int p = 0; p < PLANES; p++)
            tiles[c * PLANES + p] = make_tile(data, &v->info, axes, p, window);
    }
    snprintf(title, sizeof title, "%s   %s, %.3g x %.3g x %.3g mm", vox_path_base(path),
             vox_shape_text(v->info.shape, text), s[0], s[1], s[2]);
    return vox_montage_write(png,
                             &(vox_montage){.title = title,
                                            .rows = rows,
                                            .cols = PLANES,
                                            .tile = tiles,
                                            .col_names = names},
                             CELL);
}
