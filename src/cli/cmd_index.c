/* voxmind index: describe a folder of scans as pretrain_data.json. */
#include <json-c/json_object.h>
#include <stdio.h>

#include "cli/cmd.h"
#include "data/index.h"

typedef struct index_cfg {
    char *out, *add, *name, *modality;
} index_cfg;

static const vox_opt opts[] = {
    VOX_OPT_AS("-o", index_cfg, out, STR, 0, 0, 0, "pretrain_data.json", "file to write"),
    VOX_OPT_STR(index_cfg, add, NULL, "a collection to merge the folders into"),
    VOX_OPT_STR(index_cfg, name, NULL,
                "name of the collection; default: the first folder's"),
    VOX_OPT_STR(index_cfg, modality, NULL, "modality of images whose name tells none"),
    VOX_OPT_END,
};

static int add_folder(vox_collection *all, const index_cfg *cfg, const char *dir,
                      vox_rejects *skipped, int64_t *found)
{
    const vox_index_cfg how = {.name = cfg->name, .number = 1, .modality = cfg->modality};
    vox_collection one = VOX_COLLECTION_INIT;
    vox_coll_merged added = {0};
    int rc = vox_index_folder(&one, dir, &how, skipped);

    if (rc == VOX_OK && !all->name)
        rc = vox_collection_init(all, one.name, 1);
    if (rc == VOX_OK)
        rc = vox_collection_merge(all, &one, &added);
    vox_collection_release(&one);
    *found += added.added;
    return rc;
}

static void print_json(const vox_collection *all, int64_t found, const vox_rejects *skipped,
                       const char *out)
{
    json_object *o = json_object_new_object();

    json_object_object_add(o, "file", json_object_new_string(out));
    json_object_object_add(o, "new", json_object_new_int64(found));
    json_object_object_add(o, "images", json_object_new_int64(vox_collection_images(all)));
    json_object_object_add(o, "skipped", vox_rejects_json(skipped));
    printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    json_object_put(o);
}

static void print_text(const vox_collection *all, int64_t found, const vox_rejects *skipped,
                       const char *out)
{
    for (int64_t i = 0; i < skipped->count; i++)
        printf("skipped %s: %s\n", skipped->v[i].path, skipped->v[i].reason);
    printf("%lld new images, %lld in all, %lld files skipped: %s\n", (long long)found,
           (long long)vox_collection_images(all), (long long)skipped->count, out);
}

static int run(const void *c, const vox_common *common, int argc, char **argv)
{
    const index_cfg *cfg = c;
    vox_collection all = VOX_COLLECTION_INIT;
    vox_rejects skipped = VOX_REJECTS_INIT;
    int64_t found = 0;
    int rc = VOX_OK;

    if (argc == 0)
        return vox_fail(VOX_E_USAGE, "index needs a folder of scans");
    if (cfg->add)
        rc = vox_collection_read(&all, cfg->add);
    for (int i = 0; i < argc && rc == VOX_OK; i++)
        rc = add_folder(&all, cfg, argv[i], &skipped, &found);
    if (rc == VOX_OK)
        rc = vox_collection_write(&all, cfg->out);
    if (rc == VOX_OK)
        (common->json ? print_json : print_text)(&all, found, &skipped, cfg->out);
    vox_rejects_release(&skipped);
    vox_collection_release(&all);
    return rc;
}

const vox_cmd vox_cmd_index = {
    .name = "index",
    .group = "data",
    .summary = "describe folders of scans: pretrain_data.json",
    .usage = "voxmind index <folder>... [-o pretrain_data.json] [--add collection.json]",
    .cfg_size = sizeof(index_cfg),
    .opts = opts,
    .run = run,
};
