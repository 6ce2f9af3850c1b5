/* fingerprint: headers read by a few threads, results kept in the images' order. */
#include "data/fingerprint.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/pool.h"
#include "data/roots.h"

int vox_image_check(const vox_volume_info *info, const char *name)
{
    char text[128];

    if (info->shape.rank != 4 || vox_shape_count(info->shape) < 1)
        return vox_fail(VOX_E_FORMAT, "%s: shape is %s, wanted three axes and a channel",
                        name, vox_shape_text(info->shape, text));
    if (info->shape.n[0] != 1)
        return vox_cure(vox_fail(VOX_E_FORMAT,
                                 "%s: has %lld volumes, wanted one (a 3-D image)", name,
                                 (long long)info->shape.n[0]),
                        "split it into files of one volume each, or take their mean");
    for (int i = 0; i < 3; i++) {
        if (!isfinite(info->spacing[i]) || info->spacing[i] <= 0)
            return vox_cure(vox_fail(VOX_E_FORMAT,
                                     "%s: spacing is %g x %g x %g mm, wanted all > 0", name,
                                     info->spacing[0], info->spacing[1], info->spacing[2]),
                            "write the true voxel size into its header");
    }
    return VOX_OK;
}

typedef struct job {
    const vox_records *images;
    double (*spacing)[3];
    unsigned char *good;
    vox_rejects *rejected;
    pthread_mutex_t lock; /* guards rejected, done and calls of progress */
    int64_t done;
    vox_progress_fn progress;
    void *arg;
} job;

static int read_one(double spacing[3], const vox_coll_image *image)
{
    vox_buf path = VOX_BUF_INIT;
    vox_volume_info info = {0};
    int rc = vox_path_expand(&path, image->path);

    if (rc == VOX_OK)
        rc = vox_volume_read_info(&info, path.data);
    if (rc == VOX_OK)
        rc = vox_image_check(&info, path.data);
    memcpy(spacing, info.spacing, sizeof info.spacing);
    vox_buf_release(&path);
    return rc;
}

static int work(void *arg, int64_t i)
{
    job *j = arg;
    const vox_record *r = &j->images->v[i];
    int rc = read_one(j->spacing[i], r->image);

    if (rc == VOX_E_NOMEM)
        return rc;
    j->good[i] = rc == VOX_OK;
    pthread_mutex_lock(&j->lock);
    if (rc != VOX_OK)
        rc = vox_rejects_add_failure(j->rejected, r->image->path, r->id, rc);
    j->done++;
    if (j->progress)
        j->progress(j->arg, "reading headers", j->done, j->images->count);
    pthread_mutex_unlock(&j->lock);
    return rc;
}

static int compare_rejects(const void *a, const void *b)
{
    return strcmp(((const vox_reject *)a)->id, ((const vox_reject *)b)->id);
}

/* Threads met the bad ones in any order: sort those of this call. Pack the good ones. */
static int finish(vox_fingerprint *out, job *j, int64_t had)
{
    const int64_t bad = j->rejected->count - had;

    if (bad > 1)
        qsort(j->rejected->v + had, (size_t)bad, sizeof *j->rejected->v, compare_rejects);
    for (int64_t i = 0; i < j->images->count; i++) {
        if (j->good[i])
            memcpy(j->spacing[out->count++], j->spacing[i], sizeof *j->spacing);
    }
    if (out->count == 0)
        return vox_fail(VOX_E_FORMAT, "none of %lld images can be used; the first: %s",
                        (long long)j->images->count, bad ? j->rejected->v[had].reason : "");
    out->spacing = j->spacing;
    j->spacing = NULL;
    return VOX_OK;
}

int vox_fingerprint_make(vox_fingerprint *out, const vox_records *images, int threads,
                         vox_rejects *rejected, vox_progress_fn progress, void *arg)
{
    const size_t n = (size_t)images->count;
    const int64_t had = rejected->count;
    job j = {.images = images, .rejected = rejected, .progress = progress, .arg = arg};
    int rc;

    *out = (vox_fingerprint)VOX_FINGERPRINT_INIT;
    j.spacing = vox_zalloc(n, sizeof *j.spacing);
    j.good = vox_zalloc(n, 1);
    rc = j.spacing && j.good ? VOX_OK : VOX_E_NOMEM;
    pthread_mutex_init(&j.lock, NULL);
    if (rc == VOX_OK)
        rc = vox_pool_run(images->count, threads, work, &j);
    if (rc == VOX_OK)
        rc = finish(out, &j, had);
    if (rc != VOX_OK)
        out->count = 0;
    pthread_mutex_destroy(&j.lock);
    vox_free(j.spacing);
    vox_free(j.good);
    return rc;
}

