/* The yardstick: every path that exists has a peak, unknown ones have none. */
#include "support/unit.h"

#include "backend/cpu/peak.h"
#include "graph/device.h"
#include "support/kernel_case.h"

static void every_path_has_a_peak(void **state)
{
    (void)state;
    for (const char *const *path = kernel_case_paths(); *path; path++)
        assert_true(vox_cpu_peak_gflops(*path, 1) > 0.1);
    assert_true(vox_cpu_peak_gflops("sse9", 1) == 0.0);
    assert_true(vox_cpu_peak_gflops("reference", 1) == 0.0); /* no loop of its own */
}

static void memory_moves(void **state)
{
    (void)state;
    assert_true(vox_cpu_peak_bandwidth(1) > 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_has_a_peak),
        cmocka_unit_test(memory_moves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
