/*
 * peer_log: training_log_<date>.txt as the peer writes it, for scripts that read it.
 *
 * One append per message, each argument followed by a blank. Numbers are rounded as numpy
 * does and printed as Python's repr. A log that cannot be written never stops a run.
 *
 * Source: methods.md 1.2, 1.15.
 */
#ifndef VOX_TRAIN_PEER_LOG_H
#define VOX_TRAIN_PEER_LOG_H

#include "base/compiler.h"

typedef struct vox_peer_log {
    char *path; /* NULL: nothing is written */
    int warned;
} vox_peer_log;

#define VOX_PEER_LOG_INIT \
    {                     \
        0                 \
    }

/** Name a new file after the present time and write its head. @return VOX_OK; VOX_E_NOMEM
 */
int vox_peer_log_open(vox_peer_log *log, const char *dir);

/** "<timestamp>: <message> " */
void vox_peer_log_line(vox_peer_log *log, const char *fmt, ...) VOX_PRINTF(2, 3);

/** "<timestamp>: <name> <value> ", the value rounded to `decimals` places. */
void vox_peer_log_value(vox_peer_log *log, const char *name, double v, int decimals);

/** A block of text without timestamp, as it is. */
void vox_peer_log_text(vox_peer_log *log, const char *text);

void vox_peer_log_close(vox_peer_log *log);

#endif
