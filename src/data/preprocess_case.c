/* preprocess_case: one image from its file to the store. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/preprocess.h"
#include "data/roots.h"

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

uint64_t vox_preprocess_hash(uint64_t h, const char *text)
{
    static const uint8_t end = 0xff;

    return vox_hash(vox_hash(h, text, strlen(text)), &end, 1);
}

static int hash_file(uint64_t *h, const char *path)
{
    struct stat st;
    char text[80];

    if (!*path) {
        *h = vox_preprocess_hash(*h, "none");
        return VOX_OK;
    }
    if (stat(path, &st) != 0)
        return vox_fail_errno(VOX_E_MISSING, "%s: cannot open", path);
    snprintf(text, sizeof text, "%lld %lld.%09ld", (long long)st.st_size,
             (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    *h = vox_preprocess_hash(vox_preprocess_hash(*h, path), text);
    return VOX_OK;
}

/* And of the files its header names. One that names none, being damaged, is another image
 * than it was; reading it will say what is wrong. */
static int hash_image(uint64_t *h, const char *path)
{
    vox_strs parts = {0};
    int rc = hash_file(h, path);

    if (rc == VOX_OK && *path)
        rc = vox_volume_parts(&parts, path);
    if (rc == VOX_E_FORMAT) {
        *h = vox_preprocess_hash(*h, "damaged");
        rc = VOX_OK;
    }
    for (int64_t i = 0; i < parts.count && rc == VOX_OK; i++)
        rc = hash_file(h, parts.v[i]);
    vox_strs_release(&parts);
    return rc;
}

/* Same inputs (path, size, time) and same plan: same key. */
static int make_key(char key[20], const inputs *in, const char *key_of_plan)
{
    uint64_t h = vox_preprocess_hash(VOX_HASH, key_of_plan);

    VOX_TRY(hash_image(&h, vox_buf_text(&in->image)));
    VOX_TRY(hash_image(&h, vox_buf_text(&in->mask[0])));
    VOX_TRY(hash_image(&h, vox_buf_text(&in->mask[1])));
    snprintf(key, 20, "%016llx", (unsigned long long)h);
    return VOX_OK;
}

