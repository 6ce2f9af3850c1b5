/* checkpoint, saver: what is read is what was written, damage is found, names and rotation.
 */
#include "support/unit.h"

#include <json-c/json_object.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "train/saver.h"

/* A model of three tensors: one with an alias, one that no gradient reaches. */
typedef struct model {
    vox_device *dev;
    vox_params *params;
    vox_optim *optim;
    vox_progress at;
    json_object *settings, *plan, *adaptation;
    vox_saving saving;
} model;

static void randomize(vox_params *p, float *block, uint64_t seed)
{
    for (int i = 0; i < p->n_param; i++) {
        vox_rng rng = vox_rng_at(seed, VOX_STREAM("x"), (uint64_t)i);
        float host[64];

        for (int64_t k = 0; k < p->param[i].count; k++)
            host[k] = (float)vox_rng_normal(&rng);
        assert_int_equal(vox_params_set(p, block, i, host), VOX_OK);
    }
}

static json_object *parse(const char *text)
{
    json_object *o = NULL;

    assert_int_equal(vox_json_parse(&o, text, strlen(text), "test"), VOX_OK);
    return o;
}

static void model_open(model *m, vox_optim_kind kind, uint64_t seed)
{
    const vox_device_cfg dev = {.name = "cpu", .threads = 1};
    vox_optim_cfg optim = VOX_OPTIM_SGD_INIT;
    const vox_init zero = {VOX_INIT_CONST, 0, 0};

    *m = (model){0};
    optim.kind = kind;
    assert_int_equal(vox_device_open(&m->dev, &dev), VOX_OK);
    assert_int_equal(vox_params_new(&m->params, m->dev), VOX_OK);
    assert_int_equal(vox_params_add(m->params, "a.weight", VOX_SHAPE(2, 3), zero), VOX_OK);
    assert_int_equal(vox_params_alias(m->params, "all.0.weight", "a.weight"), VOX_OK);
    assert_int_equal(vox_params_add(m->params, "unused", VOX_SHAPE(4), zero), VOX_OK);
    assert_int_equal(vox_params_add(m->params, "b.bias", VOX_SHAPE(5), zero), VOX_OK);
    assert_int_equal(vox_params_seal(m->params), VOX_OK);
    assert_int_equal(vox_optim_new(&m->optim, m->params, &optim), VOX_OK);
    randomize(m->params, m->params->value, seed);
    for (int i = 0; i < vox_optim_moments(kind); i++)
        randomize(m->params, m->params->moment[i], seed + 1 + (uint64_t)i);
    m->optim->age[0] = 7;
    m->optim->age[2] = 3;
    vox_progress_init(&m->at);
    m->settings = parse("{\"recipe\": {\"lr\": 0.01}, \"seed\": 9}");
    m->plan = parse("{\"plans_name\": \"p\"}");
    m->adaptation = parse("{\"key_to_lpe\": null}");
    m->saving = (vox_saving){m->params,  m->optim,    &m->at,  "T",
                             "onemmiso", m->settings, m->plan, m->adaptation};
}

static void model_close(model *m)
{
    vox_progress_release(&m->at);
    vox_optim_free(m->optim);
    vox_params_free(m->params);
    vox_device_close(m->dev);
    json_object_put(m->settings);
    json_object_put(m->plan);
    json_object_put(m->adaptation);
}

/* Two epochs done, in the middle of the third. */
static void advance(model *m, int64_t epochs)
{
    int is_best;

    for (int64_t e = 0; e < epochs; e++) {
        m->at.loss_sum = 1.0 / 3 + (double)e;
        m->at.loss_count = 3;
        m->at.total += 10;
        assert_int_equal(
            vox_progress_end_epoch(&m->at, 0.7 - 0.1 * (double)e, 0.01, 5, &is_best),
            VOX_OK);
        assert_true(is_best);
    }
    m->at.step = 4;
    m->at.total += 4;
    m->at.loss_sum = 0.1 + 0.2;
    m->at.loss_count = 3;
    m->at.nonfinite = 1;
    m->at.start = 1234.5;
}

static void assert_same_params(const model *a, const model *b)
{
    const size_t bytes = (size_t)a->params->count * sizeof(float);

    assert_memory_equal(a->params->value, b->params->value, bytes);
    for (int m = 0; m < vox_optim_moments(a->optim->cfg.kind); m++) {
        for (int i = 0; i < 3; i++) {
            const vox_param *q = &a->params->param[i];

            if (a->optim->age[i])
                assert_memory_equal(a->params->moment[m] + q->offset,
                                    b->params->moment[m] + q->offset,
                                    (size_t)q->count * sizeof(float));
        }
    }
    assert_memory_equal(a->optim->age, b->optim->age, 3 * sizeof(int64_t));
}

