/*
 * index: walk a folder, sort what was found, build the collection.
 *
 * Paths below the folder are kept in an arena until the collection has its own copies.
 */
#include "data/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/dict.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/roots.h"
#include "image/volume.h"
#include "base/utf8.h"

typedef struct found {
    const char *path; /* below the folder */
    vox_place place;
} found;

typedef struct walk {
    const char *root;
    vox_arena arena;
    found *v;
    int64_t count, cap;
    vox_dict seen; /* folders entered, "device:inode" */
    vox_rejects *skipped;
    char *exclude; /* real path of a folder that is not entered, or NULL */
    int bids;      /* the top folder has sub-... folders */
} walk;

static int skip(walk *w, const char *path, const char *reason)
{
    return vox_rejects_add(w->skipped, path, "", reason);
}

/* The last word of a name, behind "_", "-" or "." */
static int is_label_name(const char *name)
{
    static const char *const words[] = {"seg",     "mask",      "dseg",
                                        "probseg", "label",     "labels",
                                        "lesion",  "brainmask", "segmentation"};
    const size_t stem = vox_image_stem(name);
    size_t at = stem;

    while (at > 0 && !strchr("_-.", name[at - 1]))
        at--;
    for (int i = 0; i < VOX_COUNT(words); i++) {
        if (stem - at == strlen(words[i]) && !strncasecmp(name + at, words[i], stem - at))
            return 1;
    }
    return 0;
}

static int is_label_folder(const char *name)
{
    static const char *const names[] = {"labelsTr", "labelsTs", "labelsVal",
                                        "labels",   "masks",    "segmentations"};

    for (int i = 0; i < VOX_COUNT(names); i++) {
        if (strcasecmp(name, names[i]) == 0)
            return 1;
    }
    return 0;
}

static int take_file(walk *w, const char *full, const char *below, const char *name)
{
    const int64_t size = vox_file_size(full);
    found f = {0};

    if (!vox_format_of(name))
        return skip(w, full, "not an image: no format has this ending");
    if (size < 0)
        return skip(w, full, "a link to nothing, or not readable");
    if (size == 0)
        return skip(w, full, "an empty file");
    if (is_label_name(name))
        return skip(w, full, "a mask or label map, by its name");
    f.path = vox_arena_strdup(&w->arena, below);
    if (!f.path)
        return VOX_E_NOMEM;
    VOX_TRY(vox_grow(&w->v, &w->cap, w->count + 1, sizeof f));
    w->v[w->count++] = f;
    return VOX_OK;
}

/* Enter a folder once, however many links lead to it. */
static int first_visit(walk *w, const char *full, int *first)
{
    struct stat st;
    const char *key;

    *first = 0;
    if (stat(full, &st) != 0)
        return VOX_OK;
    key = vox_arena_printf(&w->arena, "%llu:%llu", (unsigned long long)st.st_dev,
                           (unsigned long long)st.st_ino);
    return key ? vox_dict_set(&w->seen, key, 1, first) : VOX_E_NOMEM;
}

static int is_excluded(const walk *w, const char *full)
{
    char *real = realpath(full, NULL);
    const int yes = real && strcmp(real, w->exclude) == 0;

    free(real);
    return yes;
}

static int walk_folder(walk *w, const char *full, const char *below, int depth);

static int walk_subfolder(walk *w, const char *full, const char *below, const char *name,
                          int depth)
{
    int first;

    if (is_label_folder(name))
        return skip(w, full, "a folder of masks or label maps, by its name");
    if (w->bids && depth == 0 &&
        (!strcmp(name, "derivatives") || !strcmp(name, "sourcedata")))
        return skip(w, full, "not the raw data of a BIDS tree");
    if (depth > 40)
        return skip(w, full, "folders nested too deeply");
    VOX_TRY(first_visit(w, full, &first));
    if (w->exclude && is_excluded(w, full))
        return VOX_OK;
    if (!first)
        return skip(w, full, "a folder that was visited already");
    return walk_folder(w, full, below, depth + 1);
}

