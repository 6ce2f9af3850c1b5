/* preprocess_case: one image from its file to the store. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/preprocess.h"
#include "data/roots.h"
#include "data/store.h"

static char *path_with(const char *folder, const char *out, const char *tail)
{
    vox_buf b = VOX_BUF_INIT;

    if (vox_buf_printf(&b, "%s/%s%s", folder, out, tail) != VOX_OK)
        return NULL;
    return b.data;
}

int vox_case_paths_make(vox_case_paths *p, const char *folder, const char *out)
{
    *p = (vox_case_paths){0};
    p->image = path_with(folder, out, ".b2nd");
    p->mask[VOX_MASK_ANON] = path_with(folder, out, "__anon.b2nd");
    p->mask[VOX_MASK_ANAT] = path_with(folder, out, "__anat.b2nd");
    p->pickle = path_with(folder, out, ".pkl");
    p->json = path_with(folder, out, ".json");
    if (p->image && p->mask[0] && p->mask[1] && p->pickle && p->json)
        return VOX_OK;
    vox_case_paths_release(p);
    return VOX_E_NOMEM;
}

void vox_case_paths_release(vox_case_paths *p)
{
    vox_free(p->image);
    vox_free(p->mask[0]);
    vox_free(p->mask[1]);
    vox_free(p->pickle);
    vox_free(p->json);
    *p = (vox_case_paths){0};
}

/* The files an image is made from; "" for a mask it does not have. */
typedef struct inputs {
    vox_buf image, mask[VOX_MASKS];
} inputs;

static void inputs_release(inputs *in)
{
    vox_buf_release(&in->image);
    vox_buf_release(&in->mask[0]);
    vox_buf_release(&in->mask[1]);
}

static int inputs_find(inputs *in, const vox_coll_image *image)
{
    *in = (inputs){0};
    VOX_TRY(vox_path_expand(&in->image, image->path));
    if (image->anon)
        VOX_TRY(vox_path_expand(&in->mask[VOX_MASK_ANON], image->anon));
    if (image->anat)
        VOX_TRY(vox_path_expand(&in->mask[VOX_MASK_ANAT], image->anat));
    return VOX_OK;
}

static uint64_t hash(uint64_t h, const char *text)
{
    for (const char *p = text; *p; p++)
        h = (h ^ (uint8_t)*p) * 1099511628211u;
    return (h ^ 0xff) * 1099511628211u; /* ends the text */
}

