/* voxmind index: describe folders of scans as pretrain_data.json. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "data/index.h"

typedef struct index_cfg {
    char *out, *name, *modality, *pattern;
    vox_strs add;
    int bids, dicom, csv, derivatives, relative;
} index_cfg;

static const vox_opt opts[] = {
    VOX_OPT_AS("-o", index_cfg, out, STR, 0, 0, 0, "pretrain_data.json", "file to write"),
    VOX_OPT_STRS(index_cfg, add,
                 "a collection to merge the folders into; several are joined"),
    VOX_OPT_STR(index_cfg, name, NULL,
                "name of the collection; default: that of the first --add or folder"),
    VOX_OPT_STR(index_cfg, modality, NULL, "modality of images whose name tells none"),
    VOX_OPT_STR(index_cfg, pattern, NULL,
                "where paths say what, as {subject}/{session}/{modality}.nii.gz"),
    VOX_OPT_BOOL(index_cfg, bids, 0, "BIDS: only files whose path names a sub-..."),
    VOX_OPT_BOOL(index_cfg, dicom, 0, "DICOM: converted by dcm2niix, beside the output"),
    VOX_OPT_BOOL(index_cfg, csv, 0,
                 "tables with a row per image, whatever they are called"),
    VOX_OPT_BOOL(index_cfg, derivatives, 0, "enter derivatives/ of BIDS trees"),
    VOX_OPT_BOOL(index_cfg, relative, 0,
                 "paths below $nnssl_raw are written with its name"),
    VOX_OPT_END,
};

/* What a run gathers. */
typedef struct indexing {
    const index_cfg *cfg;
    vox_index_cfg how;
    vox_collection all;
    vox_coll_merged done;
    vox_rejects skipped;
    vox_buf converted;
} indexing;

static int is_table(const indexing *x, const char *path)
{
    if (x->cfg->csv)
        return 1;
    return (vox_ends_with(path, ".csv") || vox_ends_with(path, ".tsv")) &&
           !vox_is_dir(path);
}

static int merge(indexing *x, const vox_collection *one)
{
    vox_coll_merged d;

    if (!x->all.name)
        VOX_TRY(vox_collection_init(&x->all, x->cfg->name ? x->cfg->name : one->name, 1));
    VOX_TRY(vox_collection_merge(&x->all, one, &d));
    x->done.added += d.added;
    x->done.known += d.known;
    x->done.renamed += d.renamed;
    x->done.joined += d.joined;
    return VOX_OK;
}

static int add_scans(indexing *x, const char *path)
{
    vox_collection one = VOX_COLLECTION_INIT;
    int rc = (is_table(x, path) ? vox_index_csv : vox_index_folder)(&one, path, &x->how,
                                                                    &x->skipped);

    if (rc == VOX_OK)
        rc = merge(x, &one);
    vox_collection_release(&one);
    return rc;
}

/* The first collection to add is taken as it is, the others are joined to it. */
static int add_collection(indexing *x, const char *path)
{
    vox_collection one = VOX_COLLECTION_INIT;
    int rc;

    if (!x->all.name)
        return vox_collection_read(&x->all, path);
    rc = vox_collection_read(&one, path);
    if (rc == VOX_OK)
        rc = merge(x, &one);
    vox_collection_release(&one);
    return rc;
}

static int gather(indexing *x, int argc, char **argv)
{
    for (int64_t i = 0; i < x->cfg->add.count; i++)
        VOX_TRY(add_collection(x, x->cfg->add.v[i]));
    for (int i = 0; i < argc; i++)
        VOX_TRY(add_scans(x, argv[i]));
    if (x->cfg->name)
        VOX_TRY(vox_collection_set(&x->all, &x->all.name, x->cfg->name));
    if (x->cfg->relative)
        VOX_TRY(vox_collection_relative_paths(&x->all));
    return vox_collection_write(&x->all, x->cfg->out);
}

/* "<out without .json>_nifti": what DICOM becomes. */
static int name_converted(vox_buf *out, const char *path)
{
    const size_t n = strlen(path) - (vox_ends_with(path, ".json") ? strlen(".json") : 0);

    VOX_TRY(vox_buf_add(out, path, n));
    return vox_buf_printf(out, "_nifti");
}

