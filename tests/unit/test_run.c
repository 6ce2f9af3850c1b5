/* run: precedence, names, the stored form, and what a run that continues may change. */
#include "support/unit.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "train/run.h"

/* Resolve a command line; words end with NULL. */
static int resolve(vox_run *out, json_object *stored, const char *const *words)
{
    char *argv[32];
    vox_run_args args;
    int argc = 0, rc;

    while (words[argc]) {
        argv[argc] = (char *)(uintptr_t)words[argc];
        argc++;
    }
    assert_int_equal(vox_opts_defaults(vox_run_opts, &args), VOX_OK);
    *out = (vox_run)VOX_RUN_INIT;
    rc = vox_opts_args(&(vox_opt_set){vox_run_opts, &args, NULL}, 1, &argc, argv);
    if (rc == VOX_OK)
        rc = vox_run_resolve(out, &args, 2, stored);
    vox_opts_release(vox_run_opts, &args);
    return rc;
}

#define RESOLVE(out, stored, ...) \
    resolve(out, stored, (const char *const[]){__VA_ARGS__, NULL})

static void assert_fails(int rc, const char *word)
{
    assert_int_equal(rc, VOX_E_USAGE);
    if (!strstr(vox_error_text(), word))
        fail_msg("\"%s\" does not name %s", vox_error_text(), word);
}

static void test_defaults_are_the_peers(void **state)
{
    vox_run r;

    (void)state;
    assert_int_equal(resolve(&r, NULL, (const char *const[]){NULL}), VOX_OK);
    assert_string_equal(r.recipe.name, "BaseMAETrainer");
    assert_int_equal(r.recipe.batch, 2);
    assert_int_equal(r.recipe.epochs, 1000);
    assert_int_equal(r.recipe.patch.v[2], 160);
    assert_string_equal(r.setup.model.preset, "resenc_l");
    assert_int_equal(r.seed, 1);
    assert_int_equal(r.micro, 0);
    assert_int_equal(r.checkpoint_every, 1);
    assert_int_equal(r.threads, 2);
    vox_run_release(&r);
}

static void test_flags_win_over_recipe(void **state)
{
    vox_run r;

    (void)state;
    assert_int_equal(RESOLVE(&r, NULL, "-tr", "BaseMAETrainer_BS8", "--epochs", "7",
                             "--patch", "64,32,96", "--lr=0.003", "--wd", "0",
                             "--val-steps", "0", "--set", "mae.block=8", "--set", "clip=1",
                             "--warmup", "3", "--micro-batch", "100"),
                     VOX_OK);
    assert_string_equal(r.recipe.name, "BaseMAETrainer_BS8");
    assert_int_equal(r.recipe.batch, 8);
    assert_int_equal(r.recipe.epochs, 7);
    assert_int_equal(r.recipe.val_steps, 0);
    assert_int_equal(r.recipe.patch.v[1], 32);
    assert_true(r.recipe.lr == 0.003 && r.recipe.weight_decay == 0 && r.recipe.clip == 1);
    assert_string_equal(r.recipe.schedule, "warmup_poly");
    assert_int_equal(r.recipe.warmup, 3);
    assert_int_equal(r.micro, 8);
    vox_run_release(&r);
}

/* How kernels compute is an option like any other: checked, kept, given to the device. */
static void test_options_of_kernels(void **state)
{
    json_object *stored;
    vox_run r;

    (void)state;
    assert_int_equal(RESOLVE(&r, NULL, "--net", "resenc_xs"), VOX_OK);
    assert_int_equal(vox_run_device(&r).winograd, VOX_WINOGRAD_AUTO);
    vox_run_release(&r);
    assert_int_equal(RESOLVE(&r, NULL, "--set", "cpu.winograd=false"), VOX_OK);
    assert_int_equal(vox_run_device(&r).winograd, VOX_WINOGRAD_NEVER);
    stored = vox_run_json(&r);
    vox_run_release(&r);
    assert_int_equal(RESOLVE(&r, stored, "--epochs", "1000"), VOX_OK);
    assert_int_equal(vox_run_device(&r).winograd, VOX_WINOGRAD_NEVER);
    vox_run_release(&r);
    assert_fails(RESOLVE(&r, stored, "--set", "cpu.winograd=true"), "cpu.winograd");
    assert_fails(RESOLVE(&r, NULL, "--set", "cpu.winogrd=true"), "winograd");
    assert_fails(RESOLVE(&r, NULL, "--set", "net=null"), "wanted a value");
    json_object_object_del(vox_json_get(stored, "resolved"), "cpu.winograd"); /* older */
    json_object_object_del(vox_json_get(stored, "options"), "cpu.winograd");
    assert_int_equal(RESOLVE(&r, stored, "--epochs", "1000"), VOX_OK);
    vox_run_release(&r);
    json_object_put(stored);
}

/* A run goes on in the precision it was started in. */
static void test_precision(void **state)
{
    json_object *stored;
    vox_run r;

    (void)state;
    assert_int_equal(RESOLVE(&r, NULL, "--net", "resenc_xs"), VOX_OK);
    assert_int_equal(r.precision, VOX_F32);
    vox_run_release(&r);
    assert_int_equal(RESOLVE(&r, NULL, "--precision", "bf16"), VOX_OK);
    assert_int_equal(r.precision, VOX_BF16);
    stored = vox_run_json(&r);
    vox_run_release(&r);
    assert_int_equal(RESOLVE(&r, stored, "--epochs", "1000"), VOX_OK);
    assert_int_equal(r.precision, VOX_BF16);
    vox_run_release(&r);
    assert_fails(RESOLVE(&r, stored, "--precision", "f32"), "precision is \"f32\"");
    json_object_put(stored);
}

