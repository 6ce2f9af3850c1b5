/* State-dict keys of the nets against lists written by the reference framework: names,
 * order, shapes, and which names share a parameter. The lists: tools/golden/net_keys.py. */
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#include "nets/net.h"

typedef struct keys_case {
    const char *file, *net;
    const char *options[6][2]; /* name, value */
    int in_channels, out_channels;
} keys_case;

static const keys_case cases[] = {
    {"resenc_l",        "resenc_l",        {{0}},        1, 1},
    {"resenc_l",        "resenc_wb_db",    {{0}},        1, 1},
    {"resenc_l_noskip", "resenc_l_noskip", {{0}},        1, 1},
    {"resenc_xs",       "resenc_xs",       {{0}},        1, 1},
    {"resenc_wm_db",    "resenc_wm_db",    {{0}},        1, 1},
    {"resenc_wl_db",    "resenc_wl_db",    {{0}},        1, 1},
    {"resenc_wb_dm",    "resenc_wb_dm",    {{0}},        1, 1},
    {"resenc_wb_dl",    "resenc_wb_dl",    {{0}},        1, 1},
    {"resenc_wm_dm",    "resenc_wm_dm",    {{0}},        1, 1},
    {"resenc_512",      "resenc_512",      {{0}},        1, 1},
    {"odd",
     "resenc_unet",                        {{"features", "[4,6,6,10]"},
      {"blocks", "[2,1,2,1]"},
      {"strides", "[1,2,1,2]"},
      {"decoder_blocks", "[1,2,3]"}},
     2,                                                     3},
    {"noskip",
     "resenc_unet",                        {{"features", "[4,6,6,10]"},
      {"blocks", "[2,1,2,1]"},
      {"strides", "[1,2,1,2]"},
      {"decoder_blocks", "[1,2,1]"},
      {"skips", "false"}},
     2,                                                     3},
};

static void open_model(vox_model *m, vox_params **p, const keys_case *c)
{
    assert_int_equal(vox_model_init(m, c->net), VOX_OK);
    m->in_channels = c->in_channels;
    m->out_channels = c->out_channels;
    for (int i = 0; c->options[i][0]; i++)
        assert_int_equal(
            vox_opts_set(m->net->opts, m->cfg, c->options[i][0], c->options[i][1]), VOX_OK);
    assert_int_equal(vox_params_new(p, NULL), VOX_OK);
    assert_int_equal(m->net->declare(m, *p), VOX_OK);
}

static void compare(vox_params *p, FILE *f)
{
    char line[256], text[128], want[256];
    int k = 0;

    for (; fgets(line, sizeof line, f); k++) {
        const vox_key *key = &p->key[k];

        if (k >= p->n_key)
            fail_msg("no key for %s", line);
        snprintf(want, sizeof want, "%d %s %s\n", key->param,
                 vox_shape_text(p->param[key->param].shape, text), key->name);
        assert_string_equal(want, line);
    }
    assert_int_equal(k, p->n_key);
}

static void keys_are_the_references(void **state)
{
    (void)state;
    for (int i = 0; i < VOX_COUNT(cases); i++) {
        vox_model m;
        vox_params *p;
        char path[512];
        FILE *f;

        snprintf(path, sizeof path, VOX_SOURCE_DIR "/tests/golden/nets/keys/%s.txt",
                 cases[i].file);
        f = fopen(path, "r");
        assert_non_null(f);
        open_model(&m, &p, &cases[i]);
        compare(p, f);
        fclose(f);
        vox_params_free(p);
        vox_model_release(&m);
    }
}

/* A preset that nobody compared has keys that nobody knows to be right. */
static void every_preset_is_compared(void **state)
{
    (void)state;
    for (int i = 0; vox_preset_at(i); i++) {
        int found = 0;

        for (int k = 0; k < VOX_COUNT(cases); k++)
            found |= strcmp(cases[k].net, vox_preset_at(i)->name) == 0;
        if (!found)
            fail_msg("%s has no case", vox_preset_at(i)->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keys_are_the_references),
                                       cmocka_unit_test(every_preset_is_compared)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
