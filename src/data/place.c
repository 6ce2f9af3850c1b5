/* place: subject, session and modality from a path. BIDS entities win over folders. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "data/collection.h"
#include "data/place.h"
#include "image/volume.h"

enum { PARTS = 64 };

size_t vox_place_stem(const char *name)
{
    const vox_format *f = vox_format_of(name);
    const size_t n = strlen(name);
    size_t longest = n - vox_image_stem(name);

    for (const char *const *e = f ? f->endings : NULL; e && *e; e++) {
        const size_t k = strlen(*e);

        if (k < n && k > longest && strcasecmp(name + n - k, *e) == 0)
            longest = k;
    }
    return n - longest;
}

/* A path cut at its slashes; the last part is the file's name without its ending. */
typedef struct parts {
    char *v[PARTS];
    int count;
} parts;

static int cut(parts *out, vox_arena *arena, const char *path)
{
    char *p = vox_arena_strdup(arena, path);

    if (!p)
        return VOX_E_NOMEM;
    out->count = 0;
    for (char *slash = p; slash && out->count < PARTS - 1; p = slash + 1) {
        slash = strchr(p, '/');
        if (slash)
            *slash = '\0';
        out->v[out->count++] = p;
        if (!slash)
            break;
    }
    p = out->v[out->count - 1];
    p[vox_place_stem(p)] = '\0';
    return VOX_OK;
}

/* The entity "<key>-<label>" at the begin of a part or behind a "_"; NULL when it has none.
 */
static const char *entity(vox_arena *arena, const char *part, const char *key)
{
    const size_t n = strlen(key);

    for (const char *p = part; p; p = strchr(p, '_')) {
        p += *p == '_';
        if (strncmp(p, key, n) == 0 && isalnum((unsigned char)p[n]))
            return vox_arena_printf(arena, "%.*s", (int)strcspn(p, "_"), p);
    }
    return NULL;
}

/* The nearest part to the file that has the entity; its number in *at. */
static const char *find_entity(vox_arena *arena, const parts *p, const char *key, int *at)
{
    for (*at = p->count - 1; *at >= 0; --*at) {
        const char *text = entity(arena, p->v[*at], key);

        if (text)
            return text;
    }
    return NULL;
}

/* Folders that say what is in them, not whose it is. */
static int is_container(const char *part)
{
    static const char *const names[] = {
        "imagesTr", "imagesTs", "imagesVal", "images",  "image", "img",   "data", "train",
        "training", "val",      "test",      "testing", "raw",   "nifti", "nii",  "scans",
        "volumes",  "anat",     "mri",       "mr",      "ct",    "dicom"};

    for (int i = 0; i < VOX_COUNT(names); i++) {
        if (strcasecmp(part, names[i]) == 0)
            return 1;
    }
    return 0;
}

size_t vox_place_channel(const char *name, int *channel)
{
    const size_t n = vox_place_stem(name);

    *channel = -1;
    if (n < 6 || name[n - 5] != '_' || strspn(name + n - 4, "0123456789") < 4)
        return n;
    *channel = 0;
    for (size_t i = n - 4; i < n; i++)
        *channel = 10 * *channel + (name[i] - '0');
    return n - 5;
}

/* "T1w" of "sub-01_ses-2_T1w"; "" when the last word is an entity. */
static const char *suffix(const char *stem)
{
    const char *last = strrchr(stem, '_');

    return last && last[1] && !strchr(last + 1, '-') ? last + 1 : "";
}

int vox_place_is_bids(const char *path)
{
    for (const char *p = path; (p = strstr(p, "sub-")) != NULL; p += 4) {
        if ((p == path || p[-1] == '/' || p[-1] == '_') && isalnum((unsigned char)p[4]))
            return 1;
    }
    return 0;
}

/* The folders above the one with the subject's entity name the dataset. What a pipeline
 * derived belongs to the data that it was derived from. */
static const char *dataset_above(vox_arena *arena, const parts *p, int skip)
{
    const char *text = "";
    int at = 0;

    while (at < p->count && strncmp(p->v[at], "sub-", 4) != 0)
        at++;
    for (int i = skip; i < at && i < p->count - 1 && text; i++) {
        if (strcmp(p->v[i], "derivatives") == 0) {
            i++;
            continue;
        }
        text = *text ? vox_arena_printf(arena, "%s_%s", text, p->v[i]) : p->v[i];
    }
    return text;
}

static int guess_bids(vox_place *out, vox_arena *arena, const parts *p, int skip)
{
    int at;
    const char *session = find_entity(arena, p, "ses-", &at);

    out->session = session ? session : "ses-DEFAULT";
    out->modality = suffix(p->v[p->count - 1]);
    out->dataset = dataset_above(arena, p, skip);
    return out->dataset ? VOX_OK : VOX_E_NOMEM;
}

static void guess_folders(vox_place *out, parts *p, int skip, int channels)
{
    const char *folder[2] = {NULL, NULL};
    char *file = p->v[p->count - 1];
    int n = 0, channel;

    for (int i = skip; i < p->count - 1 && n < 2; i++) {
        if (!is_container(p->v[i]))
            folder[n++] = p->v[i];
    }
    if (channels)
        file[vox_place_channel(file, &channel)] = '\0';
    out->dataset = out->modality = "";
    out->subject = folder[0] ? folder[0] : file;
    out->session = folder[1] ? folder[1] : "ses-DEFAULT";
}

int vox_place_guess(vox_place *out, vox_arena *arena, const char *path, int skip,
                    int channels)
{
    parts p;
    int at;

    VOX_TRY(cut(&p, arena, path));
    out->subject = find_entity(arena, &p, "sub-", &at);
    if (out->subject)
        return guess_bids(out, arena, &p, skip);
    guess_folders(out, &p, skip, channels);
    return VOX_OK;
}
