/*
 * prepare: the case functions of data.md 7.2 and 7.3 as one chain.
 *
 * The image is read where it lies, as it is stored: box, statistics, and one pass that
 * resamples and normalises into the result. That is the peer's order turned round, which
 * an affine map and a linear interpolation that keeps constants allow. Axes are permuted
 * last. Holes are filled only where something asks what is outside: masks, or
 * normalisation inside a mask; the latter works on a copy, as it is no affine map.
 */
#include "image/prepare.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/crop.h"

/* A case on its way. */
typedef struct job {
    vox_prepared_case *out;
    const vox_prepare_cfg *cfg;
    const vox_stored *image;
    const vox_volume *mask[VOX_MASKS]; /* as read */
    vox_box box;                       /* in the order of the input */
    vox_grid grid;                     /* the box of the image */
    int order[3];                      /* output axis i is the grid's axis order[i] */
    float *copy;       /* what the grid shows, where it is not the image; or NULL */
    double spacing[3]; /* transposed */
    uint8_t *outside;  /* of the cropped image, transposed, or NULL */
    vox_norm_map map;
    float range[2];
} job;

static int keeps_resolution(const vox_prepare_cfg *cfg)
{
    return cfg->target[0] == 0.0 && cfg->target[1] == 0.0 && cfg->target[2] == 0.0;
}

static int check_cfg(const vox_prepare_cfg *cfg)
{
    int seen[3] = {0};

    for (int i = 0; i < 3; i++) {
        const int a = cfg->transpose[i];

        if (a < 0 || a > 2 || seen[a]++)
            return vox_fail(VOX_E_ARG,
                            "transpose_forward is %d, %d, %d, wanted 0, 1, 2 in "
                            "some order",
                            cfg->transpose[0], cfg->transpose[1], cfg->transpose[2]);
        if (!keeps_resolution(cfg) && !(cfg->target[i] > 0.0 && isfinite(cfg->target[i])))
            return vox_fail(VOX_E_ARG, "target spacing %d is %g mm, wanted > 0", i,
                            cfg->target[i]);
    }
    return VOX_OK;
}

static int check_shapes(const job *j)
{
    static const char *const role[VOX_MASKS] = {"anonymization", "anatomy"};
    const vox_shape shape = j->image->info.shape;
    char have[128], want[128];

    if (shape.n[0] != 1)
        return vox_fail(VOX_E_FORMAT, "4-D image of %lld volumes, wanted one",
                        (long long)shape.n[0]);
    for (int i = 0; i < VOX_MASKS; i++) {
        if (j->mask[i] && !vox_shape_equal(j->mask[i]->info.shape, shape))
            return vox_cure(vox_fail(VOX_E_FORMAT,
                                     "the %s mask is %s, wanted %s as the image", role[i],
                                     vox_shape_text(j->mask[i]->info.shape, have),
                                     vox_shape_text(shape, want)),
                            "resample the mask to the image's grid, or take it out of "
                            "pretrain_data.json");
    }
    return VOX_OK;
}

/* Where the box is, and what it is called after transposing. */
static int find_box(job *j)
{
    const vox_grid whole = vox_stored_grid(j->image, 0);
    const vox_volume_info *info = &j->image->info;
    vox_prepared_case *p = j->out;

    VOX_TRY(vox_grid_box(&j->box, &whole));
    j->grid = vox_grid_part(&whole, &j->box);
    memcpy(j->order, j->cfg->transpose, sizeof j->order);
    p->image.info = *info;
    memcpy(p->spacing_read, info->spacing, sizeof p->spacing_read);
    for (int i = 0; i < 3; i++) {
        const int a = j->cfg->transpose[i];

        p->transpose[i] = a;
        j->spacing[i] = info->spacing[a];
        p->shape_before_cropping[i] = info->shape.n[1 + a];
        p->bbox[i][0] = j->box.lo[a];
        p->bbox[i][1] = j->box.hi[a];
        p->shape_after_cropping[i] = j->box.hi[a] - j->box.lo[a];
        p->image.info.shape.n[1 + i] = p->shape_after_cropping[i];
        p->image.info.spacing[i] = j->spacing[i];
    }
    return VOX_OK;
}

static size_t cropped_voxels(const job *j)
{
    return (size_t)(j->grid.n[0] * j->grid.n[1] * j->grid.n[2]);
}

/* The masks' boxes, transposed. */
static int crop_masks(job *j)
{
    for (int i = 0; i < VOX_MASKS; i++) {
        vox_grid all, part;

        if (!j->mask[i])
            continue;
        all = vox_volume_grid(j->mask[i], 0);
        part = vox_grid_part(&all, &j->box);
        j->out->mask[i] = vox_alloc(cropped_voxels(j), sizeof **j->out->mask);
        if (!j->out->mask[i])
            return VOX_E_NOMEM;
        vox_grid_copy(j->out->mask[i], &part, j->order, 0.0f, 1.0f);
    }
    return VOX_OK;
}

