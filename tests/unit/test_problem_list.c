/* problem_list: a plan's nodes as problems with counts, and texts of somebody's. */
#include "graph/problem_list.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "support/tiny_net.h"

enum { BATCH = 2 };

static const vox_device_cfg cpu = {.name = "cpu", .path = "plain", .threads = 1};

/* The tiny net's list, what is recomputed as told. */
typedef struct fixture {
    vox_device *dev;
    vox_params *params;
    vox_block block;
    tiny_run run;
    vox_problem_list list;
} fixture;

static fixture open_fixture(const char *recompute, const vox_op *only)
{
    fixture f = {.block = VOX_BLOCK_INIT, .list = VOX_PROBLEM_LIST_INIT};

    assert_int_equal(vox_device_open(&f.dev, &cpu), VOX_OK);
    f.params = tiny_params(f.dev);
    f.run = tiny_open(f.params, BATCH, TINY_EDGE);
    tiny_compile(&f.run, f.dev, &f.block, recompute);
    assert_int_equal(vox_problem_list_add_plan(&f.list, f.run.plan, f.run.g, only), VOX_OK);
    return f;
}

static void close_fixture(fixture *f)
{
    vox_problem_list_release(&f->list);
    assert_int_equal(f->list.count, 0);
    tiny_close(&f->run);
    vox_block_release(&f->block);
    vox_params_free(f->params);
    vox_device_close(f->dev);
}

static void every_node_is_counted_once(void **state)
{
    fixture f = open_fixture("none", NULL);
    int64_t forward = 0, nodes = 0;

    (void)state;
    for (int64_t i = 0; i < f.run.g->count; i++)
        nodes += f.run.g->node[i]->op != NULL;
    for (int64_t i = 0; i < f.list.count; i++) {
        const vox_problem_item *it = &f.list.v[i];

        forward += it->count[VOX_TRIAL_FORWARD];
        assert_int_equal(it->rebuilds, 0);
        for (int64_t k = 0; k < i; k++)
            assert_true(it->op != f.list.v[k].op || strcmp(it->text, f.list.v[k].text));
    }
    assert_int_equal(forward, nodes);
    close_fixture(&f);
}

static void what_is_made_again_is_counted(void **state)
{
    fixture f = open_fixture("all", NULL);
    int rebuilds = 0;

    (void)state;
    for (int64_t i = 0; i < f.list.count; i++)
        rebuilds += f.list.v[i].rebuilds;
    assert_true(rebuilds > 0);
    close_fixture(&f);
}

/* The mask's image is an input; a problem has to be parsed as one that has no gradient. */
static void inputs_are_inputs_again(void **state)
{
    fixture f = open_fixture("none", vox_op_find("mask_blocks"));
    vox_problem_spec spec;

    (void)state;
    assert_int_equal(f.list.count, 1);
    assert_int_equal(f.list.v[0].inputs, 3);
    assert_int_equal(f.list.v[0].count[VOX_TRIAL_BACKWARD], 0);
    assert_int_equal(vox_problem_item_parse(&spec, &f.list.v[0]), VOX_OK);
    assert_false(vox_problem_has_grad(&spec, 0));
    vox_problem_release(&spec);
    close_fixture(&f);
}

static void texts_are_what_they_say(void **state)
{
    vox_problem_list l = VOX_PROBLEM_LIST_INIT;
    const vox_op *op = vox_op_find("add");

    (void)state;
    assert_int_equal(vox_problem_list_add_text(&l, op, "1x8x4x4x4", 0), VOX_OK);
    assert_int_equal(vox_problem_list_add_text(&l, op, "1x8x4x4x4", 0), VOX_OK);
    assert_int_equal(l.count, 1);
    assert_int_equal(vox_problem_list_add_text(&l, op, "1x8x4x4x4", ~0u), VOX_OK);
    assert_int_equal(l.count, 2); /* stored otherwise, so another problem */
    assert_int_equal(l.v[0].count[VOX_TRIAL_FORWARD], 1);
    vox_problem_list_release(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_is_counted_once),
        cmocka_unit_test(what_is_made_again_is_counted),
        cmocka_unit_test(inputs_are_inputs_again),
        cmocka_unit_test(texts_are_what_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
