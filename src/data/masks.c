/* masks: tables of words; a dictionary of the images' paths; for BIDS, the entities. */
#include "data/masks.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "data/collection.h"
#include "image/volume.h"

typedef enum role { NONE, ANON, ANAT } role;

typedef struct tail {
    const char *text;
    role role;
} tail;

/* What stands behind an image's name. Longer ones first: "_brain_mask" before "_mask". */
static const tail tails[] = {
    {"_anonymization_mask", ANON},
    {"_anonymisation_mask", ANON},
    {"_desc-deface_mask",   ANON},
    {"_desc-face_mask",     ANON},
    {"_deface_mask",        ANON},
    {"_defacemask",         ANON},
    {"_anon_mask",          ANON},
    {"_face_mask",          ANON},
    {"_facemask",           ANON},
    {"__anon",              ANON},
    {"_foreground_mask",    ANAT},
    {"_desc-brain_mask",    ANAT},
    {"_desc-head_mask",     ANAT},
    {"_desc-body_mask",     ANAT},
    {"_anatomy_mask",       ANAT},
    {"_brain_mask",         ANAT},
    {"_brainmask",          ANAT},
    {"_anat_mask",          ANAT},
    {"_body_mask",          ANAT},
    {"_bodymask",           ANAT},
    {"_head_mask",          ANAT},
    {"_headmask",           ANAT},
    {"_bet_mask",           ANAT},
    {"_fb_mask",            ANAT},
    {"__anat",              ANAT},
    {"_mask",               ANAT},
};

static const char data_folder[] = "__Data";

/* The last word of a name, behind "_", "-" or "." */
int vox_mask_name(const char *name)
{
    static const char *const words[] = {
        "seg",      "mask",     "dseg",      "probseg",      "label",
        "labels",   "lesion",   "brainmask", "segmentation", "defacemask",
        "facemask", "bodymask", "headmask"};
    const size_t stem = vox_place_stem(name);
    size_t at = stem;

    while (at > 0 && !strchr("_-.", name[at - 1]))
        at--;
    for (int i = 0; i < VOX_COUNT(words); i++) {
        if (stem - at == strlen(words[i]) && !strncasecmp(name + at, words[i], stem - at))
            return 1;
    }
    return stem > 6 && (strncmp(name + stem - 6, "__anon", 6) == 0 ||
                        strncmp(name + stem - 6, "__anat", 6) == 0);
}

int vox_mask_folder(const char *name)
{
    static const char *const names[] = {"labelsTr", "labelsTs", "labelsVal",
                                        "labels",   "masks",    "segmentations"};

    for (int i = 0; i < VOX_COUNT(names); i++) {
        if (strcasecmp(name, names[i]) == 0)
            return 1;
    }
    return 0;
}

static void give(vox_file *image, vox_file *mask, role r)
{
    const char **field = r == ANON ? &image->anon : &image->anat;

    if (r != NONE && !*field) {
        *field = mask->path;
        mask->used = 1;
    }
}

/* The path without the ending of its name. */
static const char *stem_path(vox_walk *w, const char *path)
{
    const char *base = vox_path_base(path);

    return vox_arena_printf(&w->arena, "%.*s%.*s", (int)(base - path), path,
                            (int)vox_place_stem(base), base);
}

/* "<folder>/" when that is some <image>__Data folder, else NULL. */
static int data_folder_of(vox_walk *w, const char **folder, const char *path)
{
    const size_t n = (size_t)(vox_path_base(path) - path), tail_n = strlen(data_folder);

    *folder = NULL;
    if (n < tail_n + 2 || strncmp(path + n - 1 - tail_n, data_folder, tail_n) != 0)
        return VOX_OK;
    *folder = vox_arena_text(&w->arena, path, n);
    return *folder ? VOX_OK : VOX_E_NOMEM;
}

/* Images by their path without ending, and the first image of each __Data folder. */
static int index_stems(vox_dict *stems, vox_walk *w, int64_t images)
{
    for (int64_t i = images - 1; i >= 0; i--) {
        const char *key = stem_path(w, w->v[i].path), *folder;

        if (!key)
            return VOX_E_NOMEM;
        VOX_TRY(vox_dict_set(stems, key, i, NULL));
        VOX_TRY(data_folder_of(w, &folder, w->v[i].path));
        if (folder)
            VOX_TRY(vox_dict_set(stems, folder, i, NULL));
    }
    return VOX_OK;
}

/* Masks of the folder <image>__Data: of that image, and of images in the folder. */
static int attach_data_folder(vox_walk *w, const vox_dict *stems, int64_t images,
                              vox_file *mask)
{
    const char *stem = stem_path(w, mask->path), *folder, *owner;
    role r = NONE;
    int64_t at;

    if (!stem)
        return VOX_E_NOMEM;
    VOX_TRY(data_folder_of(w, &folder, mask->path));
    if (!folder)
        return VOX_OK;
    for (int i = 0; i < VOX_COUNT(tails) && r == NONE; i++)
        r = strcmp(tails[i].text + 1, vox_path_base(stem)) == 0 ? tails[i].role : NONE;
    owner = vox_arena_text(&w->arena, folder, strlen(folder) - 1 - strlen(data_folder));
    if (!owner)
        return VOX_E_NOMEM;
    at = vox_dict_get(stems, owner, -1);
    if (at >= 0)
        give(&w->v[at], mask, r);
    at = vox_dict_get(stems, folder, images);
    for (; at < images && strncmp(w->v[at].path, folder, strlen(folder)) == 0; at++)
        give(&w->v[at], mask, r);
    return VOX_OK;
}

