/* validate: means over a fixed list of batches. */
#include "train/validate.h"

#include <math.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "train/baseline.h"
#include "train/picture.h"

/* Evaluate the batch and draw one of its samples. A picture that fails is no failure. */
static int evaluate_and_draw(vox_engine *e, const vox_batch *b, double *loss,
                             const char *png)
{
    const int64_t voxels = e->cfg.patch[0] * e->cfg.patch[1] * e->cfg.patch[2];
    const int channels = e->cfg.setup->model.out_channels;
    float *y = vox_alloc((size_t)(b->size * channels * voxels), sizeof *y);
    int rc;

    if (!y)
        return VOX_E_NOMEM;
    rc = vox_engine_evaluate(e, b, loss, y);
    if (rc == VOX_OK && vox_picture_reconstruction(png, b, y, channels) != VOX_OK)
        vox_log(VOX_WARN, "train", "%s", vox_error_text());
    vox_free(y);
    return rc;
}

static int step(vox_validation *v, vox_engine *e, vox_feed *f, const char *png)
{
    double loss, zero, mean;

    VOX_TRY(vox_feed_next(f, NULL));
    if (png && vox_engine_has(e, "y"))
        VOX_TRY(evaluate_and_draw(e, &f->batch, &loss, png));
    else
        VOX_TRY(vox_engine_evaluate(e, &f->batch, &loss, NULL));
    vox_baseline(&f->batch, &zero, &mean);
    v->loss += loss;
    v->zero += zero;
    v->mean += mean;
    return vox_stop_asked() ? vox_fail(VOX_E_STOP, "%s", vox_stop_name()) : VOX_OK;
}

int vox_validate(vox_validation *out, vox_engine *e, const vox_feed_cfg *cfg,
                 const char *png)
{
    const double n = (double)cfg->steps;
    vox_validation v = {0};
    vox_feed f;
    int rc;

    *out = (vox_validation){(double)NAN, (double)NAN, (double)NAN};
    if (cfg->steps == 0)
        return VOX_OK;
    VOX_TRY(vox_feed_open(&f, cfg));
    rc = VOX_OK;
    for (int64_t i = 0; i < cfg->steps && rc == VOX_OK; i++)
        rc = step(&v, e, &f, i == 0 ? png : NULL);
    vox_feed_close(&f);
    if (rc == VOX_OK)
        *out = (vox_validation){v.loss / n, v.zero / n, v.mean / n};
    return rc;
}
