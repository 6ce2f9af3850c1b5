/* plot, montage, png: pictures are written, show what they should, and survive odd data. */
#include "support/unit.h"

#include <cairo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "io/montage.h"
#include "io/plot.h"
#include "io/png.h"

/* A picture read back by cairo: pixels 0xRRGGBB. */
typedef struct picture {
    int width, height;
    uint32_t *pixel;
} picture;

static picture load(const char *path)
{
    cairo_surface_t *s = cairo_image_surface_create_from_png(path);
    cairo_surface_t *rgb;
    picture p;
    cairo_t *cr;

    assert_int_equal(cairo_surface_status(s), CAIRO_STATUS_SUCCESS);
    p.width = cairo_image_surface_get_width(s);
    p.height = cairo_image_surface_get_height(s);
    p.pixel = calloc((size_t)p.width * (size_t)p.height, 4);
    rgb = cairo_image_surface_create_for_data((unsigned char *)p.pixel, CAIRO_FORMAT_RGB24,
                                              p.width, p.height, 4 * p.width);
    cr = cairo_create(rgb);
    cairo_set_source_surface(cr, s, 0, 0);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_destroy(rgb);
    cairo_surface_destroy(s);
    return p;
}

static int64_t count_of(const picture *p, uint32_t color)
{
    int64_t n = 0;

    for (int i = 0; i < p->width * p->height; i++)
        n += (p->pixel[i] & 0xffffff) == color;
    return n;
}

static void pixels_are_kept(void **state)
{
    const uint8_t gray[6] = {0, 50, 100, 150, 200, 255};
    const uint8_t rgb[6] = {255, 0, 0, 1, 2, 3};
    cairo_surface_t *s;
    picture p;

    (void)state;
    assert_int_equal(vox_png_gray("gray.png", gray, 3, 2), VOX_OK);
    s = cairo_image_surface_create_from_png("gray.png");
    assert_int_equal(cairo_image_surface_get_width(s), 3);
    assert_int_equal(cairo_image_surface_get_height(s), 2);
    for (int i = 0; i < 6; i++) {
        const unsigned char *row =
            cairo_image_surface_get_data(s) + i / 3 * cairo_image_surface_get_stride(s);

        if (cairo_image_surface_get_format(s) == CAIRO_FORMAT_A8)
            assert_int_equal(row[i % 3], gray[i]);
        else
            assert_int_equal(row[4 * (i % 3)], gray[i]);
    }
    cairo_surface_destroy(s);
    assert_int_equal(vox_png_rgb("rgb.png", rgb, 2, 1), VOX_OK);
    p = load("rgb.png");
    assert_int_equal(p.pixel[0] & 0xffffff, 0xff0000);
    assert_int_equal(p.pixel[1] & 0xffffff, 0x010203);
    free(p.pixel);
    assert_int_equal(vox_png_gray("bad.png", gray, 0, 2), VOX_E_ARG);
    assert_int_equal(vox_png_gray("no/folder.png", gray, 3, 2), VOX_E_IO);
    assert_false(vox_file_exists("bad.png"));
}

enum { EPOCHS = 120 };

static void progress_shows_its_curves(void **state)
{
    double x[EPOCHS], train[EPOCHS], val[EPOCHS], seconds[EPOCHS], lr[EPOCHS];
    const vox_series loss[] = {
        {"training",   x, train, EPOCHS, VOX_BLUE},
        {"validation", x, val,   EPOCHS, VOX_RED }
    };
    const vox_series time = {NULL, x, seconds, EPOCHS, VOX_GREY};
    const vox_series rate = {NULL, x, lr, EPOCHS, VOX_GREEN};
    const vox_panel panels[] = {
        {"Loss",           "epoch", "loss",          loss,  2, 0},
        {"Time per epoch", "epoch", "seconds",       &time, 1, 0},
        {"Learning rate",  "epoch", "learning rate", &rate, 1, 0}
    };
    picture p;

    (void)state;
    for (int i = 0; i < EPOCHS; i++) {
        x[i] = i;
        train[i] = 0.3 + 0.7 * exp(-i / 25.0) + 0.02 * sin(i * 1.7);
        val[i] =
            i % 10 == 3 ? (double)NAN : 0.36 + 0.66 * exp(-i / 28.0) + 0.03 * sin(i * 2.3);
        seconds[i] = 31.0 + 2.0 * cos(i * 0.9) + (i == 0 ? 12.0 : 0.0);
        lr[i] = 0.01 * pow(1.0 - i / (double)EPOCHS, 0.9);
    }
    assert_int_equal(vox_plot_write("progress.png", panels, 3, 900, 1050), VOX_OK);
    p = load("progress.png");
    assert_int_equal(p.width, 900);
    assert_int_equal(p.height, 1050);
    assert_int_equal(p.pixel[0] & 0xffffff, 0xffffff);
    assert_true(count_of(&p, VOX_BLUE) > 300);
    assert_true(count_of(&p, VOX_RED) > 300);
    assert_true(count_of(&p, VOX_GREEN) > 300);
    free(p.pixel);
}

