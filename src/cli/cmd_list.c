/* voxmind list: what there is, from the tables. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "image/volume.h"
#include "methods/method.h"
#include "train/recipe.h"
#include "transforms/transform.h"

static void row(const vox_common *common, const char *kind, const char *name,
                const char *text)
{
    if (common->json)
        printf("{\"kind\":\"%s\",\"name\":\"%s\",\"summary\":\"%s\"}\n", kind, name, text);
    else
        printf("  %-44s %s\n", name, text);
}

static void list_ops(const vox_common *common)
{
    for (int i = 0; vox_op_at(i); i++)
        row(common, "op", vox_op_at(i)->name, vox_op_at(i)->summary);
}

static void list_nets(const vox_common *common)
{
    for (int i = 0; vox_net_at(i); i++)
        row(common, "net", vox_net_at(i)->name, vox_net_at(i)->summary);
    for (int i = 0; vox_preset_at(i); i++)
        row(common, "preset", vox_preset_at(i)->name, vox_preset_at(i)->summary);
}

static void list_methods(const vox_common *common)
{
    for (int i = 0; vox_method_at(i); i++)
        row(common, "method", vox_method_at(i)->name, vox_method_at(i)->summary);
}

static void list_trainers(const vox_common *common)
{
    for (int i = 0; vox_recipe_name(i); i++)
        row(common, "trainer", vox_recipe_name(i), "");
}

static void list_transforms(const vox_common *common)
{
    for (int i = 0; vox_transform_at(i); i++)
        row(common, "transform", vox_transform_at(i)->name, vox_transform_at(i)->summary);
}

static void list_formats(const vox_common *common)
{
    for (int i = 0; vox_format_at(i); i++)
        row(common, "format", vox_format_at(i)->name, vox_format_at(i)->summary);
}

static const struct {
    const char *name;
    void (*print)(const vox_common *common);
} kinds[] = {
    {"ops",        list_ops       },
    {"nets",       list_nets      },
    {"methods",    list_methods   },
    {"trainers",   list_trainers  },
    {"transforms", list_transforms},
    {"formats",    list_formats   },
};

static const char *kind_name(int i, void *arg)
{
    (void)arg;
    return i < VOX_COUNT(kinds) ? kinds[i].name : NULL;
}

static int fail_kind(const char *word)
{
    const char *near = vox_suggest(word, kind_name, NULL);

    return near ? vox_fail(VOX_E_USAGE,
                           "nothing to list is called \"%s\", did you mean \"%s\"?", word,
                           near)
                : vox_fail(VOX_E_USAGE, "nothing to list is called \"%s\"", word);
}

static int run(const void *cfg, const vox_common *common, int argc, char **argv)
{
    (void)cfg;
    for (int a = 0; a < argc; a++) {
        int known = 0;

        for (int i = 0; i < VOX_COUNT(kinds); i++)
            known |= strcmp(kinds[i].name, argv[a]) == 0;
        if (!known)
            return fail_kind(argv[a]);
    }
    for (int i = 0; i < VOX_COUNT(kinds); i++) {
        int wanted = argc == 0;

        for (int a = 0; a < argc; a++)
            wanted |= strcmp(kinds[i].name, argv[a]) == 0;
        if (wanted && !common->json)
            printf("%s\n", kinds[i].name);
        if (wanted)
            kinds[i].print(common);
    }
    return VOX_OK;
}

const vox_cmd vox_cmd_list = {
    .name = "list",
    .group = "look",
    .summary = "what there is: ops, nets, methods, trainers, transforms, formats",
    .usage = "voxmind list [ops | nets | methods | trainers | transforms | formats]...",
    .run = run,
    .words = "ops nets methods trainers transforms formats",
};
