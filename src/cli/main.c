/* voxmind: the program. Commands arrive with src/cli/cmds.def; until then it says its
 * version. */
#include "base/version.h"

#include <stdio.h>

int main(void)
{
    printf("voxmind %s (%s)\n", vox_version(), vox_commit());
    return 0;
}
