/* peer_log, bar: the text scripts read, and durations. */
#include "support/unit.h"

#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "train/bar.h"
#include "train/peer_log.h"

static int matches(const char *text, const char *pattern)
{
    regex_t re;
    int yes;

    assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE), 0);
    yes = regexec(&re, text, 0, NULL, 0) == 0;
    regfree(&re);
    return yes;
}

#define STAMP "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}: "

static void test_lines_as_the_peer_writes_them(void **state)
{
    vox_peer_log log;
    vox_buf text = VOX_BUF_INIT;

    (void)state;
    assert_int_equal(vox_peer_log_open(&log, "."), VOX_OK);
    assert_true(matches(vox_path_base(log.path),
                        "^training_log_[0-9]{4}_[1-9][0-9]?_[1-9][0-9]?"
                        "_[0-9]{2}_[0-9]{2}_[0-9]{2}\\.txt$"));
    vox_peer_log_line(&log, "Epoch %d", 0);
    vox_peer_log_value(&log, "Current learning rate:", 0.00001, 5);
    vox_peer_log_value(&log, "train_loss", 0.43214999, 4);
    vox_peer_log_value(&log, "val_loss", (double)NAN, 4);
    vox_peer_log_text(&log, "plain\n");
    assert_int_equal(vox_file_read(&text, log.path), VOX_OK);
    assert_int_equal(strncmp(text.data, "\n#", 2), 0);
    assert_true(matches(text.data, STAMP "Epoch 0 $"));
    assert_true(matches(text.data, STAMP "Current learning rate: 1e-05 $"));
    assert_true(matches(text.data, STAMP "train_loss 0\\.4321 $"));
    assert_true(matches(text.data, STAMP "val_loss nan $"));
    assert_true(matches(text.data, "^plain$"));
    unlink(log.path);
    vox_peer_log_close(&log);
    vox_buf_release(&text);
}

static void test_unwritable_log_is_no_failure(void **state)
{
    vox_peer_log log;

    (void)state;
    assert_int_equal(vox_peer_log_open(&log, "no/such"), VOX_OK);
    vox_peer_log_line(&log, "lost");
    assert_true(log.warned);
    vox_peer_log_close(&log);
}

static void test_durations(void **state)
{
    char buf[32];

    (void)state;
    assert_string_equal(vox_bar_duration(0, buf), "00:00:00");
    assert_string_equal(vox_bar_duration(3723.4, buf), "01:02:03");
    assert_string_equal(vox_bar_duration(2 * 86400 + 61, buf), "2d 00:01:01");
    assert_string_equal(vox_bar_duration((double)NAN, buf), "00:00:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_as_the_peer_writes_them),
        cmocka_unit_test(test_unwritable_log_is_no_failure),
        cmocka_unit_test(test_durations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