static int is_finished(const vox_case_paths *p, const char *key, const vox_case_cfg *cfg)
{
    vox_properties was;

    if (!vox_file_exists(p->json) || vox_properties_read(&was, p->json) != VOX_OK)
        return 0;
    if (was.zeroed > 0 && !cfg->nan_as_zero)
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

/* NaN comes from broken exports: nobody knows what the voxel was. */
static int check_finite(const vox_volume_info *info, const char *path, int nan_as_zero)
{
    if (info->nonfinite == 0)
        return VOX_OK;
    if (!nan_as_zero)
        return vox_cure(
            vox_fail(VOX_E_FORMAT, "%s: %lld voxels are NaN or infinite, wanted numbers",
                     path, (long long)info->nonfinite),
            "preprocess --nan-as-zero takes them as 0, or export the image again");
    vox_log(VOX_WARN, "preprocess", "%s: %lld voxels are not finite, taken as 0", path,
            (long long)info->nonfinite);
    return VOX_OK;
}

static int read_image(vox_stored *image, const char *path, int nan_as_zero)
{
    VOX_TRY(vox_stored_read(image, path));
    VOX_TRY(vox_image_check(&image->info, path));
    return check_finite(&image->info, path, nan_as_zero);
}

/* One image under way. */
typedef struct attempt {
    const vox_case_cfg *cfg;
    vox_case_room *room;
    inputs in;
    vox_case_paths to;
    char key[20];
    int finished;   /* by an earlier run */
    int64_t zeroed; /* voxels that were not finite, of the masks too */
} attempt;

/* A mask counts by its voxels alone, but one of another spacing may be another scan's. */
static int read_mask(vox_volume *mask, attempt *a, int m)
{
    const double *want = a->room->image.info.spacing, *have = mask->info.spacing;
    const char *path = a->in.mask[m].data;

    VOX_TRY(vox_volume_read(mask, path));
    a->zeroed += mask->info.nonfinite;
    for (int i = 0; i < 3; i++) {
        if (fabs(have[i] - want[i]) <= 1e-3)
            continue;
        vox_log(VOX_WARN, "preprocess",
                "%s: voxels of %g x %g x %g mm, the image's are %g x %g x %g", path,
                have[0], have[1], have[2], want[0], want[1], want[2]);
        break;
    }
    return check_finite(&mask->info, path, a->cfg->nan_as_zero);
}

static int prepare_image(attempt *a)
{
    const char *path = vox_buf_text(&a->in.image);
    vox_volume mask[VOX_MASKS] = {0};
    const vox_volume *anon = &mask[VOX_MASK_ANON], *anat = &mask[VOX_MASK_ANAT];
    int rc = read_image(&a->room->image, path, a->cfg->nan_as_zero);

    a->zeroed = a->room->image.info.nonfinite;
    for (int m = 0; m < VOX_MASKS && rc == VOX_OK; m++) {
        if (a->in.mask[m].len)
            rc = read_mask(&mask[m], a, m);
    }
    if (rc == VOX_OK)
        rc = vox_prepare_case(&a->room->prepared, &a->room->image, anon->data ? anon : NULL,
                              anat->data ? anat : NULL, &a->cfg->prepare, path);
    vox_volume_release(&mask[0]);
    vox_volume_release(&mask[1]);
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

static int write_files(const attempt *a)
{
    const vox_store_cfg *cfg = &a->cfg->store;
    const vox_case_paths *to = &a->to;
    const vox_prepared_case *p = &a->room->prepared;
    vox_store_space *space = &a->room->store;
    vox_properties props = {0};
    int64_t mask_shape[4];

    vox_properties_fill(&props, p, &a->room->image.info);
    props.zeroed = a->zeroed;
    snprintf(props.key, sizeof props.key, "%s", a->key);
    memcpy(mask_shape, props.shape, sizeof mask_shape);
    mask_shape[0] = 1;
    VOX_TRY(write_folder_of(to->image));
    VOX_TRY(vox_store_write(to->image, p->image.data, props.shape, cfg, space));
    props.bytes[0] = vox_file_size(to->image);
    for (int m = 0; m < VOX_MASKS; m++) {
        if (p->mask[m])
            VOX_TRY(vox_store_write(to->mask[m], p->mask[m], mask_shape, cfg, space));
        props.bytes[1 + m] = vox_file_size(to->mask[m]);
    }
    VOX_TRY(write_pickle(&props, to->pickle));
    return vox_properties_write(&props, to->json);
}

/* Bytes of an image's files, which are read whole. */
static int64_t file_bytes(const char *path)
{
    vox_strs parts = {0};
    int64_t bytes = vox_file_size(path);

    if (vox_volume_parts(&parts, path) == VOX_OK) {
        for (int64_t i = 0; i < parts.count; i++)
            bytes += vox_file_size(parts.v[i]);
    }
    vox_strs_release(&parts);
    return bytes;
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
    if (bytes > 0 && bytes < INT64_MAX / 2)
        bytes += file_bytes(path.data);
    vox_buf_release(&path);
    return bytes;
}

/* Everything that can be the image's own fault. */
static int try_image(attempt *a, const vox_record *image)
{
    VOX_TRY(inputs_find(&a->in, image->image));
    VOX_TRY(make_key(a->key, &a->in, a->cfg->key));
    a->finished = !a->cfg->again && is_finished(&a->to, a->key, a->cfg);
    if (a->finished)
        return VOX_OK;
    remove_old(&a->to);
    return prepare_image(a);
}

static int write_or_remove(const attempt *a)
{
    int rc = write_files(a);
    vox_error e;

    if (rc == VOX_OK)
        return rc;
    vox_error_take(&e); /* removing must not change the message */
    remove_old(&a->to);
    return vox_error_give(&e);
}

int vox_preprocess_case(vox_case_state *state, int *code, const vox_record *image,
                        const vox_case_cfg *cfg, vox_case_room *room)
{
    attempt a = {.cfg = cfg, .room = room};
    int rc;

    *code = VOX_OK;
    VOX_TRY(vox_case_paths_make(&a.to, cfg->folder, image->out));
    rc = try_image(&a, image);
    *state = a.finished ? VOX_CASE_KEPT : VOX_CASE_MADE;
    if (rc != VOX_OK &&
        rc != VOX_E_NOMEM) { /* a lack of memory says nothing of the image */
        *state = VOX_CASE_BAD;
        *code = rc;
        rc = VOX_OK;
    } else if (rc == VOX_OK && !a.finished) {
        rc = write_or_remove(&a);
    }
    inputs_release(&a.in);
    vox_case_paths_release(&a.to);
    return rc;
}

size_t vox_case_room_kept(const vox_case_room *r)
{
    return r->image.file.bytes + r->image.block.bytes +
           vox_prepared_case_kept(&r->prepared) + r->store.chunk.bytes +
           r->store.packed.bytes;
}

void vox_case_room_release(vox_case_room *r)
{
    vox_stored_release(&r->image);
    vox_prepared_case_release(&r->prepared);
    vox_store_space_release(&r->store);
}