/* "<image><tail>" beside the image. */
static int attach_beside(vox_walk *w, const vox_dict *stems, vox_file *mask)
{
    const char *stem = stem_path(w, mask->path);

    if (!stem)
        return VOX_E_NOMEM;
    for (int i = 0; i < VOX_COUNT(tails) && !mask->used; i++) {
        const char *owner;
        int64_t at;

        if (!vox_ends_with(stem, tails[i].text))
            continue;
        owner = vox_arena_printf(&w->arena, "%.*s",
                                 (int)(strlen(stem) - strlen(tails[i].text)), stem);
        if (!owner)
            return VOX_E_NOMEM;
        at = vox_dict_get(stems, owner, -1);
        if (at >= 0)
            give(&w->v[at], mask, tails[i].role);
    }
    return VOX_OK;
}

/* Does the stem have this token between its "_"? */
static int has_token(const char *stem, size_t n, const char *token, size_t len)
{
    for (size_t at = 0; at + len <= n;) {
        const char *end = memchr(stem + at, '_', n - at);
        const size_t k = end ? (size_t)(end - stem) - at : n - at;

        if (k == len && memcmp(stem + at, token, len) == 0)
            return 1;
        at += k + 1;
    }
    return 0;
}

static int begins(const char *token, size_t n, const char *with)
{
    return n >= strlen(with) && memcmp(token, with, strlen(with)) == 0;
}

static role role_of(const char *label, size_t n)
{
    static const tail labels[] = {
        {"brain",  ANAT},
        {"head",   ANAT},
        {"body",   ANAT},
        {"deface", ANON},
        {"face",   ANON},
    };

    for (int i = 0; i < VOX_COUNT(labels); i++) {
        if (n == strlen(labels[i].text) && memcmp(label, labels[i].text, n) == 0)
            return labels[i].role;
    }
    return NONE;
}

/* What a BIDS mask is to an image of its session: its entities must be the image's. */
static role bids_role(const char *mask, const char *image)
{
    const size_t mask_n = vox_place_stem(mask), n = vox_place_stem(image);
    role r = ANAT;

    for (size_t at = 0; at < mask_n;) {
        const char *token = mask + at, *end = memchr(token, '_', mask_n - at);
        const size_t k = end ? (size_t)(end - token) : mask_n - at;

        if (begins(token, k, "desc-"))
            r = role_of(token + 5, k - 5);
        else if (begins(token, k, "label-"))
            r = role_of(token + 6, k - 6);
        else if (begins(token, k, "mod-")) {
            if (!has_token(image, n, token + 4, k - 4))
                return NONE;
        } else if (end && !has_token(image, n, token, k))
            return NONE;
        else if (!end && k == 10 && begins(token, k, "defacemask"))
            r = ANON;
        else if (!end && !(k == 4 && begins(token, k, "mask")))
            return NONE;
        at += k + 1;
    }
    return r;
}

/* Do the headers agree? A mask of another grid would spoil the image. */
static int same_shape(vox_walk *w, const vox_file *a, const vox_file *b)
{
    const char *x = vox_walk_full(w, a->path), *y = vox_walk_full(w, b->path);
    vox_volume_info u, v;
    int same = x && y && vox_volume_read_info(&u, x) == VOX_OK &&
               vox_volume_read_info(&v, y) == VOX_OK;

    for (int i = 1; i < 4 && same; i++)
        same = u.shape.n[i] == v.shape.n[i];
    vox_error_clear();
    return same;
}

static int same_session(const vox_place *a, const vox_place *b)
{
    return strcmp(a->subject, b->subject) == 0 && strcmp(a->session, b->session) == 0 &&
           strcmp(a->dataset, b->dataset) == 0;
}

static const char *session_key(vox_walk *w, const vox_place *p)
{
    return vox_arena_printf(&w->arena, "%s\1%s\1%s", p->dataset, p->subject, p->session);
}

/* Masks of BIDS names reach all images of their session. */
static int attach_bids(vox_walk *w, int64_t images)
{
    vox_dict first = VOX_DICT_INIT;
    int rc = VOX_OK;

    for (int64_t i = images - 1; i >= 0 && rc == VOX_OK; i--) {
        const char *key = session_key(w, &w->v[i].place);

        rc = key ? vox_dict_set(&first, key, i, NULL) : VOX_E_NOMEM;
    }
    for (int64_t m = images; m < w->count && rc == VOX_OK; m++) {
        vox_file *mask = &w->v[m];
        const char *key;

        if (mask->kind != VOX_FILE_MASK || mask->used || !vox_place_is_bids(mask->path))
            continue;
        key = session_key(w, &mask->place);
        rc = key ? VOX_OK : VOX_E_NOMEM;
        for (int64_t i = key ? vox_dict_get(&first, key, images) : images;
             i < images && same_session(&w->v[i].place, &mask->place); i++) {
            const role r =
                bids_role(vox_path_base(mask->path), vox_path_base(w->v[i].path));

            if (r != NONE && same_shape(w, &w->v[i], mask))
                give(&w->v[i], mask, r);
        }
    }
    vox_dict_release(&first);
    return rc;
}

int vox_masks_attach(vox_walk *w, int64_t images)
{
    vox_dict stems = VOX_DICT_INIT;
    int rc = index_stems(&stems, w, images);

    for (int64_t i = images; i < w->count && rc == VOX_OK; i++) {
        if (w->v[i].kind != VOX_FILE_MASK)
            continue;
        rc = attach_data_folder(w, &stems, images, &w->v[i]);
        if (rc == VOX_OK)
            rc = attach_beside(w, &stems, &w->v[i]);
    }
    vox_dict_release(&stems);
    return rc == VOX_OK ? attach_bids(w, images) : rc;
}
