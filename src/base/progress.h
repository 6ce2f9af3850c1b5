/* progress: how a long piece of work tells how far it is. */
#ifndef VOX_BASE_PROGRESS_H
#define VOX_BASE_PROGRESS_H

#include <stdint.h>

/** `done` of `total` pieces of `what` are ready. One call at a time, from any thread. */
typedef void (*vox_progress_fn)(void *arg, const char *what, int64_t done, int64_t total);

#endif
