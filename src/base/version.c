/* version: what this build calls itself. The build generates the commit
 * (cmake/commit.cmake). */
#include "base/version.h"

extern const char vox_commit_text[];

const char *vox_version(void)
{
    return VOX_VERSION;
}

const char *vox_commit(void)
{
    return vox_commit_text;
}
