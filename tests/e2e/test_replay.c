/*
 * replay: stored bundles against PyTorch in float64; the same numbers in pieces, on every
 * device and at patches of any proportion; what is refused. The bundles:
 * tools/golden/replay_bundle.py, see its meta.json.
 */
#include "support/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "support/bundle.h"
#include "support/fill.h"
#include "train/replay.h"

#define GOLDEN VOX_SOURCE_DIR "/tests/golden/replay/tiny_smooth"
#define NOSKIP VOX_SOURCE_DIR "/tests/golden/replay/noskip/tiny_noskip_smooth"

/* Bundles with PyTorch's answer in <...>_f64.safetensors; the first is changed below. */
static const char *const goldens[] = {GOLDEN, NOSKIP};
static const char *const golden = GOLDEN ".safetensors";

/* ---- helpers ---- */

static int replay(const char *in, const char *device, const char *path, int64_t micro)
{
    const vox_replay_cfg cfg = {
        .device = {.name = device, .path = path, .threads = 2},
          .micro = micro
    };

    remove("out.safetensors");
    return vox_replay(in, "out.safetensors", &cfg);
}

/* ---- against PyTorch ---- */

/* How far the parameter moved since the start is what is compared; it is rounded once a
 * step. */
static void moved_alike(const vox_tensors *found, const vox_tensors *want,
                        const vox_tensors *start, const char *name)
{
    int64_t n;
    double *a = bundle_values(want, name, &n),
           *b = bundle_values(start, strstr(name, "param/"), &n), size;
    const double d = bundle_distance(found, want, name, &size);

    for (int64_t i = 0; i < n; i++)
        a[i] -= b[i];
    if (!(d <= 1e-3 * bundle_norm(a, n) + (name[4] - '0' + 1) * size * ldexp(1, -24)))
        fail_msg("%s moved otherwise: %.2e of %.2e", name, d, bundle_norm(a, n));
    vox_free(a);
    vox_free(b);
}

static double grad_norm(const vox_tensors *ts, int step)
{
    char name[64];
    int64_t n;
    double *v, value;

    snprintf(name, sizeof name, "step%d/grad_norm", step);
    v = bundle_values(ts, name, &n);
    value = v[0];
    vox_free(v);
    return value;
}

static void compare_with_pytorch(const char *stem)
{
    vox_tensors found, want, start;
    char path[512];

    bundle_load(&found, "out.safetensors");
    snprintf(path, sizeof path, "%s_f64.safetensors", stem);
    bundle_load(&want, path);
    snprintf(path, sizeof path, "%s.safetensors", stem);
    bundle_load(&start, path);
    for (int64_t i = 0; i < want.count; i++) {
        const char *name = want.item[i].name;

        if (strstr(name, "/grad/"))
            bundle_within(&found, &want, name, 1e-3,
                          1e-5 * grad_norm(&want, name[4] - '0'));
        else if (strstr(name, "/param/"))
            moved_alike(&found, &want, &start, name);
        else
            bundle_within(&found, &want, name, 1e-4, 0);
    }
    assert_null(vox_tensors_find(&found, "step0/grad/decoder.stages.0.convs.0.all_modules.0"
                                         ".weight")); /* canonical names only */
    vox_tensors_release(&found);
    vox_tensors_release(&want);
    vox_tensors_release(&start);
}

static const char *const paths[] = {"reference", "plain", "avx2", "avx512"};

static void replay_everywhere(const char *stem)
{
    char bundle[512];

    snprintf(bundle, sizeof bundle, "%s.safetensors", stem);
    for (int i = 0; i < VOX_COUNT(paths); i++) {
        const vox_cpu_path *path;

        if (vox_cpu_path_find(&path, paths[i]) != VOX_OK)
            continue;
        for (int64_t micro = 0; micro < 3; micro++) {
            assert_int_equal(replay(bundle, "cpu", paths[i], micro), VOX_OK);
            compare_with_pytorch(stem);
        }
    }
}

static void steps_are_pytorchs(void **state)
{
    (void)state;
    for (int i = 0; i < VOX_COUNT(goldens); i++)
        replay_everywhere(goldens[i]);
}

