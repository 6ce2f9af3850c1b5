/* adaptation: the plan's keys, order and number forms; named classes and those with
 * arguments. */
#include "support/unit.h"

#include <json-c/json_object.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "train/adaptation.h"
#include "train/recipe.h"

static const char plans_text[] =
    "{\"dataset_name\": \"Dataset745_Demo\", \"plans_name\": \"nnsslPlans\","
    "\"original_median_spacing_after_transp\": [1.2, 1.0, 0.9375],"
    "\"image_reader_writer\": \"SimpleITKIO\", \"transpose_forward\": [0, 1, 2],"
    "\"transpose_backward\": [0, 1, 2], \"configurations\": {"
    "\"median\": {\"spacing\": [2, 2, 2], \"patch_size\": null},"
    "\"onemmiso\": {\"data_identifier\": \"nnsslPlans_onemmiso\", \"spacing\": [1.0, 1.0, "
    "1.0],"
    "\"patch_size\": null}}, \"experiment_planner_used\": \"ExperimentPlanner\"}";

static const int64_t patch[3] = {64, 32, 96};

static json_object *make(const char *net, const char *text)
{
    json_object *plans = NULL, *plan = NULL, *out = NULL;
    json_object *options = NULL;
    vox_setup setup = VOX_SETUP_INIT;

    if (text)
        assert_int_equal(vox_json_parse(&options, text, strlen(text), "options"), VOX_OK);
    assert_int_equal(vox_setup_init(&setup, "mae", net, options), VOX_OK);
    assert_int_equal(vox_json_parse(&plans, plans_text, sizeof plans_text - 1, "plans"),
                     VOX_OK);
    assert_int_equal(vox_run_plan(&plan, plans, "onemmiso", patch), VOX_OK);
    assert_int_equal(vox_adaptation_plan(&out, &setup.model, plan, patch), VOX_OK);
    json_object_put(plans);
    json_object_put(plan);
    json_object_put(options);
    vox_setup_release(&setup);
    return out;
}

static const char *text_of(json_object *o)
{
    return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
}

static const char *class_of(json_object *o)
{
    return json_object_get_string(
        vox_json_get(vox_json_get(o, "architecture_plans"), "arch_class_name"));
}

static void test_whole_plan_of_resenc_l(void **state)
{
    static const char want[] =
        "{\"architecture_plans\":{\"arch_class_name\":\"ResEncL\",\"arch_kwargs\":null,"
        "\"arch_kwargs_requiring_import\":null},\"pretrain_plan\":{\"dataset_name\":"
        "\"Dataset745_Demo\",\"plans_name\":\"nnsslPlans\","
        "\"original_median_spacing_after_transp\":[1.2,1,0.9375],\"image_reader_writer\":"
        "\"SimpleITKIO\",\"transpose_forward\":[0,1,2],\"transpose_backward\":[0,1,2],"
        "\"configurations\":{\"onemmiso\":{\"data_identifier\":\"nnsslPlans_onemmiso\","
        "\"spacing\":[1,1,1],\"patch_size\":[64,32,96]}},\"experiment_planner_used\":"
        "\"ExperimentPlanner\"},\"pretrain_num_input_channels\":1,"
        "\"recommended_downstream_patchsize\":[64,32,96],\"key_to_encoder\":\"encoder."
        "stages\","
        "\"key_to_stem\":\"encoder.stem\",\"keys_to_in_proj\":[\"encoder.stem.convs.0."
        "conv\","
        "\"encoder.stem.convs.0.all_modules.0\"],\"key_to_lpe\":null}";
    json_object *o = make("resenc_l", NULL);

    (void)state;
    assert_string_equal(text_of(o), want);
    json_object_put(o);
}

static void test_other_options_need_arguments(void **state)
{
    json_object *o = make("resenc_l", "{\"resenc_unet.features\":[8,8,8,8,8,8]}");
    json_object *kwargs, *a;

    (void)state;
    assert_string_equal(class_of(o), "ResidualEncoderUNet");
    a = vox_json_get(o, "architecture_plans");
    kwargs = vox_json_get(a, "arch_kwargs");
    assert_string_equal(text_of(vox_json_get(kwargs, "features_per_stage")),
                        "[8,8,8,8,8,8]");
    assert_string_equal(text_of(vox_json_get(a, "arch_kwargs_requiring_import")),
                        "[\"conv_op\",\"norm_op\",\"nonlin\"]");
    json_object_put(o);
}

/* The peer's class by name; with other options the arguments of the net that takes the
 * encoder. */
static void test_plan_without_skips(void **state)
{
    json_object *own = make("resenc_l_noskip", NULL);
    json_object *other = make("resenc_l_noskip", "{\"resenc_unet.blocks\":[1,1,1,1,1,1]}");
    json_object *kwargs;

    (void)state;
    assert_string_equal(class_of(own), "NoSkipResEncL");
    assert_null(vox_json_get(vox_json_get(own, "architecture_plans"), "arch_kwargs"));
    assert_string_equal(class_of(other), "ResidualEncoderUNet");
    kwargs = vox_json_get(vox_json_get(other, "architecture_plans"), "arch_kwargs");
    assert_string_equal(text_of(vox_json_get(kwargs, "n_blocks_per_stage")),
                        "[1,1,1,1,1,1]");
    assert_string_equal(json_object_get_string(vox_json_get(other, "key_to_encoder")),
                        "encoder.stages");
    json_object_put(own);
    json_object_put(other);
}

static void test_missing_configuration_is_named(void **state)
{
    json_object *plans = NULL, *plan = NULL;

    (void)state;
    assert_int_equal(vox_json_parse(&plans, plans_text, sizeof plans_text - 1, "plans"),
                     VOX_OK);
    assert_int_equal(vox_run_plan(&plan, plans, "noresample", patch), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "noresample"));
    json_object_object_del(plans, "transpose_forward");
    assert_int_equal(vox_run_plan(&plan, plans, "onemmiso", patch), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "transpose_forward"));
    json_object_put(plans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_plan_of_resenc_l),
        cmocka_unit_test(test_other_options_need_arguments),
        cmocka_unit_test(test_plan_without_skips),
        cmocka_unit_test(test_missing_configuration_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
