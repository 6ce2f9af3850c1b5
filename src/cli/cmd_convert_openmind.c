/* voxmind convert-openmind: describe a copy of the OpenMind data set. */
#include <json-c/json_object.h>
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/report.h"
#include "data/openmind.h"
#include "data/roots.h"

typedef struct openmind_cfg {
    char *openmind_root_dir, *name, *out;
} openmind_cfg;

static const vox_opt opts[] = {
    VOX_OPT_STR(openmind_cfg, openmind_root_dir, NULL,
                "folder that holds openneuro_metadata.csv and OpenMind/"),
    VOX_OPT_STR(openmind_cfg, name, "Dataset001_OpenMind",
                "name of the collection, the first part of every id; nnssl's by default"),
    VOX_OPT_AS("-o", openmind_cfg, out, STR, 0, 0, 0, NULL,
               "file to write; default: "
               "$nnssl_raw/Dataset745_OpenMind/pretrain_data.json"),
    VOX_OPT_END,
};

/* Where to write; makes the dataset's folder. */
static int find_output(vox_buf *path, const openmind_cfg *cfg)
{
    if (cfg->out)
        return vox_buf_printf(path, "%s", cfg->out);
    VOX_TRY(vox_root_dataset(path, VOX_ROOT_RAW, "Dataset745_OpenMind"));
    VOX_TRY(vox_mkdirs(vox_buf_text(path)));
    return vox_buf_printf(path, "/pretrain_data.json");
}

static int tell(const vox_collection *c, const vox_rejects *skipped, int64_t absent,
                const char *path, int json)
{
    const long long images = (long long)vox_collection_images(c);

    if (json) {
        json_object *o = json_object_new_object();

        vox_report_text(o, "file", path);
        vox_report_int(o, "images", images);
        vox_report_int(o, "datasets", c->count);
        vox_report_int(o, "absent", absent);
        json_object_object_add(o, "skipped", vox_rejects_json(skipped));
        return vox_report_json(o);
    }
    vox_report_skipped(skipped, vox_log_shows(VOX_DEBUG, "index"));
    printf("%lld images of %lld datasets, %lld rows skipped: %s\n", images,
           (long long)c->count, (long long)skipped->count, path);
    return VOX_OK;
}

static int run(const void *c, const vox_common *common, int argc, char **argv)
{
    const openmind_cfg *cfg = c;
    vox_collection all = VOX_COLLECTION_INIT;
    vox_rejects skipped = VOX_REJECTS_INIT;
    vox_buf path = VOX_BUF_INIT;
    int64_t absent = 0;
    int rc;

    if (argc > 0)
        return vox_fail(VOX_E_USAGE, "convert-openmind takes no \"%s\"", argv[0]);
    if (!cfg->openmind_root_dir)
        return vox_fail(VOX_E_USAGE, "convert-openmind needs --openmind_root_dir DIR");
    rc = find_output(&path, cfg);
    if (rc == VOX_OK)
        rc = vox_openmind_read(&all, cfg->openmind_root_dir, cfg->name, &skipped, &absent);
    if (rc == VOX_OK)
        rc = vox_collection_write(&all, vox_buf_text(&path));
    if (rc == VOX_OK && absent)
        vox_log(VOX_WARN, "openmind", "%lld of %lld images are listed but not there",
                (long long)absent, (long long)vox_collection_images(&all));
    if (rc == VOX_OK)
        rc = tell(&all, &skipped, absent, vox_buf_text(&path), common->json);
    vox_rejects_release(&skipped);
    vox_collection_release(&all);
    vox_buf_release(&path);
    return rc;
}

const vox_cmd vox_cmd_convert_openmind = {
    .name = "convert-openmind",
    .group = "data",
    .peer = "nnssl_convert_openmind",
    .summary = "describe a copy of the OpenMind data set",
    .usage = "voxmind convert-openmind --openmind_root_dir DIR [-o FILE] [--name NAME]",
    .cfg_size = sizeof(openmind_cfg),
    .opts = opts,
    .run = run,
};