static void same_bits_on_fake(const char *bundle)
{
    vox_tensors host, fake;

    assert_int_equal(replay(bundle, "cpu", NULL, 1), VOX_OK);
    assert_int_equal(rename("out.safetensors", "host.safetensors"), 0);
    assert_int_equal(replay(bundle, "fake", NULL, 1), VOX_OK);
    bundle_load(&host, "host.safetensors");
    bundle_load(&fake, "out.safetensors");
    assert_int_equal(host.count, fake.count);
    assert_string_equal(vox_tensors_meta(&fake, "backend"), "fake");
    for (int64_t i = 0; i < host.count; i++) {
        double size;

        assert_true(bundle_distance(&fake, &host, host.item[i].name, &size) == 0);
    }
    vox_tensors_release(&host);
    vox_tensors_release(&fake);
}

static void the_fake_device_gives_the_same_bits(void **state)
{
    (void)state;
    same_bits_on_fake(golden);
    same_bits_on_fake(NOSKIP ".safetensors");
}

/* ---- changed bundles ---- */

/* The golden bundle with another spec (NULL: its own), without the tensors whose name
 * starts with `drop`. */
static void start_bundle(vox_tensors *out, vox_tensors *in, const char *spec,
                         const char *drop)
{
    bundle_load(in, golden);
    *out = (vox_tensors)VOX_TENSORS_INIT;
    for (int64_t i = 0; i < in->count; i++) {
        const vox_view *t = &in->item[i];

        if (drop && strncmp(t->name, drop, strlen(drop)) == 0)
            continue;
        assert_int_equal(vox_tensors_add(out, t->name, t->dtype, t->shape, t->data),
                         VOX_OK);
    }
    if (!spec)
        spec = vox_tensors_meta(in, "voxmind.replay");
    assert_int_equal(vox_tensors_set_meta(out, "voxmind.replay", spec), VOX_OK);
}

static int finish_bundle(vox_tensors *out, vox_tensors *in)
{
    assert_int_equal(vox_safetensors_write("in.safetensors", out), VOX_OK);
    vox_tensors_release(out);
    vox_tensors_release(in);
    return replay("in.safetensors", "cpu", NULL, 0);
}

static int replay_with(const char *spec)
{
    vox_tensors out, in;

    start_bundle(&out, &in, spec, NULL);
    return finish_bundle(&out, &in);
}

static void says(const char *text)
{
    if (!strstr(vox_error_text(), text))
        fail_msg("\"%s\" does not say %s", vox_error_text(), text);
    assert_int_equal(vox_file_exists("out.safetensors"), 0);
}

#define NET                                                                 \
    "\"version\":1,\"method\":\"mae\",\"net\":\"resenc_unet\",\"steps\":2," \
    "\"options\":{\"mae.block\":4,\"resenc_unet.features\":[3,4],"          \
    "\"resenc_unet.blocks\":[1,1]}"

static void all_faults_are_listed_at_once(void **state)
{
    static const float zero[64] = {0};
    vox_tensors out, in;

    (void)state;
    start_bundle(&out, &in, NULL, "param/decoder.transpconvs");
    vox_tensors_add(&out, "param/decoder.transpconvs.0.weight", VOX_F32, VOX_SHAPE(2, 2),
                    zero);
    vox_tensors_add(&out, "param/encoder.stem.scale", VOX_F32, VOX_SHAPE(2), zero);
    vox_tensors_add(&out, "step2/x", VOX_F32, VOX_SHAPE(2), zero);
    vox_tensors_add(&out, "step1/mask", VOX_F32, VOX_SHAPE(2), zero);
    vox_tensors_add(&out, "note", VOX_F32, VOX_SHAPE(2), zero);
    assert_int_equal(finish_bundle(&out, &in), VOX_E_FORMAT);
    says("6 tensors");
    says("\"param/decoder.transpconvs.0.weight\" is f32 2x2, wanted f32 4x3x2x2x2");
    says("\"param/decoder.transpconvs.0.bias\" is missing");
    says("\"param/encoder.stem.scale\" is no parameter");
    says("\"step2/x\" is no input of mae in 2 steps");
    says("\"step1/mask\" is no input");
    says("\"note\" is no input");
}

static void inputs_must_fit(void **state)
{
    static const uint8_t keep[3 * 8] = {0};
    vox_tensors out, in;

    (void)state;
    start_bundle(&out, &in, NULL, "step1/keep");
    assert_int_equal(finish_bundle(&out, &in), VOX_E_FORMAT);
    says("\"step1/keep\" is missing");
    start_bundle(&out, &in, NULL, "step1/keep");
    vox_tensors_add(&out, "step1/keep", VOX_U8, VOX_SHAPE(3, 1, 2, 2, 2), keep);
    assert_int_equal(finish_bundle(&out, &in), VOX_E_FORMAT);
    says("\"step1/keep\" is u8 3x1x2x2x2, wanted u8 3x1x2x3x2");
    start_bundle(&out, &in, NULL, "step0/x");
    assert_int_equal(finish_bundle(&out, &in), VOX_E_MISSING);
    says("step0/x");
}

