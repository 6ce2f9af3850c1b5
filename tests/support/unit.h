/* unit: cmocka with the headers it wants before it. */
#ifndef VOX_TESTS_SUPPORT_UNIT_H
#define VOX_TESTS_SUPPORT_UNIT_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* Where stored data lies: VOX_SOURCE_DIR "/tests/golden/...". */
#ifndef VOX_SOURCE_DIR
#define VOX_SOURCE_DIR "."
#endif

#endif
