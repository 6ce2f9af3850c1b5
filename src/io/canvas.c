/* canvas: cairo behind our errors. */
#include "io/canvas.h"

#include "base/error.h"
#include "base/file.h"

enum { MAX_SIDE = 32767 };

static int fail_cairo(cairo_status_t status, const char *path)
{
    const int code = status == CAIRO_STATUS_NO_MEMORY ? VOX_E_NOMEM : VOX_E_IO;

    return vox_fail(code, "%s: cannot draw: %s", path, cairo_status_to_string(status));
}

int vox_canvas_open(vox_canvas *c, int width, int height, uint32_t color)
{
    cairo_status_t status;

    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
        return vox_fail(VOX_E_ARG, "a picture of %d x %d pixels, wanted 1 to %d", width,
                        height, MAX_SIDE);
    c->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    c->cr = cairo_create(c->surface);
    vox_canvas_color(c, color);
    cairo_paint(c->cr);
    status = cairo_status(c->cr);
    if (status == CAIRO_STATUS_SUCCESS)
        return VOX_OK;
    cairo_destroy(c->cr);
    cairo_surface_destroy(c->surface);
    return fail_cairo(status, "picture");
}

static cairo_status_t write_some(void *file, const unsigned char *data, unsigned n)
{
    return fwrite(data, 1, n, file) == n ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

int vox_surface_write(cairo_surface_t *surface, const char *path)
{
    vox_writer w;
    cairo_status_t status;

    VOX_TRY(vox_writer_open(&w, path));
    status = cairo_surface_write_to_png_stream(surface, write_some, w.f);
    if (status == CAIRO_STATUS_SUCCESS)
        return vox_writer_commit(&w);
    vox_writer_abort(&w);
    return fail_cairo(status, path);
}

int vox_canvas_write(vox_canvas *c, const char *path)
{
    const cairo_status_t status = cairo_status(c->cr);
    int rc;

    cairo_surface_flush(c->surface);
    rc = status == CAIRO_STATUS_SUCCESS ? vox_surface_write(c->surface, path)
                                        : fail_cairo(status, path);
    cairo_destroy(c->cr);
    cairo_surface_destroy(c->surface);
    return rc;
}

void vox_canvas_color(vox_canvas *c, uint32_t color)
{
    cairo_set_source_rgb(c->cr, (color >> 16 & 0xff) / 255.0, (color >> 8 & 0xff) / 255.0,
                         (color & 0xff) / 255.0);
}

static void select_font(vox_canvas *c, vox_text style)
{
    cairo_select_font_face(c->cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c->cr, style.size);
}

double vox_canvas_text_width(vox_canvas *c, vox_text style, const char *text)
{
    cairo_text_extents_t e;

    select_font(c, style);
    cairo_text_extents(c->cr, text, &e);
    return e.x_advance;
}

double vox_canvas_text(vox_canvas *c, double x, double y, vox_text style, const char *text)
{
    const double width = vox_canvas_text_width(c, style, text);

    vox_canvas_color(c, style.color);
    cairo_save(c->cr);
    cairo_translate(c->cr, x, y);
    if (style.upwards)
        cairo_rotate(c->cr, -1.5707963267948966);
    cairo_move_to(c->cr, -style.align_x * width, (1.0 - style.align_y) * 0.72 * style.size);
    cairo_show_text(c->cr, text);
    cairo_restore(c->cr);
    return width;
}
