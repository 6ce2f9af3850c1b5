/*
 * kernels: every kernel of every path that this machine has, against the reference.
 *
 * The same problems as test_reference.c and many more random ones; each kernel that
 * supports a problem is run on it, whether a plan would pick it or another. A kernel that
 * no problem reaches, or that is never the one picked, fails the test: it would be code
 * nobody has run. VOX_OPS_RANDOM sets the number of random problems per op.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/op_case.h"
#include "support/unit.h"

static const char *const paths[] = {"plain", "avx2", "avx512"};
enum { N_PATHS = 3, MAX_KERNELS = 64 };
static const int64_t most = 20000; /* elements of random problems */

/* A path of this machine and what its kernels have done. */
typedef struct path {
    vox_device *dev, *other; /* 2 and 3 threads */
    int run[MAX_KERNELS], picked[MAX_KERNELS];
} path;

static path path_of[N_PATHS];

static void compare_put(const op_case *c, const op_how *write, const op_result *wanted,
                        const op_result *magnitude, const char *who)
{
    op_how how = *write;
    op_result found;

    for (int i = 0; i < c->spec.n_in; i++) /* every second one left out */
        how.put[i] = i % 2 ? VOX_SKIP : VOX_WRITE;
    found = op_case_run(c, &how);
    op_result_compare(c, who, &found, wanted, magnitude);
    op_result_free(&found);
    for (int i = 0; i < c->spec.n_in; i++)
        how.put[i] = i % 2 ? VOX_WRITE : VOX_SKIP;
    found = op_case_run(c, &how);
    op_result_compare(c, who, &found, wanted, magnitude);
    op_result_free(&found);
}

static void compare_add(const op_case *c, const op_how *write, const op_result *written,
                        const op_result *rounding, const char *who)
{
    op_how how = *write;
    op_result wanted = op_result_copy(c, written), magnitude = op_result_copy(c, rounding);
    op_result found;

    how.base = 0.625f;
    for (int i = 0; i < c->spec.n_in; i++)
        how.put[i] = VOX_ADD;
    found = op_case_run(c, &how);
    op_result_add_base(c, &wanted, how.base);
    op_result_add_base(c, &magnitude, how.base);
    op_result_compare(c, who, &found, &wanted, &magnitude);
    op_result_free(&found);
    op_result_free(&wanted);
    op_result_free(&magnitude);
}

static void compare_alias(const op_case *c, const op_how *write, const op_result *wanted,
                          const char *who)
{
    for (int i = 0; i < c->spec.n_in; i++) {
        op_how how = *write;
        op_result found;

        if (!c->in[i] || !(c->spec.op->may_alias & VOX_ALIAS(0, i)))
            continue;
        how.alias = i;
        found = op_case_run(c, &how);
        op_result_same(c, who, wanted, &found);
        op_result_free(&found);
    }
}

/* Values, gradients put in every way, other threads, output over an operand. */
static void check_kernel(path *p, const vox_kernel *k, const op_case *c,
                         const op_result *wanted, const op_result *magnitude)
{
    const op_how how = op_how_write(p->dev, k), other = op_how_write(p->other, k);
    op_result found = op_case_run(c, &how), again = op_case_run(c, &other);
    char who[128];

    snprintf(who, sizeof who, "%s on %s", k->name, p->dev->path);
    op_result_compare(c, who, &found, wanted, magnitude);
    op_result_same(c, who, &found, &again);
    compare_put(c, &how, wanted, magnitude, who);
    compare_add(c, &how, wanted, magnitude, who);
    compare_alias(c, &how, &found, who);
    op_result_free(&found);
    op_result_free(&again);
}

static void check_path(path *p, const op_case *c, const op_result *wanted,
                       const op_result *magnitude)
{
    const vox_problem problem = op_case_problem(c, p->dev);
    vox_problem forward = problem;
    int first = 1;

    forward.grads = 0;
    for (int i = 0; p->dev->kernels[i]; i++) {
        const vox_kernel *k = p->dev->kernels[i];

        if (strcmp(k->op, c->spec.op->name) != 0 || !k->supports(&problem))
            continue;
        assert_true(k->supports(&forward));
        check_kernel(p, k, c, wanted, magnitude);
        p->run[i]++;
        p->picked[i] += first;
        first = 0;
    }
}

/* Has any path a kernel for it? */
static int has_kernel(const vox_op *op)
{
    for (int i = 0; i < N_PATHS; i++) {
        for (int k = 0; path_of[i].dev && path_of[i].dev->kernels[k]; k++) {
            if (strcmp(path_of[i].dev->kernels[k]->op, op->name) == 0)
                return 1;
        }
    }
    return 0;
}

/* Once as a call amid a net, once as its first, on an input. */
static void check_problem(const vox_op *op, const char *text, int far)
{
    op_case c = op_case_new(op, text, 11, far);
    op_result magnitude = op_case_magnitude(&c), wanted;
    vox_device *reference = op_device("reference", 2);
    const op_how how = op_how_write(reference, NULL);

    wanted = op_case_run(&c, &how);
    for (int input = 0; input < 2; input++) {
        if (input)
            op_case_make_input(&c);
        for (int i = 0; i < N_PATHS; i++) {
            if (path_of[i].dev)
                check_path(&path_of[i], &c, &wanted, &magnitude);
        }
    }
    op_result_free(&wanted);
    op_result_free(&magnitude);
    vox_device_close(reference);
    op_case_free(&c);
}

static void kernels_agree_with_the_reference(void **state)
{
    (void)state;
    for (int k = 0; vox_op_at(k); k++) {
        const vox_op *op = vox_op_at(k);
        vox_rng rng = vox_rng_at(5, VOX_STREAM(op->name), 0);

        if (!has_kernel(op))
            continue;
        for (int i = 0; op->problems[i]; i++) {
            check_problem(op, op->problems[i], 0);
            check_problem(op, op->problems[i], 1);
        }
        for (int i = 0; i < op_random_count(30); i++) {
            char text[256];

            op_random_text(text, op, &rng, most);
            check_problem(op, text, i % 3 == 2);
        }
    }
}

static void every_kernel_was_picked(void **state)
{
    (void)state;
    for (int i = 0; i < N_PATHS; i++) {
        const path *p = &path_of[i];

        for (int k = 0; p->dev && p->dev->kernels[k]; k++) {
            print_message("%-8s %-24s run %4d times, picked %4d\n", p->dev->path,
                          p->dev->kernels[k]->name, p->run[k], p->picked[k]);
            if (p->picked[k] == 0)
                fail_msg("%s on %s: no problem %s it", p->dev->kernels[k]->name,
                         p->dev->path, p->run[k] ? "picks" : "reaches");
        }
    }
}

static int open_paths(void **state)
{
    (void)state;
    for (int i = 0; i < N_PATHS; i++) {
        int n = 0;

        path_of[i].dev = op_device(paths[i], 2);
        path_of[i].other = op_device(paths[i], 3);
        while (path_of[i].dev && path_of[i].dev->kernels[n])
            n++;
        assert_true(n <= MAX_KERNELS);
    }
    return 0;
}

static int close_paths(void **state)
{
    (void)state;
    for (int i = 0; i < N_PATHS; i++) {
        vox_device_close(path_of[i].dev);
        vox_device_close(path_of[i].other);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree_with_the_reference),
        cmocka_unit_test(every_kernel_was_picked),
    };

    return cmocka_run_group_tests(tests, open_paths, close_paths);
}
