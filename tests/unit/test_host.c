/* host: the figures are sane and limits are respected. */
#include "support/unit.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/host.h"

static void test_memory_respects_the_address_limit(void **state)
{
    const int64_t more = 64 << 20;
    struct rlimit now, cut;
    long pages = 0;
    int64_t after;
    FILE *f = fopen("/proc/self/statm", "r");

    (void)state;
    if (!f || fscanf(f, "%ld", &pages) != 1)
        skip();
    fclose(f);
    assert_true(vox_host_memory() > more);
    assert_int_equal(getrlimit(RLIMIT_AS, &now), 0);
    cut = now;
    cut.rlim_cur = (rlim_t)(pages * sysconf(_SC_PAGESIZE) + more);
    assert_int_equal(setrlimit(RLIMIT_AS, &cut), 0);
    after = vox_host_memory();
    assert_int_equal(setrlimit(RLIMIT_AS, &now), 0);
    assert_true(after <= more);
    assert_true(after >= more / 2);
}

static void test_disk_of_a_folder_to_come(void **state)
{
    (void)state;
    assert_true(vox_host_disk("/") > 0);
    assert_true(vox_host_disk("not/there/yet") < INT64_MAX);
    assert_int_equal(vox_host_disk("/not-there/x") / (1 << 20),
                     vox_host_disk("/") / (1 << 20));
}

static void test_peak(void **state)
{
    (void)state;
    assert_true(vox_host_peak() > 100 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_respects_the_address_limit),
        cmocka_unit_test(test_disk_of_a_folder_to_come),
        cmocka_unit_test(test_peak),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
