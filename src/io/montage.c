/* montage: each tile becomes a small surface, scaled into its cell. */
#include "io/montage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/canvas.h"

enum {
    BACK = 0x14181d,
    TEXT = 0xe6e9ed,
    HIDDEN = 0x35507a,
    GAP = 10,
    NAMES = 34, /* pixels for the names of rows and of columns */
    TITLE = 40,
    SAMPLES = 1 << 18 /* looked at for a window */
};

vox_tile vox_tile_plane(const float *volume, const int64_t extent[3],
                        const float spacing[3], int axis, int64_t at)
{
    const int64_t stride[3] = {extent[1] * extent[2], extent[2], 1};
    const int row = axis == 0 ? 1 : 0, col = axis == 2 ? 1 : 2;
    vox_tile t = {.data = volume + at * stride[axis],
                  .height = extent[row],
                  .width = extent[col],
                  .row_stride = stride[row],
                  .col_stride = stride[col],
                  .row_mm = (double)spacing[row],
                  .col_mm = (double)spacing[col],
                  .hi = 1.0f};

    if (row == 0) { /* z grows upwards */
        t.data += (t.height - 1) * t.row_stride;
        t.row_stride = -t.row_stride;
    }
    return t;
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

void vox_window(const float *data, int64_t count, double lo, double hi, float window[2])
{
    const int64_t step = count / SAMPLES + 1;
    float *v = vox_alloc((size_t)(count / step) + 1, sizeof *v);
    int64_t n = 0;

    window[0] = 0.0f;
    window[1] = 1.0f;
    for (int64_t i = 0; v && i < count; i += step) {
        if (isfinite(data[i]))
            v[n++] = data[i];
    }
    if (n) {
        qsort(v, (size_t)n, sizeof *v, by_value);
        window[0] = v[(int64_t)(lo * (double)(n - 1))];
        window[1] = v[(int64_t)(hi * (double)(n - 1))];
        if (!(window[1] > window[0]))
            window[1] = window[0] + 1.0f;
    }
    vox_free(v);
}

static uint32_t shade(const vox_tile *t, float v)
{
    const float unit = (v - t->lo) / (t->hi - t->lo);
    uint32_t level;

    if (isnan(v))
        return HIDDEN;
    level = !(unit > 0.0f) ? 0 : unit >= 1.0f ? 255 : (uint32_t)(unit * 255.0f + 0.5f);
    return level << 16 | level << 8 | level;
}

/* The tile's samples as pixels; its status is asked for by the canvas. */
static cairo_surface_t *render(const vox_tile *t)
{
    cairo_surface_t *s =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)t->width, (int)t->height);
    unsigned char *row = cairo_image_surface_get_data(s);

    for (int64_t y = 0; row && y < t->height;
         y++, row += cairo_image_surface_get_stride(s)) {
        for (int64_t x = 0; x < t->width; x++) {
            const uint32_t v = shade(t, t->data[y * t->row_stride + x * t->col_stride]);

            memcpy(row + 4 * x, &v, sizeof v);
        }
    }
    cairo_surface_mark_dirty(s);
    return s;
}

static void draw(vox_canvas *c, const vox_tile *t, double x, double y, int cell)
{
    const double w = (double)t->width * t->col_mm, h = (double)t->height * t->row_mm;
    const double scale = cell / fmax(w, h);
    cairo_surface_t *s = render(t);

    cairo_save(c->cr);
    cairo_translate(c->cr, x + (cell - scale * w) / 2.0, y + (cell - scale * h) / 2.0);
    cairo_scale(c->cr, scale * t->col_mm, scale * t->row_mm);
    cairo_rectangle(c->cr, 0.0, 0.0, (double)t->width, (double)t->height);
    cairo_clip(c->cr);
    cairo_set_source_surface(c->cr, s, 0.0, 0.0);
    cairo_pattern_set_filter(cairo_get_source(c->cr), CAIRO_FILTER_GOOD);
    cairo_pattern_set_extend(cairo_get_source(c->cr), CAIRO_EXTEND_PAD);
    cairo_paint(c->cr);
    cairo_restore(c->cr);
    cairo_surface_destroy(s);
}

static int check(const char *path, const vox_montage *m, int cell)
{
    if (m->rows < 1 || m->cols < 1 || cell < 16 || cell > 4096 || m->rows > 64 ||
        m->cols > 64)
        return vox_fail(VOX_E_ARG, "%s: a montage of %d x %d cells of %d pixels", path,
                        m->rows, m->cols, cell);
    for (int i = 0; i < m->rows * m->cols; i++) {
        const vox_tile *t = &m->tile[i];

        if (t->data && (t->height < 1 || t->width < 1 || t->height > 32767 ||
                        t->width > 32767 || !(t->row_mm > 0.0) || !(t->col_mm > 0.0) ||
                        !isfinite(t->row_mm) || !isfinite(t->col_mm)))
            return vox_fail(VOX_E_ARG, "%s: tile %d has %lld x %lld samples of %g x %g mm",
                            path, i, (long long)t->height, (long long)t->width, t->row_mm,
                            t->col_mm);
    }
    return VOX_OK;
}

int vox_montage_write(const char *path, const vox_montage *m, int cell)
{
    const int left = GAP + (m->row_names ? NAMES : 0);
    const int top = GAP + (m->title ? TITLE : 0) + (m->col_names ? NAMES : 0);
    const vox_text title = {17.0, TEXT, 0.0, 0.5, 1, 0};
    const vox_text across = {14.0, TEXT, 0.5, 0.5, 0, 0}, up = {14.0, TEXT, 0.5, 0.5, 0, 1};
    vox_canvas c;

    VOX_TRY(check(path, m, cell));
    VOX_TRY(vox_canvas_open(&c, left + m->cols * (cell + GAP), top + m->rows * (cell + GAP),
                            BACK));
    if (m->title)
        vox_canvas_text(&c, left, GAP + TITLE / 2.0, title, m->title);
    for (int k = 0; m->col_names && k < m->cols; k++)
        vox_canvas_text(&c, left + k * (cell + GAP) + cell / 2.0, top - NAMES / 2.0, across,
                        m->col_names[k]);
    for (int r = 0; r < m->rows; r++) {
        const double y = top + r * (cell + GAP);

        if (m->row_names)
            vox_canvas_text(&c, GAP + NAMES / 2.0, y + cell / 2.0, up, m->row_names[r]);
        for (int k = 0; k < m->cols; k++) {
            const vox_tile *t = &m->tile[r * m->cols + k];

            if (t->data)
                draw(&c, t, left + k * (cell + GAP), y, cell);
        }
    }
    return vox_canvas_write(&c, path);
}
