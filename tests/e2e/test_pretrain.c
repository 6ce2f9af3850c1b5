/* pretrain, from scans to a checkpoint: what it leaves, and that threads, workers and
 * pieces do not change what it computes. */
#include "support/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "io/pth.h"
#include "support/program.h"

/* A net and a run so small that a step takes milliseconds. */
#define TINY                                                                         \
    "pretrain", "scans", "--net", "resenc_unet", "--patch", "16", "--batch", "4",    \
        "--epochs", "2", "--steps", "4", "--val-steps", "2", "--set", "mae.block=4", \
        "--set", "resenc_unet.features=[4,8]", "--set", "resenc_unet.blocks=[1,1]", "-q"

static int make_scans(void **state)
{
    (void)state;
    program_remove("scans base* threads* workers* micro* other* fake* weights* roots");
    program_make_scans("scans", 3, 20);
    assert_int_equal(
        PROGRAM("base.log", TINY, "--out", "base", "--threads", "1", "--workers", "1"), 0);
    return 0;
}

static void test_what_a_run_leaves(void **state)
{
    static const char *const files[] = {"config.json",          "metrics.jsonl",
                                        "plans.json",           "adaptation_plan.json",
                                        "progress.png",         "reconstruction.png",
                                        "checkpoint_final.pth", "checkpoint_best.pth"};

    (void)state;
    for (int i = 0; i < VOX_COUNT(files); i++) {
        char *path = vox_path_join("base", files[i]);

        if (vox_file_size(path) <= 0)
            fail_msg("%s is missing", path);
        vox_free(path);
    }
    assert_false(vox_file_exists("base/checkpoint_latest.pth"));
    assert_int_equal(program_count_lines("base/metrics.jsonl", "\"step\": "), 8);
    assert_int_equal(program_count_lines("base/metrics.jsonl", "\"epoch_done\": "), 2);
}

static void test_threads_and_workers_change_no_bit(void **state)
{
    (void)state;
    assert_int_equal(PROGRAM("threads.log", TINY, "--out", "threads", "--threads", "2",
                             "--workers", "1"),
                     0);
    program_assert_same_run("base", "threads");
    assert_int_equal(PROGRAM("workers.log", TINY, "--out", "workers", "--threads", "1",
                             "--workers", "4"),
                     0);
    program_assert_same_run("base", "workers");
}

static void test_the_fake_device_computes_the_same(void **state)
{
    (void)state;
    assert_int_equal(PROGRAM("fake.log", TINY, "--out", "fake", "--device", "fake"), 0);
    program_assert_same_run("base", "fake");
}

/* Largest difference of two runs' weights, relative to the largest weight; without those
 * whose names hold `skip`. */
static double weights_differ(const char *a, const char *b, const char *skip)
{
    vox_pth x = VOX_PTH_INIT, y = VOX_PTH_INIT;
    vox_tensors s = VOX_TENSORS_INIT, t = VOX_TENSORS_INIT;
    double most = 0, scale = 0;

    assert_int_equal(vox_pth_read(&x, a, 0), VOX_OK);
    assert_int_equal(vox_pth_read(&y, b, 0), VOX_OK);
    assert_int_equal(vox_obj_tensors(&s, vox_obj_get(x.tree.root, "network_weights"), a),
                     VOX_OK);
    assert_int_equal(vox_obj_tensors(&t, vox_obj_get(y.tree.root, "network_weights"), b),
                     VOX_OK);
    assert_int_equal(s.count, t.count);
    for (int64_t i = 0; i < s.count; i++) {
        const int64_t n = vox_shape_count(s.item[i].shape);
        float *p, *q;

        if (skip && strstr(s.item[i].name, skip))
            continue;
        p = vox_alloc((size_t)n, sizeof *p);
        q = vox_alloc((size_t)n, sizeof *q);
        vox_view_f32(p, &s.item[i]);
        vox_view_f32(q, &t.item[i]);
        for (int64_t k = 0; k < n; k++) {
            most = fmax(most, (double)fabsf(p[k] - q[k]));
            scale = fmax(scale, (double)fabsf(p[k]));
        }
        vox_free(p);
        vox_free(q);
    }
    vox_tensors_release(&s);
    vox_tensors_release(&t);
    vox_pth_release(&x);
    vox_pth_release(&y);
    return most / scale;
}

