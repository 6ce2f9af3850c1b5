/*
 * index: walk a folder, sort what was found, build the collection.
 *
 * Files of the walk are rearranged: images first, by place; `images` says how many.
 */
#include "data/index.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/bids.h"
#include "data/dicom.h"
#include "data/gather.h"
#include "data/masks.h"
#include "data/walk.h"

typedef struct indexing {
    const vox_index_cfg *cfg;
    vox_rejects *skipped;
    int64_t had;         /* skipped before, in other folders */
    const char *dataset; /* of images whose path names none */
    vox_walk w;
    int64_t images;
    char *converted; /* real path of the converted scans, or NULL */
} indexing;

/* How many leading folders all images share. */
static int shared_folders(const indexing *x)
{
    const char *first = x->w.v[0].path;
    size_t n = strlen(first);
    int depth = 0;

    for (int64_t i = 1; i < x->images; i++) {
        size_t k = 0;

        while (k < n && x->w.v[i].path[k] == first[k])
            k++;
        n = k;
    }
    for (size_t k = 0; k < n; k++)
        depth += first[k] == '/';
    return depth;
}

static int compare(const void *a, const void *b)
{
    const vox_file *x = a, *y = b;
    int c = (x->kind > y->kind) - (x->kind < y->kind);

    c = c || x->kind != VOX_FILE_IMAGE ? c : strcmp(x->place.dataset, y->place.dataset);
    c = c || x->kind != VOX_FILE_IMAGE ? c : strcmp(x->place.subject, y->place.subject);
    c = c || x->kind != VOX_FILE_IMAGE ? c : strcmp(x->place.session, y->place.session);
    return c ? c : strcmp(x->path, y->path);
}

static void sort(indexing *x)
{
    if (x->w.count)
        qsort(x->w.v, (size_t)x->w.count, sizeof *x->w.v, compare);
}

/*
 * Are numbers like _0000 channels? Yes when every name has one, there are several cases,
 * and each has a channel 0: else "case_0001", "case_0002" would be one subject.
 */
static int have_channels(indexing *x, int *yes)
{
    vox_dict cases = VOX_DICT_INIT;
    int64_t zeros = 0, numbered = 0;
    int rc = VOX_OK;

    for (int64_t i = 0; i < x->images && rc == VOX_OK; i++) {
        const char *base = vox_path_base(x->w.v[i].path);
        int channel;
        const size_t n = vox_place_channel(base, &channel);
        const char *name = vox_arena_text(&x->w.arena, base, n);

        numbered += channel >= 0;
        zeros += channel == 0;
        rc = name ? vox_dict_set(&cases, name, 1, NULL) : VOX_E_NOMEM;
    }
    *yes = numbered == x->images && cases.count > 1 && zeros == cases.count;
    vox_dict_release(&cases);
    return rc;
}

/* An image of OpenMind's folder <scan>__Data is named after both. */
static int name_image(vox_walk *w, vox_file *f)
{
    const char *base = vox_path_base(f->path), *at, *from;

    f->name = base;
    if (base - f->path <= (ptrdiff_t)strlen("__Data/"))
        return VOX_OK;
    at = from = base - strlen("__Data/");
    if (strncmp(at, "__Data/", 7) != 0)
        return VOX_OK;
    while (from > f->path && from[-1] != '/')
        from--;
    f->name = vox_arena_printf(&w->arena, "%.*s_%s", (int)(at - from), from, base);
    if (!*f->place.modality)
        f->place.modality = vox_arena_text(&w->arena, base, vox_place_stem(base));
    return f->name && f->place.modality ? VOX_OK : VOX_E_NOMEM;
}

/* By the user's pattern. 1, 0 when it does not match. */
static int place_by_pattern(indexing *x, vox_file *f)
{
    vox_buf info = VOX_BUF_INIT;
    int rc = vox_place_match(&f->place, &x->w.arena, &info, x->cfg->pattern, f->path);

    if (rc == 1 && info.len) {
        f->info = vox_arena_printf(&x->w.arena, "%s}", info.data);
        rc = f->info ? 1 : VOX_E_NOMEM;
    }
    vox_buf_release(&info);
    return rc;
}

/* Find the place of an image or a mask; *why it has none. */
static int place(indexing *x, vox_file *f, int shared, int channels, const char **why)
{
    *why = NULL;
    if (x->cfg->kind == VOX_INDEX_BIDS && !vox_place_is_bids(f->path)) {
        *why = "no BIDS name: no sub-<label> in its path";
        return VOX_OK;
    }
    if (x->cfg->pattern) {
        const int rc = place_by_pattern(x, f);

        if (rc == 0)
            *why = "its path does not match the pattern";
        return rc < 0 ? rc : VOX_OK;
    }
    return vox_place_guess(&f->place, &x->w.arena, f->path, shared, channels);
}

