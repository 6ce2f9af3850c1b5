/* pth: files that PyTorch itself wrote, and files that it must load. */
#include "support/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/error.h"
#include "io/pth.h"

#define FOLDER VOX_SOURCE_DIR "/tests/golden/tensor_files/"

static void a_checkpoint_of_the_peer(void **state)
{
    static const char *const keys[] = {
        "network_weights", "optimizer_state", "grad_scaler_state",
        "logging",         "_best_ema",       "current_epoch",
        "init_args",       "trainer_name",    "nnssl_adaptation_plan",
    };
    vox_pth p;
    vox_obj *o, *list;
    vox_tensors ts;
    const vox_view *v;
    const char *text;
    double f;

    (void)state;
    assert_int_equal(vox_pth_read(&p, FOLDER "peer.pth", 0), VOX_OK);
    assert_int_equal(p.tree.root->list.count, 2 * VOX_COUNT(keys));
    for (int i = 0; i < VOX_COUNT(keys); i++)
        assert_string_equal(p.tree.root->list.item[2 * i]->str.text, keys[i]);
    assert_int_equal(vox_obj_need_dict(&o, p.tree.root, "network_weights", "peer"), VOX_OK);
    assert_int_equal(vox_obj_tensors(&ts, o, "network_weights"), VOX_OK);
    assert_int_equal(ts.count, 8);
    assert_int_equal(vox_tensors_need(&v, &ts, "all_modules.0.weight", VOX_F32,
                                      VOX_SHAPE(2, 1, 3, 3, 3)),
                     VOX_OK);
    assert_string_equal(ts.item[v->alias].name, "conv.weight");
    vox_tensors_release(&ts);
    assert_int_equal(vox_obj_need_dict(&o, p.tree.root, "optimizer_state", "peer"), VOX_OK);
    o = vox_obj_get_int(vox_obj_get(o, "state"), 0);
    assert_int_equal(vox_obj_need_tensor(&v, o, "momentum_buffer", "peer"), VOX_OK);
    assert_int_equal(vox_obj_need_float(&f, p.tree.root, "_best_ema", "peer"), VOX_OK);
    assert_true(f == 0.25);
    assert_int_equal(vox_obj_need_str(&text, p.tree.root, "trainer_name", "peer"), VOX_OK);
    assert_string_equal(text, "BaseMAETrainer");
    o = vox_obj_get(vox_obj_get(p.tree.root, "init_args"), "device");
    assert_string_equal(o->str.text, "cuda:0");
    o = vox_obj_get(p.tree.root, "nnssl_adaptation_plan");
    assert_int_equal(
        vox_obj_need_list(&list, o, "recommended_downstream_patchsize", "peer"), VOX_OK);
    assert_int_equal(list->list.item[2]->i, 160);
    vox_pth_release(&p);
}

static void tensors_of_every_kind(const vox_obj *root)
{
    const vox_view *v;
    vox_tensors ts;
    float f[24];

    assert_int_equal(vox_obj_need_tensor(&v, root, "slice", "odd"), VOX_OK);
    assert_true(vox_shape_equal(v->shape, VOX_SHAPE(2, 2, 2)));
    vox_view_f32(f, v);
    for (int i = 0; i < 8; i++)
        assert_true(f[i] == (float)(12 * (i / 4) + 4 + 4 * (i / 2 % 2) + 2 * (i % 2)));
    assert_int_equal(vox_obj_need_tensor(&v, root, "turned", "odd"), VOX_OK);
    assert_true(vox_shape_equal(v->shape, VOX_SHAPE(4, 2, 3)));
    vox_view_f32(f, v);
    assert_true(f[1] == 4.0f && f[3] == 12.0f && f[6] == 1.0f);
    assert_int_equal(vox_obj_need_tensor(&v, root, "scalar", "odd"), VOX_OK);
    vox_view_f32(f, v);
    assert_true(f[0] == 7.5f);
    assert_int_equal(vox_obj_need_tensor(&v, root, "empty", "odd"), VOX_OK);
    assert_true(vox_shape_equal(v->shape, VOX_SHAPE(0, 3)));
    assert_int_equal(vox_obj_need_tensor(&v, root, "array", "odd"), VOX_OK);
    assert_true(v->dtype == VOX_I32 && vox_shape_equal(v->shape, VOX_SHAPE(2, 3)));
    vox_view_f32(f, v);
    for (int i = 0; i < 6; i++)
        assert_true(f[i] == (float)i);
    assert_int_equal(vox_obj_tensors(&ts, vox_obj_get(root, "types"), "types"), VOX_OK);
    assert_int_equal(ts.count, 9);
    for (int i = 0; i < ts.count; i++) {
        const int truth = ts.item[i].dtype == VOX_BOOL;

        vox_view_f32(f, &ts.item[i]);
        assert_true(f[0] == 0.0f && f[1] == 1.0f && f[2] == (truth ? 1.0f : 2.0f));
    }
    vox_tensors_release(&ts);
    assert_int_equal(vox_obj_tensors(&ts, vox_obj_get(root, "state_dict"), "x"), VOX_OK);
    assert_int_equal(ts.count, 8);
    vox_tensors_release(&ts);
}

