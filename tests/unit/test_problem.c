/* problem: texts to op calls, and what is no problem. */
#include "support/unit.h"

#include "base/error.h"
#include "graph/problem.h"
#include "ops/conv3d.h"
#include "ops/leaky_relu.h"

#include <string.h>

static vox_problem_spec parsed(const char *op, const char *text)
{
    vox_problem_spec spec;

    if (vox_problem_parse(&spec, vox_op_find(op), text) != VOX_OK)
        fail_msg("%s", vox_error_text());
    return spec;
}

static void assert_shape(const vox_value *v, vox_shape want)
{
    char found[128], wanted[128];

    assert_string_equal(vox_shape_text(v->shape, found), vox_shape_text(want, wanted));
}

static void convolution_with_everything(void **state)
{
    vox_problem_spec p =
        parsed("conv3d", "2x8x5x6x7 out=16 stride=2 in=0,1,2,3,4 in3=2x3x5x6x7");
    const vox_conv3d_attr *attr = p.attr;

    (void)state;
    assert_int_equal(p.n_in, 5);
    assert_int_equal(attr->out, 16);
    for (int a = 0; a < 3; a++) {
        assert_int_equal(attr->kernel.v[a], 3);
        assert_int_equal(attr->stride.v[a], 2);
        assert_int_equal(attr->pad.v[a], 1);
    }
    assert_shape(&p.in[VOX_CONV3D_X], VOX_SHAPE(2, 8, 5, 6, 7));
    assert_shape(&p.in[VOX_CONV3D_W], VOX_SHAPE(16, 11, 3, 3, 3));
    assert_shape(&p.in[VOX_CONV3D_B], VOX_SHAPE(16));
    assert_shape(&p.in[VOX_CONV3D_X2], VOX_SHAPE(2, 3, 5, 6, 7));
    assert_shape(&p.in[VOX_CONV3D_ACTIVE], VOX_SHAPE(2, 1, 3, 3, 2)); /* of 3x3x4 voxels */
    assert_shape(&p.out[0], VOX_SHAPE(2, 16, 3, 3, 4));
    assert_int_equal(p.in[VOX_CONV3D_ACTIVE].dtype, VOX_U8);
    assert_int_equal(p.in[VOX_CONV3D_W].role, VOX_ROLE_PARAM);
    assert_int_equal(p.limit[VOX_CONV3D_ACTIVE], 2);
    vox_problem_release(&p);
    assert_null(p.attr);
}

static void optional_operands_are_absent_unless_named(void **state)
{
    vox_problem_spec p = parsed("conv3d", "2x8x5x6x7");

    (void)state;
    assert_int_equal(p.n_in, 2);
    assert_true(p.in[VOX_CONV3D_B].shape.rank < 0);
    vox_problem_release(&p);
    p = parsed("conv3d", "2x8x4x6x4 in4=2x1x2x2x1");
    assert_int_equal(p.n_in, 5);
    assert_true(p.in[VOX_CONV3D_X2].shape.rank < 0);
    assert_shape(&p.in[VOX_CONV3D_ACTIVE], VOX_SHAPE(2, 1, 2, 2, 1));
    vox_problem_release(&p);
}

static void attributes_are_set(void **state)
{
    vox_problem_spec p = parsed("leaky_relu", "7  slope=0.5 ");

    (void)state;
    assert_true(((const vox_leaky_relu_attr *)p.attr)->slope == 0.5f);
    assert_shape(&p.out[0], VOX_SHAPE(7));
    vox_problem_release(&p);
}

static void every_text_of_every_op_is_a_problem(void **state)
{
    (void)state;
    for (int k = 0; vox_op_at(k); k++) {
        for (int i = 0; vox_op_at(k)->problems[i]; i++) {
            vox_problem_spec p = parsed(vox_op_at(k)->name, vox_op_at(k)->problems[i]);

            vox_problem_release(&p);
        }
    }
}

/* The text of a parsed problem. */
static void assert_text(const vox_problem_spec *spec, const char *wanted)
{
    const vox_device_cfg cfg = {.name = "cpu", .path = "reference", .threads = 1};
    vox_buf text = VOX_BUF_INIT;
    vox_device *dev;
    vox_problem q;

    assert_int_equal(vox_device_open(&dev, &cfg), VOX_OK);
    q = vox_problem_on(spec, dev);
    if (vox_problem_text(&text, &q) != VOX_OK)
        fail_msg("%s", vox_error_text());
    assert_string_equal(vox_buf_text(&text), wanted);
    vox_buf_release(&text);
    vox_device_close(dev);
}

