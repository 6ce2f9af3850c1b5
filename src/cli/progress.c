/* progress: one line on a terminal, few lines elsewhere. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { CELLS = 24 };

void vox_progress_line_init(vox_progress_line *p, int quiet)
{
    *p = (vox_progress_line){.what = ""};
    vox_bar_init(&p->bar, quiet);
}

static void draw(vox_progress_line *p, int64_t done, int64_t total, double left)
{
    char cells[CELLS + 1], eta[32], line[160];
    int n;

    for (int i = 0; i < CELLS; i++)
        cells[i] = i < CELLS * done / total ? '#' : '.';
    cells[CELLS] = '\0';
    n = snprintf(line, sizeof line, "%s [%s] %lld/%lld  left %s", p->what, cells,
                 (long long)done, (long long)total, vox_bar_duration(left, eta));
    fprintf(stderr, "\r%s%*s", line, p->bar.width > n ? p->bar.width - n : 0, "");
    fflush(stderr);
    p->bar.width = n;
}

void vox_progress_line_show(void *arg, const char *what, int64_t done, int64_t total)
{
    vox_progress_line *p = arg;
    const double now = vox_clock();
    double left;

    if (p->bar.quiet || total < 1)
        return;
    if (strcmp(p->what, what)) {
        vox_progress_line_end(p);
        p->what = what;
        p->began = p->told = now;
        p->tenth = 0;
    }
    left = done ? (now - p->began) / (double)done * (double)(total - done) : 0;
    if (p->bar.live && (done == total || now - p->told >= 0.1)) {
        p->told = now;
        draw(p, done, total, left);
    } else if (!p->bar.live && done < total && 10 * done / total > p->tenth &&
               now - p->told >= 5) {
        char eta[32];

        p->told = now;
        p->tenth = 10 * done / total;
        fprintf(stderr, "%s %lld/%lld  left %s\n", what, (long long)done, (long long)total,
                vox_bar_duration(left, eta));
    }
}

void vox_progress_line_end(vox_progress_line *p)
{
    vox_bar_clear(&p->bar);
    p->what = "";
}