static void test_names(void **state)
{
    vox_run r;
    char *name;

    (void)state;
    assert_int_equal(RESOLVE(&r, NULL, "--net", "resenc_xs"), VOX_OK);
    assert_string_equal(r.recipe.name, "mae_resenc_xs");
    name = vox_run_name(&r, "nnsslPlans", "onemmiso");
    assert_string_equal(name, "mae_resenc_xs__nnsslPlans__onemmiso");
    vox_free(name);
    vox_run_release(&r);
}

static void test_environment_sets_workers(void **state)
{
    vox_run r;

    (void)state;
    setenv("nnUNet_n_proc_DA", "3", 1);
    assert_int_equal(resolve(&r, NULL, (const char *const[]){NULL}), VOX_OK);
    assert_int_equal(r.workers, 3);
    vox_run_release(&r);
    assert_int_equal(RESOLVE(&r, NULL, "--workers", "5"), VOX_OK);
    assert_int_equal(r.workers, 5);
    vox_run_release(&r);
    unsetenv("nnUNet_n_proc_DA");
}

static void test_bad_values_are_named(void **state)
{
    vox_run r;

    (void)state;
    assert_fails(RESOLVE(&r, NULL, "--batch", "0"), "batch is 0");
    assert_fails(RESOLVE(&r, NULL, "--epoch", "3"), "--epochs");
    assert_fails(RESOLVE(&r, NULL, "--set", "mae.blok=3"), "block");
    assert_fails(RESOLVE(&r, NULL, "--set", "mae.block=999"), "999");
    assert_fails(RESOLVE(&r, NULL, "--set", "mae.block"), "key=value");
    assert_fails(RESOLVE(&r, NULL, "--patch", "1,2"), "--patch");
    assert_fails(RESOLVE(&r, NULL, "--resume", "--fresh"), "--fresh");
    assert_fails(RESOLVE(&r, NULL, "--c", "-pretrained_weights", "x"),
                 "-pretrained_weights");
    assert_fails(RESOLVE(&r, NULL, "--precision", "f16"), "f16, wanted f32 or bf16");
    assert_fails(RESOLVE(&r, NULL, "--optimizer", "adam"), "adam");
    assert_fails(RESOLVE(&r, NULL, "-tr", "BaseMAETrainr"), "BaseMAETrainer");
    assert_fails(RESOLVE(&r, NULL, "-tr", "BaseMAETrainer", "--recipe", "x"), "--recipe");
}

/* A stored run survives text, restores everything, and refuses what would change it. */
static void test_continuing(void **state)
{
    json_object *json, *stored = NULL;
    vox_buf text = VOX_BUF_INIT;
    vox_run a, b;

    (void)state;
    assert_int_equal(RESOLVE(&a, NULL, "--net", "resenc_l", "--seed", "9", "--lr", "0.1",
                             "--micro-batch", "1", "--set", "mae.hidden=0.6"),
                     VOX_OK);
    json = vox_run_json(&a);
    assert_int_equal(vox_json_text(&text, json, 0), VOX_OK);
    assert_int_equal(vox_json_parse(&stored, text.data, text.len, "run"), VOX_OK);

    assert_int_equal(resolve(&b, stored, (const char *const[]){NULL}), VOX_OK);
    assert_string_equal(b.recipe.name, "mae_resenc_l");
    assert_string_equal(b.setup.model.arch_class_name, "ResEncL");
    assert_true(b.recipe.lr == 0.1 && b.seed == 9 && b.micro == 1);
    vox_run_release(&b);
    assert_int_equal(
        RESOLVE(&b, stored, "--lr", "0.1", "--workers", "9", "--epochs", "2000"), VOX_OK);
    assert_int_equal(b.recipe.epochs, 2000);
    vox_run_release(&b);
    assert_int_equal(RESOLVE(&b, stored, "--micro-batch", "2", "--recompute=none"), VOX_OK);
    assert_true(b.micro == 2 && strcmp(b.recompute, "none") == 0);
    vox_run_release(&b);
    assert_fails(RESOLVE(&b, stored, "--lr", "0.2"), "lr is 0.2");
    assert_fails(RESOLVE(&b, stored, "--seed", "8"), "seed is 8");
    assert_fails(RESOLVE(&b, stored, "--set", "mae.hidden=0.7"), "mae.hidden is 0.7");
    assert_fails(RESOLVE(&b, stored, "--net", "resenc_xs"), "resenc_xs");
    assert_fails(RESOLVE(&b, stored, "-tr", "BaseMAETrainer"), "-tr is BaseMAETrainer");
    json_object_put(json);
    json_object_put(stored);
    vox_buf_release(&text);
    vox_run_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_the_peers),
        cmocka_unit_test(test_flags_win_over_recipe),
        cmocka_unit_test(test_options_of_kernels),
        cmocka_unit_test(test_precision),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_environment_sets_workers),
        cmocka_unit_test(test_bad_values_are_named),
        cmocka_unit_test(test_continuing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
