/* bar: progress on stderr. */
#include "train/bar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"

enum { CELLS = 20 };

void vox_bar_init(vox_bar *bar, int quiet)
{
    const int batch = getenv("SLURM_JOB_ID") || getenv("LSF_JOBID");
    const char *term = getenv("TERM");

    *bar = (vox_bar){.quiet = quiet};
    bar->live =
        !quiet && !batch && isatty(STDERR_FILENO) && !(term && !strcmp(term, "dumb"));
}

const char *vox_bar_duration(double seconds, char buf[static 32])
{
    const long s = seconds > 0 && seconds < 1e9 ? lrint(seconds) : 0;
    const long days = s / 86400;
    int n = 0;

    if (days)
        n = snprintf(buf, 32, "%ldd ", days);
    snprintf(buf + n, 32 - (size_t)n, "%02ld:%02ld:%02ld", s / 3600 % 24, s / 60 % 60,
             s % 60);
    return buf;
}

void vox_bar_clear(vox_bar *bar)
{
    if (bar->width)
        fprintf(stderr, "\r%*s\r", bar->width, "");
    bar->width = 0;
}

static void draw(vox_bar *bar, const char *line)
{
    const int n = (int)strlen(line);

    fprintf(stderr, "\r%s%*s", line, bar->width > n ? bar->width - n : 0, "");
    fflush(stderr);
    bar->width = n;
}

void vox_bar_after_step(vox_bar *bar, const vox_bar_step *s)
{
    const double now = vox_clock();
    const int64_t left = (s->epochs - s->epoch) * s->steps - s->step;
    const int full = (int)(CELLS * s->step / (s->steps > 0 ? s->steps : 1));
    char cells[CELLS + 1], eta[32], line[160];

    bar->step_s = bar->step_s > 0 ? 0.9 * bar->step_s + 0.1 * s->seconds : s->seconds;
    if (!bar->live || (now - bar->drawn < 0.1 && s->step < s->steps))
        return;
    bar->drawn = now;
    for (int i = 0; i < CELLS; i++)
        cells[i] = i < full ? '#' : '.';
    cells[CELLS] = '\0';
    snprintf(line, sizeof line,
             "epoch %lld/%lld [%s] %lld/%lld  loss %.4f  %.2f s/step  left %s",
             (long long)s->epoch, (long long)s->epochs, cells, (long long)s->step,
             (long long)s->steps, s->loss, bar->step_s,
             vox_bar_duration((double)left * bar->step_s, eta));
    draw(bar, line);
}

void vox_bar_after_epoch(vox_bar *bar, const vox_bar_epoch *e)
{
    char left[32];

    if (bar->quiet)
        return;
    vox_bar_clear(bar);
    fprintf(stderr, "epoch %lld/%lld  train %.4f  val %.4f%s", (long long)e->epoch,
            (long long)e->epochs, e->train_loss, e->val_loss, e->best ? " (best)" : "");
    if (isfinite(e->ratio_zero) && isfinite(e->ratio_mean))
        fprintf(stderr, "  vs zero %.3f  vs visible mean %.3f", e->ratio_zero,
                e->ratio_mean);
    fprintf(stderr, "  lr %.3g  %.1f s  left %s\n", e->lr, e->seconds,
            vox_bar_duration((double)(e->epochs - e->epoch - 1) * e->seconds, left));
}