static void values_of_every_kind(const vox_obj *root)
{
    static const int64_t ints[] = {0,  255,          256,       65535,     65536,
                                   -1, 2147483648LL, 1LL << 40, INT64_MIN, INT64_MAX};
    static const double numbers[] = {1.5, -0.25, -3, 1, 0.5, 200};
    const vox_obj *o = vox_obj_get(root, "ints");

    for (int i = 0; i < VOX_COUNT(ints); i++)
        assert_int_equal(o->list.item[i]->i, ints[i]);
    o = vox_obj_get(root, "numpy");
    for (int i = 0; i < VOX_COUNT(numbers); i++) {
        const vox_obj *n = o->list.item[i];

        assert_true((n->kind == VOX_OBJ_FLOAT ? n->f : (double)n->i) == numbers[i]);
    }
    assert_int_equal(o->list.item[3]->kind, VOX_OBJ_BOOL);
    o = vox_obj_get(root, "floats");
    assert_true(o->list.item[0]->f == (double)INFINITY && o->list.item[2]->f == 1e-300);
    assert_string_equal(vox_obj_get(root, "text")->str.text, "h\xc3\xa4\xf0\x9f\x98\x80");
    assert_memory_equal(vox_obj_get(root, "bytes")->str.text, "\0\xff", 3);
    assert_string_equal(vox_obj_get(root, "bytearray")->str.text, "ab");
    assert_string_equal(vox_obj_get(root, "dtype")->str.text, "torch.float16");
    assert_int_equal(vox_obj_get(root, "size")->kind, VOX_OBJ_TUPLE);
    assert_true(vox_obj_get(root, "complex")->list.item[1]->f == -2.0);
    assert_int_equal(vox_obj_get(root, "set")->list.count, 1);
    assert_int_equal(vox_obj_get(root, "many")->list.count, 2002);
    assert_int_equal(vox_obj_get(vox_obj_get(root, "many"), "1000")->i, 1000);
    assert_int_equal(vox_obj_get(root, "betas")->kind, VOX_OBJ_TUPLE);
}

static void odd_values_of_other_writers(void **state)
{
    vox_pth p;

    (void)state;
    assert_int_equal(vox_pth_read(&p, FOLDER "odd.pth", 0), VOX_OK);
    tensors_of_every_kind(p.tree.root);
    values_of_every_kind(p.tree.root);
    vox_pth_release(&p);
}

static void archives_in_other_forms(void **state)
{
    static const char *const names[] = {"small.pth", "deflated.pth", "reversed.pth"};
    vox_pth p;

    (void)state;
    for (int i = 0; i < VOX_COUNT(names); i++) {
        char path[512];
        const vox_view *v;
        float f[6];

        snprintf(path, sizeof path, FOLDER "%s", names[i]);
        assert_int_equal(vox_pth_read(&p, path, 0), VOX_OK);
        assert_int_equal(vox_obj_need_tensor(&v, p.tree.root, "a", path), VOX_OK);
        vox_view_f32(f, v);
        assert_true(f[5] == 5.0f);
        vox_pth_release(&p);
    }
    assert_int_equal(vox_pth_read(&p, FOLDER "unchecked.pth", 0), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "written without checksums"));
    assert_int_equal(vox_pth_read(&p, FOLDER "unchecked.pth", VOX_PTH_NO_CHECKSUMS),
                     VOX_OK);
    vox_pth_release(&p);
}

