/* index_csv: a row per image. A row that is no image of ours is passed over, with its
 * number. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "data/gather.h"
#include "data/index.h"
#include "data/roots.h"
#include "data/table.h"
#include "data/walk.h"
#include "image/volume.h"

enum { PATH, SUBJECT, SESSION, MODALITY, ANON, ANAT, DATASET, NAME, KNOWN, SPELLINGS = 3 };

static const char *const columns[KNOWN][SPELLINGS] = {
    {"path",               "image_path",    "filename"      },
    {"subject",            "subject_id",    "participant_id"},
    {"session",            "session_id",    NULL            },
    {"modality",           NULL,            NULL            },
    {"anonymization_mask", "anon_mask",     "anon_mask_path"},
    {"anatomy_mask",       "anat_mask",     "anat_mask_path"},
    {"dataset",            "dataset_index", NULL            },
    {"name",               NULL,            NULL            },
};

typedef struct reading {
    const vox_index_cfg *cfg;
    vox_rejects *skipped;
    const char *file, *folder, *dataset;
    vox_table t;
    int64_t column[KNOWN];
    int shared; /* leading folders that all paths have */
    vox_gather g;
    vox_dict seen; /* dataset, subject, session and path: row */
    vox_buf full, info;
} reading;

static int find_columns(reading *r)
{
    for (int k = 0; k < KNOWN; k++) {
        r->column[k] = -1;
        for (int i = 0; i < SPELLINGS && columns[k][i] && r->column[k] < 0; i++)
            r->column[k] = vox_table_find(&r->t, columns[k][i]);
    }
    if (r->column[PATH] < 0)
        return vox_fail(
            VOX_E_FORMAT,
            "%s: has no column \"path\" (nor \"image_path\", \"filename\"); its "
            "first column is \"%.60s\"",
            r->file, r->t.columns ? r->t.column[0] : "");
    return VOX_OK;
}

static const char *cell(const reading *r, int64_t row, int k)
{
    return vox_table_cell(&r->t, row, r->column[k]);
}

/* As it goes into the collection: absolute, or with its variable. */
static int locate(reading *r, const char **out, const char *path)
{
    *out = path;
    if (!*path || *path == '/' || *path == '$')
        return VOX_OK;
    *out = vox_arena_printf(&r->t.arena, "%s/%s", r->folder, path);
    return *out ? VOX_OK : VOX_E_NOMEM;
}

static int skip(reading *r, int64_t row, const char *path, const char *reason)
{
    const char *text = vox_arena_printf(&r->t.arena, "%s: row %lld of %s", reason,
                                        (long long)row + 2, r->file);

    return text ? vox_rejects_add(r->skipped, path, "", text) : VOX_E_NOMEM;
}

/* Is the file there? *why not. */
static int check_file(reading *r, const char *path, const char **why)
{
    const int rc = vox_path_expand(&r->full, path);

    *why = NULL;
    if (rc == VOX_E_NOMEM)
        return rc;
    if (rc != VOX_OK)
        *why = "its path begins with a variable that is not set";
    else if (vox_file_size(vox_buf_text(&r->full)) < 0)
        *why = "no such file";
    else if (vox_file_size(vox_buf_text(&r->full)) == 0)
        *why = "an empty file";
    vox_error_clear();
    return VOX_OK;
}

/* A text that becomes a folder or file name. */
static int is_component(const char *text)
{
    return *text && !strchr(text, '/') && !vox_bad_name(text);
}

/* What of a located path can tell whose an image is: all but its root. */
static const char *below_root(const char *path)
{
    if (*path == '$' && strchr(path, '/'))
        path = strchr(path, '/');
    return path + strspn(path, "/");
}

/* How many leading folders the paths of all rows have in common. */
static int count_shared(reading *r)
{
    const char *first = NULL;
    size_t n = 0;

    for (int64_t i = 0; i < r->t.rows; i++) {
        const char *path;
        size_t k = 0;

        VOX_TRY(locate(r, &path, cell(r, i, PATH)));
        path = below_root(path);
        if (!*path)
            continue;
        if (!first) {
            first = path;
            n = strlen(path);
        }
        while (k < n && path[k] == first[k])
            k++;
        n = k;
    }
    r->shared = 0;
    for (size_t k = 0; k < n; k++)
        r->shared += first[k] == '/';
    return VOX_OK;
}

/* Subject, session, dataset and name: from the row, else from the path. */
static int fill_place(reading *r, vox_gather_image *im, int64_t row)
{
    vox_place place;

    VOX_TRY(vox_place_guess(&place, &r->t.arena, below_root(im->path), r->shared, 0));
    im->subject = *cell(r, row, SUBJECT) ? cell(r, row, SUBJECT) : place.subject;
    im->session = *cell(r, row, SESSION)   ? cell(r, row, SESSION)
                  : r->column[SUBJECT] < 0 ? place.session
                                           : "ses-DEFAULT";
    im->dataset = *cell(r, row, DATASET) ? cell(r, row, DATASET) : r->dataset;
    im->name = *cell(r, row, NAME) ? cell(r, row, NAME) : vox_path_base(im->path);
    im->modality = *cell(r, row, MODALITY) ? cell(r, row, MODALITY)
                   : *place.modality       ? place.modality
                   : r->cfg->modality      ? r->cfg->modality
                                           : "unknown";
    return VOX_OK;
}

