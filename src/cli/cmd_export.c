/* voxmind export: preprocessed images, and images of any format, as NIfTI for a viewer. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/report.h"
#include "data/case_geometry.h"
#include "data/store.h"

typedef struct export_cfg {
    char *out;
} export_cfg;

static const vox_opt opts[] = {
    VOX_OPT_AS("-o", export_cfg, out, STR, 0, 0, 0, NULL, "file to write, .nii or .nii.gz"),
    VOX_OPT_END,
};

/* All voxels of a store. */
static int read_store(vox_volume *v, const char *path)
{
    static const int64_t lo[4] = {0};
    vox_store *s = NULL;
    int64_t shape[4];
    int rc;

    VOX_TRY(vox_store_open(&s, path));
    vox_store_shape(s, shape);
    v->info.shape = VOX_SHAPE(shape[0], shape[1], shape[2], shape[3]);
    v->data = vox_alloc((size_t)vox_shape_count(v->info.shape), sizeof *v->data);
    rc = v->data ? vox_store_read(s, lo, shape, v->data, shape) : VOX_E_NOMEM;
    vox_store_close(s);
    return rc;
}

/* A preprocessed image with the place of its crop in the scan. */
static int read_case(vox_volume *v, const char *path)
{
    vox_properties p;

    VOX_TRY(read_store(v, path));
    VOX_TRY(vox_case_properties(&p, path, v->info.shape.n));
    return vox_case_geometry(&v->info, &p, path);
}

static int read_any(vox_volume *v, const char *path)
{
    static const char *const tensors[] = {".pth", ".pt", ".safetensors"};

    for (int i = 0; i < VOX_COUNT(tensors); i++) {
        if (vox_ends_with(path, tensors[i]))
            return vox_fail(VOX_E_ARG, "%s: checkpoints cannot be exported yet", path);
    }
    return vox_ends_with(path, ".b2nd") ? read_case(v, path) : vox_volume_read(v, path);
}

static int report(const vox_volume_info *info, const char *in, const char *out, int json)
{
    json_object *o;

    if (!json) {
        printf("%s: %lld x %lld x %lld voxels of %.4g x %.4g x %.4g mm\n", out,
               (long long)info->shape.n[1], (long long)info->shape.n[2],
               (long long)info->shape.n[3], info->spacing[0], info->spacing[1],
               info->spacing[2]);
        return VOX_OK;
    }
    o = json_object_new_object();
    vox_report_text(o, "file", in);
    vox_report_text(o, "out", out);
    vox_report_ints(o, "shape", info->shape.n, 4);
    vox_report_nums(o, "spacing", info->spacing, 3);
    vox_report_nums(o, "origin", info->origin, 3);
    vox_report_nums(o, "direction", info->direction, 9);
    return vox_report_json(o);
}

/* A scan is not replaced by what was read of it. */
static int check_out(const char *in, const char *out)
{
    struct stat a, b;

    if (stat(in, &a) != 0 || stat(out, &b) != 0 || a.st_dev != b.st_dev ||
        a.st_ino != b.st_ino)
        return VOX_OK;
    return vox_fail(VOX_E_USAGE, "%s: is the image itself, wanted another file to write",
                    out);
}

static int run(const void *c, const vox_common *common, int argc, char **argv)
{
    const export_cfg *cfg = c;
    vox_volume v = VOX_VOLUME_INIT;
    int rc;

    if (argc != 1 || !cfg->out)
        return vox_fail(VOX_E_USAGE,
                        "export needs one file, and -o with the file to write");
    VOX_TRY(check_out(argv[0], cfg->out));
    rc = read_any(&v, argv[0]);
    if (rc == VOX_E_NOMEM)
        rc = vox_fail_in(rc, "%s", argv[0]);
    if (rc == VOX_OK)
        rc = vox_volume_write(&v, cfg->out);
    if (rc == VOX_OK)
        rc = report(&v.info, argv[0], cfg->out, common->json);
    vox_volume_release(&v);
    return rc;
}

const vox_cmd vox_cmd_export = {
    .name = "export",
    .group = "look",
    .summary = "preprocessed images, and images of any format, as NIfTI for a viewer",
    .usage = "voxmind export <case.b2nd or image> -o <file.nii.gz>",
    .cfg_size = sizeof(export_cfg),
    .opts = opts,
    .run = run,
};
