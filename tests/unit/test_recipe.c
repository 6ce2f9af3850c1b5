/* recipe: the trainers' settings, recipes of users, and what they set up. */
#include "support/unit.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "train/recipe.h"

/* trainers.csv; where a name lies, its meaning (methods.md 4). */
static void trainers_have_their_settings(void **state)
{
    static const struct {
        const char *name, *net;
        int batch, epochs, patch;
        double lr, wd, iqs;
        const char *options;
    } want[] = {
        {"BaseMAETrainer",                                 "resenc_l",     2,  1000, 160, 1e-2, 3e-5, 0,   NULL},
        {"BaseMAETrainer_BS8",                             "resenc_l",     8,  1000, 160, 1e-2, 3e-5, 0,   NULL},
        {"BaseMAETrainer_Test",                            "resenc_l",     2,  3,    96,  1e-2, 3e-5, 0,   NULL},
        {"NonResEncL_BaseMAETrainer_Test",                 "resenc_512",   2,  3,    96,  1e-2, 3e-5, 0,   NULL},
        {"BaseMAETrainer_BS24_ep1000",                     "resenc_l",     24, 1000, 160, 1e-2, 3e-5, 0,   NULL},
        {"BaseMAETrainer_BS8_ep4000",                      "resenc_l",     8,  4000, 160, 1e-2, 3e-5, 0,   NULL},
        {"BaseMAETrainer_BS8_ep1000_patch_224",            "resenc_l",     8,  1000, 224, 1e-2, 3e-5, 0,
         NULL                                                                                                  },
        {"BaseMAETrainer_BS8_IQS2_5",                      "resenc_l",     8,  1000, 160, 1e-2, 3e-5, 2.5, NULL},
        {"BaseMAETrainer_BS8_1000ep_LR7e2_WD_3e4",         "resenc_l",     8,  1000, 160, 7e-2, 3e-4, 0,
         NULL                                                                                                  },
        {"BaseMAETrainer_BS8_ep1000_mask90",               "resenc_l",     8,  1000, 160, 1e-2, 3e-5, 0,
         "{\"mae.hidden\":0.9}"                                                                                },
        {"BaseMAETrainer_BS8_ep1000_maskblock64",          "resenc_l",     8,  1000, 160, 1e-2, 3e-5, 0,
         "{\"mae.block\":64}"                                                                                  },
        {"BaseMAETrainer_BS8_ep1000_Arch_Width_M_Depth_M", "resenc_wm_dm", 8,  1000, 160,
         1e-2,                                                                                  3e-5, 0,   NULL},
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(want); i++) {
        vox_recipe r = VOX_RECIPE_INIT;

        assert_int_equal(vox_recipe_find(&r, want[i].name), VOX_OK);
        assert_string_equal(r.name, want[i].name);
        assert_string_equal(r.method, "mae");
        assert_string_equal(r.net, want[i].net);
        assert_int_equal(r.batch, want[i].batch);
        assert_int_equal(r.epochs, want[i].epochs);
        assert_int_equal(r.steps, 250);
        assert_int_equal(r.val_steps, 50);
        assert_int_equal(r.patch.count, 3);
        assert_int_equal(r.patch.v[2], want[i].patch);
        assert_true(r.lr == want[i].lr && r.weight_decay == want[i].wd);
        assert_true(r.iqs_max == want[i].iqs && r.clip == 12 && r.momentum == 0.99);
        if (want[i].options)
            assert_string_equal(
                json_object_to_json_string_ext(r.options, JSON_C_TO_STRING_PLAIN),
                want[i].options);
        else
            assert_null(r.options);
        vox_recipe_release(&r);
    }
}

static void filters_are_lists(void **state)
{
    vox_recipe r = VOX_RECIPE_INIT;

    (void)state;
    assert_int_equal(vox_recipe_find(&r, "BaseMAETrainer_BS8_T1w_T2w_FLAIR"), VOX_OK);
    assert_int_equal(r.modalities.count, 3);
    assert_string_equal(r.modalities.v[1], "T1w");
    vox_recipe_release(&r);
    assert_int_equal(vox_recipe_find(&r, "BaseMAETrainer_BS8_ep1000_Dataset_1div16"),
                     VOX_OK);
    assert_true(r.train_fraction == 1.0 / 16);
    vox_recipe_release(&r);
}

/* Every row sets up a method and a net that accept its patch. */
static void every_trainer_can_be_set_up(void **state)
{
    (void)state;
    for (int i = 0; vox_recipe_name(i); i++) {
        vox_recipe r = VOX_RECIPE_INIT;
        vox_setup s = VOX_SETUP_INIT;
        vox_optim_cfg optim;
        vox_schedule schedule;
        vox_pretext p;

        assert_int_equal(vox_recipe_find(&r, vox_recipe_name(i)), VOX_OK);
        assert_int_equal(vox_setup_init(&s, r.method, r.net, r.options), VOX_OK);
        p = vox_setup_pretext(&s, VOX_TRAINING,
                              (const int64_t[]){r.patch.v[0], r.patch.v[1], r.patch.v[2]},
                              r.batch);
        assert_int_equal(vox_pretext_check(&p), VOX_OK);
        assert_int_equal(vox_recipe_optim(&optim, &r), VOX_OK);
        assert_int_equal(vox_recipe_schedule(&schedule, &r), VOX_OK);
        assert_int_equal(schedule.kind, VOX_SCHEDULE_POLY);
        vox_setup_release(&s);
        vox_recipe_release(&r);
    }
}