static void check_round_trip(vox_optim_kind kind)
{
    vox_saved s = VOX_SAVED_INIT;
    model a, b;

    model_open(&a, kind, 1);
    model_open(&b, kind, 100);
    advance(&a, 2);
    assert_int_equal(vox_checkpoint_write("trip.pth", &a.saving), VOX_OK);
    assert_int_equal(vox_saved_open(&s, "trip.pth"), VOX_OK);
    assert_int_equal(vox_saved_restore(&s, b.params, b.optim), VOX_OK);
    assert_same_params(&a, &b);
    assert_int_equal(s.at.epoch, 2);
    assert_int_equal(s.at.step, 4);
    assert_int_equal(s.at.total, 24);
    assert_true(s.at.loss_sum == a.at.loss_sum && s.at.start == 1234.5);
    assert_int_equal(s.at.loss_count, 3);
    assert_int_equal(s.at.nonfinite, 1);
    assert_true(s.at.best == a.at.best);
    assert_memory_equal(s.at.record, a.at.record, 2 * sizeof *s.at.record);
    assert_int_equal(s.seed, 9);
    assert_true(json_object_equal(s.settings, a.settings));
    assert_string_equal(vox_saved_kernels(&s), a.dev->path);
    vox_saved_close(&s);
    model_close(&a);
    model_close(&b);
}

static void test_round_trip(void **state)
{
    (void)state;
    check_round_trip(VOX_OPTIM_SGD);
    check_round_trip(VOX_OPTIM_ADAMW);
}

static void test_layout_is_the_peers(void **state)
{
    static const char *const keys[] = {
        "network_weights", "optimizer_state", "grad_scaler_state",
        "logging",         "_best_ema",       "current_epoch",
        "init_args",       "trainer_name",    "nnssl_adaptation_plan",
        "voxmind"};
    vox_pth p = VOX_PTH_INIT;
    const vox_obj *root, *moments, *groups;
    model m;

    (void)state;
    model_open(&m, VOX_OPTIM_SGD, 1);
    assert_int_equal(vox_checkpoint_write("layout.pth", &m.saving), VOX_OK);
    assert_int_equal(vox_pth_read(&p, "layout.pth", 0), VOX_OK);
    root = p.tree.root;
    assert_int_equal(root->list.count, 2 * VOX_COUNT(keys));
    for (int i = 0; i < VOX_COUNT(keys); i++)
        assert_string_equal(root->list.item[2 * i]->str.text, keys[i]);
    assert_ptr_equal(
        vox_obj_get(vox_obj_get(root, "network_weights"), "a.weight")->tensor->storage,
        vox_obj_get(vox_obj_get(root, "network_weights"), "all.0.weight")->tensor->storage);
    moments = vox_obj_get(vox_obj_get(root, "optimizer_state"), "state");
    assert_non_null(vox_obj_get_int(moments, 0));
    assert_null(vox_obj_get_int(moments, 1)); /* no gradient reached it */
    assert_non_null(vox_obj_get_int(moments, 2));
    groups = vox_obj_get(vox_obj_get(root, "optimizer_state"), "param_groups");
    assert_int_equal(vox_obj_get(groups->list.item[0], "params")->list.count, 3);
    assert_int_equal(vox_obj_get(root, "_best_ema")->kind, VOX_OBJ_NONE);
    assert_int_equal(
        vox_obj_get(vox_obj_get(root, "init_args"), "pretrain_json")->list.count, 0);
    vox_pth_release(&p);
    model_close(&m);
}

/* Change one byte at `at` (from the end when negative). */
static void corrupt(const char *path, long at)
{
    FILE *f = fopen(path, "r+b");
    int c;

    assert_non_null(f);
    assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    c = fgetc(f);
    assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    fputc(c ^ 0x40, f);
    fclose(f);
}

static void test_damage_is_found(void **state)
{
    vox_saved s = VOX_SAVED_INIT;
    int64_t size;
    model m;

    (void)state;
    model_open(&m, VOX_OPTIM_SGD, 1);
    assert_int_equal(vox_checkpoint_write("bad.pth", &m.saving), VOX_OK);
    size = vox_file_size("bad.pth");
    for (int64_t at = 0; at < size; at += size / 40) {
        int rc;

        assert_int_equal(vox_checkpoint_write("bad.pth", &m.saving), VOX_OK);
        corrupt("bad.pth", (long)at);
        rc = vox_saved_open(&s, "bad.pth");
        if (rc == VOX_OK) { /* padding between entries: nothing that counts */
            vox_saved_close(&s);
            continue;
        }
        assert_non_null(strstr(vox_error_text(), "bad.pth"));
        assert_null(s.path);
    }
    for (int64_t cut = 0; cut < size; cut += size / 20) {
        assert_int_equal(vox_checkpoint_write("bad.pth", &m.saving), VOX_OK);
        assert_int_equal(truncate("bad.pth", (off_t)cut), 0);
        assert_int_equal(vox_saved_open(&s, "bad.pth"), VOX_E_FORMAT);
    }
    model_close(&m);
}

