/*
 * cmd: a command of the program. Only cli/ prints results and exits.
 *
 * Results go to stdout, everything else to stderr. A command returns VOX_OK or a code; main
 * prints the message and maps the code to an exit status (cli.md): VOX_E_USAGE 2, a signal
 * 130 or 143, anything else 1.
 */
#ifndef VOX_CLI_CMD_H
#define VOX_CLI_CMD_H

#include "base/error.h"
#include "base/opt.h"

/** Options every command takes: -h, -q, -v, --threads, --json. */
typedef struct vox_common {
    int help, quiet, verbose, json;
    int threads; /* 0: all allowed cores */
} vox_common;

typedef struct vox_cmd {
    const char *name, *group, *summary, *usage;
    const char *peer; /* the nnssl_* name it answers to, or NULL */
    size_t cfg_size;
    const vox_opt *opts; /* rows of its own struct */
    int (*run)(const void *cfg, const vox_common *common, int argc, char **argv);
} vox_cmd;

/** The i-th command of cli/cmds.def, NULL after the last. */
const vox_cmd *vox_cmd_at(int i);

#endif
