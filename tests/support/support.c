/* support: helpers shared by the tests live in this folder. */
#include "support/unit.h"

typedef int vox_tests_support_is_not_empty;