static int walk_entry(walk *w, const char *dir, const char *below, const char *name,
                      int depth)
{
    const char *full = vox_arena_printf(&w->arena, "%s/%s", dir, name);
    const char *rel = *below ? vox_arena_printf(&w->arena, "%s/%s", below, name) : name;

    if (!full || !rel)
        return VOX_E_NOMEM;
    if (name[0] == '.')
        return vox_is_dir(full) ? skip(w, full, "a hidden folder") : VOX_OK;
    if (!vox_utf8_valid(name, strlen(name), 0))
        return skip(w, full, "its name is not UTF-8");
    if (vox_is_dir(full))
        return walk_subfolder(w, full, rel, name, depth);
    return take_file(w, full, rel, name);
}

static int walk_folder(walk *w, const char *full, const char *below, int depth)
{
    vox_strs names = {0};
    int rc = vox_dir_list(&names, full);

    if (rc != VOX_OK && rc != VOX_E_NOMEM && depth > 0) {
        vox_strs_release(&names);
        return skip(w, full, vox_error_text());
    }
    for (int64_t i = 0; i < names.count && depth == 0 && rc == VOX_OK; i++)
        w->bids |= strncmp(names.v[i], "sub-", 4) == 0;
    for (int64_t i = 0; i < names.count && rc == VOX_OK; i++)
        rc = walk_entry(w, full, below, names.v[i], depth);
    vox_strs_release(&names);
    return rc;
}

/* How many leading folders all paths share. */
static int shared_folders(const walk *w)
{
    const char *first = w->v[0].path;
    size_t n = strlen(first);
    int depth = 0;

    for (int64_t i = 1; i < w->count; i++) {
        size_t k = 0;

        while (k < n && w->v[i].path[k] == first[k])
            k++;
        n = k;
    }
    for (size_t k = 0; k < n; k++)
        depth += first[k] == '/';
    return depth;
}

static int compare(const void *a, const void *b)
{
    const found *x = a, *y = b;
    int c = strcmp(x->place.dataset, y->place.dataset);

    c = c ? c : strcmp(x->place.subject, y->place.subject);
    c = c ? c : strcmp(x->place.session, y->place.session);
    return c ? c : strcmp(x->path, y->path);
}

/*
 * Are numbers like _0000 channels? Yes when every name has one, there are several cases,
 * and each has a channel 0: else "case_0001", "case_0002" would be one subject.
 */
static int have_channels(walk *w, int *yes)
{
    vox_dict cases = VOX_DICT_INIT;
    int64_t zeros = 0, numbered = 0;
    int rc = VOX_OK;

    for (int64_t i = 0; i < w->count && rc == VOX_OK; i++) {
        int channel;
        const size_t n = vox_place_channel(vox_path_base(w->v[i].path), &channel);
        const char *name =
            vox_arena_printf(&w->arena, "%.*s", (int)n, vox_path_base(w->v[i].path));

        numbered += channel >= 0;
        zeros += channel == 0;
        rc = name ? vox_dict_set(&cases, name, 1, NULL) : VOX_E_NOMEM;
    }
    *yes = numbered == w->count && cases.count > 1 && zeros == cases.count;
    vox_dict_release(&cases);
    return rc;
}

static int place_all(walk *w)
{
    const int shared = shared_folders(w);
    int channels;

    VOX_TRY(have_channels(w, &channels));
    for (int64_t i = 0; i < w->count; i++)
        VOX_TRY(vox_place_guess(&w->v[i].place, &w->arena, w->v[i].path, shared, channels));
    qsort(w->v, (size_t)w->count, sizeof *w->v, compare);
    return VOX_OK;
}

static int taken(const char *name, void *arg)
{
    return vox_dict_get(arg, name, 0) != 0;
}

/* The images [from, to) of one session. Names are told apart without their endings, as
 * output files are. */