/* Places of all images and masks. Images without one are passed over. */
static int place_all(indexing *x)
{
    const int shared = shared_folders(x);
    int64_t n = 0;
    int channels;

    VOX_TRY(have_channels(x, &channels));
    for (int64_t i = 0; i < x->w.count; i++) {
        vox_file *f = &x->w.v[i];
        const char *why = NULL;

        if (f->kind == VOX_FILE_IMAGE || f->kind == VOX_FILE_MASK)
            VOX_TRY(place(x, f, shared, channels, &why));
        if (why && f->kind == VOX_FILE_MASK)
            f->place = (vox_place){"", "", "", ""};
        if (why && f->kind == VOX_FILE_IMAGE) {
            VOX_TRY(vox_walk_skip(&x->w, x->skipped, f->path, why));
            x->images--;
            continue;
        }
        if (f->kind == VOX_FILE_IMAGE)
            VOX_TRY(name_image(&x->w, f));
        x->w.v[n++] = *f;
    }
    x->w.count = n;
    sort(x);
    return VOX_OK;
}

/* What no image took, and DICOM that was not asked for. */
static int skip_unused(indexing *x)
{
    static const char *const why[] = {
        [VOX_FILE_MASK] = "a mask or label map, by its name",
        [VOX_FILE_JSON] = "a JSON file of no image",
        [VOX_FILE_DICOM] = "a folder of DICOM files; --dicom takes them",
    };

    for (int64_t i = x->images; i < x->w.count; i++) {
        const vox_file *f = &x->w.v[i];

        if (!f->used && f->kind != VOX_FILE_TABLE)
            VOX_TRY(vox_walk_skip(&x->w, x->skipped, f->path, why[f->kind]));
    }
    return VOX_OK;
}

/* The name that nothing in the path said: what the user calls it, or what a side-car does
 * (MR, CT). */
static int modality_of(indexing *x, const char **out, const vox_file *f)
{
    vox_buf text = VOX_BUF_INIT;
    int rc = 1;

    *out = f->place.modality;
    if (**out)
        return VOX_OK;
    *out = x->cfg->modality;
    if (!*out)
        rc = vox_info_text(&text, f->info, "Modality");
    if (!*out)
        *out = rc == 1 && text.len ? vox_arena_strdup(&x->w.arena, text.data) : "unknown";
    vox_buf_release(&text);
    return rc < 0 || !*out ? VOX_E_NOMEM : VOX_OK;
}

static int add_image(indexing *x, vox_gather *g, const vox_file *f)
{
    vox_walk *w = &x->w;
    vox_gather_image im = {.dataset = *f->place.dataset ? f->place.dataset : x->dataset,
                           .subject = f->place.subject,
                           .session = f->place.session,
                           .name = f->name,
                           .path = vox_walk_full(w, f->path),
                           .anon = f->anon ? vox_walk_full(w, f->anon) : NULL,
                           .anat = f->anat ? vox_walk_full(w, f->anat) : NULL,
                           .info = f->info};

    if (!im.path || (f->anon && !im.anon) || (f->anat && !im.anat))
        return VOX_E_NOMEM;
    VOX_TRY(modality_of(x, &im.modality, f));
    return vox_gather_add(g, NULL, &im);
}

static int build(indexing *x, vox_collection *c)
{
    vox_gather g;
    int rc = VOX_OK;

    vox_gather_init(&g, c);
    for (int64_t i = 0; i < x->images && rc == VOX_OK; i++)
        rc = add_image(x, &g, &x->w.v[i]);
    vox_gather_release(&g);
    return rc == VOX_OK ? vox_bids_tables(c, &x->w, x->images, x->dataset, x->skipped) : rc;
}

/* Convert, then go on with the folder of what came out. It has the path of the scans' folder:
 * what was converted from another one is not in it. */
