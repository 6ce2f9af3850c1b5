/* walk: one folder after the other, in the order of their names. */
#include "data/walk.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "data/masks.h"
#include "image/volume.h"

enum { DEPTH = 40 };

typedef struct walker {
    vox_walk *w;
    const vox_walk_cfg *cfg;
    vox_rejects *skipped;
    vox_dict seen;  /* folders entered, "device:inode" */
    vox_dict dicom; /* folders of DICOM files */
    char *exclude;  /* real path of a folder that is not entered, or NULL */
} walker;

const char *vox_walk_full(vox_walk *w, const char *path)
{
    return vox_arena_printf(&w->arena, "%s%s%s", w->root, *path ? "/" : "", path);
}

const char *vox_bad_name(const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "its name is . or ..";
    if (!vox_utf8_valid(name, strlen(name), 0))
        return "its name is not UTF-8";
    for (const char *p = name; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return "its name holds a control character";
    }
    return NULL;
}

const char *vox_walk_shown(vox_walk *w, const char *path)
{
    char *out = vox_arena_alloc(&w->arena, 4 * strlen(path) + 1, 1), *to = out;
    size_t left = strlen(path);

    for (const char *p = path; out && left;) {
        int n = vox_utf8_char(p, left, 0);

        if (n == 0 || (unsigned char)*p < 0x20 || *p == 0x7f) {
            to += snprintf(to, 5, "\\x%02x", (unsigned char)*p);
            n = 1;
        } else {
            memcpy(to, p, (size_t)n);
            to += n;
        }
        p += n;
        left -= (size_t)n;
    }
    return out;
}

int vox_walk_skip(vox_walk *w, vox_rejects *skipped, const char *path, const char *reason)
{
    const char *full = vox_walk_full(w, path);

    full = full ? vox_walk_shown(w, full) : NULL;
    return full ? vox_rejects_add(skipped, full, "", reason) : VOX_E_NOMEM;
}

static int skip(walker *k, const char *path, const char *reason)
{
    return vox_walk_skip(k->w, k->skipped, path, reason);
}

static int add(walker *k, const char *path, vox_file_kind kind)
{
    vox_walk *w = k->w;

    VOX_TRY(vox_grow(&w->v, &w->cap, w->count + 1, sizeof *w->v));
    w->v[w->count++] = (vox_file){
        .path = path, .kind = kind, .place = {"", "", "", ""}
    };
    w->kinds[kind]++;
    return VOX_OK;
}

/* A name that may be a DICOM file's: .dcm, .ima, none, or numbers as in 1.2.840.1 */
static int may_be_dicom(const char *name)
{
    const char *dot = strrchr(name, '.');

    return !dot || !strcasecmp(dot, ".dcm") || !strcasecmp(dot, ".ima") ||
           !strcasecmp(dot, ".dicom") || isdigit((unsigned char)dot[1]) || strlen(dot) > 6;
}