static int add_images(vox_collection *c, vox_coll_session *s, walk *w, int64_t from,
                      int64_t to, const char *modality)
{
    vox_dict stems = VOX_DICT_INIT;
    int rc = VOX_OK;

    for (int64_t i = from; i < to && rc == VOX_OK; i++) {
        const char *file = vox_path_base(w->v[i].path), *m = w->v[i].place.modality;
        const size_t n = vox_image_stem(file);
        const char *stem = vox_arena_printf(&w->arena, "%.*s", (int)n, file);
        const char *name, *path;

        stem = stem ? vox_free_name(&w->arena, stem, taken, &stems) : NULL;
        name = stem ? vox_arena_printf(&w->arena, "%s%s", stem, file + n) : NULL;
        path = vox_arena_printf(&w->arena, "%s/%s", w->root, w->v[i].path);
        rc = name && path ? vox_dict_set(&stems, stem, 1, NULL) : VOX_E_NOMEM;
        if (rc == VOX_OK && !vox_collection_add_image(c, s, name, path, *m ? m : modality))
            rc = VOX_E_NOMEM;
    }
    vox_dict_release(&stems);
    return rc;
}

static int same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* The list is sorted: equal datasets, subjects, sessions are neighbours. */
static int build(vox_collection *c, walk *w, const char *dataset, const char *modality)
{
    vox_coll_dataset *d = NULL;
    vox_coll_subject *s = NULL;

    for (int64_t i = 0, end; i < w->count; i = end) {
        const vox_place *p = &w->v[i].place;
        vox_coll_session *session;

        if (i == 0 || !same(p->dataset, w->v[i - 1].place.dataset)) {
            d = vox_collection_add_dataset(c, *p->dataset ? p->dataset : dataset);
            s = NULL;
        }
        if (d && (!s || !same(p->subject, s->id)))
            s = vox_collection_add_subject(c, d, p->subject);
        session = d && s ? vox_collection_add_session(c, s, p->session) : NULL;
        if (!session)
            return VOX_E_NOMEM;
        for (end = i; end < w->count && same(p->dataset, w->v[end].place.dataset) &&
                      same(p->subject, w->v[end].place.subject) &&
                      same(p->session, w->v[end].place.session);)
            end++;
        VOX_TRY(add_images(c, session, w, i, end, modality));
    }
    return VOX_OK;
}

static int index_into(vox_collection *c, walk *w, const vox_index_cfg *cfg)
{
    const char *base = vox_path_base(w->root);
    int first;

    if (!*base)
        base = "root";
    VOX_TRY(vox_collection_init(c, cfg->name ? cfg->name : base, cfg->number));
    VOX_TRY(first_visit(w, w->root, &first));
    VOX_TRY(walk_folder(w, w->root, "", 0));
    if (w->count == 0)
        return vox_fail(VOX_E_MISSING,
                        "%s: no images in it (%lld files and folders skipped), "
                        "wanted .nii or .nii.gz",
                        w->root, (long long)w->skipped->count);
    VOX_TRY(place_all(w));
    return build(c, w, base, cfg->modality ? cfg->modality : "unknown");
}

int vox_index_folder(vox_collection *out, const char *dir, const vox_index_cfg *cfg,
                     vox_rejects *skipped)
{
    static const vox_index_cfg defaults = {.number = 1};
    vox_collection c = VOX_COLLECTION_INIT;
    char *root = realpath(dir, NULL);
    walk w = {.root = root, .skipped = skipped};
    int rc;

    *out = c;
    if (!root || !vox_is_dir(root)) {
        free(root);
        return vox_fail(VOX_E_MISSING, "%s: no such folder", dir);
    }
    if (cfg && cfg->exclude)
        w.exclude = realpath(cfg->exclude, NULL);
    rc = index_into(&c, &w, cfg ? cfg : &defaults);
    free(w.exclude);
    if (rc == VOX_OK)
        *out = c;
    else
        vox_collection_release(&c);
    vox_dict_release(&w.seen);
    vox_arena_release(&w.arena);
    vox_free(w.v);
    free(root);
    return rc;
}
