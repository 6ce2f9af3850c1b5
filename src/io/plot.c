/*
 * plot: axes with round numbers, curves, a legend beside the title where it hides nothing.
 */
#include "io/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "io/canvas.h"

enum {
    PAPER = 0xffffff,
    INK = 0x1f2933,
    PALE_INK = 0x5b6672,
    GRID = 0xe4e8ec,
    AXIS = 0x9aa5b1,
    LEFT = 92, /* pixels around a panel's axes */
    RIGHT = 84,
    TOP = 46,
    BELOW = 52,
    MARKERS = 40 /* up to so many points each gets a dot */
};

#define MOST 1e250

/* One axis: data from lo to hi, drawn from pixel p0 to p1, a tick every `step`. */
typedef struct axis {
    double lo, hi, step;
    double p0, p1;
    int log; /* lo and hi are then powers of ten */
} axis;

typedef struct range {
    double lo, hi;
    int any;
} range;

static void widen(range *r, double v)
{
    if (!r->any || v < r->lo)
        r->lo = v;
    if (!r->any || v > r->hi)
        r->hi = v;
    r->any = 1;
}

/* Not NaN, and so far from the ends of double that no arithmetic on axes overflows. */
static int visible(const vox_panel *p, double x, double y)
{
    return fabs(x) < MOST && fabs(y) < MOST && (!p->log_y || y > 1.0 / MOST);
}

/* 1, 2 or 5 times a power of ten: about n steps over the span. */
static double round_step(double span, int n)
{
    const double raw = span / n, power = pow(10.0, floor(log10(raw)));
    const double digit = raw / power;

    return power * (digit <= 1.0 ? 1.0 : digit <= 2.0 ? 2.0 : digit <= 5.0 ? 5.0 : 10.0);
}

/* A little air around the data, and a span even where the data have none. */
static void fit_linear(axis *a, range r, int ticks, double air)
{
    double span = r.hi - r.lo;

    if (span <= 1e-12 * fmax(fabs(r.lo), fabs(r.hi))) {
        span = r.hi != 0.0 ? fabs(r.hi) * 0.5 : 1.0;
        r.lo -= span / 2.0;
        r.hi += span / 2.0;
    }
    a->lo = r.lo - air * span;
    a->hi = r.hi + air * span;
    if (r.lo >= 0.0 && a->lo < 0.0)
        a->lo = 0.0;
    a->step = round_step(a->hi - a->lo, ticks);
}

static void fit_log(axis *a, range r)
{
    const double air = 0.04 * (log10(r.hi) - log10(r.lo)) + 0.02;

    a->log = 1;
    a->lo = r.lo * pow(10.0, -air);
    a->hi = r.hi * pow(10.0, air);
}

static double place(const axis *a, double v)
{
    const double t = a->log ? (log(v) - log(a->lo)) / (log(a->hi) - log(a->lo))
                            : (v - a->lo) / (a->hi - a->lo);

    return a->p0 + t * (a->p1 - a->p0);
}

static void number(char out[static 32], double v, double step)
{
    const double big = fmax(fabs(v), step);
    const int decimals = step < 1.0 ? (int)ceil(-log10(step) - 1e-9) : 0;

    if (fabs(v) < 1e-12 * step)
        snprintf(out, 32, "0");
    else if (big >= 1e6 || step < 1e-5)
        snprintf(out, 32, "%.1e", v);
    else
        snprintf(out, 32, "%.*f", decimals, v);
}

static void line(vox_canvas *c, double x0, double y0, double x1, double y1)
{
    /* on the pixel grid, so that thin lines stay sharp */
    cairo_move_to(c->cr, floor(x0) + 0.5, floor(y0) + 0.5);
    cairo_line_to(c->cr, floor(x1) + 0.5, floor(y1) + 0.5);
    cairo_stroke(c->cr);
}

static void y_tick(vox_canvas *c, const axis *x, const axis *y, double v, double step)
{
    const vox_text style = {12.0, PALE_INK, 1.0, 0.5, 0, 0};
    char text[32];

    vox_canvas_color(c, GRID);
    line(c, x->p0, place(y, v), x->p1, place(y, v));
    number(text, v, step);
    vox_canvas_text(c, x->p0 - 8.0, place(y, v), style, text);
}