static int find_outside(job *j)
{
    if (!j->mask[0] && !j->mask[1] && !j->cfg->norm_in_mask)
        return VOX_OK;
    j->outside = vox_alloc(cropped_voxels(j), 1);
    if (!j->outside)
        return VOX_E_NOMEM;
    vox_grid_body(j->outside, &j->grid, j->order);
    return vox_crop_outside(j->outside, j->out->shape_after_cropping);
}

/* Label 0 outside the body becomes -1. */
static void mark_outside(job *j)
{
    const size_t n = cropped_voxels(j);

    for (int i = 0; i < VOX_MASKS; i++) {
        float *label = j->out->mask[i];

        for (size_t at = 0; at < n && label; at++) {
            if (label[at] == 0.0f && j->outside[at])
                label[at] = -1.0f;
        }
    }
}

/* Values do not count where the first mask, or else the body, says so. */
static void choose_values(job *j)
{
    const float *label = j->out->mask[0] ? j->out->mask[0] : j->out->mask[1];
    const size_t n = cropped_voxels(j);

    for (size_t at = 0; at < n && label; at++)
        j->outside[at] = label[at] < 0.0f;
}

/* Only some values are normalised: in a copy, transposed, that takes the image's place. */
static int normalise_some(job *j, vox_stats *s)
{
    const vox_grid *v = &j->grid;
    const int64_t *n = j->out->shape_after_cropping;
    const vox_norm_map meaning = {-v->inter / v->slope, v->slope};

    j->copy = vox_alloc(cropped_voxels(j), sizeof *j->copy);
    if (!j->copy)
        return VOX_E_NOMEM;
    vox_grid_copy(j->copy, v, j->order, (float)meaning.shift, (float)meaning.scale);
    choose_values(j);
    VOX_TRY(
        vox_normalise(j->copy, (int64_t)cropped_voxels(j), j->cfg->norm, j->outside, s));
    j->grid = (vox_grid){
        .data = j->copy,
        .n = {n[0], n[1],    n[2]},
        .step = {n[1] * n[2],    n[2]},
        .slope = 1,
    };
    for (int i = 0; i < 3; i++)
        j->order[i] = i;
    j->map = (vox_norm_map){0.0, 1.0};
    vox_grid_range(j->range, &j->grid);
    return VOX_OK;
}

static int normalise(job *j)
{
    vox_stats s;

    if (j->cfg->norm_in_mask) {
        VOX_TRY(normalise_some(j, &s));
    } else {
        s = vox_grid_stats(&j->grid);
        VOX_TRY(vox_norm_map_of(&j->map, j->cfg->norm, &s));
        j->range[0] = s.lo;
        j->range[1] = s.hi;
    }
    j->out->mean = s.mean;
    j->out->std = s.std;
    return VOX_OK;
}

/* A mask takes the way of the image. */
static int resample_mask(float **mask, const vox_volume_info *info, const int64_t m[3],
                         int thick)
{
    vox_volume in = {.info = *info, .data = *mask}, out = VOX_VOLUME_INIT;

    VOX_TRY(vox_volume_resample_labels(&out, &in, m, thick));
    vox_free(*mask);
    *mask = out.data;
    return VOX_OK;
}

static int resample_masks(job *j, const vox_volume_info *before)
{
    vox_prepared_case *p = j->out;

    for (int i = 0; i < VOX_MASKS; i++) {
        if (p->mask[i])
            VOX_TRY(resample_mask(&p->mask[i], before, p->image.info.shape.n + 1,
                                  p->thick_axis));
    }
    return VOX_OK;
}

static int in_order(const int order[3])
{
    return order[0] == 0 && order[1] == 1 && order[2] == 2;
}

/* From the grid to the result; m in output order. */
static int make_voxels(job *j, const int64_t m[3])
{
    vox_prepared_case *p = j->out;
    const int turn = !in_order(j->order);
    const size_t count = (size_t)(m[0] * m[1] * m[2]);
    float *voxels = vox_scratch_need(&p->voxels, count, sizeof *voxels);
    float *first = turn ? vox_scratch_need(&p->turned, count, sizeof *first) : voxels;
    int64_t n[3];

    if (!voxels || !first)
        return VOX_E_NOMEM;
    for (int i = 0; i < 3; i++)
        n[j->order[i]] = m[i];
    VOX_TRY(vox_grid_resample(first, &j->grid, n,
                              p->thick_axis < 0 ? -1 : j->order[p->thick_axis], &j->map,
                              j->range, &p->space));
    if (turn) {
        const vox_grid made = {
            .data = first,
            .n = {n[0], n[1],    n[2]},
            .step = {n[1] * n[2],    n[2]},
            .slope = 1
        };

        vox_grid_copy(voxels, &made, j->order, 0.0f, 1.0f);
    }
    p->image.data = voxels;
    return VOX_OK;
}

/* Bytes of the result and of what resampling keeps on the way; n and m are in the order of
 * the output. */
static double made_bytes(const vox_prepare_cfg *cfg, const int64_t n[3], const int64_t m[3],
                         int n_masks)
{
    const int images = 1 + !in_order(cfg->transpose) + n_masks;
    double after = 1, planes = 1;

    for (int i = 0; i < 3; i++) {
        after *= (double)m[i];
        planes *= (double)(cfg->transpose[i] == 0 ? n[i] : m[i]); /* of the last pass */
    }
    return (planes + images * after) * sizeof(float);
}