static void aliases_may_be_repeated(void **state)
{
    static const char *const name =
        "param/decoder.encoder.stem.convs.0.all_modules.0.weight";
    const vox_view *t;
    vox_tensors out, in;
    float *other;

    (void)state;
    start_bundle(&out, &in, NULL, NULL);
    t = vox_tensors_find(&in, "param/encoder.stem.convs.0.conv.weight");
    assert_int_equal(vox_tensors_add(&out, name, t->dtype, t->shape, t->data), VOX_OK);
    assert_int_equal(finish_bundle(&out, &in), VOX_OK);
    compare_with_pytorch(GOLDEN);

    start_bundle(&out, &in, NULL, "param/encoder.stem.convs.0.conv.weight");
    t = vox_tensors_find(&in, "param/encoder.stem.convs.0.conv.weight");
    assert_int_equal(vox_tensors_add(&out, name, t->dtype, t->shape, t->data), VOX_OK);
    assert_int_equal(finish_bundle(&out, &in), VOX_OK);
    compare_with_pytorch(GOLDEN);

    start_bundle(&out, &in, NULL, NULL);
    t = vox_tensors_find(&in, "param/encoder.stem.convs.0.conv.weight");
    other = vox_tensors_new(&out, name, t->dtype, t->shape);
    assert_non_null(other);
    assert_int_equal(finish_bundle(&out, &in), VOX_E_FORMAT);
    says("differs from another name of \"encoder.stem.convs.0.conv.weight\"");
}

/* Every parameter of the output is the bundle's own. */
static void no_parameter_moved(const vox_tensors *out)
{
    vox_tensors start;

    bundle_load(&start, golden);
    for (int64_t i = 0; i < out->count; i++) {
        const char *name = out->item[i].name;
        int64_t n, m;
        double *a, *b;

        if (!strstr(name, "/param/"))
            continue;
        a = bundle_values(out, name, &n);
        b = bundle_values(&start, strstr(name, "param/"), &m);
        assert_int_equal(n, m);
        assert_memory_equal(a, b, (size_t)n * sizeof *a);
        vox_free(a);
        vox_free(b);
    }
    vox_tensors_release(&start);
}

static void wants_are_what_is_written(void **state)
{
    vox_tensors out;

    (void)state;
    assert_int_equal(
        replay_with("{" NET
                    ",\"optimizer\":null,\"want\":[\"activation:enc_1\",\"param\"]}"),
        VOX_OK);
    bundle_load(&out, "out.safetensors");
    assert_non_null(vox_tensors_find(&out, "step1/activation/enc_1"));
    assert_true(vox_shape_equal(vox_tensors_find(&out, "step1/activation/enc_1")->shape,
                                VOX_SHAPE(3, 4, 4, 6, 4)));
    assert_non_null(vox_tensors_find(&out, "step0/grad_norm"));
    assert_non_null(vox_tensors_find(&out, "step1/param/decoder.seg_layers.0.weight"));
    assert_null(vox_tensors_find(&out, "step0/loss"));
    assert_null(vox_tensors_find(&out, "step0/out/y"));
    assert_null(vox_tensors_find(&out, "step0/grad/decoder.seg_layers.0.weight"));
    no_parameter_moved(&out);
    vox_tensors_release(&out);

    assert_int_equal(replay_with("{" NET ",\"want\":[\"final\"]}"), VOX_OK);
    bundle_load(&out, "out.safetensors");
    assert_null(vox_tensors_find(&out, "step0/param/decoder.seg_layers.0.weight"));
    assert_non_null(vox_tensors_find(&out, "step1/param/decoder.seg_layers.0.weight"));
    vox_tensors_release(&out);
}

/* Parameters of the fixed smooth fill, as tensors of the bundle. */
static void put_params(vox_tensors *in, const vox_model *m)
{
    vox_device *dev;
    vox_params *p;

    assert_int_equal(
        vox_device_open(
            &dev, &(vox_device_cfg){.name = "cpu", .path = "reference", .threads = 1}),
        VOX_OK);
    assert_int_equal(vox_params_new(&p, dev), VOX_OK);
    assert_int_equal(m->net->declare(m, p), VOX_OK);
    assert_int_equal(vox_params_seal(p), VOX_OK);
    fill_params(p, 1);
    for (int i = 0; i < p->n_param; i++) {
        char name[160];
        float *v;

        snprintf(name, sizeof name, "param/%s", p->param[i].name);
        v = vox_tensors_new(in, name, VOX_F32, p->param[i].shape);
        assert_non_null(v);
        assert_int_equal(vox_params_get(p, p->value, i, v), VOX_OK);
    }
    vox_params_free(p);
    vox_device_close(dev);
}

