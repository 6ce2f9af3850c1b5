/* Recipes, setups and a whole replay with the n-th allocation failing: an error with a
 * message, no leak, nothing written; later n in growing steps, until none fails. */
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "train/replay.h"

static int set_up(void)
{
    vox_recipe r = VOX_RECIPE_INIT;
    vox_setup s = VOX_SETUP_INIT;
    int rc = vox_recipe_find(&r, "BaseMAETrainer_BS8_T1w_T2w_FLAIR");

    if (rc == VOX_OK)
        rc = vox_setup_init(&s, r.method, r.net, r.options);
    vox_setup_release(&s);
    vox_recipe_release(&r);
    return rc;
}

static int replay(void)
{
    const vox_replay_cfg cfg = {
        .device = {.name = "cpu", .path = "reference", .threads = 1},
          .micro = 2
    };

    remove("fault.safetensors");
    return vox_replay(VOX_SOURCE_DIR "/tests/golden/replay/tiny_smooth.safetensors",
                      "fault.safetensors", &cfg);
}

static void fail_each(int (*task)(void), int64_t least)
{
    const int64_t blocks = vox_mem_blocks();
    int64_t n = 1, failures = 0;

    for (;; n += 1 + n / 16, failures++) {
        int rc;

        vox_error_clear();
        vox_mem_fail_at(n);
        rc = task();
        vox_mem_fail_at(0);
        if (vox_mem_blocks() != blocks)
            fail_msg("allocation %lld: %lld blocks leak", (long long)n,
                     (long long)(vox_mem_blocks() - blocks));
        if (rc == VOX_OK)
            break;
        if (rc != VOX_E_NOMEM)
            fail_msg("allocation %lld: code %d, \"%s\"", (long long)n, rc,
                     vox_error_text());
        assert_true(strlen(vox_error_text()) > 0);
    }
    assert_true(failures >= least);
}

static void set_up_survives(void **state)
{
    (void)state;
    fail_each(set_up, 10);
}

static void replay_survives(void **state)
{
    (void)state;
    fail_each(replay, 50);
    assert_int_equal(vox_file_exists("fault.safetensors"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_up_survives),
        cmocka_unit_test(replay_survives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
