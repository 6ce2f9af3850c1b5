/* preprocess_forecast: what a run will make and take, from headers alone. */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "data/preprocess.h"
#include "data/roots.h"

/*
 * Measured on one core of a server of 2025 over head CT and MR (bench/data): nanoseconds per
 * byte of the file and per voxel, and how much smaller the compressed files are. Masks
 * compress to almost nothing.
 */
static const double per_byte_packed = 7, per_byte = 0.5, per_voxel_in = 1.5,
                    per_voxel_out[VOX_CODECS] = {10, 3}, ratio[VOX_CODECS] = {2, 1.5},
                    mask_ratio = 40, per_mask_voxel = 15, beside = 8192;

static int find_shape(vox_forecast *f, const vox_prepare_cfg *p)
{
    double spacing[3];

    for (int i = 0; i < 3; i++) {
        f->shape[i] = f->info.shape.n[1 + p->transpose[i]];
        spacing[i] = f->info.spacing[p->transpose[i]];
    }
    if (p->target[0] == 0.0)
        return VOX_OK;
    return vox_resample_shape(f->shape, f->shape, spacing, p->target);
}

static void reckon(vox_forecast *f, const vox_record *image, int64_t file_bytes, int packed,
                   const vox_store_cfg *store)
{
    const int masks = (image->image->anon != NULL) + (image->image->anat != NULL);
    const double in = (double)vox_shape_count(f->info.shape);
    const double out = (double)f->shape[0] * (double)f->shape[1] * (double)f->shape[2];
    const double bytes = 4 * out;

    f->disk = (int64_t)(bytes / ratio[store->codec] + masks * bytes / mask_ratio + beside);
    f->seconds = 1e-9 * ((double)file_bytes * (packed ? per_byte_packed : per_byte) +
                         in * per_voxel_in + out * per_voxel_out[store->codec] +
                         masks * (in + out) * per_mask_voxel);
}

int vox_preprocess_forecast(vox_forecast *out, const vox_record *image,
                            const vox_prepare_cfg *prepare, const vox_store_cfg *store)
{
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_path_expand(&path, image->image->path);

    *out = (vox_forecast){.memory = 0};
    if (rc == VOX_OK)
        rc = vox_volume_read_info(&out->info, path.data);
    if (rc == VOX_OK)
        rc = vox_image_check(&out->info, path.data);
    if (rc == VOX_OK)
        rc = find_shape(out, prepare);
    if (rc == VOX_OK) {
        reckon(out, image, vox_file_size(path.data), vox_ends_with(path.data, ".gz"),
               store);
        out->memory = vox_preprocess_memory(image, prepare);
    }
    vox_buf_release(&path);
    return rc;
}