static void programs_and_old_files_are_refused(void **state)
{
    vox_pth p;

    (void)state;
    assert_int_equal(vox_pth_read(&p, FOLDER "attack.pth", 0), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "uses global 'posix.system': refused"));
    assert_int_equal(vox_pth_read(&p, FOLDER "legacy.pth", 0), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "before 1.6"));
    assert_int_equal(vox_pth_read(&p, FOLDER "stranger.pth", 0), VOX_E_FORMAT);
    assert_int_equal(vox_pth_read(&p, FOLDER "stranger.pth", VOX_PTH_SKIP_UNKNOWN), VOX_OK);
    assert_int_equal(vox_obj_get(p.tree.root, "b")->i, 2);
    vox_pth_release(&p);
}

static int fetch(void *arg, int64_t first, int64_t count, void *dst)
{
    (void)arg;
    for (int64_t i = 0; i < count; i++)
        ((float *)dst)[i] = (float)(first + i);
    return VOX_OK;
}

/* What tests/golden/load_pth.py expects. */
static void write_for_torch(const char *path)
{
    static const float v[6] = {1, 2, 3, 4, 5, 6};
    vox_tree t = VOX_TREE_INIT;
    vox_obj *w = vox_obj_dict(&t), *args = vox_obj_dict(&t), *betas = vox_obj_tuple(&t);
    vox_storage *s = vox_storage_new(&t, VOX_F32, 6, v);

    vox_obj_set(&t, w, "conv.weight", vox_obj_tensor(&t, s, 0, VOX_SHAPE(2, 3)));
    vox_obj_set(&t, w, "all_modules.0.weight", vox_obj_get(w, "conv.weight"));
    s = vox_storage_fetched(&t, VOX_F32, 3000000, fetch, NULL);
    vox_obj_set(&t, w, "big", vox_obj_tensor(&t, s, 0, VOX_SHAPE(3, 1000, 1000)));
    s = vox_storage_new(&t, VOX_F32, 1, v);
    vox_obj_set(&t, w, "step", vox_obj_tensor(&t, s, 0, (vox_shape){0}));
    vox_obj_append(&t, betas, vox_obj_float(&t, 0.9));
    vox_obj_append(&t, betas, vox_obj_float(&t, 0.98));
    vox_obj_set(&t, args, "device", vox_obj_device(&t, "cuda:0"));
    vox_obj_set(&t, args, "betas", betas);
    vox_obj_set(&t, args, "bytes", vox_obj_text(&t, VOX_OBJ_BYTES, "\0\xff", 2));
    vox_obj_set(&t, args, "dtype", vox_obj_text(&t, VOX_OBJ_DTYPE, "torch.float16", 13));
    vox_obj_set_obj(&t, args, vox_obj_int(&t, -1), vox_obj_int(&t, 1LL << 40));
    t.root = vox_obj_dict(&t);
    vox_obj_set(&t, t.root, "network_weights", w);
    vox_obj_set(&t, t.root, "init_args", args);
    vox_obj_set(&t, t.root, "_best_ema", vox_obj_none(&t));
    assert_int_equal(vox_pth_write(path, &t), VOX_OK);
    vox_tree_release(&t);
}

/* Needs a Python with torch >= 2.6: $VOX_PYTHON, or python3. Skipped without. */
static void torch_loads_what_we_write(void **state)
{
    int rc;

    (void)state;
    write_for_torch("ours.pth");
    rc = system("${VOX_PYTHON:-python3} " VOX_SOURCE_DIR
                "/tests/golden/load_pth.py ours.pth");
    if (WIFEXITED(rc) && (WEXITSTATUS(rc) == 77 || WEXITSTATUS(rc) == 127))
        skip();
    assert_int_equal(rc, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_of_the_peer),
        cmocka_unit_test(odd_values_of_other_writers),
        cmocka_unit_test(archives_in_other_forms),
        cmocka_unit_test(programs_and_old_files_are_refused),
        cmocka_unit_test(torch_loads_what_we_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
