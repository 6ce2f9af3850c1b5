/*
 * prepare: the case functions of data.md 7.2 and 7.3 as one chain.
 *
 * The image is copied once, boxed and transposed; everything after works on that copy,
 * which becomes the result when the resolution is kept. Holes are filled only where
 * something asks what is outside: masks, or normalisation inside a mask.
 */
#include "image/prepare.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/crop.h"
#include "image/resample.h"

/* A case on its way: the result so far, and what only the way needs. */
typedef struct job {
    vox_prepared_case out;
    const vox_prepare_cfg *cfg;
    const vox_volume *mask[VOX_MASKS]; /* as read */
    vox_box box;                       /* in the order of the input */
    double spacing[3];                 /* transposed */
    uint8_t *outside;                  /* of the cropped image, or NULL */
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

static int check_shapes(const job *j, const vox_volume *image)
{
    static const char *const role[VOX_MASKS] = {"anonymization", "anatomy"};
    char have[128], want[128];

    if (image->info.shape.n[0] != 1)
        return vox_fail(VOX_E_FORMAT, "4-D image of %lld volumes, wanted one",
                        (long long)image->info.shape.n[0]);
    for (int i = 0; i < VOX_MASKS; i++) {
        if (j->mask[i] && !vox_shape_equal(j->mask[i]->info.shape, image->info.shape))
            return vox_fail(VOX_E_FORMAT, "the %s mask is %s, wanted %s as the image",
                            role[i], vox_shape_text(j->mask[i]->info.shape, have),
                            vox_shape_text(image->info.shape, want));
    }
    return VOX_OK;
}

/* Everything but voxels: where the box is, what it is called after transposing. */
static void set_geometry(job *j, const vox_volume *image)
{
    vox_prepared_case *p = &j->out;

    j->box = vox_crop_box(image);
    p->image.info = image->info;
    memcpy(p->spacing_read, image->info.spacing, sizeof p->spacing_read);
    for (int i = 0; i < 3; i++) {
        const int a = j->cfg->transpose[i];

        p->transpose[i] = a;
        j->spacing[i] = image->info.spacing[a];
        p->shape_before_cropping[i] = image->info.shape.n[1 + a];
        p->bbox[i][0] = j->box.lo[a];
        p->bbox[i][1] = j->box.hi[a];
        p->shape_after_cropping[i] = j->box.hi[a] - j->box.lo[a];
        p->image.info.shape.n[1 + i] = p->shape_after_cropping[i];
        p->image.info.spacing[i] = j->spacing[i];
    }
}

/* The box of a volume, transposed: a new block. */
static float *boxed(const job *j, const vox_volume *v)
{
    float *out = vox_alloc((size_t)vox_shape_count(j->out.image.info.shape), sizeof *out);

    if (out)
        vox_crop_copy(out, v->data, v->info.shape.n + 1, &j->box, j->cfg->transpose);
    return out;
}

static int crop(job *j, const vox_volume *image)
{
    j->out.image.data = boxed(j, image);
    if (!j->out.image.data)
        return VOX_E_NOMEM;
    for (int i = 0; i < VOX_MASKS; i++) {
        if (!j->mask[i])
            continue;
        j->out.mask[i] = boxed(j, j->mask[i]);
        if (!j->out.mask[i])
            return VOX_E_NOMEM;
    }
    return VOX_OK;
}

static int find_outside(job *j)
{
    const vox_shape *shape = &j->out.image.info.shape;

    if (!j->mask[0] && !j->mask[1] && !j->cfg->norm_in_mask)
        return VOX_OK;
    j->outside = vox_alloc((size_t)vox_shape_count(*shape), 1);
    if (!j->outside)
        return VOX_E_NOMEM;
    return vox_crop_outside(j->outside, j->out.image.data, shape->n + 1);
}

/* Label 0 outside the body becomes -1. */
static void mark_outside(job *j)
{
    const int64_t n = vox_shape_count(j->out.image.info.shape);

    for (int i = 0; i < VOX_MASKS; i++) {
        float *label = j->out.mask[i];

        for (int64_t at = 0; at < n && label; at++) {
            if (label[at] == 0.0f && j->outside[at])
                label[at] = -1.0f;
        }
    }
}

/* Values do not count where the first mask, or else the body, says so. */
static void choose_values(job *j)
{
    const float *label = j->out.mask[0] ? j->out.mask[0] : j->out.mask[1];
    const int64_t n = vox_shape_count(j->out.image.info.shape);

    for (int64_t at = 0; at < n && label; at++)
        j->outside[at] = label[at] < 0.0f;
}

static int normalise(job *j)
{
    const vox_volume *v = &j->out.image;
    vox_stats s;

    if (j->cfg->norm_in_mask)
        choose_values(j);
    VOX_TRY(vox_normalise(v->data, vox_shape_count(v->info.shape), j->cfg->norm,
                          j->cfg->norm_in_mask ? j->outside : NULL, &s));
    j->out.mean = s.mean;
    j->out.std = s.std;
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

static int resample(job *j)
{
    vox_prepared_case *p = &j->out;
    const double *to = j->cfg->target;
    const vox_volume_info before = p->image.info;
    vox_volume now = VOX_VOLUME_INIT;
    int64_t m[3];

    p->thick_axis = -1;
    if (keeps_resolution(j->cfg))
        return VOX_OK;
    VOX_TRY(vox_resample_shape(m, p->shape_after_cropping, j->spacing, to));
    p->thick_axis = vox_resample_thick_axis(j->spacing, to);
    VOX_TRY(vox_volume_resample(&now, &p->image, m, p->thick_axis));
    vox_volume_release(&p->image);
    p->image = now;
    memcpy(p->image.info.spacing, to, sizeof p->image.info.spacing);
    for (int i = 0; i < VOX_MASKS; i++) {
        if (p->mask[i])
            VOX_TRY(resample_mask(&p->mask[i], &before, m, p->thick_axis));
    }
    return VOX_OK;
}

static int run(job *j, const vox_volume *image)
{
    VOX_TRY(check_cfg(j->cfg));
    VOX_TRY(check_shapes(j, image));
    set_geometry(j, image);
    VOX_TRY(crop(j, image));
    VOX_TRY(find_outside(j));
    mark_outside(j);
    VOX_TRY(normalise(j));
    return resample(j);
}

int vox_prepare_case(vox_prepared_case *out, const vox_volume *image,
                     const vox_volume *anon, const vox_volume *anat,
                     const vox_prepare_cfg *cfg, const char *name)
{
    job j = {.cfg = cfg};
    int rc;

    j.mask[VOX_MASK_ANON] = anon;
    j.mask[VOX_MASK_ANAT] = anat;
    rc = run(&j, image);
    vox_free(j.outside);
    if (rc != VOX_OK) {
        vox_prepared_case_release(&j.out);
        return vox_fail_in(rc, "%s", name);
    }
    vox_prepared_case_release(out);
    *out = j.out;
    return VOX_OK;
}

void vox_prepared_case_release(vox_prepared_case *p)
{
    if (!p)
        return;
    vox_volume_release(&p->image);
    for (int i = 0; i < VOX_MASKS; i++)
        vox_free(p->mask[i]);
    *p = (vox_prepared_case)VOX_PREPARED_CASE_INIT;
}

int64_t vox_prepare_memory(const vox_volume_info *image, int n_masks,
                           const vox_prepare_cfg *cfg)
{
    double before = 1, after = 1, planes = 1, bytes; /* any header's numbers fit */
    double spacing[3];
    int64_t n[3], m[3];

    for (int i = 0; i < 3; i++) {
        n[i] = m[i] = image->shape.n[1 + cfg->transpose[i]];
        spacing[i] = image->spacing[cfg->transpose[i]];
    }
    if (!keeps_resolution(cfg) && vox_resample_shape(m, n, spacing, cfg->target) != VOX_OK)
        return INT64_MAX;
    for (int i = 0; i < 3; i++) {
        before *= (double)n[i];
        after *= (double)m[i];
        planes *= (double)(i ? m[i] : n[i]);
    }
    /* read (file and floats) ... or read, boxed, the spline's planes and the result */
    bytes = (double)sizeof(float) *
            (before * 3 + (before * 2 + after) * n_masks + planes + after);
    return bytes < 0x1p62 ? (int64_t)bytes : INT64_MAX;
}