static int parse_row(double row[3], json_object *o, int64_t i, const char *name)
{
    const int is_array = json_object_get_type(o) == json_type_array;

    if (!is_array || json_object_array_length(o) != 3)
        return vox_fail(VOX_E_FORMAT, "%s: spacings[%lld] is not three numbers", name,
                        (long long)i);
    for (size_t k = 0; k < 3; k++) {
        row[k] = json_object_get_double(json_object_array_get_idx(o, k));
        if (!isfinite(row[k]) || row[k] <= 0)
            return vox_fail(VOX_E_FORMAT, "%s: spacings[%lld][%zu] is %g, wanted > 0", name,
                            (long long)i, k, row[k]);
    }
    return VOX_OK;
}

static int parse_object(vox_fingerprint *out, json_object *o, const char *name)
{
    json_object *list;
    int64_t n;

    VOX_TRY(vox_json_array(&list, o, "spacings", name));
    n = (int64_t)json_object_array_length(list);
    if (n == 0)
        return vox_fail(VOX_E_FORMAT, "%s: \"spacings\" is empty", name);
    out->spacing = vox_alloc((size_t)n, sizeof *out->spacing);
    if (!out->spacing)
        return VOX_E_NOMEM;
    for (int64_t i = 0; i < n; i++)
        VOX_TRY(parse_row(out->spacing[i], json_object_array_get_idx(list, (size_t)i), i,
                          name));
    out->count = n;
    return VOX_OK;
}

int vox_fingerprint_parse(vox_fingerprint *out, const char *text, size_t len,
                          const char *name)
{
    json_object *o = NULL;
    int rc;

    *out = (vox_fingerprint)VOX_FINGERPRINT_INIT;
    VOX_TRY(vox_json_parse(&o, text, len, name));
    rc = parse_object(out, o, name);
    json_object_put(o);
    if (rc != VOX_OK)
        vox_fingerprint_release(out);
    return rc;
}

int vox_fingerprint_read(vox_fingerprint *out, const char *path)
{
    vox_buf text = VOX_BUF_INIT;
    int rc = vox_file_read(&text, path);

    *out = (vox_fingerprint)VOX_FINGERPRINT_INIT;
    if (rc == VOX_OK)
        rc = vox_fingerprint_parse(out, vox_buf_text(&text), text.len, path);
    vox_buf_release(&text);
    return rc;
}

/* Written directly: this list has one shape, and a million entries are no reason for a
 * tree. */
static int add_row(vox_buf *text, const double row[3], int first)
{
    char num[3][32];

    return vox_buf_printf(
        text, "%s\n        [\n            %s,\n            %s,\n            %s\n        ]",
        first ? "" : ",", vox_json_double(row[0], num[0]), vox_json_double(row[1], num[1]),
        vox_json_double(row[2], num[2]));
}

int vox_fingerprint_write(const vox_fingerprint *f, const char *path)
{
    vox_buf text = VOX_BUF_INIT;
    int rc = vox_buf_printf(&text, "{\n    \"spacings\": [");

    for (int64_t i = 0; i < f->count && rc == VOX_OK; i++)
        rc = add_row(&text, f->spacing[i], i == 0);
    if (rc == VOX_OK)
        rc = vox_buf_printf(&text, "\n    ]\n}");
    if (rc == VOX_OK)
        rc = vox_file_write(path, text.data, text.len);
    vox_buf_release(&text);
    return rc;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int vox_fingerprint_middle(const vox_fingerprint *f, double percentile[3], double median[3])
{
    const int64_t n = f->count;
    double *v = vox_alloc((size_t)n, sizeof *v);

    if (!v)
        return VOX_E_NOMEM;
    for (int axis = 0; axis < 3; axis++) {
        double lo, hi;

        for (int64_t i = 0; i < n; i++)
            v[i] = f->spacing[i][axis];
        qsort(v, (size_t)n, sizeof *v, compare_doubles);
        lo = v[(n - 1) / 2];
        hi = v[n / 2];
        percentile[axis] = hi - (hi - lo) * 0.5;
        median[axis] = (lo + hi) / 2;
    }
    vox_free(v);
    return VOX_OK;
}

void vox_fingerprint_release(vox_fingerprint *f)
{
    vox_free(f->spacing);
    *f = (vox_fingerprint)VOX_FINGERPRINT_INIT;
}