static void a_misspelt_trainer_gets_a_suggestion(void **state)
{
    vox_recipe r = VOX_RECIPE_INIT;

    (void)state;
    assert_int_equal(vox_recipe_find(&r, "BaseMAETrainer_BS9"), VOX_E_USAGE);
    assert_non_null(strstr(vox_error_text(), "did you mean \"BaseMAETrainer_BS"));
    assert_null(r.name);
}

/* The peer's own abort while they build the net; nothing else may run under the name. */
static void trainers_of_other_blocks_and_norms_are_refused(void **state)
{
    static const char *const suffixes[] = {"BatchNorm", "LayerNorm", "Drop005", "Drop02",
                                           "Bneck"};
    char name[128];
    vox_recipe r = VOX_RECIPE_INIT;

    (void)state;
    for (int i = 0; i < VOX_COUNT(suffixes); i++) {
        snprintf(name, sizeof name, "BaseMAETrainer_BS8_ep1000_Arch_Width_B_Depth_B_%s",
                 suffixes[i]);
        assert_int_equal(vox_recipe_find(&r, name), VOX_E_USAGE);
        assert_non_null(strstr(vox_error_text(), name));
    }
}

static int parse(vox_recipe *r, const char *text)
{
    return vox_recipe_parse(r, text, strlen(text), "dir/mine.json");
}

static void a_user_may_write_one(void **state)
{
    vox_recipe r = VOX_RECIPE_INIT;
    vox_setup s = VOX_SETUP_INIT;

    (void)state;
    assert_int_equal(parse(&r, "{\"base\":\"BaseMAETrainer_BS8\",\"patch\":96,\"lr\":0.003,"
                               "\"mae.block\":8,\"resenc_unet.blocks\":[1,1,1,1,1,1]}"),
                     VOX_OK);
    assert_string_equal(r.name, "mine");
    assert_int_equal(r.batch, 8);
    assert_int_equal(r.patch.v[0], 96);
    assert_true(r.lr == 0.003);
    assert_int_equal(vox_setup_init(&s, r.method, r.net, r.options), VOX_OK);
    assert_string_equal(s.model.arch_class_name, "ResidualEncoderUNet");
    vox_setup_release(&s);
    vox_recipe_release(&r);
}

static void a_wrong_one_is_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"{\"btach\":4}",                      "did you mean \"batch\""},
        {"{\"batch\":0}",                      "batch"                 },
        {"{\"base\":\"BaseMAETrainer_BS88\"}", "BaseMAETrainer_BS8"    },
        {"{\"method\":null}",                  "method is null"        },
        {"{\"patch\":[1,2]}",                  "patch has 2 values"    },
        {"[]",                                 "wanted an object"      },
        {"{",                                  "mine.json"             },
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(bad); i++) {
        vox_recipe r = VOX_RECIPE_INIT;

        assert_int_not_equal(parse(&r, bad[i].text), VOX_OK);
        if (!strstr(vox_error_text(), bad[i].says))
            fail_msg("\"%s\" does not say %s", vox_error_text(), bad[i].says);
        assert_null(r.name);
    }
}

static void wrong_options_are_refused(void **state)
{
    static const char *const bad[][2] = {
        {"{\"mae.blok\":8}",               "did you mean \"block\""},
        {"{\"mae.block\":0}",              "block"                 },
        {"{\"spark.block\":8}",            "belongs neither"       },
        {"{\"resenc_unet.features\":8.5}", "features"              },
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(bad); i++) {
        vox_recipe r = VOX_RECIPE_INIT;
        vox_setup s = VOX_SETUP_INIT;

        assert_int_equal(parse(&r, bad[i][0]), VOX_OK);
        assert_int_equal(vox_setup_init(&s, r.method, r.net, r.options), VOX_E_USAGE);
        assert_non_null(strstr(vox_error_text(), bad[i][1]));
        assert_null(s.cfg);
        vox_recipe_release(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trainers_have_their_settings),
        cmocka_unit_test(filters_are_lists),
        cmocka_unit_test(every_trainer_can_be_set_up),
        cmocka_unit_test(a_misspelt_trainer_gets_a_suggestion),
        cmocka_unit_test(trainers_of_other_blocks_and_norms_are_refused),
        cmocka_unit_test(a_user_may_write_one),
        cmocka_unit_test(a_wrong_one_is_refused),
        cmocka_unit_test(wrong_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
