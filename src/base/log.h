/*
 * log: what happens, for a person, on stderr. Results go to stdout and are not log.
 *
 * VOX_LOG=loader:debug,plan:info sets levels by component, VOX_LOG=debug for all.
 */
#ifndef VOX_BASE_LOG_H
#define VOX_BASE_LOG_H

#include "base/compiler.h"

typedef enum vox_level { VOX_ERROR, VOX_WARN, VOX_INFO, VOX_DEBUG } vox_level;

/** One line "voxmind: component: text"; any thread. The newline is added. */
void vox_log(vox_level level, const char *component, const char *fmt, ...) VOX_PRINTF(3, 4);

/** The level shown where VOX_LOG says nothing (default VOX_INFO). */
void vox_log_set_level(vox_level level);

/** Is this level shown for the component? Saves the work of building an unseen line. */
int vox_log_shows(vox_level level, const char *component);

#endif
