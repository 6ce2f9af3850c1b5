/* png: rows copied into a cairo surface, whose rows are padded. */
#include "io/png.h"

#include <string.h>

#include "base/error.h"
#include "io/canvas.h"

enum { MAX_SIDE = 32767 };

/* An empty surface of that size; its status is asked for by who writes it. */
static int new_surface(cairo_surface_t **out, cairo_format_t format, int width, int height,
                       const char *path)
{
    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
        return vox_fail(VOX_E_ARG, "%s: a picture of %d x %d pixels, wanted 1 to %d", path,
                        width, height, MAX_SIDE);
    *out = cairo_image_surface_create(format, width, height);
    if (cairo_surface_status(*out) == CAIRO_STATUS_SUCCESS)
        return VOX_OK;
    cairo_surface_destroy(*out);
    return vox_fail(VOX_E_NOMEM, "%s: no memory for %d x %d pixels", path, width, height);
}

static int finish(cairo_surface_t *s, const char *path)
{
    int rc;

    cairo_surface_mark_dirty(s);
    rc = vox_surface_write(s, path);
    cairo_surface_destroy(s);
    return rc;
}

int vox_png_gray(const char *path, const uint8_t *pixels, int width, int height)
{
    cairo_surface_t *s;
    unsigned char *row;

    VOX_TRY(new_surface(&s, CAIRO_FORMAT_A8, width, height, path));
    row = cairo_image_surface_get_data(s);
    for (int y = 0; y < height; y++, row += cairo_image_surface_get_stride(s))
        memcpy(row, pixels + (size_t)y * (size_t)width, (size_t)width);
    return finish(s, path);
}

int vox_png_rgb(const char *path, const uint8_t *pixels, int width, int height)
{
    cairo_surface_t *s;
    unsigned char *row;

    VOX_TRY(new_surface(&s, CAIRO_FORMAT_RGB24, width, height, path));
    row = cairo_image_surface_get_data(s);
    for (int y = 0; y < height; y++, row += cairo_image_surface_get_stride(s)) {
        for (int x = 0; x < width; x++, pixels += 3) {
            const uint32_t v =
                (uint32_t)pixels[0] << 16 | (uint32_t)pixels[1] << 8 | (uint32_t)pixels[2];

            memcpy(row + 4 * x, &v, sizeof v);
        }
    }
    return finish(s, path);
}
