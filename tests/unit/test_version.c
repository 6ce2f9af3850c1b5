/* version: the build knows what it is. */
#include "support/unit.h"

#include "base/version.h"

#include <string.h>

static void version_is_that_of_the_header(void **state)
{
    (void)state;
    assert_string_equal(vox_version(), VOX_VERSION);
}

static void commit_is_a_hash_or_unknown(void **state)
{
    const char *commit = vox_commit();

    (void)state;
    assert_true(strcmp(commit, "unknown") == 0 ||
                strspn(commit, "0123456789abcdef") == strlen(commit));
    assert_true(strlen(commit) >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_is_that_of_the_header),
        cmocka_unit_test(commit_is_a_hash_or_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