static void odd_data_are_drawn(void **state)
{
    static const double x[4] = {0, 1, 2, 3};
    static const double rows[][4] = {
        {5,      5,         5,  5   },
        {0,      0,         0,  0   },
        {1e-300, 1e300,     -1, 2   },
        {-1e-9,  1e-9,      0,  2e-9},
        {1,      1.0000001, 1,  1   }
    };
    const double nothing[4] = {NAN, INFINITY, -INFINITY, NAN};

    (void)state;
    for (int i = 0; i < VOX_COUNT(rows); i++) {
        for (int log_y = 0; log_y < 2; log_y++) {
            const vox_series s = {"odd", x, rows[i], 4, VOX_RED};
            const vox_panel panel = {"odd", NULL, NULL, &s, 1, log_y};

            assert_int_equal(vox_plot_write("odd.png", &panel, 1, 400, 300), VOX_OK);
        }
    }
    for (int64_t n = 0; n < 5; n += 4) {
        const vox_series s = {"none", x, nothing, n, VOX_RED};
        const vox_panel panel = {"none", NULL, NULL, &s, 1, 0};

        assert_int_equal(vox_plot_write("none.png", &panel, 1, 400, 300), VOX_OK);
    }
    {
        const vox_series s = {"one", x, rows[0], 1, VOX_RED};
        const vox_panel panel = {"one", NULL, NULL, &s, 1, 0};
        picture p;

        assert_int_equal(vox_plot_write("one.png", &panel, 1, 400, 300), VOX_OK);
        p = load("one.png");
        assert_true(count_of(&p, VOX_RED) > 5); /* its dot */
        free(p.pixel);
        assert_int_equal(vox_plot_write("bad.png", &panel, 1, 40, 300), VOX_E_ARG);
    }
}

enum { D = 40, H = 48, W = 44 };

/* A head: an ellipsoid with a bright rim, folds inside, marks that tell the directions. */
static void make_head(float *v)
{
    for (int z = 0; z < D; z++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const double a = (z - D / 2) / 18.0, b = (y - H / 2) / 22.0,
                             c = (x - W / 2) / 19.0, r = sqrt(a * a + b * b + c * c);

                v[(z * H + y) * W + x] =
                    (float)(r > 1.0 ? 0.0
                            : r > 0.9
                                ? 1.0
                                : 0.5 + 0.2 * sin(9 * a) * cos(8 * b) + 0.1 * sin(10 * c));
            }
}

static void montage_shows_planes_true_to_size(void **state)
{
    static const char *const rows[] = {"input", "masked", "prediction"};
    static const char *const cols[] = {"axial", "coronal", "sagittal"};
    static float head[D * H * W], masked[D * H * W];
    const int64_t extent[3] = {D, H, W};
    const float spacing[3] = {1.5f, 1.0f, 1.0f};
    vox_tile tile[9];
    float window[2];
    picture p;

    (void)state;
    make_head(head);
    head[0] = 1.0f; /* lower front left corner */
    for (int i = 0; i < D * H * W; i++)
        masked[i] = (i / W / H / 8 + i / W % H / 8 + i % W / 8) % 2 ? NAN : head[i];
    vox_window(head, D * H * W, 0.005, 0.995, window);
    assert_true(window[0] == 0.0f && window[1] == 1.0f);
    for (int i = 0; i < 9; i++) {
        tile[i] = vox_tile_plane(i / 3 == 1 ? masked : head, extent, spacing, i % 3,
                                 extent[i % 3] / 2);
        tile[i].lo = window[0];
        tile[i].hi = window[1];
    }
    assert_int_equal(vox_montage_write("montage.png",
                                       &(vox_montage){"Epoch 3", 3, 3, tile, rows, cols},
                                       200),
                     VOX_OK);
    p = load("montage.png");
    assert_true(count_of(&p, 0x35507a) > 3 * 5000); /* hidden blocks */
    free(p.pixel);
    tile[0] =
        vox_tile_plane(head, extent, spacing, 2, 0); /* 40 x 48 samples of 1.5 x 1 mm */
    tile[0].row_mm = 1.0;
    assert_int_equal(
        vox_montage_write("one.png", &(vox_montage){NULL, 1, 1, tile, NULL, NULL}, 48),
        VOX_OK);
    p = load("one.png");
    assert_int_equal(p.width, 48 + 20);
    assert_int_equal(p.pixel[p.width * (10 + 4 + 39) + 10] & 0xff,
                     255); /* z = 0 is below */
    assert_int_equal(p.pixel[p.width * (10 + 4) + 10] & 0xff, 0);
    free(p.pixel);
    tile[0].row_mm = 0.0;
    assert_int_equal(
        vox_montage_write("bad.png", &(vox_montage){NULL, 1, 1, tile, NULL, NULL}, 48),
        VOX_E_ARG);
}

static void windows_are_never_empty(void **state)
{
    const float flat[3] = {2, 2, 2}, none[2] = {NAN, NAN},
                some[5] = {NAN, 1, 9, INFINITY, 5};
    float w[2];

    (void)state;
    vox_window(flat, 3, 0.0, 1.0, w);
    assert_true(w[0] == 2.0f && w[1] == 3.0f);
    vox_window(none, 2, 0.0, 1.0, w);
    assert_true(w[0] == 0.0f && w[1] == 1.0f);
    vox_window(some, 5, 0.0, 1.0, w);
    assert_true(w[0] == 1.0f && w[1] == 9.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_kept),
        cmocka_unit_test(progress_shows_its_curves),
        cmocka_unit_test(odd_data_are_drawn),
        cmocka_unit_test(montage_shows_planes_true_to_size),
        cmocka_unit_test(windows_are_never_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
