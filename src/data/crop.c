/* crop: boxes out of a dataset's items. Every call opens its file: opening maps it and
 * reads a header, some ten microseconds, and handles need no sharing between threads. */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/dataset_state.h"
#include "data/store.h"

int vox_dataset_path(const vox_dataset *d, int64_t i, vox_buf *out)
{
    VOX_TRY(vox_buf_resize(out, 0));
    return vox_buf_printf(out, "%s/%s.b2nd", d->folder.data, d->records.v[i].out);
}

static int open_image(const vox_dataset *d, int64_t i, vox_store **s)
{
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_dataset_path(d, i, &path);

    if (rc == VOX_OK)
        rc = vox_store_open(s, path.data);
    vox_buf_release(&path);
    return rc;
}

static int mask_path(const vox_dataset *d, int64_t i, const char *suffix, vox_buf *out)
{
    VOX_TRY(vox_buf_resize(out, 0));
    return vox_buf_printf(out, "%s/%s%s.b2nd", d->folder.data, d->records.v[i].out, suffix);
}

/* Open a mask; *s is NULL when the item has none. */
static int open_mask(const vox_dataset *d, int64_t i, int anat, vox_store **s)
{
    static const char *const suffix[2] = {"__anon", "__anat"};
    vox_buf path = VOX_BUF_INIT, other = VOX_BUF_INIT;
    int rc = mask_path(d, i, suffix[anat], &path);

    *s = NULL;
    if (rc == VOX_OK)
        rc = mask_path(d, i, suffix[!anat], &other);
    if (rc == VOX_OK && vox_file_exists(path.data)) {
        const int swap = d->swapped && vox_file_exists(other.data);

        rc = vox_store_open(s, swap ? other.data : path.data);
    }
    vox_buf_release(&path);
    vox_buf_release(&other);
    return rc;
}

/* Callers make room by the shape that was told first, so it must not change. */
static int keep_shape(vox_dataset *d, int64_t i, const vox_store *s)
{
    int64_t is[4], was[4];

    vox_store_shape(s, is);
    pthread_mutex_lock(&d->lock);
    if (d->shape[i][0] == 0)
        memcpy(d->shape[i], is, sizeof is);
    memcpy(was, d->shape[i], sizeof was);
    pthread_mutex_unlock(&d->lock);
    if (memcmp(is, was, sizeof is) == 0)
        return VOX_OK;
    return vox_fail(VOX_E_FORMAT,
                    "%s: became %lld x %lld x %lld x %lld, wanted %lld x %lld x %lld x "
                    "%lld as before: the file was replaced",
                    d->records.v[i].id, (long long)is[0], (long long)is[1],
                    (long long)is[2], (long long)is[3], (long long)was[0],
                    (long long)was[1], (long long)was[2], (long long)was[3]);
}

int vox_dataset_shape(vox_dataset *d, int64_t i, vox_shape *shape)
{
    vox_store *s;
    int rc;

    *shape = VOX_SHAPE(0, 0, 0, 0);
    pthread_mutex_lock(&d->lock);
    memcpy(shape->n, d->shape[i], sizeof d->shape[i]);
    pthread_mutex_unlock(&d->lock);
    if (shape->n[0])
        return VOX_OK;
    VOX_TRY(open_image(d, i, &s));
    rc = keep_shape(d, i, s);
    vox_store_shape(s, shape->n);
    vox_store_close(s);
    return rc;
}

/* The part of a crop that lies inside the image. */
typedef struct inside {
    int64_t lo[4], n[4]; /* in the image */
    int64_t at;          /* where its first voxel stands in the crop */
    int64_t room[4];     /* extents of the crop */
    int some, all;       /* some: not empty; all: nothing is outside */
} inside;

static void find_inside(inside *in, const int64_t shape[4], const int64_t lo[3],
                        const int64_t extent[3])
{
    int64_t from[3];

    *in = (inside){.some = 1, .all = 1};
    in->n[0] = in->room[0] = shape[0];
    for (int i = 0; i < 3; i++) {
        const int64_t size = shape[i + 1], begin = lo[i] > 0 ? lo[i] : 0;
        const int64_t end = lo[i] + extent[i] < size ? lo[i] + extent[i] : size;

        in->lo[i + 1] = begin;
        in->n[i + 1] = end - begin;
        in->room[i + 1] = extent[i];
        from[i] = begin - lo[i];
        in->some = in->some && end > begin;
        in->all = in->all && end - begin == extent[i];
    }
    in->at = (from[0] * extent[1] + from[1]) * extent[2] + from[2];
}

