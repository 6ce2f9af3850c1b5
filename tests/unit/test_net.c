/* nets: lookup, options, parameter counts, legal patch sizes, initial values.
 */
#include "support/unit.h"

#include <json-c/json_object.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nets/net.h"

static vox_params *declared(const vox_model *m)
{
    vox_params *p;

    assert_int_equal(vox_params_new(&p, NULL), VOX_OK);
    assert_int_equal(m->net->declare(m, p), VOX_OK);
    return p;
}

/* Of one forward pass over a cube, in 1e9. */
static double gflop(const vox_model *m, vox_params *p, int64_t edge)
{
    const vox_shape shape = VOX_SHAPE(1, 1, edge, edge, edge);
    vox_graph *g;
    double sum;

    assert_int_equal(vox_graph_new(&g), VOX_OK);
    vox_net_run(m, g, p, vox_input(g, "x", VOX_F32, shape));
    assert_int_equal(vox_graph_status(g), VOX_OK);
    sum = vox_graph_flops(g) * 1e-9;
    vox_graph_free(g);
    return sum;
}

typedef struct preset_size {
    const char *name;
    int keys;
    int64_t count;
    double gflop_160, gflop_64; /* 0: not published */
} preset_size;

/* The published work leaves out the heads below full size, 3e-5 of it. */
static void check_size(const preset_size *want)
{
    vox_model m;
    vox_params *p;

    assert_int_equal(vox_model_init(&m, want->name), VOX_OK);
    p = declared(&m);
    assert_int_equal(p->n_key, want->keys);
    assert_int_equal(p->count, want->count);
    if (want->gflop_160 > 0) {
        assert_true(fabs(gflop(&m, p, 160) / want->gflop_160 - 1) < 4e-5);
        assert_true(fabs(gflop(&m, p, 64) / want->gflop_64 - 1) < 4e-5);
    }
    vox_params_free(p);
    vox_model_release(&m);
}

/* networks.md 4 and 5: keys, parameters and work of each preset. */
static void presets_have_their_sizes(void **state)
{
    static const preset_size want[] = {
        {"resenc_l",        956,  102348965, 2802.094,  179.334},
        {"resenc_l_noskip", 948,  97233313,  2371.891,  151.801},
        {"resenc_wb_db",    956,  102348965, 2802.094,  179.334},
        {"resenc_wm_db",    956,  230252789, 6299.207,  403.149},
        {"resenc_wl_db",    956,  409309509, 11193.696, 716.397},
        {"resenc_wb_dm",    1244, 133548581, 3393.208,  217.165},
        {"resenc_wb_dl",    1564, 174095717, 4213.580,  269.669},
        {"resenc_wm_dm",    1244, 300442421, 7629.214,  488.270},
        {"resenc_512",      956,  213238757, 0,         0      },
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(want); i++)
        check_size(&want[i]);
}

static int64_t count_below(const vox_params *p, const char *prefix)
{
    int64_t sum = 0;

    for (int i = 0; i < p->n_param; i++) {
        if (strncmp(p->param[i].name, prefix, strlen(prefix)) == 0)
            sum += p->param[i].count;
    }
    return sum;
}

/* networks.md 3.2, 3.3. */
static void resenc_l_has_its_parts(void **state)
{
    static const struct {
        const char *prefix;
        int64_t count;
    } want[] = {
        {"encoder.",               90296576},
        {"encoder.stem.",          960     },
        {"encoder.stages.0.",      55488   },
        {"encoder.stages.1.",      611584  },
        {"encoder.stages.4.",      32718720},
        {"encoder.stages.5.",      33189120},
        {"decoder.transpconvs.0.", 819520  },
        {"decoder.stages.0.",      5530560 },
        {"decoder.seg_layers.4.",  33      },
    };
    vox_model m;
    vox_params *p;

    (void)state;
    assert_int_equal(vox_model_init(&m, "resenc_l"), VOX_OK);
    assert_string_equal(m.arch_class_name, "ResEncL");
    p = declared(&m);
    assert_int_equal(p->n_param, 264);
    for (int i = 0; i < VOX_COUNT(want); i++)
        assert_int_equal(count_below(p, want[i].prefix), want[i].count);
    assert_string_equal(p->param[254].name, "decoder.seg_layers.0.weight");
    assert_int_equal(
        vox_params_find(p, "decoder.encoder.stem.convs.0.all_modules.0.weight"), 0);
    vox_params_free(p);
    m.out_channels = 5;
    p = declared(&m);
    assert_int_equal(p->count, 102352185);
    vox_params_free(p);
    vox_model_release(&m);
}

/* networks.md 4: the head comes first; 5,530,560 parameters of the first convolution are
 * 2,765,760 when nothing is joined. */
