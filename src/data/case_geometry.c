/* case_geometry: side files of a case, and the geometry that follows from them. */
#include "data/case_geometry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/planner.h"

/* ---- side files ---- */

/* Length of the path that a case's files share: without ".b2nd", "__anon" and "__anat". */
static size_t stem_of(const char *path)
{
    static const char *const tails[] = {".b2nd", "__anon", "__anat"};
    size_t n = strlen(path);

    for (int i = 0; i < VOX_COUNT(tails); i++) {
        const size_t m = strlen(tails[i]);

        if (n > m && strncmp(path + n - m, tails[i], m) == 0)
            n -= m;
    }
    return n;
}

static int read_json(vox_properties *out, const char *path, int *found)
{
    vox_buf side = VOX_BUF_INIT;
    int rc = vox_buf_printf(&side, "%.*s.json", (int)stem_of(path), path);

    *found = rc == VOX_OK && vox_file_exists(side.data);
    if (*found)
        rc = vox_properties_read(out, side.data);
    vox_buf_release(&side);
    return rc;
}

/* Take transpose_forward of plans, where there are any. */
static int try_plans(int64_t transpose[3], const char *path, int *found)
{
    vox_plans p = VOX_PLANS_INIT;

    if (!vox_file_exists(path))
        return VOX_OK;
    VOX_TRY(vox_plans_read(&p, path));
    for (int i = 0; i < 3; i++)
        transpose[i] = p.forward[i];
    *found = 1;
    vox_plans_release(&p);
    return VOX_OK;
}

/* Plans above the folder: "<dataset>/<plans>_<configuration>/..." has
 * "<dataset>/<plans>.json". Cuts `folder` shorter and shorter. */
static int find_plans(int64_t transpose[3], char *folder, int *found)
{
    int rc = VOX_OK;

    for (char *slash = strrchr(folder, '/'); slash && !*found && rc == VOX_OK;
         slash = strrchr(folder, '/')) {
        const char *end = strrchr(slash + 1, '_');
        vox_buf file = VOX_BUF_INIT;

        if (end)
            rc = vox_buf_printf(&file, "%.*s.json", (int)(end - folder), folder);
        if (end && rc == VOX_OK)
            rc = try_plans(transpose, file.data, found);
        vox_buf_release(&file);
        *slash = '\0';
    }
    return rc;
}

static int find_transpose(int64_t transpose[3], const char *path)
{
    char *real = realpath(path, NULL);
    char *folder = vox_strdup(real ? real : path);
    int found = 0, rc;

    free(real);
    if (!folder)
        return VOX_E_NOMEM;
    for (int i = 0; i < 3; i++)
        transpose[i] = i;
    rc = find_plans(transpose, folder, &found);
    if (rc == VOX_OK && !found)
        vox_log(VOX_WARN, "export",
                "%s: no plans above it, its axes are taken to be in the order of the scan",
                path);
    vox_free(folder);
    return rc;
}

static int read_pickle(vox_properties *out, const char *path)
{
    vox_buf side = VOX_BUF_INIT, bytes = VOX_BUF_INIT;
    int rc = vox_buf_printf(&side, "%.*s.pkl", (int)stem_of(path), path);

    if (rc == VOX_OK && !vox_file_exists(side.data))
        rc = vox_fail(VOX_E_MISSING, "%s: neither its .json nor its .pkl is beside it",
                      path);
    if (rc == VOX_OK)
        rc = find_transpose(out->transpose, path);
    if (rc == VOX_OK)
        rc = vox_file_read(&bytes, side.data);
    if (rc == VOX_OK)
        rc = vox_properties_unpickle(out, bytes.data, bytes.len, side.data);
    vox_buf_release(&bytes);
    vox_buf_release(&side);
    return rc;
}