static int convert_dicom(indexing *x)
{
    const char *to = vox_arena_printf(&x->w.arena, "%s%s", x->cfg->converted, x->w.root);
    const vox_dicom_cfg cfg = {to, x->cfg->threads, x->cfg->progress, x->cfg->arg};
    const vox_walk_cfg all = {NULL, 0};
    vox_walk scans;
    int rc;

    if (!to)
        return VOX_E_NOMEM;
    for (int64_t i = 0; i < x->w.count; i++) {
        if (x->w.v[i].kind == VOX_FILE_IMAGE)
            VOX_TRY(vox_walk_skip(&x->w, x->skipped, x->w.v[i].path, "not a DICOM file"));
    }
    VOX_TRY(vox_dicom_convert(&cfg, &x->w, x->skipped));
    x->converted = realpath(to, NULL);
    if (!x->converted)
        return vox_fail_errno(VOX_E_IO, "%s", to);
    scans = x->w;
    x->w = (vox_walk){0};
    rc = vox_walk_folder(&x->w, x->converted, &all, x->skipped);
    if (rc == VOX_OK)
        rc = vox_dicom_drop_stale(&x->w, &scans, x->skipped);
    vox_walk_release(&scans);
    return rc;
}

static int fail_empty(indexing *x)
{
    const vox_rejects *r = x->skipped;
    int64_t n;

    VOX_TRY(skip_unused(x));
    n = r->count - x->had;
    if (n == 0)
        return vox_fail(VOX_E_MISSING, "%s: no images in it, it is empty", x->w.root);
    return vox_fail(
        VOX_E_MISSING,
        "%s: no images in it (%lld files and folders skipped; the last, %s: %s)", x->w.root,
        (long long)n, r->v[r->count - 1].path, r->v[r->count - 1].reason);
}

static int choose_files(indexing *x)
{
    const vox_walk *w = &x->w;
    const int dicom = w->kinds[VOX_FILE_DICOM] > 0;

    if (x->cfg->kind == VOX_INDEX_DICOM && !dicom)
        return vox_fail(VOX_E_MISSING, "%s: no DICOM files in it", w->root);
    if (dicom && x->cfg->converted &&
        (x->cfg->kind == VOX_INDEX_DICOM ||
         (x->cfg->kind == VOX_INDEX_DETECT && w->kinds[VOX_FILE_IMAGE] == 0)))
        VOX_TRY(convert_dicom(x));
    x->images = w->kinds[VOX_FILE_IMAGE];
    if (x->images == 0)
        return fail_empty(x);
    sort(x);
    return VOX_OK;
}

static int index_files(indexing *x, vox_collection *c)
{
    VOX_TRY(choose_files(x));
    VOX_TRY(place_all(x));
    if (x->images == 0)
        return vox_fail(VOX_E_MISSING, "%s: of its images none %s%s", x->w.root,
                        x->cfg->pattern ? "matches the pattern " : "has a BIDS name",
                        x->cfg->pattern ? x->cfg->pattern : "");
    VOX_TRY(vox_masks_attach(&x->w, x->images));
    VOX_TRY(vox_bids_sidecars(&x->w, x->images, x->skipped));
    VOX_TRY(skip_unused(x));
    return build(x, c);
}

static int index_into(vox_collection *c, const char *root, indexing *x)
{
    const vox_walk_cfg walk = {x->cfg->exclude, x->cfg->derivatives};
    const char *base = vox_path_base(root);

    x->dataset = *base ? base : "root";
    if (vox_bad_name(x->dataset)) {
        const char *shown = vox_walk_shown(&x->w, root);

        return shown ? vox_fail(VOX_E_ARG, "%s: cannot name a dataset: %s", shown,
                                vox_bad_name(x->dataset))
                     : VOX_E_NOMEM;
    }
    if (x->cfg->pattern)
        VOX_TRY(vox_place_check_pattern(x->cfg->pattern));
    VOX_TRY(
        vox_collection_init(c, x->cfg->name ? x->cfg->name : x->dataset, x->cfg->number));
    VOX_TRY(vox_walk_folder(&x->w, root, &walk, x->skipped));
    return index_files(x, c);
}

int vox_index_folder(vox_collection *out, const char *dir, const vox_index_cfg *cfg,
                     vox_rejects *skipped)
{
    static const vox_index_cfg defaults = {.number = 1};
    vox_collection c = VOX_COLLECTION_INIT;
    indexing x = {.cfg = cfg ? cfg : &defaults, .skipped = skipped, .had = skipped->count};
    char *root = realpath(dir, NULL);
    int rc;

    *out = c;
    if (!root || !vox_is_dir(root)) {
        rc = vox_fail(VOX_E_MISSING,
                      root ? "%s: is a file, wanted a folder, or with --csv a table"
                           : "%s: no such folder",
                      dir);
        free(root);
        return rc;
    }
    rc = index_into(&c, root, &x);
    if (rc == VOX_OK)
        *out = c;
    else
        vox_collection_release(&c);
    vox_walk_release(&x.w);
    free(x.converted);
    free(root);
    return rc;
}
