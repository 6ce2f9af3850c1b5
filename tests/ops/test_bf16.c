/*
 * bf16: every kernel that takes values stored as bf16 computes the same with them as with
 * f32: from operands that bf16 holds exactly the output is f32's output rounded, and the
 * gradients have the same bits. Convolutions both ways, direct and tiled.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "support/op_case.h"
#include "support/unit.h"

static const char *const paths[] = {"plain", "avx2", "avx512"};
enum { MAX_KERNELS = 64 };
static const int64_t most = 20000; /* elements of random problems */

static vox_device *open_device(const char *path, int threads, vox_winograd_use winograd)
{
    const vox_device_cfg cfg = {
        .name = "cpu", .path = path, .threads = threads, .winograd = winograd};
    vox_device *dev = NULL;
    const int rc = vox_device_open(&dev, &cfg);

    if (rc != VOX_OK && rc != VOX_E_MISSING)
        fail_msg("%s", vox_error_text());
    return dev;
}

/* Is a value of the call stored as bf16? */
static int touches(const op_case *c, const vox_kernel *k, const vox_problem *p)
{
    int any = 0;

    for (int i = 0; i < p->n_in; i++)
        any |= c->in[i] && k->bf16 & VOX_IN(i) && p->in[i].layout != VOX_PLAIN;
    for (int i = 0; i < p->n_out; i++)
        any |= k->bf16 & VOX_OUT(i) && p->out[i].layout != VOX_PLAIN;
    return any;
}

/* Where a call's output is stored as f32 it is rounded here, as a store would have. */
static void check(const op_case *c, vox_device *dev, vox_device *other, const vox_kernel *k)
{
    op_how how = op_how_write(dev, k);
    op_result wanted = op_case_run(c, &how), found;
    char who[128];

    snprintf(who, sizeof who, "%s on %s", k->name, dev->path);
    op_result_round(c, &wanted);
    how.bf16 = 1;
    for (how.alias = OP_NO_ALIAS; how.alias < c->spec.n_in; how.alias++) {
        if (how.alias >= 0 &&
            (!c->in[how.alias] || !(c->spec.op->may_alias & VOX_ALIAS(0, how.alias))))
            continue;
        how.dev = how.alias == OP_NO_ALIAS ? other : dev;
        found = op_case_run(c, &how);
        op_result_round(c, &found);
        op_result_same(c, who, &wanted, &found);
        op_result_free(&found);
    }
    op_result_free(&wanted);
}

static void check_problem(const vox_op *op, const char *text, int far, const char *path,
                          int *ran)
{
    op_case c = op_case_new(op, text, 17, far);

    op_case_round(&c);
    for (vox_winograd_use use = VOX_WINOGRAD_NEVER; use <= VOX_WINOGRAD_ALWAYS; use++) {
        vox_device *dev = open_device(path, 2, use), *other = open_device(path, 3, use);

        for (int i = 0; dev && dev->kernels[i]; i++) {
            const vox_kernel *k = dev->kernels[i];
            const vox_problem p = op_case_problem(&c, dev);

            if (strcmp(k->op, op->name) != 0 || !k->supports(&p) || !touches(&c, k, &p))
                continue;
            check(&c, dev, other, k);
            ran[i]++;
        }
        vox_device_close(dev);
        vox_device_close(other);
    }
    op_case_free(&c);
}

static void check_op(const vox_op *op, const char *path, int *ran)
{
    vox_rng rng = vox_rng_at(6, VOX_STREAM(op->name), 0);

    for (int i = 0; op->problems[i]; i++)
        check_problem(op, op->problems[i], i % 2, path, ran);
    for (int i = 0; i < op_random_count(30); i++) {
        char text[256];

        op_random_text(text, op, &rng, most);
        check_problem(op, text, i % 3 == 2, path, ran);
    }
}

static void storage_rounds_and_nothing_else(void **state)
{
    (void)state;
    for (int i = 0; i < VOX_COUNT(paths); i++) {
        vox_device *dev = open_device(paths[i], 1, VOX_WINOGRAD_AUTO);
        int ran[MAX_KERNELS] = {0};

        for (int k = 0; dev && vox_op_at(k); k++)
            check_op(vox_op_at(k), paths[i], ran);
        for (int k = 0; dev && dev->kernels[k]; k++) {
            const vox_kernel *kernel = dev->kernels[k];

            if (kernel->bf16)
                print_message("%-8s %-24s %4d calls\n", paths[i], kernel->name, ran[k]);
            if (kernel->bf16 && ran[k] == 0)
                fail_msg("%s on %s: no problem stores bf16", kernel->name, paths[i]);
        }
        vox_device_close(dev);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(storage_rounds_and_nothing_else)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
