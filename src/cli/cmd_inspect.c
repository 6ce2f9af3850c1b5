/* voxmind inspect: say what files hold: images, preprocessed images, tensors, plans. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/inspect.h"
#include "cli/report.h"
#include "image/volume.h"

typedef struct inspect_cfg {
    int header;
    char *png;
} inspect_cfg;

static const vox_opt opts[] = {
    VOX_OPT_BOOL(inspect_cfg, header, 0, "of images only the header, which is quicker"),
    VOX_OPT_STR(inspect_cfg, png, NULL,
                "draw the middle planes of an image into this file"),
    VOX_OPT_END,
};

typedef int (*inspector)(json_object **out, const char *path, const vox_inspect_how *how);

static const struct {
    const char *ending;
    inspector run;
} endings[] = {
    {".b2nd",        vox_inspect_store      },
    {".pth",         vox_inspect_pth        },
    {".pt",          vox_inspect_pth        },
    {".safetensors", vox_inspect_safetensors},
    {".npy",         vox_inspect_npy        },
    {".json",        vox_inspect_json       },
};

static inspector find(const char *path)
{
    for (int i = 0; i < VOX_COUNT(endings); i++) {
        if (vox_ends_with(path, endings[i].ending))
            return endings[i].run;
    }
    return vox_format_of(path) ? vox_inspect_image : NULL;
}

static int fail_ending(const char *path)
{
    char images[128];

    return vox_fail(VOX_E_FORMAT,
                    "%s: what ends like this is not known, wanted %s, .b2nd, .pth, "
                    ".safetensors, .npy or .json",
                    path, vox_format_endings(images));
}

static int inspect(json_object **out, const char *path, const vox_inspect_how *how)
{
    const inspector run = find(path);
    int rc;

    if (vox_is_dir(path))
        return vox_fail(VOX_E_ARG, "%s: is a folder, wanted a file", path);
    if (!vox_file_exists(path))
        return vox_fail(VOX_E_MISSING, "%s: no such file", path);
    if (!run)
        return fail_ending(path);
    if (how->png && run != vox_inspect_image && run != vox_inspect_store)
        return vox_fail(VOX_E_ARG, "%s: is no image, there is nothing to draw", path);
    rc = run(out, path, how);
    return rc == VOX_E_NOMEM ? vox_fail_in(rc, "%s", path) : rc;
}

/* ---- text ---- */

static void print_tensor(json_object *t)
{
    json_object *shape = vox_json_get(t, "shape"), *alias = vox_json_get(t, "alias_of");
    char extents[128] = "scalar";
    size_t n = 0;

    for (size_t i = 0; i < json_object_array_length(shape) && n < sizeof extents; i++)
        n += (size_t)snprintf(
            extents + n, sizeof extents - n, "%s%lld", i ? " x " : "",
            (long long)json_object_get_int64(json_object_array_get_idx(shape, i)));
    printf("  %-4s %-24s %s%s%s\n", json_object_get_string(vox_json_get(t, "dtype")),
           extents, json_object_get_string(vox_json_get(t, "name")), alias ? " = " : "",
           alias ? json_object_get_string(alias) : "");
}

/* The list itself goes out of the object: what is left are facts. */
static void print_tensors(json_object *o)
{
    json_object *list = json_object_get(vox_json_get(o, "tensors"));
    const size_t n = list ? json_object_array_length(list) : 0;
    size_t aliases = 0;

    for (size_t i = 0; i < n; i++) {
        print_tensor(json_object_array_get_idx(list, i));
        aliases += vox_json_get(json_object_array_get_idx(list, i), "alias_of") != NULL;
    }
    if (list)
        printf("  %zu tensors, %zu more names of them\n", n - aliases, aliases);
    json_object_object_del(o, "tensors");
    json_object_put(list);
}

/* The plan is long: last. */
static void plan_last(json_object *o)
{
    json_object *plan = json_object_get(vox_json_get(o, "plan"));

    if (plan && json_object_get_type(plan) == json_type_object) {
        json_object_object_del(o, "plan");
        json_object_object_add(o, "plan", plan);
    } else {
        json_object_put(plan);
    }
}

static int print_text(json_object *o)
{
    printf("%s: %s\n", json_object_get_string(vox_json_get(o, "file")),
           json_object_get_string(vox_json_get(o, "format")));
    json_object_object_del(o, "file");
    json_object_object_del(o, "format");
    print_tensors(o);
    plan_last(o);
    vox_report_facts(o, 2);
    json_object_put(o);
    return VOX_OK;
}

/* A bad file is told and passed over; the command then fails, with the last message. */
static int run(const void *c, const vox_common *common, int argc, char **argv)
{
    const inspect_cfg *cfg = c;
    const vox_inspect_how how = {cfg->header, cfg->png};
    int bad = 0;

    if (argc == 0)
        return vox_fail(VOX_E_USAGE, "inspect needs a file");
    if (cfg->png && (argc > 1 || cfg->header))
        return vox_fail(VOX_E_USAGE, "--png draws one file, and not with --header");
    for (int i = 0; i < argc; i++) {
        json_object *o = NULL;
        int rc = inspect(&o, argv[i], &how);

        if (rc == VOX_OK)
            rc = common->json ? vox_report_json(o) : print_text(o);
        if (rc != VOX_OK && argc == 1)
            return rc;
        if (rc != VOX_OK)
            fprintf(stderr, "voxmind: %s\n", vox_error_text());
        bad += rc != VOX_OK;
    }
    return bad ? vox_fail(VOX_E_FORMAT, "%d of %d files could not be read", bad, argc)
               : VOX_OK;
}

const vox_cmd vox_cmd_inspect = {
    .name = "inspect",
    .group = "look",
    .summary = "say what files hold: images, preprocessed images, checkpoints, plans",
    .usage = "voxmind inspect [--json] [--header] [--png FILE] <file>...",
    .cfg_size = sizeof(inspect_cfg),
    .opts = opts,
    .run = run,
};
