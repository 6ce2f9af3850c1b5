/* help_texts: the manual page and the shell completion, made from the tables of commands
 * and options, so that neither can be wrong about them. */
#ifndef VOX_CLI_HELP_TEXTS_H
#define VOX_CLI_HELP_TEXTS_H

#include "base/buf.h"

/** voxmind.1 in the man macros. @return VOX_OK; VOX_E_NOMEM */
int vox_help_man(vox_buf *out);

/** A completion script for bash. @return VOX_OK; VOX_E_NOMEM */
int vox_help_completion(vox_buf *out);

#endif