static int hash_file(uint64_t *h, const char *path)
{
    struct stat st;
    char text[80];

    if (!*path) {
        *h = hash(*h, "none");
        return VOX_OK;
    }
    if (stat(path, &st) != 0)
        return vox_fail_errno(VOX_E_MISSING, "%s: cannot open", path);
    snprintf(text, sizeof text, "%lld %lld.%09ld", (long long)st.st_size,
             (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    *h = hash(hash(*h, path), text);
    return VOX_OK;
}

/* Same inputs (path, size, time) and same plan: same key. */
static int make_key(char key[20], const inputs *in, const char *key_of_plan)
{
    uint64_t h = hash(14695981039346656037u, key_of_plan);

    VOX_TRY(hash_file(&h, vox_buf_text(&in->image)));
    VOX_TRY(hash_file(&h, vox_buf_text(&in->mask[0])));
    VOX_TRY(hash_file(&h, vox_buf_text(&in->mask[1])));
    snprintf(key, 20, "%016llx", (unsigned long long)h);
    return VOX_OK;
}

static int is_finished(const vox_case_paths *p, const char *key)
{
    vox_properties was;

    if (!vox_file_exists(p->json) || vox_properties_read(&was, p->json) != VOX_OK)
        return 0;
    return strcmp(was.key, key) == 0 && vox_file_size(p->image) == was.bytes[0] &&
           vox_file_size(p->mask[0]) == was.bytes[1] &&
           vox_file_size(p->mask[1]) == was.bytes[2] && vox_file_exists(p->pickle);
}

static void remove_old(const vox_case_paths *p)
{
    unlink(p->json);
    unlink(p->pickle);
    unlink(p->mask[0]);
    unlink(p->mask[1]);
    unlink(p->image);
}

typedef struct loaded {
    vox_volume image, mask[VOX_MASKS];
} loaded;

static void loaded_release(loaded *l)
{
    vox_volume_release(&l->image);
    vox_volume_release(&l->mask[0]);
    vox_volume_release(&l->mask[1]);
}

/* NaN comes from broken exports: nobody knows what the voxel was. */
static int check_finite(const vox_volume_info *info, const char *path, unsigned how)
{
    if (info->nonfinite == 0)
        return VOX_OK;
    if (!(how & VOX_CASE_NAN_AS_ZERO))
        return vox_fail(VOX_E_FORMAT,
                        "%s: %lld voxels are NaN or infinite, wanted numbers "
                        "(preprocess --nan-as-zero takes them as 0)",
                        path, (long long)info->nonfinite);
    vox_log(VOX_WARN, "preprocess", "%s: %lld voxels are not finite, taken as 0", path,
            (long long)info->nonfinite);
    return VOX_OK;
}

static int load(loaded *l, const inputs *in, unsigned how)
{
    const char *path = vox_buf_text(&in->image);

    VOX_TRY(vox_volume_read(&l->image, path));
    VOX_TRY(vox_image_check(&l->image.info, path));
    VOX_TRY(check_finite(&l->image.info, path, how));
    for (int m = 0; m < VOX_MASKS; m++) {
        if (in->mask[m].len)
            VOX_TRY(vox_volume_read(&l->mask[m], in->mask[m].data));
    }
    return VOX_OK;
}

/* One image under way. */
typedef struct attempt {
    inputs in;
    vox_case_paths to;
    vox_prepared_case p;
    vox_volume_info file;
    char key[20];
    int finished; /* by an earlier run */
} attempt;

static int prepare_image(attempt *a, const vox_prepare_cfg *cfg, unsigned how)
{
    loaded l = {0};
    int rc = load(&l, &a->in, how);
    const vox_volume *anon = &l.mask[VOX_MASK_ANON], *anat = &l.mask[VOX_MASK_ANAT];

    if (rc == VOX_OK)
        rc = vox_prepare_case(&a->p, &l.image, anon->data ? anon : NULL,
                              anat->data ? anat : NULL, cfg, vox_buf_text(&a->in.image));
    a->file = l.image.info;
    loaded_release(&l);
    return rc;
}

static int write_folder_of(const char *path)
{
    char *dir = vox_strdup(path);
    char *slash = dir ? strrchr(dir, '/') : NULL;
    int rc;

    if (!dir)
        return VOX_E_NOMEM;
    if (slash)
        *slash = '\0';
    rc = vox_mkdirs(dir);
    vox_free(dir);
    return rc;
}

static int write_pickle(const vox_properties *props, const char *path)
{
    vox_buf b = VOX_BUF_INIT;
    int rc = vox_properties_pickle(&b, props);

    if (rc == VOX_OK)
        rc = vox_file_write(path, b.data, b.len);
    vox_buf_release(&b);
    return rc;
}

static int write_files(const attempt *a, int level)
{
    const vox_case_paths *to = &a->to;
    const vox_prepared_case *p = &a->p;
    const vox_store_cfg cfg = {level > 0 ? level : 1, 1};
    vox_properties props = {0};
    int64_t mask_shape[4];

    vox_properties_fill(&props, p, &a->file);
    snprintf(props.key, sizeof props.key, "%s", a->key);
    memcpy(mask_shape, props.shape, sizeof mask_shape);
    mask_shape[0] = 1;
    VOX_TRY(write_folder_of(to->image));
    VOX_TRY(vox_store_write(to->image, p->image.data, props.shape, &cfg));
    props.bytes[0] = vox_file_size(to->image);
    for (int m = 0; m < VOX_MASKS; m++) {
        if (p->mask[m])
            VOX_TRY(vox_store_write(to->mask[m], p->mask[m], mask_shape, &cfg));
        props.bytes[1 + m] = vox_file_size(to->mask[m]);
    }
    VOX_TRY(write_pickle(&props, to->pickle));
    return vox_properties_write(&props, to->json);
}

int64_t vox_preprocess_memory(const vox_record *image, const vox_prepare_cfg *prepare)
{
    const int masks = (image->image->anon != NULL) + (image->image->anat != NULL);
    vox_buf path = VOX_BUF_INIT;
    vox_volume_info info;
    int64_t bytes = 0;

    if (vox_path_expand(&path, image->image->path) == VOX_OK &&
        vox_volume_read_info(&info, path.data) == VOX_OK)
        bytes = vox_prepare_memory(&info, masks, prepare);
    if (bytes > 0 && bytes < INT64_MAX / 2) /* and the file itself is read whole */
        bytes += vox_file_size(path.data);
    vox_buf_release(&path);
    return bytes;
}

/* Everything that can be the image's own fault. */
static int try_image(attempt *a, const vox_record *image, const vox_prepare_cfg *cfg,
                     const char *key_of_plan, unsigned how)
{
    VOX_TRY(inputs_find(&a->in, image->image));
    VOX_TRY(make_key(a->key, &a->in, key_of_plan));
    a->finished = !(how & VOX_CASE_AGAIN) && is_finished(&a->to, a->key);
    if (a->finished)
        return VOX_OK;
    remove_old(&a->to);
    return prepare_image(a, cfg, how);
}

static int write_or_remove(const attempt *a, int level)
{
    int rc = write_files(a, level);
    vox_error e;

    if (rc == VOX_OK)
        return rc;
    vox_error_take(&e); /* removing must not change the message */
    remove_old(&a->to);
    return vox_error_give(&e);
}

int vox_preprocess_case(vox_case_state *state, const vox_record *image, const char *folder,
                        const vox_prepare_cfg *prepare, const char *key_of_plan, int level,
                        unsigned how)
{
    attempt a = {.finished = 0};
    int rc;

    VOX_TRY(vox_case_paths_make(&a.to, folder, image->out));
    rc = try_image(&a, image, prepare, key_of_plan, how);
    *state = rc != VOX_OK ? VOX_CASE_BAD : a.finished ? VOX_CASE_KEPT : VOX_CASE_MADE;
    rc = *state == VOX_CASE_MADE ? write_or_remove(&a, level) : VOX_OK;
    vox_prepared_case_release(&a.p);
    inputs_release(&a.in);
    vox_case_paths_release(&a.to);
    return rc;
}