static void the_net_without_skips_has_its_parts(void **state)
{
    vox_features feats = {0}, outs = {0};
    vox_model m;
    vox_params *p;
    vox_graph *g;
    vox_node *x;

    (void)state;
    assert_int_equal(vox_model_init(&m, "resenc_l_noskip"), VOX_OK);
    assert_string_equal(m.arch_class_name, "NoSkipResEncL");
    p = declared(&m);
    assert_int_equal(p->n_param, 256);
    assert_int_equal(count_below(p, "encoder."), 90296576);
    assert_int_equal(count_below(p, "decoder.seg_layer."), 33);
    assert_int_equal(count_below(p, "decoder.stages.0."), 2765760);
    assert_string_equal(p->param[224].name, "decoder.seg_layer.weight");
    assert_int_equal(vox_graph_new(&g), VOX_OK);
    x = vox_input(g, "x", VOX_F32, VOX_SHAPE(1, 1, 64, 32, 96));
    m.net->encode(&m, g, p, x, &feats);
    m.net->decode(&m, g, p, &feats, &outs);
    assert_int_equal(vox_graph_status(g), VOX_OK);
    assert_int_equal(outs.count, 5);
    assert_true(vox_shape_equal(vox_node_shape(vox_features_find(&outs, "dec_0")),
                                VOX_SHAPE(1, 320, 4, 2, 6)));
    assert_true(vox_shape_equal(vox_node_shape(vox_features_find(&outs, "dec_3")),
                                VOX_SHAPE(1, 64, 32, 16, 48)));
    assert_true(vox_shape_equal(vox_node_shape(vox_features_find(&outs, "y")),
                                VOX_SHAPE(1, 1, 64, 32, 96)));
    for (int i = 0; i < outs.count; i++) /* a bundle or a report asks the graph for them */
        assert_ptr_equal(vox_graph_find(g, outs.item[i].name), outs.item[i].node);
    vox_graph_free(g);
    vox_params_free(p);
    vox_model_release(&m);
}

static void unknown_names_get_a_suggestion(void **state)
{
    vox_model m;

    (void)state;
    assert_int_equal(vox_model_init(&m, "resenc_1"), VOX_E_USAGE);
    assert_non_null(strstr(vox_error_text(), "did you mean \"resenc_l\""));
    assert_int_equal(vox_model_init(&m, "transformer9000"), VOX_E_USAGE);
    assert_null(strstr(vox_error_text(), "did you mean"));
}

static int check(const char *net, const char *strides, int64_t z, int64_t y, int64_t x)
{
    vox_model m;
    int rc;

    assert_int_equal(vox_model_init(&m, net), VOX_OK);
    if (strides)
        assert_int_equal(vox_opts_set(m.net->opts, m.cfg, "strides", strides), VOX_OK);
    rc = m.net->check(&m, (const int64_t[]){z, y, x});
    vox_model_release(&m);
    return rc;
}

/* networks.md 3.4. */
static void sizes_follow_the_strides(void **state)
{
    (void)state;
    assert_int_equal(check("resenc_l", NULL, 160, 160, 160), VOX_OK);
    assert_int_equal(check("resenc_l", NULL, 64, 32, 32), VOX_OK);
    assert_int_equal(check("resenc_l", NULL, 96, 64, 32), VOX_OK);
    assert_int_equal(check("resenc_l", NULL, 32, 32, 32), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "32x32x64"));
    assert_int_equal(check("resenc_l", NULL, 80, 80, 80), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "64x64x64 or 96x96x96"));
    assert_int_equal(check("resenc_l", NULL, 65, 64, 64), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "64x64x64 or 96x64x64"));
    assert_int_equal(check("resenc_l", NULL, 20, 160, 0), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "32x160x32"));
    assert_int_equal(check("resenc_xs", NULL, 16, 8, 8), VOX_OK);
    assert_int_equal(check("resenc_xs", "[1,3,1,2]", 12, 6, 6), VOX_OK);
    assert_int_equal(check("resenc_xs", "[1,3,1,2]", 16, 6, 6), VOX_E_ARG);
    assert_int_equal(check("resenc_l_noskip", NULL, 64, 32, 96), VOX_OK);
    assert_int_equal(check("resenc_l_noskip", NULL, 48, 48, 48), VOX_E_ARG);
    assert_int_equal(check("resenc_l", NULL, 0, 0, 160), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "32x32x160"));
}

/* The product of 15 strides of 8 is 2^45. */
static void many_strides_are_counted(void **state)
{
    vox_model m;

    (void)state;
    assert_int_equal(vox_model_init(&m, "resenc_unet"), VOX_OK);
    assert_int_equal(
        vox_opts_set(m.net->opts, m.cfg, "features", "8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8"),
        VOX_OK);
    assert_int_equal(vox_opts_set(m.net->opts, m.cfg, "blocks", "1"), VOX_OK);
    m.net->check(&m, (const int64_t[]){64, 64, 64});
    assert_non_null(strstr(vox_error_text(), "resenc_unet.blocks has 1 values, wanted 16"));
    assert_int_equal(
        vox_opts_set(m.net->opts, m.cfg, "blocks", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"),
        VOX_OK);
    assert_int_equal(
        vox_opts_set(m.net->opts, m.cfg, "strides", "1,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8"),
        VOX_OK);
    assert_int_equal(m.net->check(&m, (const int64_t[]){64, 64, 64}), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "multiples of 35184372088832"));
    vox_model_release(&m);
}

