/*
 * kernels: every kernel of every path that this machine has, against the reference: on the
 * ops' problems, and on some random ones. slow_kernels.c draws many more.
 */
#include "support/op_case.h"
#include "support/op_sweep.h"
#include "support/unit.h"

static void kernels_agree_on_the_problems(void **state)
{
    (void)state;
    op_sweep_problems();
}

static void kernels_agree_on_random_problems(void **state)
{
    (void)state;
    op_sweep_random(op_random_count(40), 16000);
}

static void tiles_end_at_borders(void **state)
{
    (void)state;
    op_sweep_borders();
}

static void every_kernel_was_picked(void **state)
{
    (void)state;
    op_sweep_report();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree_on_the_problems),
        cmocka_unit_test(kernels_agree_on_random_problems),
        cmocka_unit_test(tiles_end_at_borders),
        cmocka_unit_test(every_kernel_was_picked),
    };

    return cmocka_run_group_tests(tests, op_sweep_open, op_sweep_close);
}