static void a_problem_has_a_shortest_text(void **state)
{
    static const char *const texts[][3] = {
        {"conv3d",      "2x8x5x6x7 in=0,1 kernel=3,3,3 out=8",                                "2x8x5x6x7"                       },
        {"conv3d",      "2x8x5x6x7 in4=2x1x3x3x2 stride=2 in=0,1,2,3,4 in3=2x3x5x6x7 out=16",
         "2x8x5x6x7 out=16 stride=2 in=0,1,2,3,4 in3=2x3x5x6x7"                                                                 },
        {"conv3d",      "1x8x4x4x4 in=0,1,3 in1=8x16x3x3x3",                                  "1x8x4x4x4 in=0,1,3"              },
        {"conv3d",      "1x8x4x4x4 kernel=1,3,1 pad=0,1,0",                                   "1x8x4x4x4 kernel=1,3,1 pad=0,1,0"},
        {"leaky_relu",  "7 slope=0.5",                                                        "7 slope=0.5"                     },
        {"leaky_relu",  "7 slope=0.01",                                                       "7"                               },
        {"norm_act",    "2x8x4x4x4 in=0,3",                                                   "2x8x4x4x4 in=0,3"                },
        {"mask_blocks", "2x3x4x4x4 in1=2x1x2x1x4",                                            "2x3x4x4x4 in1=2x1x2x1x4"         },
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(texts); i++) {
        vox_problem_spec p = parsed(texts[i][0], texts[i][1]);

        assert_text(&p, texts[i][2]);
        vox_problem_release(&p);
    }
}

/* Parsed again, a problem's text is the same problem. */
static void texts_come_back(void **state)
{
    const vox_device_cfg cfg = {.name = "cpu", .path = "reference", .threads = 1};
    vox_device *dev;

    (void)state;
    assert_int_equal(vox_device_open(&dev, &cfg), VOX_OK);
    for (int k = 0; vox_op_at(k); k++) {
        for (int i = 0; vox_op_at(k)->problems[i]; i++) {
            vox_problem_spec p = parsed(vox_op_at(k)->name, vox_op_at(k)->problems[i]);
            const vox_problem q = vox_problem_on(&p, dev);
            vox_buf text = VOX_BUF_INIT;
            vox_problem_spec again;

            assert_int_equal(vox_problem_text(&text, &q), VOX_OK);
            again = parsed(vox_op_at(k)->name, vox_buf_text(&text));
            assert_text(&again, vox_buf_text(&text));
            assert_int_equal(again.n_in, p.n_in);
            for (int a = 0; a < p.n_in; a++)
                assert_shape(&again.in[a], p.in[a].shape);
            for (int a = 0; a < p.n_out; a++)
                assert_shape(&again.out[a], p.out[a].shape);
            vox_problem_release(&again);
            vox_problem_release(&p);
            vox_buf_release(&text);
        }
    }
    vox_device_close(dev);
}

static void operands_of_another_type_have_no_text(void **state)
{
    const vox_device_cfg cfg = {.name = "cpu", .path = "reference", .threads = 1};
    vox_problem_spec p = parsed("add", "2x3");
    vox_buf text = VOX_BUF_INIT;
    vox_device *dev;
    vox_problem q;

    (void)state;
    assert_int_equal(vox_device_open(&dev, &cfg), VOX_OK);
    q = vox_problem_on(&p, dev);
    q.in[0].dtype = q.in[1].dtype = VOX_BF16; /* stored so, but f32 all the same */
    assert_int_equal(vox_problem_text(&text, &q), VOX_OK);
    assert_string_equal(vox_buf_text(&text), "2x3");
    q.in[1].dtype = VOX_I64;
    assert_int_equal(vox_problem_text(&text, &q), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "operand 1"));
    vox_buf_release(&text);
    vox_device_close(dev);
    vox_problem_release(&p);
}

