/*
 * cmd: a command of the program. Only cli/ prints results and exits.
 *
 * Results go to stdout, everything else to stderr. A command returns VOX_OK or a code; main
 * prints the message and maps the code to an exit status (docs/commands.md): VOX_E_USAGE 2,
 * a signal 130 or 143, anything else 1.
 */
#ifndef VOX_CLI_CMD_H
#define VOX_CLI_CMD_H

#include "base/error.h"
#include "base/opt.h"

/** Options every command takes, and what the command line said. */
typedef struct vox_common {
    int help, quiet, verbose, json;
    int threads;                /* 0: all allowed cores */
    const unsigned char *given; /* per row of the command's options: was it typed? */
    const char *called;         /* the name typed: "pretrain" or "nnssl_train" */
} vox_common;

typedef struct vox_cmd {
    const char *name, *group, *summary, *usage;
    const char *peer; /* the nnssl_* name it answers to, or NULL */
    size_t cfg_size;
    const vox_opt *opts;   /* rows of its own struct */
    const vox_opt *shared; /* rows of a struct that its own begins with, or NULL */
    int (*run)(const void *cfg, const vox_common *common, int argc, char **argv);
    int (*help)(vox_buf *out); /* further help text, or NULL */
    const char *words;         /* what may stand first, for completion, or NULL */
} vox_cmd;

/** The i-th command of cli/cmds.def, NULL after the last. */
const vox_cmd *vox_cmd_at(int i);

/** The command of that name or peer name. @return NULL with a message ("did you mean") */
const vox_cmd *vox_cmd_find(const char *name);

/** Usage, summary and options of a command. */
int vox_cmd_explain(const vox_cmd *cmd, vox_buf *out);

/** All commands by group: what `voxmind` alone prints. */
int vox_cmd_overview(vox_buf *out);

#endif
