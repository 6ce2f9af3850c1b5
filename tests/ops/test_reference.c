/*
 * reference: the ops' own functions, for every op of the table and every problem of it:
 * the same bits for any number of threads, gradients left out, written and added as told.
 *
 * They are the truth for all kernels. What they are compared with themselves is not code of
 * ours: finite differences in test_gradients.c, PyTorch in tests/golden/test_ops.c.
 */
#include "support/op_case.h"
#include "support/unit.h"

static const int64_t small = 3000; /* elements of random problems */

/* Run `check` on every op's problems and some random ones, near zero and far from it. */
static void for_all(void (*check)(op_case *c), int n_random)
{
    for (int k = 0; vox_op_at(k); k++) {
        const vox_op *op = vox_op_at(k);
        vox_rng rng = vox_rng_at(7, VOX_STREAM(op->name), 0);
        char text[256];

        assert_non_null(op->problems[0]);
        for (int i = 0; op->problems[i]; i++) {
            for (int far = 0; far < OP_FAR; far++) {
                op_case c = op_case_new(op, op->problems[i], 1, far);

                check(&c);
                op_case_free(&c);
            }
        }
        for (int i = 0; i < op_random_count(n_random); i++) {
            op_case c;

            op_random_text(text, op, &rng, small);
            c = op_case_new(op, text, 2, i % OP_FAR);
            check(&c);
            op_case_free(&c);
        }
    }
}

/* ---- threads ---- */

static void check_threads(op_case *c)
{
    static const int counts[] = {2, 3, 8};
    vox_device *one = op_device("reference", 1);
    const op_how how = op_how_write(one, NULL);
    op_result wanted = op_case_run(c, &how);

    for (int i = 0; i < VOX_COUNT(counts); i++) {
        vox_device *many = op_device("reference", counts[i]);
        const op_how other = op_how_write(many, NULL);
        op_result found = op_case_run(c, &other);

        op_result_same(c, "other threads", &wanted, &found);
        op_result_free(&found);
        vox_device_close(many);
    }
    op_result_free(&wanted);
    vox_device_close(one);
}

static void threads_do_not_change_bits(void **state)
{
    (void)state;
    for_all(check_threads, 5);
}

/* ---- leave out, write, add; overwriting an operand ---- */

static void check_put(op_case *c)
{
    vox_device *dev = op_device("reference", 2);
    op_how how = op_how_write(dev, NULL);
    op_result written = op_case_run(c, &how), found;

    for (int i = 0; i < c->spec.n_in;
         i++) { /* without gradient i the others are the same */
        how = op_how_write(dev, NULL);
        how.put[i] = VOX_SKIP;
        found = op_case_run(c, &how);
        assert_null(found.din[i]);
        op_result_same(c, "one gradient left out", &written, &found);
        op_result_free(&found);
    }
    how.base = 0.625f;
    for (int i = 0; i < VOX_MAX_IN; i++)
        how.put[i] = VOX_ADD;
    found = op_case_run(c, &how);
    op_result_add_base(c, &written, &how);
    op_result_same(c, "gradients added", &written, &found);
    op_result_free(&found);
    op_result_free(&written);
    vox_device_close(dev);
}

static void gradients_are_put_as_told(void **state)
{
    (void)state;
    for_all(check_put, 5);
}

static void check_alias(op_case *c)
{
    vox_device *dev = op_device("reference", 2);
    op_how how = op_how_write(dev, NULL);
    op_result wanted = op_case_run(c, &how);

    for (int i = 0; i < c->spec.n_in; i++) {
        op_result found;

        if (!c->in[i] || !(c->spec.op->may_alias & VOX_ALIAS(0, i)))
            continue;
        how.alias = i;
        found = op_case_run(c, &how);
        op_result_same(c, "output over an operand", &wanted, &found);
        op_result_free(&found);
    }
    how.alias = OP_NO_ALIAS;
    op_case_check_backward(c, &how, &wanted, "backward in parts, gradients over another");
    op_result_free(&wanted);
    vox_device_close(dev);
}

static void memory_is_shared_as_declared(void **state)
{
    (void)state;
    for_all(check_alias, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_change_bits),
        cmocka_unit_test(gradients_are_put_as_told),
        cmocka_unit_test(memory_is_shared_as_declared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