static int is_dicom(const char *full, const char *name)
{
    unsigned char head[132];
    int fd, yes;

    if (!may_be_dicom(name) || strcasecmp(name, "DICOMDIR") == 0)
        return 0;
    fd = open(full, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return 0;
    yes = read(fd, head, sizeof head) == (ssize_t)sizeof head &&
          memcmp(head + 128, "DICM", 4) == 0;
    close(fd);
    return yes;
}

/* A folder of DICOM files is listed once. */
static int take_dicom(walker *k, const char *path)
{
    const size_t n = (size_t)(vox_path_base(path) - path);
    const char *dir = vox_arena_text(&k->w->arena, path, n ? n - 1 : 0);
    int first;

    if (!dir)
        return VOX_E_NOMEM;
    VOX_TRY(vox_dict_set(&k->dicom, dir, 1, &first));
    return first ? add(k, dir, VOX_FILE_DICOM) : VOX_OK;
}

static int take_other(walker *k, const char *path, const char *full, const char *name)
{
    if (vox_ends_with(name, ".json"))
        return add(k, path, VOX_FILE_JSON);
    if (strcmp(name, "participants.tsv") == 0 || vox_ends_with(name, "_sessions.tsv"))
        return add(k, path, VOX_FILE_TABLE);
    if (is_dicom(full, name))
        return take_dicom(k, path);
    return skip(k, path, "not an image: no format has this ending");
}

static int take_file(walker *k, const char *path, const char *full)
{
    const char *name = vox_path_base(path);
    struct stat st;

    if (stat(full, &st) != 0)
        return skip(k, path, "a link to nothing, or not readable");
    if (!S_ISREG(st.st_mode))
        return skip(k, path, "not a file: a device, pipe or socket");
    if (access(full, R_OK) != 0)
        return skip(k, path, "no permission to read it");
    if (!vox_format_of(name))
        return take_other(k, path, full, name);
    if (st.st_size == 0)
        return skip(k, path, "an empty file");
    return add(k, path, vox_mask_name(name) ? VOX_FILE_MASK : VOX_FILE_IMAGE);
}

/* Enter a folder once, however many links lead to it. */
static int first_visit(walker *k, const char *full, int *first)
{
    struct stat st;
    const char *key;

    *first = 0;
    if (stat(full, &st) != 0)
        return VOX_OK;
    key = vox_arena_printf(&k->w->arena, "%llu:%llu", (unsigned long long)st.st_dev,
                           (unsigned long long)st.st_ino);
    return key ? vox_dict_set(&k->seen, key, 1, first) : VOX_E_NOMEM;
}

static int is_excluded(const walker *k, const char *full)
{
    char *real = k->exclude ? realpath(full, NULL) : NULL;
    const int yes = real && strcmp(real, k->exclude) == 0;

    free(real);
    return yes;
}

static int walk_folder(walker *k, const char *path, int depth);

static int walk_subfolder(walker *k, const char *path, const char *full, int depth)
{
    const char *name = vox_path_base(path);
    int first;

    if (vox_mask_folder(name))
        return skip(k, path, "a folder of masks or label maps, by its name");
    if (k->w->bids && depth == 0 &&
        ((!k->cfg->derivatives && !strcmp(name, "derivatives")) ||
         !strcmp(name, "sourcedata")))
        return skip(k, path, "not the raw data of a BIDS tree");
    if (depth > DEPTH)
        return skip(k, path, "folders nested too deeply");
    VOX_TRY(first_visit(k, full, &first));
    if (is_excluded(k, full))
        return VOX_OK;
    if (!first)
        return skip(k, path, "a folder that was visited already");
    return walk_folder(k, path, depth + 1);
}

static int walk_entry(walker *k, const char *below, const char *name, int depth)
{
    const char *path = *below ? vox_arena_printf(&k->w->arena, "%s/%s", below, name)
                              : vox_arena_strdup(&k->w->arena, name);
    const char *full = path ? vox_walk_full(k->w, path) : NULL;
    const char *bad = vox_bad_name(name);

    if (!full)
        return VOX_E_NOMEM;
    if (name[0] == '.')
        return vox_is_dir(full) ? skip(k, path, "a hidden folder") : VOX_OK;
    if (bad)
        return skip(k, path, bad);
    if (vox_is_dir(full))
        return walk_subfolder(k, path, full, depth);
    return take_file(k, path, full);
}

static int walk_folder(walker *k, const char *path, int depth)
{
    const char *full = *path ? vox_walk_full(k->w, path) : k->w->root;
    vox_strs names = {0};
    int rc = full ? vox_dir_list(&names, full) : VOX_E_NOMEM;

    if (rc != VOX_OK && rc != VOX_E_NOMEM && depth > 0) {
        const char *why = strrchr(vox_error_text(), ':');

        vox_strs_release(&names);
        full = vox_arena_printf(&k->w->arena, "cannot read the folder%s", why ? why : "");
        return full ? skip(k, path, full) : VOX_E_NOMEM;
    }
    for (int64_t i = 0; i < names.count && depth == 0 && rc == VOX_OK; i++)
        k->w->bids |= strncmp(names.v[i], "sub-", 4) == 0;
    for (int64_t i = 0; i < names.count && rc == VOX_OK; i++)
        rc = walk_entry(k, path, names.v[i], depth);
    vox_strs_release(&names);
    return rc;
}

int vox_walk_folder(vox_walk *out, const char *root, const vox_walk_cfg *cfg,
                    vox_rejects *skipped)
{
    walker k = {.w = out, .cfg = cfg, .skipped = skipped};
    int first, rc;

    *out = (vox_walk){.root = root};
    if (cfg->exclude)
        k.exclude = realpath(cfg->exclude, NULL);
    rc = first_visit(&k, root, &first);
    if (rc == VOX_OK)
        rc = walk_folder(&k, "", 0);
    free(k.exclude);
    vox_dict_release(&k.seen);
    vox_dict_release(&k.dicom);
    if (rc != VOX_OK)
        vox_walk_release(out);
    return rc;
}

void vox_walk_release(vox_walk *w)
{
    vox_arena_release(&w->arena);
    vox_free(w->v);
    *w = (vox_walk){0};
}