/* A wrong voxel size in a small file can ask for all memory there is. */
static int check_memory(const job *j, const int64_t m[3])
{
    const int64_t most = j->cfg->memory;
    const double bytes = made_bytes(j->cfg, j->out->shape_after_cropping, m,
                                    (j->mask[0] != NULL) + (j->mask[1] != NULL));

    if (!most || bytes <= (double)most)
        return VOX_OK;
    return vox_fail(VOX_E_NOMEM,
                    "%lld x %lld x %lld voxels take %.0f MiB, wanted at most %lld MiB",
                    (long long)m[0], (long long)m[1], (long long)m[2], bytes / 0x1p20,
                    (long long)(most >> 20));
}

static int resample(job *j)
{
    vox_prepared_case *p = j->out;
    const double *to = j->cfg->target;
    const vox_volume_info before = p->image.info;
    int64_t m[3];

    p->thick_axis = -1;
    if (keeps_resolution(j->cfg))
        return make_voxels(j, p->shape_after_cropping);
    VOX_TRY(vox_resample_shape(m, p->shape_after_cropping, j->spacing, to));
    VOX_TRY(check_memory(j, m));
    p->thick_axis = vox_resample_thick_axis(j->spacing, to);
    VOX_TRY(make_voxels(j, m));
    memcpy(p->image.info.shape.n + 1, m, sizeof m);
    memcpy(p->image.info.spacing, to, sizeof p->image.info.spacing);
    return resample_masks(j, &before);
}

static int run(job *j)
{
    VOX_TRY(check_cfg(j->cfg));
    VOX_TRY(check_shapes(j));
    VOX_TRY(find_box(j));
    VOX_TRY(crop_masks(j));
    VOX_TRY(find_outside(j));
    mark_outside(j);
    VOX_TRY(normalise(j));
    return resample(j);
}

/* The image and the masks, not the memory. */
static void forget(vox_prepared_case *p)
{
    for (int i = 0; i < VOX_MASKS; i++) {
        vox_free(p->mask[i]);
        p->mask[i] = NULL;
    }
    p->image.data = NULL;
}

int vox_prepare_case(vox_prepared_case *out, const vox_stored *image,
                     const vox_volume *anon, const vox_volume *anat,
                     const vox_prepare_cfg *cfg, const char *name)
{
    job j = {.out = out, .cfg = cfg, .image = image};
    int rc;

    forget(out);
    j.mask[VOX_MASK_ANON] = anon;
    j.mask[VOX_MASK_ANAT] = anat;
    rc = run(&j);
    vox_free(j.outside);
    vox_free(j.copy);
    if (rc == VOX_OK)
        return rc;
    forget(out);
    return vox_fail_in(rc, "%s", name);
}

void vox_prepared_case_release(vox_prepared_case *p)
{
    if (!p)
        return;
    forget(p);
    vox_scratch_release(&p->voxels);
    vox_scratch_release(&p->turned);
    vox_resample_space_release(&p->space);
    *p = (vox_prepared_case)VOX_PREPARED_CASE_INIT;
}

size_t vox_prepared_case_kept(const vox_prepared_case *p)
{
    const vox_resample_space *s = &p->space;

    return p->voxels.bytes + p->turned.bytes + s->in.bytes + s->out.bytes +
           s->spline.scratch.bytes + s->spline.plane.bytes + s->spline.planes.bytes;
}

/* Bytes of a voxel as vox_stored_read leaves it. */
static double stored_bytes(const vox_volume_info *image)
{
    static const char *const small[] = {"u8", "i8", "u16", "i16"};

    for (int i = 0; i < VOX_COUNT(small); i++) {
        if (strcmp(image->stored, small[i]) == 0)
            return i < 2 ? 1 : 2;
    }
    return 2 * sizeof(float); /* and at worst once more while it is converted */
}

int64_t vox_prepare_memory(const vox_volume_info *image, int n_masks,
                           const vox_prepare_cfg *cfg)
{
    double before = 1, bytes; /* any header's numbers fit */
    double spacing[3];
    int64_t n[3], m[3];

    for (int i = 0; i < 3; i++) {
        n[i] = m[i] = image->shape.n[1 + cfg->transpose[i]];
        spacing[i] = image->spacing[cfg->transpose[i]];
    }
    if (!keeps_resolution(cfg) && vox_resample_shape(m, n, spacing, cfg->target) != VOX_OK)
        return INT64_MAX;
    for (int i = 0; i < 3; i++)
        before *= (double)n[i];
    bytes = before * stored_bytes(image) + made_bytes(cfg, n, m, n_masks);
    if (cfg->norm_in_mask || n_masks)
        bytes += before;
    if (cfg->norm_in_mask)
        bytes += before * sizeof(float);
    bytes += n_masks * before * 2 * sizeof(float); /* read, boxed */
    return bytes < 0x1p62 ? (int64_t)bytes : INT64_MAX;
}
