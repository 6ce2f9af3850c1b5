/*
 * optim: optimizer steps through the device's kernels.
 *
 * Neighbouring parameters that have taken the same number of steps are one run of the
 * block, so a step is a handful of calls, not one per tensor. Source: methods.md 1.6, 1.8.
 */
#include "train/optim.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

static const char *const names[] = {"sgd", "adamw"};

int vox_optim_kind_find(vox_optim_kind *out, const char *name)
{
    for (int i = 0; i < VOX_COUNT(names); i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (vox_optim_kind)i;
            return VOX_OK;
        }
    }
    return vox_fail(VOX_E_USAGE, "optimizer is \"%s\", wanted sgd or adamw", name);
}

int vox_optim_moments(vox_optim_kind kind)
{
    return kind == VOX_OPTIM_ADAMW ? 2 : 1;
}

int vox_optim_new(vox_optim **out, vox_params *params, const vox_optim_cfg *cfg)
{
    vox_optim *o = vox_zalloc(1, sizeof *o);
    int rc = VOX_OK;

    if (!o)
        return VOX_E_NOMEM;
    o->cfg = *cfg;
    o->params = params;
    o->age = vox_zalloc((size_t)params->n_param, sizeof *o->age);
    if (!o->age)
        rc = VOX_E_NOMEM;
    for (int i = 0; i < vox_optim_moments(cfg->kind) && rc == VOX_OK; i++)
        rc = vox_params_need_moment(params, i);
    if (rc != VOX_OK) {
        vox_optim_free(o);
        return rc;
    }
    *out = o;
    return VOX_OK;
}

void vox_optim_free(vox_optim *o)
{
    if (!o)
        return;
    vox_free(o->age);
    vox_free(o);
}

/* One kernel call on the device's threads. */
typedef struct job {
    void (*step)(const vox_step_args *a);
    vox_step_args args;
} job;

static void run_job(void *arg)
{
    const job *j = arg;

    j->step(&j->args);
}

/* Parameters [first, last) with gradient and of one age. */
static int run_end(const vox_optim *o, int first)
{
    const vox_params *p = o->params;
    int last = first + 1;

    while (last < p->n_param && p->param[last].touched && o->age[last] == o->age[first])
        last++;
    return last;
}

static float *real(const vox_params *p, float *block, int64_t offset)
{
    return block ? (float *)p->dev->type->real(p->dev, block + offset) : NULL;
}

static void step_run(vox_optim *o, int first, int last, float lr, float scale)
{
    vox_params *p = o->params;
    const vox_optim_cfg *cfg = &o->cfg;
    const vox_param *end = &p->param[last - 1];
    const int64_t at = p->param[first].offset;
    const int64_t age = o->age[first] + 1;
    const double n = (double)age;
    const float beta[2] = {(float)cfg->beta[0],
                           (float)cfg->beta[1]}; /* as the kernel has them */
    job j = {.step =
                 cfg->kind == VOX_OPTIM_SGD ? p->dev->steps->sgd : p->dev->steps->adamw};

    j.args = (vox_step_args){
        .count = end->offset + end->count - at,
        .value = real(p, p->value, at),
        .grad = real(p, p->grad, at),
        .moment = {real(p,                  p->moment[0], at), real(p,                 p->moment[1], at)},
        .lr = lr,
        .weight_decay = (float)cfg->weight_decay,
        .momentum = (float)cfg->momentum,
        .beta = {(float)cfg->beta[0],                    (float)cfg->beta[1]                               },
        .eps = (float)cfg->eps,
        .scale = scale,
        .correction = {1 - pow((double)beta[0], n),           1 - pow((double)beta[1],                 n)},
        .nesterov = cfg->nesterov,
        .first = age == 1,
    };
    vox_device_run(p->dev, run_job, &j);
    vox_device_sync(p->dev);
    for (int i = first; i < last; i++)
        o->age[i] = age;
}

int vox_optim_step(vox_optim *o, double lr, double *norm)
{
    vox_params *p = o->params;
    double total, scale = 1.0;

    VOX_TRY(vox_params_grad_norm(p, &total));
    if (norm)
        *norm = total;
    if (!isfinite(total))
        return vox_fail(VOX_E_NUMERIC, "the gradient's norm is %g", total);
    if (o->cfg.clip > 0)
        scale = fmin(1.0, o->cfg.clip / (total + 1e-6));
    for (int first = 0; first < p->n_param;) {
        int last = first + 1;

        if (p->param[first].touched) {
            last = run_end(o, first);
            step_run(o, first, last, (float)lr, (float)scale);
        }
        first = last;
    }
    return VOX_OK;
}