static void x_tick(vox_canvas *c, const axis *x, const axis *y, double v)
{
    const vox_text style = {12.0, PALE_INK, 0.5, 0.0, 0, 0};
    char text[32];

    vox_canvas_color(c, GRID);
    line(c, place(x, v), y->p0, place(x, v), y->p1);
    number(text, v, x->step);
    vox_canvas_text(c, place(x, v), y->p0 + 8.0, style, text);
}

/* Round values along y. */
static void linear_ticks(vox_canvas *c, const axis *x, const axis *y, double step)
{
    const int64_t first = (int64_t)ceil(y->lo / step - 1e-9);

    for (int64_t k = first; (double)k * step <= y->hi + 1e-9 * step; k++)
        y_tick(c, x, y, (double)k * step, step);
}

/* Decades, with 2 and 5 between them while there are few. */
static void log_ticks(vox_canvas *c, const axis *x, const axis *y)
{
    const double decades = log10(y->hi) - log10(y->lo);
    const int jump = 1 + (int)(decades / 8.0);

    if (decades < 0.7) { /* too narrow for round decades: as on a linear axis */
        linear_ticks(c, x, y, round_step(y->hi - y->lo, 4));
        return;
    }
    for (int e = (int)floor(log10(y->lo)); e <= (int)ceil(log10(y->hi)); e += jump) {
        for (int digit = 1; digit <= 5; digit = digit == 2 ? 5 : digit + 1) {
            const double v = digit * pow(10.0, e);

            if (v >= y->lo && v <= y->hi && (digit == 1 || decades < 3.0))
                y_tick(c, x, y, v, pow(10.0, e));
        }
    }
}

static void grid(vox_canvas *c, const axis *x, const axis *y)
{
    const int64_t first = (int64_t)ceil(x->lo / x->step - 1e-9);

    cairo_set_line_width(c->cr, 1.0);
    for (int64_t k = first; (double)k * x->step <= x->hi + 1e-9 * x->step; k++)
        x_tick(c, x, y, (double)k * x->step);
    if (y->log)
        log_ticks(c, x, y);
    else
        linear_ticks(c, x, y, y->step);
    vox_canvas_color(c, AXIS);
    line(c, x->p0, y->p0, x->p1, y->p0);
    line(c, x->p0, y->p0, x->p0, y->p1);
}

static void curve(vox_canvas *c, const vox_panel *p, const vox_series *s, const axis *x,
                  const axis *y)
{
    int pen = 0;

    vox_canvas_color(c, s->color);
    cairo_set_line_width(c->cr, 1.8);
    cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
    for (int64_t i = 0; i < s->count; i++) {
        if (!visible(p, s->x[i], s->y[i])) {
            pen = 0;
            continue;
        }
        if (pen)
            cairo_line_to(c->cr, place(x, s->x[i]), place(y, s->y[i]));
        else
            cairo_move_to(c->cr, place(x, s->x[i]), place(y, s->y[i]));
        pen = 1;
    }
    cairo_stroke(c->cr);
    for (int64_t i = 0; s->count <= MARKERS && i < s->count; i++) {
        if (visible(p, s->x[i], s->y[i])) {
            cairo_arc(c->cr, place(x, s->x[i]), place(y, s->y[i]), 2.6, 0.0, 6.2831853);
            cairo_fill(c->cr);
        }
    }
}

/* The last value, to the right of the axes; *taken keeps two of them apart. */
static void last_value(vox_canvas *c, const vox_panel *p, const vox_series *s,
                       const axis *x, const axis *y, double *taken)
{
    const vox_text style = {12.0, s->color, 0.0, 0.5, 1, 0};
    int64_t i = s->count - 1;
    char text[32];
    double at;

    while (i >= 0 && !visible(p, s->x[i], s->y[i]))
        i--;
    if (i < 0)
        return;
    at = place(y, s->y[i]);
    if (fabs(at - *taken) < 14.0)
        at = *taken + (at < *taken ? -14.0 : 14.0);
    *taken = at;
    snprintf(text, sizeof text, "%.4g", s->y[i]);
    vox_canvas_text(c, x->p1 + 8.0, at, style, text);
}

