/*
 * progress: how far a piece of work is, on stderr: a line that redraws itself on a
 * terminal, a line every tenth of the work (but at most one in five seconds) elsewhere and
 * in batch jobs.
 */
#ifndef VOX_CLI_PROGRESS_H
#define VOX_CLI_PROGRESS_H

#include "train/bar.h"

typedef struct vox_progress_line {
    vox_bar bar;
    const char *what; /* the piece of work shown last; kept */
    double began, told;
    int64_t tenth; /* of the work, told last */
} vox_progress_line;

/** Decide how to tell; `quiet`: nothing at all. */
void vox_progress_line_init(vox_progress_line *p, int quiet);

/** `done` of `total` pieces are ready. `arg` is a vox_progress_line, so that this is a
 * vox_progress_fn; `what` must be a string that stays. Calls must not overlap. */
void vox_progress_line_show(void *arg, const char *what, int64_t done, int64_t total);

/** Leave the terminal's line clean for other output. */
void vox_progress_line_end(vox_progress_line *p);

#endif