/* A step of resenc_xs, with or without skips, written to in.safetensors. */
static void make_xs_bundle(vox_tensors *in, const int64_t n[3], int skips)
{
    const int64_t voxels = n[0] * n[1] * n[2], blocks = voxels / 64;
    vox_setup s = VOX_SETUP_INIT;
    char spec[512];
    float *x;
    uint8_t *keep;

    *in = (vox_tensors)VOX_TENSORS_INIT;
    assert_int_equal(vox_setup_init(&s, "mae", "resenc_xs", NULL), VOX_OK);
    assert_int_equal(
        vox_opts_set(s.model.net->opts, s.model.cfg, "skips", skips ? "true" : "false"),
        VOX_OK);
    put_params(in, &s.model);
    vox_setup_release(&s);
    x = vox_tensors_new(in, "step0/x", VOX_F32, VOX_SHAPE(1, 1, n[0], n[1], n[2]));
    fill_values(x, voxels, 1000000, 2);
    keep = vox_tensors_new(in, "step0/keep", VOX_U8,
                           VOX_SHAPE(1, 1, n[0] / 4, n[1] / 4, n[2] / 4));
    for (int64_t i = 0; i < blocks; i++)
        keep[i] = i % 4 == 3;
    snprintf(
        spec, sizeof spec,
        "{\"version\":1,\"trainer\":\"BaseMAETrainer\",\"net\":\"resenc_xs\",\"options\":"
        "{\"mae.block\":4,\"resenc_unet.skips\":%s},\"want\":[\"grad\",\"param\",\"out\"]}",
        skips ? "true" : "false");
    vox_tensors_set_meta(in, "voxmind.replay", spec);
    assert_int_equal(vox_safetensors_write("in.safetensors", in), VOX_OK);
}

/* Outputs and gradients of every path against the reference's. Of a bias in front of a norm
 * nothing but rounding is left, 1e-7 of the whole gradient. */
static void paths_agree(void)
{
    vox_tensors want, found;

    assert_int_equal(replay("in.safetensors", "cpu", "reference", 0), VOX_OK);
    bundle_load(&want, "out.safetensors");
    for (int i = 1; i < VOX_COUNT(paths); i++) {
        const vox_cpu_path *path;

        if (vox_cpu_path_find(&path, paths[i]) != VOX_OK)
            continue;
        assert_int_equal(replay("in.safetensors", "cpu", paths[i], 0), VOX_OK);
        bundle_load(&found, "out.safetensors");
        for (int64_t k = 0; k < want.count; k++) {
            const char *name = want.item[k].name;

            if (strstr(name, "/grad/"))
                bundle_within(&found, &want, name, 1e-3, 1e-4 * grad_norm(&want, 0));
            else
                bundle_within(&found, &want, name, 1e-4, 0);
        }
        vox_tensors_release(&found);
    }
    vox_tensors_release(&want);
}

/* Two voxels at the coarsest stage are the fewest, along any axis; sizes that fill no
 * vector. */
static void patches_have_any_proportion(void **state)
{
    static const int64_t patches[][3] = {
        {8,  8,  16},
        {8,  16, 8 },
        {16, 8,  8 },
        {8,  24, 16},
        {24, 8,  40},
        {32, 16, 8 }
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(patches); i++) {
        for (int skips = 0; skips < 2; skips++) {
            vox_tensors in;

            make_xs_bundle(&in, patches[i], skips);
            vox_tensors_release(&in);
            paths_agree();
            same_bits_on_fake("in.safetensors");
        }
    }
}

/* A head below full size gets no gradient: no entry, and it keeps its value through
 * updates. */