/* From the right, in the line of the title. */
static void legend(vox_canvas *c, const vox_panel *p, double right, double at)
{
    const vox_text style = {12.5, INK, 0.0, 0.5, 0, 0};

    for (int i = p->n_series - 1; i >= 0; i--) {
        if (!p->series[i].label)
            continue;
        right -= vox_canvas_text_width(c, style, p->series[i].label);
        vox_canvas_text(c, right, at, style, p->series[i].label);
        vox_canvas_color(c, p->series[i].color);
        cairo_set_line_width(c->cr, 3.0);
        line(c, right - 28.0, at, right - 7.0, at);
        right -= 28.0 + 18.0;
    }
}

static void labels(vox_canvas *c, const vox_panel *p, const axis *x, const axis *y)
{
    const vox_text title = {15.0, INK, 0.0, 0.5, 1, 0};
    const vox_text below = {12.5, INK, 0.5, 0.0, 0, 0};
    const vox_text beside = {12.5, INK, 0.5, 0.5, 0, 1};

    if (p->title)
        vox_canvas_text(c, x->p0, y->p1 - 22.0, title, p->title);
    if (p->x_label)
        vox_canvas_text(c, (x->p0 + x->p1) / 2.0, y->p0 + 28.0, below, p->x_label);
    if (p->y_label)
        vox_canvas_text(c, x->p0 - 72.0, (y->p0 + y->p1) / 2.0, beside, p->y_label);
    legend(c, p, x->p1, y->p1 - 22.0);
}

/* Axes that hold all points of a panel. @return 0 when there are none */
static int fit(const vox_panel *p, axis *x, axis *y)
{
    range rx = {0}, ry = {0};

    for (int k = 0; k < p->n_series; k++) {
        const vox_series *s = &p->series[k];

        for (int64_t i = 0; i < s->count; i++) {
            if (visible(p, s->x[i], s->y[i])) {
                widen(&rx, s->x[i]);
                widen(&ry, s->y[i]);
            }
        }
    }
    if (!rx.any)
        return 0;
    fit_linear(x, rx, 8, 0.0);
    if (p->log_y)
        fit_log(y, ry);
    else
        fit_linear(y, ry, 6, 0.06);
    return 1;
}

static void panel(vox_canvas *c, const vox_panel *p, int width, double top, double height)
{
    axis x = {.p0 = LEFT, .p1 = width - RIGHT};
    axis y = {.p0 = top + height - BELOW, .p1 = top + TOP};
    const vox_text empty = {13.0, PALE_INK, 0.5, 0.5, 0, 0};
    double taken = -1e9;

    if (fit(p, &x, &y)) {
        grid(c, &x, &y);
        for (int i = 0; i < p->n_series; i++) {
            curve(c, p, &p->series[i], &x, &y);
            last_value(c, p, &p->series[i], &x, &y, &taken);
        }
    } else {
        vox_canvas_text(c, (x.p0 + x.p1) / 2.0, (y.p0 + y.p1) / 2.0, empty, "no data yet");
    }
    labels(c, p, &x, &y);
}

int vox_plot_write(const char *path, const vox_panel *panels, int n_panels, int width,
                   int height)
{
    vox_canvas c;

    if (n_panels < 1 || width < LEFT + RIGHT + 50 || height < n_panels * (TOP + BELOW + 30))
        return vox_fail(VOX_E_ARG, "%s: %d panels do not fit %d x %d pixels", path,
                        n_panels, width, height);
    VOX_TRY(vox_canvas_open(&c, width, height, PAPER));
    for (int i = 0; i < n_panels; i++)
        panel(&c, &panels[i], width, (double)height * i / n_panels,
              (double)height / n_panels);
    return vox_canvas_write(&c, path);
}