static int crop_image(vox_dataset *d, int64_t i, const int64_t lo[3],
                      const int64_t extent[3], float *image, int64_t shape[4])
{
    vox_store *s;
    inside in;
    int rc;

    VOX_TRY(open_image(d, i, &s));
    rc = keep_shape(d, i, s);
    vox_store_shape(s, shape);
    find_inside(&in, shape, lo, extent);
    if (rc == VOX_OK && !in.all)
        memset(image, 0,
               (size_t)(shape[0] * extent[0] * extent[1] * extent[2]) * sizeof *image);
    if (rc == VOX_OK && in.some)
        rc = vox_store_read(s, in.lo, in.n, image + in.at, in.room);
    vox_store_close(s);
    return rc;
}

static int check_mask(const vox_dataset *d, int64_t i, const vox_store *s,
                      const int64_t shape[4])
{
    int64_t is[4];

    vox_store_shape(s, is);
    if (is[0] == 1 && memcmp(is + 1, shape + 1, 3 * sizeof *is) == 0)
        return VOX_OK;
    return vox_fail(
        VOX_E_FORMAT, "%s: its mask is %lld x %lld x %lld, wanted %lld x %lld x %lld",
        d->records.v[i].id, (long long)is[1], (long long)is[2], (long long)is[3],
        (long long)shape[1], (long long)shape[2], (long long)shape[3]);
}

static int crop_mask(const vox_dataset *d, int64_t i, int anat, const int64_t shape[4],
                     const int64_t lo[3], const int64_t extent[3], uint8_t *mask, int *has)
{
    const int64_t one[4] = {1, shape[1], shape[2], shape[3]};
    vox_store *s;
    inside in;
    int rc;

    *has = 0;
    VOX_TRY(open_mask(d, i, anat, &s));
    if (!s)
        return VOX_OK;
    rc = check_mask(d, i, s, shape);
    find_inside(&in, one, lo, extent);
    if (rc == VOX_OK && !in.all)
        memset(mask, 0, (size_t)(extent[0] * extent[1] * extent[2]));
    if (rc == VOX_OK && in.some)
        rc = vox_store_read_mask(s, in.lo, in.n, mask + in.at, in.room);
    *has = rc == VOX_OK;
    vox_store_close(s);
    return rc;
}

int vox_dataset_crop(vox_dataset *d, int64_t i, const int64_t lo[3],
                     const int64_t extent[3], float *image, uint8_t *anon, int *has_anon,
                     uint8_t *anat, int *has_anat)
{
    int64_t shape[4];
    int none;

    VOX_TRY(crop_image(d, i, lo, extent, image, shape));
    if (anon)
        VOX_TRY(crop_mask(d, i, 0, shape, lo, extent, anon, has_anon ? has_anon : &none));
    if (anat)
        VOX_TRY(crop_mask(d, i, 1, shape, lo, extent, anat, has_anat ? has_anat : &none));
    return VOX_OK;
}

/* The k-th set voxel, counted from 0. */
static void find_voxel(int64_t voxel[3], const uint8_t *mask, const int64_t shape[4],
                       int64_t k)
{
    int64_t at = 0;

    while (mask[at] == 0 || k-- > 0)
        at++;
    voxel[0] = at / (shape[2] * shape[3]);
    voxel[1] = at / shape[3] % shape[2];
    voxel[2] = at % shape[3];
}

int vox_dataset_anat_voxel(const vox_dataset *d, int64_t i, vox_rng *rng, int64_t voxel[3],
                           int *found)
{
    static const int64_t zero[4] = {0, 0, 0, 0};
    int64_t shape[4], count = 0, n;
    vox_store *s;
    uint8_t *mask;
    int rc;

    *found = 0;
    VOX_TRY(open_mask(d, i, 1, &s));
    if (!s)
        return VOX_OK;
    vox_store_shape(s, shape);
    n = shape[1] * shape[2] * shape[3];
    shape[0] = 1;
    mask = vox_alloc((size_t)n, 1);
    rc = mask ? vox_store_read_mask(s, zero, shape, mask, shape) : VOX_E_NOMEM;
    for (int64_t k = 0; k < n && rc == VOX_OK; k++)
        count += mask[k];
    *found = rc == VOX_OK && count > 0;
    if (*found)
        find_voxel(voxel, mask, shape, (int64_t)vox_rng_below(rng, (uint64_t)count));
    vox_free(mask);
    vox_store_close(s);
    return rc;
}