int vox_case_properties(vox_properties *out, const char *b2nd, const int64_t shape[4])
{
    vox_properties p = {.key = ""};
    int found = 0;

    VOX_TRY(read_json(&p, b2nd, &found));
    if (found && memcmp(p.shape + 1, shape + 1, 3 * sizeof *shape) != 0)
        return vox_fail(VOX_E_FORMAT,
                        "%s: is %lld x %lld x %lld, its side file says %lld x %lld x %lld",
                        b2nd, (long long)shape[1], (long long)shape[2], (long long)shape[3],
                        (long long)p.shape[1], (long long)p.shape[2],
                        (long long)p.shape[3]);
    if (!found) {
        VOX_TRY(read_pickle(&p, b2nd));
        memcpy(p.shape, shape, sizeof p.shape);
        for (int i = 0; i < 3; i++)
            p.spacing[i] = p.spacing_read[p.transpose[i]] *
                           (double)p.shape_after_cropping[i] / (double)shape[1 + i];
    }
    *out = p;
    return VOX_OK;
}

/* ---- geometry ---- */

static int check_axes(const vox_properties *p, const char *name)
{
    int seen[3] = {0};

    for (int i = 0; i < 3; i++) {
        const int64_t a = p->transpose[i];

        if (a < 0 || a > 2 || seen[a]++)
            return vox_fail(VOX_E_FORMAT,
                            "%s: axes are %lld, %lld, %lld of the scan, wanted 0, 1, 2 in "
                            "some order",
                            name, (long long)p->transpose[0], (long long)p->transpose[1],
                            (long long)p->transpose[2]);
    }
    return VOX_OK;
}

static int check(const vox_properties *p, const char *name)
{
    VOX_TRY(check_axes(p, name));
    for (int i = 0; i < 3; i++) {
        if (p->shape[1 + i] < 1 || p->bbox[i][0] < 0 || p->bbox[i][1] <= p->bbox[i][0] ||
            p->bbox[i][1] > p->shape_before_cropping[i] || !(p->spacing_read[i] > 0.0) ||
            !isfinite(p->spacing_read[i]))
            return vox_fail(VOX_E_FORMAT,
                            "%s: axis %d has %lld voxels, made of %lld to %lld of %lld, of "
                            "%g mm",
                            name, i, (long long)p->shape[1 + i], (long long)p->bbox[i][0],
                            (long long)p->bbox[i][1],
                            (long long)p->shape_before_cropping[i], p->spacing_read[i]);
    }
    return VOX_OK;
}

/* What was no number in the side file is none here. */
static int check_result(const vox_volume_info *v, const char *name)
{
    double sum = 0.0;

    for (int i = 0; i < 3; i++)
        sum += fabs(v->spacing[i]) + fabs(v->origin[i]);
    for (int i = 0; i < 9; i++)
        sum += fabs(v->direction[i]);
    return isfinite(sum) ? VOX_OK
                         : vox_fail(VOX_E_FORMAT,
                                    "%s: begins at %g, %g, %g mm, its voxels are %g x %g x "
                                    "%g mm, wanted numbers",
                                    name, v->origin[0], v->origin[1], v->origin[2],
                                    v->spacing[0], v->spacing[1], v->spacing[2]);
}

int vox_case_geometry(vox_volume_info *out, const vox_properties *p, const char *name)
{
    vox_volume_info v = *out;

    VOX_TRY(check(p, name));
    memcpy(v.origin, p->origin, sizeof v.origin);
    for (int i = 0; i < 3; i++) {
        const int64_t a = p->transpose[i];
        const double voxel = p->spacing_read[a];
        const double ratio =
            (double)(p->bbox[i][1] - p->bbox[i][0]) / (double)p->shape[1 + i];
        /* the centre of voxel 0, in voxels of the scan */
        const double first = (double)p->bbox[i][0] + 0.5 * ratio - 0.5;

        v.spacing[i] = voxel * ratio;
        for (int world = 0; world < 3; world++) {
            const double along = p->direction[3 * world + (2 - a)];

            v.origin[world] += along * first * voxel;
            v.direction[3 * world + (2 - i)] = along;
        }
    }
    v.unit = 1.0;
    VOX_TRY(check_result(&v, name));
    *out = v;
    return VOX_OK;
}