static void parameters_without_gradient_stay(void **state)
{
    vox_tensors out, in;

    (void)state;
    make_xs_bundle(&in, (const int64_t[]){8, 8, 16}, 1);
    if (replay("in.safetensors", "cpu", NULL, 0) != VOX_OK)
        fail_msg("%s", vox_error_text());
    bundle_load(&out, "out.safetensors");
    assert_null(vox_tensors_find(&out, "step0/grad/decoder.seg_layers.0.weight"));
    assert_non_null(vox_tensors_find(&out, "step0/grad/decoder.seg_layers.2.weight"));
    assert_non_null(vox_tensors_find(&out, "step0/out/seg_2"));
    assert_memory_equal(
        vox_tensors_find(&out, "step0/param/decoder.seg_layers.0.weight")->data,
        vox_tensors_find(&in, "param/decoder.seg_layers.0.weight")->data,
        32 * sizeof(float));
    assert_memory_not_equal(
        vox_tensors_find(&out, "step0/param/decoder.seg_layers.2.weight")->data,
        vox_tensors_find(&in, "param/decoder.seg_layers.2.weight")->data,
        8 * sizeof(float));
    vox_tensors_release(&out);
    vox_tensors_release(&in);
}

static void wrong_specs_are_refused(void **state)
{
    static const char *const bad[][2] = {
        {"{}",                                                                     "version is missing"      },
        {"{\"version\":2}",                                                        "version is 2"            },
        {"{\"version\":1}",                                                        "neither a trainer"       },
        {"{\"version\":1,\"trianer\":\"BaseMAETrainer\"}",                         "did you mean \"trainer\""},
        {"{\"version\":1,\"trainer\":\"BaseMAETrainr\"}",                          "BaseMAETrainer"          },
        {"{\"version\":1,\"method\":\"mae\",\"net\":\"resenc_1\"}",                "resenc_l"                },
        {"{" NET ",\"want\":[\"loss\",\"grads\"]}",                                "grads"                   },
        {"{" NET ",\"optimizer\":{\"name\":\"lion\"}}",                            "lion"                    },
        {"{" NET ",\"optimizer\":{\"rate\":1}}",                                   "rate"                    },
        {"{" NET ",\"lr\":[0.1]}",                                                 "2 numbers"               },
        {"{" NET ",\"lr\":[0.1,null]}",                                            "null"                    },
        {"{" NET ",\"compat\":[\"q9\"]}",                                          "q9"                      },
        {"{" NET ",\"want\":[\"activation:enc_7\"]}",                              "enc_7"                   },
        {"{\"version\":1,\"method\":\"mae\",\"net\":\"resenc_xs\"}",               "multiples of 8"          },
        {"{\"version\":1,\"method\":\"mae\",\"net\":\"resenc_unet\",\"options\":{"
         "\"resenc_unet.features\":[3,4],\"resenc_unet.blocks\":[1,1]}}", "mae.block"               },
        {"[",                                                                      "voxmind.replay"          },
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(bad); i++) {
        assert_int_not_equal(replay_with(bad[i][0]), VOX_OK);
        says(bad[i][1]);
    }
}

/* One learning rate per step, AdamW by name: both reach the optimizer. */
static void the_optimizer_is_the_bundles(void **state)
{
    vox_tensors start, out;
    int64_t n;
    double *a, *b;

    (void)state;
    assert_int_equal(
        replay_with("{" NET
                    ",\"optimizer\":{\"name\":\"adamw\",\"weight_decay\":0,\"clip\":0},"
                    "\"lr\":[0.01,0],\"want\":[\"param\"]}"),
        VOX_OK);
    bundle_load(&start, golden);
    bundle_load(&out, "out.safetensors");
    a = bundle_values(&start, "param/decoder.seg_layers.0.weight", &n);
    b = bundle_values(&out, "step0/param/decoder.seg_layers.0.weight", &n);
    for (int64_t i = 0; i < n; i++)
        assert_float_equal(fabs(a[i] - b[i]), 0.01, 1e-5); /* the first step moves by lr */
    vox_free(a);
    a = bundle_values(&out, "step1/param/decoder.seg_layers.0.weight", &n);
    assert_memory_equal(a, b, (size_t)n * sizeof *a);
    vox_free(a);
    vox_free(b);
    vox_tensors_release(&out);
    vox_tensors_release(&start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_pytorchs),
        cmocka_unit_test(the_fake_device_gives_the_same_bits),
        cmocka_unit_test(all_faults_are_listed_at_once),
        cmocka_unit_test(inputs_must_fit),
        cmocka_unit_test(aliases_may_be_repeated),
        cmocka_unit_test(wants_are_what_is_written),
        cmocka_unit_test(patches_have_any_proportion),
        cmocka_unit_test(parameters_without_gradient_stay),
        cmocka_unit_test(wrong_specs_are_refused),
        cmocka_unit_test(the_optimizer_is_the_bundles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
