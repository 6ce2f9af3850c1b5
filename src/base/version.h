/* version: what this build calls itself. */
#ifndef VOX_BASE_VERSION_H
#define VOX_BASE_VERSION_H

#define VOX_VERSION "0.1.0"

/** The version of the library, such as "0.1.0". */
const char *vox_version(void);

/** The commit the library was built from, or "unknown" outside a checkout. */
const char *vox_commit(void);

#endif
