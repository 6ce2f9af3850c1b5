/*
 * threads: the same bits from every kernel of every path on 1, 2, 3, 8 and 64 threads.
 *
 * Besides each op's problems, some shapes of nets: extents that a plan for many threads
 * cuts otherwise than one for few, and small ones of many channels, where the channels are
 * shared out. (What threads change in a convolution's plan is its tiles, so direct and
 * tiled forms of the same shape are in test_kernel_conv3d.c.)
 */
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "support/op_case.h"
#include "support/unit.h"

static const char *const paths[] = {"plain", "avx2", "avx512"};
static const int counts[] = {1, 2, 3, 8, 64};

static const struct {
    const char *op, *problem;
} large[] = {
    {"conv3d",           "1x32x14x16x18 out=32 in=0,1,2"              },
    {"conv3d",           "1x64x4x4x4 out=96 in=0,1,2"                 },
    {"conv3d",           "1x160x2x2x2 out=160 in=0,1,2"               },
    {"conv3d",           "1x32x12x10x12 out=64 stride=2"              },
    {"conv3d",           "1x64x10x10x10 out=32 kernel=1 pad=0"        },
    {"conv3d",           "1x32x10x10x10 out=1 kernel=1 pad=0 in=0,1,2"},
    {"conv3d",           "1x1x18x20x20 out=32 in=0,1,2"               },
    {"conv3d",           "1x32x10x10x10 out=32 in=0,1,2,3"            },
    {"conv_transpose3d", "1x64x8x8x8 out=32 in=0,1,2"                 },
    {"conv_transpose3d", "1x96x2x3x2 out=64 in=0,1,2"                 },
    {"norm_act",         "2x32x17x18x19 in=0,1,2"                     },
    {"norm_act",         "1x128x4x4x4 in=0,1,2,3"                     },
    {"avg_pool3d",       "1x32x16x16x18"                              },
    {"masked_mse",       "1x1x16x20x24 in=0,1"                        },
};

/* One path's devices, by number of threads. */
static vox_device *device[VOX_COUNT(counts)];

static void check_kernel(const op_case *c, const vox_kernel *k)
{
    op_how how = op_how_write(device[0], k);
    op_result one = op_case_run(c, &how);
    char who[128];

    for (int i = 1; i < VOX_COUNT(counts); i++) {
        op_result many;

        how.dev = device[i];
        many = op_case_run(c, &how);
        snprintf(who, sizeof who, "%s on %s, %d threads", k->name, device[0]->path,
                 counts[i]);
        op_result_same(c, who, &one, &many);
        op_result_free(&many);
    }
    op_result_free(&one);
}

/* @return how many kernels there were for it */
static int check_problem(const vox_op *op, const char *text)
{
    op_case c = op_case_new(op, text, 3, 0);
    const vox_problem problem = op_case_problem(&c, device[0]);
    int n = 0;

    for (int i = 0; device[0]->kernels[i]; i++) {
        const vox_kernel *k = device[0]->kernels[i];

        if (strcmp(k->op, op->name) != 0 || !k->supports(&problem))
            continue;
        check_kernel(&c, k);
        n++;
    }
    op_case_free(&c);
    return n;
}

static void check_path(void)
{
    for (int k = 0; vox_op_at(k); k++) {
        const vox_op *op = vox_op_at(k);

        for (int i = 0; op->problems[i]; i++)
            check_problem(op, op->problems[i]);
    }
    for (int i = 0; i < VOX_COUNT(large); i++)
        assert_true(check_problem(vox_op_find(large[i].op), large[i].problem) > 0);
}

static void threads_do_not_change_bits(void **state)
{
    (void)state;
    for (int p = 0; p < VOX_COUNT(paths); p++) {
        for (int i = 0; i < VOX_COUNT(counts); i++)
            device[i] = op_device(paths[p], counts[i]);
        if (device[0])
            check_path();
        for (int i = 0; i < VOX_COUNT(counts); i++)
            vox_device_close(device[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_change_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