static int configure(indexing *x, const vox_common *common, vox_progress_line *line)
{
    const index_cfg *cfg = x->cfg;

    if (cfg->bids + cfg->dicom + cfg->csv > 1)
        return vox_fail(VOX_E_USAGE, "--bids, --dicom and --csv exclude each other");
    VOX_TRY(name_converted(&x->converted, cfg->out));
    x->how = (vox_index_cfg){.name = cfg->name,
                             .number = 1,
                             .modality = cfg->modality,
                             .kind = cfg->bids    ? VOX_INDEX_BIDS
                                     : cfg->dicom ? VOX_INDEX_DICOM
                                                  : VOX_INDEX_DETECT,
                             .pattern = cfg->pattern,
                             .exclude = vox_buf_text(&x->converted),
                             .derivatives = cfg->derivatives,
                             .converted = vox_buf_text(&x->converted),
                             .threads = common->threads ? common->threads : vox_cpu_cores(),
                             .progress = vox_progress_line_show,
                             .arg = line};
    return VOX_OK;
}

static int tell(const indexing *x, int json, int verbose)
{
    json_object *o = json_object_new_object();
    int rc = vox_report_collection(o, &x->all);

    if (rc != VOX_OK) {
        json_object_put(o);
        return rc;
    }
    if (json) {
        vox_report_text(o, "file", x->cfg->out);
        vox_report_int(o, "new", x->done.added);
        vox_report_int(o, "known", x->done.known);
        vox_report_int(o, "renamed", x->done.renamed);
        vox_report_int(o, "joined", x->done.joined);
        json_object_object_add(o, "skipped", vox_rejects_json(&x->skipped));
        return vox_report_json(o);
    }
    vox_report_skipped(&x->skipped, verbose);
    vox_report_facts(o, 0);
    json_object_put(o);
    if (x->done.joined)
        printf("%lld subjects are in several sources: joined\n", (long long)x->done.joined);
    if (x->done.renamed)
        printf("%lld images have a new name: another of their session had it\n",
               (long long)x->done.renamed);
    if (x->done.known)
        printf("%lld images were described already\n", (long long)x->done.known);
    printf("%lld new images, %lld in all, %lld files skipped: %s\n",
           (long long)x->done.added, (long long)vox_collection_images(&x->all),
           (long long)x->skipped.count, x->cfg->out);
    return VOX_OK;
}

static int run(const void *c, const vox_common *common, int argc, char **argv)
{
    vox_progress_line line;
    indexing x = {.cfg = c};
    int rc;

    if (argc == 0 && x.cfg->add.count < 2)
        return vox_fail(VOX_E_USAGE,
                        "index needs a folder of scans, a csv file, or two --add");
    vox_progress_line_init(&line, common->quiet);
    rc = configure(&x, common, &line);
    if (rc == VOX_OK)
        rc = gather(&x, argc, argv);
    vox_progress_line_end(&line);
    if (rc == VOX_OK)
        rc = tell(&x, common->json, common->verbose);
    vox_rejects_release(&x.skipped);
    vox_collection_release(&x.all);
    vox_buf_release(&x.converted);
    return rc;
}

static int help(vox_buf *out)
{
    return vox_buf_printf(
        out,
        "\nColumns of a csv file (a tsv, or one with ;): path (must be there; relative to "
        "the\n"
        "file, or with $NAME first), subject, session, modality, anonymization_mask,\n"
        "anatomy_mask, dataset, name; what other columns say goes into the image's info.\n"
        "A pattern is held against the end of each path: {word} takes any characters but "
        "/, *\n"
        "too; {subject} must be there, {session}, {modality}, {dataset} may, any other "
        "word\n"
        "goes into the image's info.\n");
}

const vox_cmd vox_cmd_index = {
    .name = "index",
    .group = "data",
    .summary = "describe folders of scans: pretrain_data.json",
    .usage =
        "voxmind index <folder or csv>... [-o pretrain_data.json] [--add collection.json]",
    .cfg_size = sizeof(index_cfg),
    .opts = opts,
    .run = run,
    .help = help,
};