static void test_pieces_agree(void **state)
{
    double d;

    (void)state;
    assert_int_equal(PROGRAM("micro.log", TINY, "--out", "micro", "--micro-batch", "3"), 0);
    d = weights_differ("base/checkpoint_final.pth", "micro/checkpoint_final.pth", NULL);
    assert_true(d < 1e-4); /* eight steps of f32 rounding */
    assert_int_equal(PROGRAM("other.log", TINY, "--out", "other", "--seed", "2"), 0);
    assert_true(weights_differ("base/checkpoint_final.pth", "other/checkpoint_final.pth",
                               NULL) > 1e-2);
}

/* A dataset below the roots, by the peer's own command line. */
static void test_the_peers_words(void **state)
{
    static const char top[] =
        "roots/res/Dataset007_T/BaseMAETrainer_Test__nnsslPlans__onemmiso";
    char command[1024], path[512];

    (void)state;
    setenv("nnssl_raw", "roots/raw", 1);
    setenv("nnssl_preprocessed", "roots/pre", 1);
    setenv("nnssl_results", "roots/res", 1);
    assert_int_equal(vox_mkdirs("roots/raw/Dataset007_T"), VOX_OK);
    assert_int_equal(PROGRAM("index.log", "index", "scans", "-o",
                             "roots/raw/Dataset007_T/pretrain_data.json"),
                     0);
    assert_int_equal(PROGRAM("pp.log", "plan-and-preprocess", "-d", "7"), 0);
    snprintf(
        command, sizeof command,
        "%.*s/nnssl_train 7 onemmiso -tr BaseMAETrainer_Test -p nnsslPlans -num_gpus 1 "
        "-device cpu --npz --net resenc_unet --patch 16 --epochs 1 --steps 2 --val-steps 1 "
        "--set mae.block=4 --set 'resenc_unet.features=[4,8]' --set "
        "'resenc_unet.blocks=[1,1]' "
        "> train.log 2>&1",
        (int)(strrchr(VOX_PROGRAM, '/') - VOX_PROGRAM), VOX_PROGRAM);
    assert_int_equal(system(command), 0);
    for (int i = 0; i < 3; i++) {
        static const char *const files[] = {"plans.json", "adaptation_plan.json",
                                            "fold_all/checkpoint_final.pth"};

        snprintf(path, sizeof path, "%s/%s", top, files[i]);
        assert_true(vox_file_exists(path));
    }
    assert_int_equal(PROGRAM("val.log", "pretrain", "7", "onemmiso", "-tr",
                             "BaseMAETrainer_Test", "--val"),
                     0);
    assert_int_equal(program_count_lines("val.log", "validation loss"), 1);
    assert_int_equal(PROGRAM("bad.log", "pretrain", "8"), 1);
    assert_int_equal(PROGRAM("bad.log", "pretrain", "7", "onemmis"), 2);
    assert_int_equal(program_count_lines("bad.log", "did you mean onemmiso?"), 1);
}

static void test_weights_of_another_run(void **state)
{
    (void)state;
    assert_int_equal(PROGRAM("weights.log", TINY, "--out", "weights", "--lr", "0",
                             "-pretrained_weights", "base/checkpoint_final.pth"),
                     0);
    assert_true(weights_differ("base/checkpoint_final.pth", "weights/checkpoint_final.pth",
                               ".seg_layers.") == 0); /* a rate of 0 moves nothing */
    assert_true(weights_differ("base/checkpoint_final.pth", "weights/checkpoint_final.pth",
                               NULL) > 0); /* heads start anew */
    assert_int_equal(PROGRAM("weights.log", TINY, "--out", "weights", "--fresh",
                             "-pretrained_weights", "base/metrics.jsonl"),
                     1);
    assert_int_equal(program_count_lines("weights.log", "base/metrics.jsonl"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_run_leaves),
        cmocka_unit_test(test_threads_and_workers_change_no_bit),
        cmocka_unit_test(test_the_fake_device_computes_the_same),
        cmocka_unit_test(test_pieces_agree),
        cmocka_unit_test(test_the_peers_words),
        cmocka_unit_test(test_weights_of_another_run),
    };

    return cmocka_run_group_tests(tests, make_scans, NULL);
}