static void images_get_other_extents(void **state)
{
    static const int64_t half[3] = {4, 3, 5}, none[3] = {1, 1, 1};
    vox_problem_spec p = parsed("conv3d", "1x8x8x6x10 out=16 stride=2 in=0,1,2,3");

    (void)state;
    assert_int_equal(vox_problem_resize(&p, half), VOX_OK);
    assert_shape(&p.in[0], VOX_SHAPE(1, 8, 4, 3, 5));
    assert_shape(&p.in[3], VOX_SHAPE(1, 8, 4, 3, 5));
    assert_shape(&p.in[1], VOX_SHAPE(16, 16, 3, 3, 3));
    assert_shape(&p.out[0], VOX_SHAPE(1, 16, 2, 2, 3));
    vox_problem_release(&p);
    p = parsed("avg_pool3d", "1x8x8x6x10"); /* windows of 2 */
    assert_int_equal(vox_problem_resize(&p, none), VOX_E_ARG);
    assert_shape(&p.in[0], VOX_SHAPE(1, 8, 8, 6, 10));
    assert_shape(&p.out[0], VOX_SHAPE(1, 8, 4, 3, 5));
    vox_problem_release(&p);
    p = parsed("masked_mse", "2x1x4x6x8 in=0,1,2"); /* a mask of its own extents */
    assert_int_equal(vox_problem_resize(&p, none), VOX_E_ARG);
    vox_problem_release(&p);
    p = parsed("add", "7x8");
    assert_int_equal(vox_problem_resize(&p, half), VOX_E_ARG);
    vox_problem_release(&p);
}

static void others_are_refused_with_a_reason(void **state)
{
    static const struct {
        const char *op, *text, *reason;
    } bad[] = {
        {"conv3d",      "",                         "not a shape"        },
        {"conv3d",      "2x0x4x4x4",                "empty axis"         },
        {"conv3d",      "2x8x4x4",                  "5 axes"             },
        {"conv3d",      "2x8x4x4x4 strid=2",        "did you mean"       },
        {"conv3d",      "2x8x4x4x4 stride",         "name=value"         },
        {"conv3d",      "2x8x4x4x4 stride=2,2",     "three values"       },
        {"conv3d",      "2x8x4x4x4 out=0",          "out is 0"           },
        {"conv3d",      "2x8x4x4x4 kernel=7 pad=0", "do not fit"         },
        {"conv3d",      "2x8x4x4x4 in=0,1,9",       "operands below 5"   },
        {"conv3d",      "2x8x4x4x4 in=0,",          "operands below 5"   },
        {"conv3d",      "2x8x4x4x4 in=0",           "not optional"       },
        {"conv3d",      "2x8x4x4x4 in1=8x9x3x3x3",  "8 x 8 channels"     },
        {"conv3d",      "2x8x4x4x4 in4=2x1x3x1x1",  "does not tile"      },
        {"conv3d",      "1x99999x999x999x99",       "2^40"               },
        {"norm_act",    "1x8x1x1x1",                "no variance"        },
        {"norm_act",    "1x8x2x1x1 in=0,1",         "operand 2 is absent"},
        {"masked_mse",  "2x5x7 in=0,1,2",           "cannot be derived"  },
        {"mask_blocks", "2x5x7",                    "cannot be derived"  },
        {"add",         "2x5x7 slope=1",            "no attributes"      },
        {"leaky_relu",  "7 in3=4",                  "has 1 operands"     },
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(bad); i++) {
        vox_problem_spec p;

        assert_int_not_equal(vox_problem_parse(&p, vox_op_find(bad[i].op), bad[i].text),
                             VOX_OK);
        assert_null(p.attr);
        if (!strstr(vox_error_text(), bad[i].reason) ||
            !strstr(vox_error_text(), bad[i].op))
            fail_msg("\"%s\" is refused with: %s", bad[i].text, vox_error_text());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution_with_everything),
        cmocka_unit_test(optional_operands_are_absent_unless_named),
        cmocka_unit_test(attributes_are_set),
        cmocka_unit_test(every_text_of_every_op_is_a_problem),
        cmocka_unit_test(a_problem_has_a_shortest_text),
        cmocka_unit_test(texts_come_back),
        cmocka_unit_test(operands_of_another_type_have_no_text),
        cmocka_unit_test(images_get_other_extents),
        cmocka_unit_test(others_are_refused_with_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
