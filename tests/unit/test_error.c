/* error: messages, frames, handing over between threads. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "support/unit.h"

static int inner(void)
{
    return vox_fail(VOX_E_FORMAT, "magic is \"%s\", wanted \"%s\"", "abcd", "n+1");
}

static int outer(void)
{
    VOX_TRY(inner());
    return VOX_OK;
}

static void frames_stand_in_front(void **state)
{
    (void)state;
    assert_int_equal(outer(), VOX_E_FORMAT);
    assert_int_equal(vox_fail_in(VOX_E_FORMAT, "in %s", "a.nii"), VOX_E_FORMAT);
    assert_string_equal(vox_error_text(), "in a.nii: magic is \"abcd\", wanted \"n+1\"");
}

static void arguments_may_be_the_message(void **state)
{
    (void)state;
    vox_fail(VOX_E_IO, "one");
    vox_fail(VOX_E_IO, "two after %s", vox_error_text());
    assert_string_equal(vox_error_text(), "two after one");
}

static void long_messages_are_cut(void **state)
{
    char long_text[3000];

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    vox_fail(VOX_E_IO, "%s", long_text);
    vox_fail_in(VOX_E_IO, "%s", long_text);
    assert_int_equal(strlen(vox_error_text()), sizeof((vox_error *)0)->text - 1);
}

static void take_and_give(void **state)
{
    vox_error e;

    (void)state;
    errno = ENOSPC;
    assert_int_equal(vox_fail_errno(VOX_E_IO, "f"), VOX_E_IO);
    vox_error_take(&e);
    assert_string_equal(vox_error_text(), "");
    assert_int_equal(vox_error_give(&e), VOX_E_IO);
    assert_string_equal(vox_error_text(), "f: No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_stand_in_front),
        cmocka_unit_test(arguments_may_be_the_message),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(take_and_give),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