static void test_weights_of_another_run(void **state)
{
    model a, b;

    (void)state;
    model_open(&a, VOX_OPTIM_SGD, 1);
    model_open(&b, VOX_OPTIM_ADAMW, 5);
    assert_int_equal(vox_checkpoint_write("w.pth", &a.saving), VOX_OK);
    assert_int_equal(vox_checkpoint_weights(b.params, "w.pth"), VOX_OK);
    assert_memory_equal(a.params->value, b.params->value,
                        (size_t)a.params->count * sizeof(float));
    b.params->param[1].shape = VOX_SHAPE(2, 2);
    assert_int_equal(vox_checkpoint_weights(b.params, "w.pth"), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "\"unused\" is 4, wanted 2x2"));
    model_close(&a);
    model_close(&b);
}

/* ---- saver ---- */

static vox_folder folder = {.run = (char *)(uintptr_t) "run",
                            .top = (char *)(uintptr_t) "run"};

static int fresh_folder(void **state)
{
    (void)state;
    assert_int_equal(system("rm -rf run && mkdir run"), 0);
    return 0;
}

static int64_t steps_of(const char *name)
{
    vox_saved s = VOX_SAVED_INIT;
    char *path = vox_folder_path(&folder, name);
    int64_t steps = -1;

    if (vox_file_exists(path)) {
        assert_int_equal(vox_saved_open(&s, path), VOX_OK);
        steps = s.at.total;
        vox_saved_close(&s);
    }
    vox_free(path);
    return steps;
}

static void save_at(vox_saver *s, model *m, int64_t step, int is_best)
{
    m->at.total = step;
    assert_int_equal(vox_saver_save(s, &m->saving, VOX_AFTER_EPOCH, is_best), VOX_OK);
}

static void assert_newest(int64_t step)
{
    vox_saved s = VOX_SAVED_INIT;

    assert_int_equal(vox_saver_newest(&s, &folder), VOX_OK);
    assert_int_equal(s.at.total, step);
    vox_saved_close(&s);
}

static void test_rotation(void **state)
{
    vox_saver s = {.folder = &folder, .every = 1};
    model m;

    (void)state;
    model_open(&m, VOX_OPTIM_SGD, 1);
    save_at(&s, &m, 1, 1);
    assert_int_equal(steps_of(VOX_CHECKPOINT_LATEST), 1);
    assert_int_equal(steps_of(VOX_CHECKPOINT_PREVIOUS), -1);
    save_at(&s, &m, 2, 0);
    save_at(&s, &m, 3, 0);
    assert_int_equal(steps_of(VOX_CHECKPOINT_LATEST), 3);
    assert_int_equal(steps_of(VOX_CHECKPOINT_PREVIOUS), 2);
    assert_int_equal(steps_of(VOX_CHECKPOINT_BEST), 1);
    assert_int_equal(steps_of(VOX_CHECKPOINT_NEXT), -1);
    m.at.total = 4;
    assert_int_equal(vox_saver_best(&s, &m.saving), VOX_OK);
    assert_int_equal(steps_of(VOX_CHECKPOINT_BEST), 4);
    assert_newest(4);
    m.at.total = 5;
    assert_int_equal(vox_saver_finish(&s, &m.saving, 0), VOX_OK);
    assert_int_equal(steps_of(VOX_CHECKPOINT_FINAL), 5);
    assert_int_equal(steps_of(VOX_CHECKPOINT_LATEST), -1);
    assert_int_equal(steps_of(VOX_CHECKPOINT_PREVIOUS), -1);
    assert_int_equal(steps_of(VOX_CHECKPOINT_BEST), 4);
    m.at.total = 6;
    assert_int_equal(vox_saver_finish(&s, &m.saving, 1), VOX_OK);
    assert_int_equal(steps_of(VOX_CHECKPOINT_FINAL), 6);
    assert_int_equal(steps_of(VOX_CHECKPOINT_BEST), 6);
    model_close(&m);
}