static void bad_options_are_named(void **state)
{
    static const char *const bad[][2] = {
        {"strides",        "[2,2,2,2]"},
        {"strides",        "[1,2]"    },
        {"blocks",         "[1,2]"    },
        {"features",       "[8]"      },
        {"kernel",         "4"        },
        {"init",           "xavier"   },
        {"decoder_blocks", "[1]"      },
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(bad); i++) {
        vox_model m;
        vox_params *p;

        assert_int_equal(vox_model_init(&m, "resenc_xs"), VOX_OK);
        assert_int_equal(vox_opts_set(m.net->opts, m.cfg, bad[i][0], bad[i][1]), VOX_OK);
        assert_int_equal(vox_params_new(&p, NULL), VOX_OK);
        assert_int_equal(m.net->declare(&m, p), VOX_E_USAGE);
        assert_non_null(strstr(vox_error_text(), bad[i][0]));
        vox_params_free(p);
        vox_model_release(&m);
    }
}

static double rms(vox_params *p, const char *name, double *largest)
{
    const int i = vox_params_find(p, name);
    float *v = vox_alloc((size_t)p->param[i].count, sizeof *v);
    double sum = 0;

    assert_non_null(v);
    assert_int_equal(vox_params_get(p, p->value, i, v), VOX_OK);
    *largest = 0;
    for (int64_t k = 0; k < p->param[i].count; k++) {
        sum += (double)v[k] * (double)v[k];
        *largest = fmax(*largest, fabs((double)v[k]));
    }
    vox_free(v);
    return sqrt(sum / (double)p->param[i].count);
}

/* networks.md 3.6, on resenc_xs: fan-in 16 * 27, transposed 8 * 8. */
static void check_init(const char *init, double conv, double transposed, double last_norm)
{
    vox_device *dev;
    vox_model m;
    vox_params *p;
    double largest;

    assert_int_equal(
        vox_device_open(
            &dev, &(vox_device_cfg){.name = "cpu", .path = "reference", .threads = 1}),
        VOX_OK);
    assert_int_equal(vox_model_init(&m, "resenc_xs"), VOX_OK);
    assert_int_equal(vox_opts_set(m.net->opts, m.cfg, "init", init), VOX_OK);
    assert_int_equal(vox_params_new(&p, dev), VOX_OK);
    assert_int_equal(m.net->declare(&m, p), VOX_OK);
    assert_int_equal(vox_params_seal(p), VOX_OK);
    assert_int_equal(vox_params_init(p, 1), VOX_OK);
    assert_float_equal(rms(p, "encoder.stages.1.blocks.0.conv2.conv.weight", &largest),
                       conv, (0.05 * conv));
    assert_float_equal(rms(p, "decoder.transpconvs.2.weight", &largest), transposed,
                       (0.1 * transposed));
    assert_float_equal(rms(p, "encoder.stages.1.blocks.0.conv2.norm.weight", &largest),
                       last_norm, 1e-6);
    assert_float_equal(rms(p, "encoder.stages.1.blocks.0.skip.1.norm.weight", &largest),
                       1.0, 1e-6);
    rms(p, "encoder.stages.1.blocks.0.conv2.conv.bias", &largest);
    assert_true(last_norm > 0 ? largest > 0 && largest < 1 / sqrt(16.0 * 27)
                              : largest == 0);
    vox_params_free(p);
    vox_model_release(&m);
    vox_device_close(dev);
}

static void initial_values_have_their_spread(void **state)
{
    (void)state;
    check_init("default", 1 / sqrt(3.0 * 16 * 27), 1 / sqrt(3.0 * 8 * 8), 1.0);
    check_init("he", sqrt(2 / 1.0001 / (16 * 27)), sqrt(2 / 1.0001 / (8 * 8)), 0.0);
}

static void arch_kwargs_follow_the_options(void **state)
{
    vox_model m;
    json_object *o;

    (void)state;
    assert_int_equal(vox_model_init(&m, "resenc_xs"), VOX_OK);
    o = m.net->arch_kwargs(&m);
    assert_non_null(o);
    assert_int_equal(json_object_get_int(json_object_object_get(o, "n_stages")), 4);
    assert_string_equal(
        json_object_to_json_string_ext(json_object_object_get(o, "features_per_stage"),
                                       JSON_C_TO_STRING_PLAIN),
        "[8,16,32,48]");
    assert_string_equal(json_object_to_json_string_ext(json_object_object_get(o, "strides"),
                                                       JSON_C_TO_STRING_PLAIN),
                        "[[1,1,1],[2,2,2],[2,2,2],[2,2,2]]");
    json_object_put(o);
    vox_model_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_have_their_sizes),
        cmocka_unit_test(resenc_l_has_its_parts),
        cmocka_unit_test(the_net_without_skips_has_its_parts),
        cmocka_unit_test(unknown_names_get_a_suggestion),
        cmocka_unit_test(sizes_follow_the_strides),
        cmocka_unit_test(many_strides_are_counted),
        cmocka_unit_test(bad_options_are_named),
        cmocka_unit_test(initial_values_have_their_spread),
        cmocka_unit_test(arch_kwargs_follow_the_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
