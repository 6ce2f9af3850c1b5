/* stored: files to voxels that stay what they are, or else through the format's reader. */
#include "image/stored.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

/* Only integers are scaled later. */
int vox_stored_can_stay(vox_voxel *voxel, const char *type, double slope, double inter)
{
    static const char *const names[VOX_VOXELS] = {"f32", "u8", "i8", "u16", "i16"};

    for (int i = 0; i < VOX_VOXELS; i++) {
        if (strcmp(type, names[i]) != 0)
            continue;
        *voxel = (vox_voxel)i;
        if (i == VOX_VOXEL_F32)
            return slope == 1.0 && inter == 0.0;
        return fabs(slope) > 1e-30 && fabs(slope) < 1e30 && fabs(inter) < 1e30;
    }
    return 0;
}

/* The whole file into memory that is kept. */
static int read_file(vox_stored *s, const char *path)
{
    FILE *f = fopen(path, "rb");
    const int64_t size = vox_file_size(path);
    int rc = VOX_OK;

    if (!f)
        return vox_fail_errno(errno == ENOENT ? VOX_E_MISSING : VOX_E_IO, "%s: cannot open",
                              path);
    if (size < 0 || vox_is_dir(path))
        rc = vox_fail(VOX_E_IO, "%s: is a folder, wanted a file", path);
    else if (!vox_scratch_need(&s->file, (size_t)size + 1, 1))
        rc = VOX_E_NOMEM;
    else if (fread(s->file.data, 1, (size_t)size, f) != (size_t)size)
        rc = vox_fail_errno(VOX_E_IO, "%s: cannot read its %lld bytes", path,
                            (long long)size);
    s->len = rc == VOX_OK ? (size_t)size : 0;
    fclose(f);
    return rc;
}

/* What is not finite becomes 0. */
static int64_t clean(float *x, int64_t n)
{
    int64_t bad = 0;

    for (int64_t at = 0; at < n; at += 4096) {
        const int64_t end = n - at < 4096 ? n : at + 4096;
        int here = 0;

        for (int64_t i = at; i < end; i++) {
            uint32_t bits;

            memcpy(&bits, &x[i], sizeof bits);
            here |= (bits & 0x7f800000u) == 0x7f800000u;
        }
        for (int64_t i = at; i < end && here; i++) {
            if (isfinite(x[i]))
                continue;
            x[i] = 0.0f;
            bad++;
        }
    }
    return bad;
}

static void take_converted(vox_stored *s, float *data)
{
    s->voxels = s->converted = data;
    s->voxel = VOX_VOXEL_F32;
    s->slope = 1;
    s->inter = 0;
}

static int read_voxels(vox_stored *s, const char *path)
{
    const vox_bytes file = {s->file.data, s->len, path};
    vox_volume v = {.stored = s};

    VOX_TRY(vox_volume_read_bytes(&v, &file));
    s->info = v.info;
    if (v.data)
        take_converted(s, v.data);
    else if (s->voxel == VOX_VOXEL_F32)
        s->info.nonfinite = clean(s->voxels, vox_shape_count(s->info.shape));
    return VOX_OK;
}

int vox_stored_read(vox_stored *s, const char *path)
{
    int rc;

    vox_free(s->converted);
    s->converted = NULL;
    s->voxels = NULL;
    rc = read_file(s, path);
    if (rc == VOX_OK)
        rc = read_voxels(s, path);
    if (rc != VOX_OK)
        s->voxels = NULL;
    return rc;
}

vox_grid vox_stored_grid(const vox_stored *s, int64_t channel)
{
    const int64_t *n = s->info.shape.n + 1;
    const size_t plane = (size_t)(n[0] * n[1] * n[2]) * vox_voxel_size(s->voxel);

    return (vox_grid){
        .data = (const char *)s->voxels + (size_t)channel * plane,
        .voxel = s->voxel,
        .n = {n[0], n[1],    n[2]},
        .step = {n[1] * n[2],    n[2]},
        .slope = s->slope,
        .inter = s->inter,
    };
}

vox_stored vox_stored_of(const vox_volume *v)
{
    return (vox_stored){
        .info = v->info, .voxel = VOX_VOXEL_F32, .slope = 1, .voxels = v->data};
}

void vox_stored_release(vox_stored *s)
{
    vox_scratch_release(&s->file);
    vox_scratch_release(&s->block);
    vox_free(s->converted);
    *s = (vox_stored)VOX_STORED_INIT;
}