static int fill_info(reading *r, vox_gather_image *im, int64_t row)
{
    VOX_TRY(vox_buf_resize(&r->info, 0));
    for (int64_t k = 0; k < r->t.columns; k++) {
        int known = 0;

        for (int i = 0; i < KNOWN; i++)
            known |= r->column[i] == k;
        if (!known)
            VOX_TRY(
                vox_info_add(&r->info, r->t.column[k], vox_table_cell(&r->t, row, k), 0));
    }
    if (r->info.len)
        VOX_TRY(vox_buf_add(&r->info, "}", 1));
    im->info = r->info.len ? r->info.data : NULL;
    return VOX_OK;
}

/* Masks that are not there are told and left away; the image is taken. */
static int fill_mask(reading *r, const char **out, int64_t row, int k)
{
    const char *path, *why;

    *out = NULL;
    VOX_TRY(locate(r, &path, cell(r, row, k)));
    if (!*path)
        return VOX_OK;
    VOX_TRY(check_file(r, path, &why));
    if (why)
        return skip(r, row, path, "a mask that is not there");
    *out = path;
    return VOX_OK;
}

/* Why the row cannot be taken, or NULL. */
static int check_row(reading *r, const vox_gather_image *im, const char **why)
{
    const char *key;
    int added;

    *why = NULL;
    if (!is_component(im->subject) || !is_component(im->session) ||
        !is_component(im->dataset) || !is_component(im->name)) {
        *why = "its subject, session, dataset or name cannot be a file name";
        return VOX_OK;
    }
    key = vox_arena_printf(&r->t.arena, "%s\1%s\1%s\1%s", im->dataset, im->subject,
                           im->session, im->path);
    if (!key)
        return VOX_E_NOMEM;
    VOX_TRY(vox_dict_set(&r->seen, key, 1, &added));
    if (!added)
        *why = "listed twice";
    return VOX_OK;
}

static int take_row(reading *r, int64_t row)
{
    vox_gather_image im = {0};
    const char *why;

    if (!*cell(r, row, PATH))
        return skip(r, row, "", "its path is empty");
    VOX_TRY(locate(r, &im.path, cell(r, row, PATH)));
    VOX_TRY(check_file(r, im.path, &why));
    if (!why && !vox_format_of(im.path))
        why = "not an image: no format has this ending";
    if (!why) {
        VOX_TRY(fill_place(r, &im, row));
        VOX_TRY(check_row(r, &im, &why));
    }
    if (why)
        return skip(r, row, im.path, why);
    VOX_TRY(fill_mask(r, &im.anon, row, ANON));
    VOX_TRY(fill_mask(r, &im.anat, row, ANAT));
    VOX_TRY(fill_info(r, &im, row));
    return vox_gather_add(&r->g, NULL, &im);
}

static int read_rows(reading *r, vox_collection *c)
{
    VOX_TRY(vox_table_read(&r->t, r->file, vox_ends_with(r->file, ".tsv") ? '\t' : 0));
    VOX_TRY(find_columns(r));
    VOX_TRY(count_shared(r));
    VOX_TRY(
        vox_collection_init(c, r->cfg->name ? r->cfg->name : r->dataset, r->cfg->number));
    vox_gather_init(&r->g, c);
    for (int64_t i = 0; i < r->t.rows; i++)
        VOX_TRY(take_row(r, i));
    if (vox_collection_images(c) == 0)
        return vox_fail(VOX_E_MISSING,
                        "%s: of its %lld rows none is an image (%lld skipped)", r->file,
                        (long long)r->t.rows, (long long)r->skipped->count);
    return VOX_OK;
}

/* The folder's real path, and the name without ending. */
static int split_path(vox_buf *folder, vox_buf *name, const char *path)
{
    const char *base = vox_path_base(path), *dot = strrchr(base, '.');

    VOX_TRY(
        vox_buf_add(name, base, dot && dot > base ? (size_t)(dot - base) : strlen(base)));
    if (base == path)
        return vox_buf_add(folder, ".", 1);
    return vox_buf_add(folder, path, (size_t)(base - path));
}

int vox_index_csv(vox_collection *out, const char *path, const vox_index_cfg *cfg,
                  vox_rejects *skipped)
{
    static const vox_index_cfg defaults = {.number = 1};
    vox_collection c = VOX_COLLECTION_INIT;
    reading r = {.cfg = cfg ? cfg : &defaults, .skipped = skipped, .file = path};
    vox_buf folder = VOX_BUF_INIT, name = VOX_BUF_INIT;
    int rc = split_path(&folder, &name, path);
    char *real;

    *out = c;
    real = rc == VOX_OK ? realpath(vox_buf_text(&folder), NULL) : NULL;
    r.folder = real ? real : vox_buf_text(&folder);
    r.dataset = vox_buf_text(&name);
    if (rc == VOX_OK)
        rc = read_rows(&r, &c);
    if (rc == VOX_OK)
        *out = c;
    else
        vox_collection_release(&c);
    vox_gather_release(&r.g);
    vox_dict_release(&r.seen);
    vox_table_release(&r.t);
    vox_buf_release(&r.full);
    vox_buf_release(&r.info);
    vox_buf_release(&folder);
    vox_buf_release(&name);
    free(real);
    return rc;
}
