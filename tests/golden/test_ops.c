/*
 * ops: single ops against PyTorch in float64, output and every gradient; the reference and
 * the kernel of every path of this machine. And the published values of the masked loss.
 */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/safetensors.h"
#include "support/op_case.h"
#include "support/unit.h"

#define FOLDER VOX_SOURCE_DIR "/tests/golden/ops"

/* ---- PyTorch ---- */

/* Fill `to` from the tensor of that name, of this type and shape. */
static void load(void *to, const vox_tensors *ts, const char *name, vox_dtype dtype,
                 vox_shape shape)
{
    const vox_view *t;

    if (vox_tensors_need(&t, ts, name, dtype, shape) != VOX_OK)
        fail_msg("%s", vox_error_text());
    vox_view_pack(to, t);
}

static op_case load_case(const vox_tensors *ts, const char *file)
{
    const vox_op *op = vox_op_find(vox_tensors_meta(ts, "op"));
    op_case c = op_case_new(op, vox_tensors_meta(ts, "problem"), 1, 0);
    char name[32];

    snprintf(c.text, sizeof c.text, "%s", file);
    for (int i = 0; i < c.spec.n_in; i++) {
        snprintf(name, sizeof name, "in%d", i);
        if (c.in[i])
            load(c.in[i], ts, name, c.spec.in[i].dtype, c.spec.in[i].shape);
    }
    load(c.dout[0], ts, "dout", VOX_F32, c.spec.out[0].shape);
    return c;
}

static op_result load_wanted(const vox_tensors *ts, const op_case *c)
{
    op_result r = {{0}, {0}, {0}};
    char name[32];

    r.out[0] = vox_alloc((size_t)op_case_count_out(c, 0), sizeof(float));
    load(r.out[0], ts, "out", VOX_F32, c->spec.out[0].shape);
    for (int i = 0; i < c->spec.n_in; i++) {
        if (!op_case_has_grad(c, i))
            continue;
        r.din[i] = vox_alloc((size_t)op_case_count_in(c, i), sizeof(float));
        snprintf(name, sizeof name, "din%d", i);
        load(r.din[i], ts, name, VOX_F32, c->spec.in[i].shape);
    }
    return r;
}

static void check_file(const char *file)
{
    char path[512];
    vox_tensors ts;
    op_case c;
    op_result wanted, magnitude;

    snprintf(path, sizeof path, "%s/%s", FOLDER, file);
    if (vox_safetensors_read(&ts, path) != VOX_OK)
        fail_msg("%s", vox_error_text());
    c = load_case(&ts, file);
    wanted = load_wanted(&ts, &c);
    magnitude = op_case_magnitude(&c);
    op_result_mix(&c, &magnitude);
    load(c.dout[0], &ts, "dout", VOX_F32, c.spec.out[0].shape); /* kinks too */
    for (int i = 0; i < OP_WAYS; i++) {
        vox_device *dev = op_way_open(&op_ways[i], 2);

        if (dev && op_way_is_for(&op_ways[i], &c.spec)) {
            const op_how how = op_how_write(dev, op_pick(dev, &c));
            op_result found = op_case_run(&c, &how);

            op_result_compare(&c, op_ways[i].name, &found, &wanted, &magnitude);
            op_result_free(&found);
        }
        vox_device_close(dev);
    }
    op_result_free(&wanted);
    op_result_free(&magnitude);
    op_case_free(&c);
    vox_tensors_release(&ts);
}

static void ops_agree_with_pytorch(void **state)
{
    DIR *dir = opendir(FOLDER);
    int files = 0;

    (void)state;
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (!strstr(e->d_name, ".safetensors"))
            continue;
        check_file(e->d_name);
        files++;
    }
    closedir(dir);
    assert_int_equal(files, 27);
}

/* ---- published values, methods.md 10.1 ---- */

/* sin(step * i), i = 1, 2, ... */
static void fill(float *v, int64_t n, double step)
{
    for (int64_t i = 0; i < n; i++)
        v[i] = (float)sin(step * (double)(i + 1));
}

/* P and T of the table; visible where the flat index is a multiple of 3. */
static op_case published(const char *text)
{
    op_case c = op_case_new(vox_op_find("masked_mse"), text, 1, 0);

    fill(c.in[0], op_case_count_in(&c, 0), 0.37);
    fill(c.in[1], op_case_count_in(&c, 1), 0.91);
    for (int64_t i = 0; c.in[2] && i < op_case_count_in(&c, 2); i++)
        ((uint8_t *)c.in[2])[i] = i % 3 == 0;
    return c;
}

/* The operands are f32, the loss is rounded to f32: two roundings of a value near 1. */
static void check_loss(op_case *c, double wanted)
{
    for (int i = 0; i < OP_WAYS; i++) {
        vox_device *dev = op_way_open(&op_ways[i], 2);

        if (dev && op_way_is_for(&op_ways[i], &c->spec)) {
            const op_how how = op_how_write(dev, op_pick(dev, c));
            op_result r = op_case_run(c, &how);

            if (!(fabs((double)r.out[0][0] - wanted) <= 0x1p-23 * wanted))
                fail_msg("%s on %s: %.9g, wanted %.16g", c->text, op_ways[i].name,
                         (double)r.out[0][0], wanted);
            op_result_free(&r);
        }
        vox_device_close(dev);
    }
    op_case_free(c);
}

static void losses_are_those_published(void **state)
{
    op_case voxels = published("2x1x4x4x4 in2=2x1x4x4x4");
    op_case blocks = published("2x1x4x4x4 in2=2x1x2x2x2");
    op_case all = published("2x1x4x4x4");

    (void)state;
    check_loss(&voxels, 1.010695837699796);
    check_loss(&blocks, 1.0085181184123013); /* SparkLoss */
    check_loss(&all, 0.9993451285440798);    /* MSELoss_NoMask */
}

/* Nothing hidden: 0, and no gradient, where the peer divides 0 by 0. */
static void nothing_hidden_is_no_loss(void **state)
{
    op_case c = published("2x3x4x4x4 in2=2x1x2x2x2");
    vox_device *dev = op_device("reference", 2);
    const op_how how = op_how_write(dev, NULL);
    op_result r;

    (void)state;
    memset(c.in[2], 1, (size_t)op_case_count_in(&c, 2));
    r = op_case_run(&c, &how);
    assert_true(r.out[0][0] == 0.0f);
    for (int64_t i = 0; i < op_case_count_in(&c, 0); i++)
        assert_true(r.din[0][i] == 0.0f && r.din[1][i] == 0.0f);
    op_result_free(&r);
    vox_device_close(dev);
    op_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_agree_with_pytorch),
        cmocka_unit_test(losses_are_those_published),
        cmocka_unit_test(nothing_hidden_is_no_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
