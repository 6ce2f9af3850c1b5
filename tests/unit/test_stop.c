/* stop: the first signal is remembered, the second leaves. */
#include "support/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/stop.h"

static void check(int sig, int status, const char *name)
{
    vox_stop_install();
    assert_int_equal(vox_stop_asked(), 0);
    raise(sig);
    assert_int_equal(vox_stop_asked(), sig);
    assert_int_equal(vox_stop_status(), status);
    assert_string_equal(vox_stop_name(), name);
    vox_stop_remove();
    assert_int_equal(vox_stop_asked(), 0);
    assert_string_equal(vox_stop_name(), "");
}

static void test_first_signal_asks(void **state)
{
    (void)state;
    check(SIGINT, 130, "SIGINT");
    check(SIGTERM, 143, "SIGTERM");
    check(SIGUSR1, 0, "SIGUSR1");
}

/* Exit status of a child that gets `first`, waits, then gets `second`; 7 = it went on. */
static int child_status(int first, long wait_ms, int second)
{
    const struct timespec pause = {0, wait_ms * 1000000L};
    const pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        vox_stop_install();
        raise(first);
        nanosleep(&pause, NULL);
        raise(second);
        _exit(7);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_second_signal_leaves_at_once(void **state)
{
    (void)state;
    assert_int_equal(child_status(SIGINT, 200, SIGINT), 130);
    assert_int_equal(child_status(SIGUSR1, 0, SIGTERM), 143);
}

static void test_one_signal_sent_twice_counts_once(void **state)
{
    (void)state;
    assert_int_equal(child_status(SIGTERM, 0, SIGTERM), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_signal_asks),
        cmocka_unit_test(test_second_signal_leaves_at_once),
        cmocka_unit_test(test_one_signal_sent_twice_counts_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