static void test_damaged_ones_are_passed_over(void **state)
{
    vox_saver s = {.folder = &folder, .every = 1};
    vox_saved none = VOX_SAVED_INIT;
    model m;

    (void)state;
    assert_int_equal(vox_saver_newest(&none, &folder), VOX_E_MISSING);
    model_open(&m, VOX_OPTIM_SGD, 1);
    save_at(&s, &m, 1, 1);
    save_at(&s, &m, 2, 0);
    save_at(&s, &m, 3, 0);
    assert_newest(3);
    assert_int_equal(rename("run/checkpoint_latest.pth", "run/checkpoint_next.pth"), 0);
    assert_newest(3);
    corrupt("run/checkpoint_next.pth", -1);
    assert_newest(2);
    assert_true(vox_file_exists("run/checkpoint_next.pth.damaged"));
    assert_false(vox_file_exists("run/checkpoint_next.pth"));
    assert_int_equal(truncate("run/checkpoint_previous.pth", 100), 0);
    assert_newest(1);
    assert_int_equal(truncate("run/checkpoint_best.pth", 0), 0);
    assert_int_equal(vox_saver_newest(&none, &folder), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "--fresh"));
    assert_int_equal(vox_saver_newest(&none, &folder),
                     VOX_E_FORMAT); /* still no fresh start */
    model_close(&m);
}

static void test_another_programs_file_is_not_damaged(void **state)
{
    vox_saved none = VOX_SAVED_INIT;
    vox_tree t = VOX_TREE_INIT;

    (void)state;
    t.root = vox_obj_dict(&t);
    vox_obj_set(&t, t.root, "network_weights", vox_obj_dict(&t));
    assert_int_equal(vox_pth_write("run/checkpoint_latest.pth", &t), VOX_OK);
    vox_tree_release(&t);
    assert_int_equal(vox_saver_newest(&none, &folder), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "-pretrained_weights"));
    assert_true(vox_file_exists("run/checkpoint_latest.pth"));
}

static struct rlimit limit_files(rlim_t bytes)
{
    struct rlimit old, small;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    return old;
}

static void test_full_disk(void **state)
{
    vox_saver s = {.folder = &folder, .every = 10};
    struct rlimit old;
    model m;

    (void)state;
    model_open(&m, VOX_OPTIM_SGD, 1);
    save_at(&s, &m, 1, 1);
    old = limit_files(1000);
    assert_int_equal(vox_saver_check_room(&folder, 2000), VOX_E_IO);
    assert_non_null(strstr(vox_error_text(), "run"));
    assert_false(vox_saver_due(&s, VOX_AFTER_EPOCH, 1));
    save_at(&s, &m, 2, 1); /* warns, goes on */
    assert_true(vox_saver_due(&s, VOX_AFTER_EPOCH, 1));
    assert_int_equal(vox_saver_save(&s, &m.saving, VOX_ON_LEAVING, 0), VOX_E_IO);
    assert_non_null(strstr(vox_error_text(), "checkpoint_next.pth"));
    assert_int_equal(vox_saver_finish(&s, &m.saving, 0), VOX_E_IO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(vox_saver_check_room(&folder, 2000), VOX_OK);
    assert_int_equal(steps_of(VOX_CHECKPOINT_LATEST), 1);
    assert_int_equal(steps_of(VOX_CHECKPOINT_BEST), 1);
    save_at(&s, &m, 3, 0);
    assert_int_equal(steps_of(VOX_CHECKPOINT_LATEST), 3);
    assert_false(vox_saver_due(&s, VOX_AFTER_EPOCH, 1));
    model_close(&m);
}

static void test_when_it_is_time(void **state)
{
    vox_saver s = {.folder = &folder, .every = 2};

    (void)state;
    assert_false(vox_saver_due(&s, VOX_AFTER_STEP, 0)); /* no clock */
    assert_true(vox_saver_due(&s, VOX_AFTER_EPOCH, 2));
    assert_false(vox_saver_due(&s, VOX_AFTER_EPOCH, 3));
    s.minutes = 1e-9;
    assert_true(vox_saver_due(&s, VOX_AFTER_STEP, 0));
    s.cost = 1e9; /* seconds per checkpoint: 2 % of the run is never reached */
    assert_false(vox_saver_due(&s, VOX_AFTER_STEP, 0));
    assert_false(vox_saver_due(&s, VOX_AFTER_EPOCH, 2));
    s.keep_minutes = s.keep_every = 1;
    assert_true(vox_saver_due(&s, VOX_AFTER_STEP, 0));
    assert_true(vox_saver_due(&s, VOX_AFTER_EPOCH, 2));
    s.off = 1;
    assert_false(vox_saver_due(&s, VOX_ON_LEAVING, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_layout_is_the_peers),
        cmocka_unit_test(test_damage_is_found),
        cmocka_unit_test(test_weights_of_another_run),
        cmocka_unit_test_setup(test_rotation, fresh_folder),
        cmocka_unit_test_setup(test_damaged_ones_are_passed_over, fresh_folder),
        cmocka_unit_test_setup(test_another_programs_file_is_not_damaged, fresh_folder),
        cmocka_unit_test_setup(test_full_disk, fresh_folder),
        cmocka_unit_test_setup(test_when_it_is_time, fresh_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
