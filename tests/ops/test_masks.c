/*
 * masks: what must hold for every op with a mask of blocks, whatever the numbers, by the
 * reference and by the kernel that each path of this machine picks.
 *
 *     NaN in what is masked out reaches nothing: not the output, no gradient
 *     a mask that leaves nothing makes output and gradients zero
 *
 * "Masked out" are output voxels of blocks with 0, of operands that lie voxel by voxel below
 * the output these voxels too; for masked_mse, a loss over the hidden, the visible ones.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "ops/blocks.h"
#include "support/op_case.h"
#include "support/unit.h"

static const int64_t small = 4000; /* elements of random problems */

/* The operand that is a mask, or -1. */
static int mask_of(const vox_problem_spec *s)
{
    for (int i = 0; i < s->n_in; i++) {
        if (s->in[i].shape.rank == 5 && s->in[i].dtype == VOX_U8)
            return i;
    }
    return -1;
}

static int is_loss(const op_case *c)
{
    return strcmp(c->spec.op->name, "masked_mse") == 0;
}

/* The image below the mask. */
static vox_shape image_of(const op_case *c)
{
    return is_loss(c) ? c->spec.in[0].shape : c->spec.out[0].shape;
}

static void poison(float *v, const op_case *c, int mask)
{
    const vox_shape s = image_of(c);
    const vox_tensor t = {.data = c->in[mask], .shape = c->spec.in[mask].shape};
    const vox_blocks blocks = vox_blocks_of(&t, s);
    const int64_t voxels = s.n[2] * s.n[3] * s.n[4];

    for (int64_t i = 0; i < vox_shape_count(s); i++) {
        if (vox_blocks_at(&blocks, i / voxels / s.n[1], i % voxels) == is_loss(c))
            v[i] = NAN;
    }
}

/* Does operand i lie below the output voxel by voxel? */
static int is_below(const op_case *c, int i)
{
    return c->in[i] && c->spec.in[i].dtype == VOX_F32 &&
           strcmp(c->spec.op->name, "conv3d") != 0 &&
           vox_shape_equal(c->spec.in[i].shape, image_of(c));
}

static void check_poison(op_case *c, int mask, const op_how *how)
{
    op_result clean = op_case_run(c, how), found;

    for (int i = 0; i < c->spec.n_in; i++) {
        if (is_below(c, i))
            poison(c->in[i], c, mask);
    }
    if (!is_loss(c))
        poison(c->dout[0], c, mask);
    found = op_case_run(c, how);
    op_result_same(c, how->dev->path, &clean, &found);
    op_result_free(&clean);
    op_result_free(&found);
}

static void want_zero(const op_case *c, const char *path, const float *v, int64_t n)
{
    for (int64_t k = 0; v && k < n; k++) {
        if (v[k] != 0.0f)
            fail_msg("%s on %s: %g at %lld, nothing is active", c->text, path, (double)v[k],
                     (long long)k);
    }
}

static void check_empty(op_case *c, int mask, const op_how *how)
{
    op_result r;

    memset(c->in[mask], is_loss(c), (size_t)op_case_count_in(c, mask));
    r = op_case_run(c, how);
    want_zero(c, how->dev->path, r.out[0], op_case_count_out(c, 0));
    for (int i = 0; i < c->spec.n_in; i++)
        want_zero(c, how->dev->path, r.din[i], c->in[i] ? op_case_count_in(c, i) : 0);
    op_result_free(&r);
}

typedef void check_fn(op_case *c, int mask, const op_how *how);

static void on_all_paths(check_fn *check, const vox_op *op, const char *text)
{
    for (int i = 0; i < OP_WAYS; i++) {
        op_case c = op_case_new(op, text, 51, 0);
        vox_device *dev = op_way_open(&op_ways[i], 2);
        const int mask = mask_of(&c.spec);

        if (dev && mask >= 0 && op_way_is_for(&op_ways[i], &c.spec)) {
            const op_how how = op_how_write(dev, op_pick(dev, &c));

            check(&c, mask, &how);
        }
        vox_device_close(dev);
        op_case_free(&c);
    }
}

static int takes_mask(const vox_op *op)
{
    for (int i = 0; op->problems[i]; i++) {
        vox_problem_spec spec;
        int found;

        assert_int_equal(vox_problem_parse(&spec, op, op->problems[i]), 0);
        found = mask_of(&spec) >= 0;
        vox_problem_release(&spec);
        if (found)
            return 1;
    }
    return 0;
}

static void for_all(check_fn *check)
{
    int ops = 0;

    for (int k = 0; vox_op_at(k); k++) {
        const vox_op *op = vox_op_at(k);
        vox_rng rng = vox_rng_at((uint64_t)op_random_seed(13), VOX_STREAM(op->name), 0);

        if (!takes_mask(op))
            continue;
        ops++;
        for (int i = 0; op->problems[i]; i++)
            on_all_paths(check, op, op->problems[i]);
        for (int i = 0; i < op_random_count(30); i++) {
            char text[256];

            op_random_text(text, op, &rng, small);
            on_all_paths(check, op, text);
        }
    }
    assert_true(ops >= 5); /* conv3d, avg_pool3d, norm_act, mask_blocks, masked_mse */
}

static void masked_out_values_reach_nothing(void **state)
{
    (void)state;
    for_all(check_poison);
}

static void nothing_active_gives_zero(void **state)
{
    (void)state;
    for_all(check_empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masked_out_values_reach_nothing),
        cmocka_unit_test(nothing_active_gives_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
