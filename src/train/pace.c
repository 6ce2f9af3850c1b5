/*
 * pace: a step is the sum of its problems (graph/problem_list.h), each as often as it
 * occurs, and of the optimizer's pass over the parameters.
 *
 * Kernels work through a volume in tiles that stay near the core, so a large problem takes
 * as long as its voxels are many: it is timed on a part of them. What is small stays whole,
 * as small volumes cost more per voxel. In a step every call finds its operands where other
 * calls have left them, often out of the caches, and not where it had them itself: that is
 * worth a constant share of the time, measured on whole steps.
 */
#include "train/pace.h"

#include "backend/cpu/peak.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "graph/problem_list.h"

enum {
    MOST_BYTES = 96 << 20, /* of a problem that is timed, if one may choose */
    LEAST_EDGE = 8,
    TURNS = 3,
    UPDATED = 1 << 22 /* parameters */
};

#define MOST    5e-3 /* seconds that a problem's forward may take at the peak */
#define ENOUGH  2e-3 /* a call that takes them is not repeated */
#define PLENTY  0.1  /* the first call is enough: touching memory is lost in it */
#define COLD    1.15 /* a call amid a step, relative to one after its like */
#define PLAINLY 0.01 /* share of the peak that the ops' own functions reach */

/* ---- a part of a problem ---- */

static double flops_of(const vox_problem_spec *s)
{
    const vox_infer io = vox_problem_infer(s);

    return s->op->flops ? s->op->flops(&io) : 0;
}

/* Of all tensors and their gradients. */
static double bytes_of(const vox_problem_spec *s)
{
    double n = 0;

    for (int i = 0; i < s->n_in; i++)
        n += s->in[i].shape.rank < 0 ? 0 : (double)vox_shape_count(s->in[i].shape);
    for (int i = 0; i < s->n_out; i++)
        n += (double)vox_shape_count(s->out[i].shape);
    return 2 * n * (double)sizeof(float);
}

/* Halve the longest edge. @return 0 where that cannot be */
static int halve(vox_problem_spec *s)
{
    const vox_shape *x = &s->in[0].shape;
    int64_t edge[3];
    int longest = 0;

    if (x->rank != 5)
        return 0;
    for (int i = 0; i < 3; i++) {
        edge[i] = x->n[2 + i];
        longest = edge[i] > edge[longest] ? i : longest;
    }
    if (edge[longest] < 2 * LEAST_EDGE)
        return 0;
    edge[longest] /= 2;
    if (vox_problem_resize(s, edge) == VOX_OK)
        return 1;
    vox_error_clear();
    return 0;
}

/* What a problem's forward may compute. */
static double most_flops(const vox_device *dev)
{
    const int is_plain = !dev->kernels[0];
    const double peak =
        vox_cpu_peak_gflops(is_plain ? "plain" : dev->path, dev->ctx.threads);

    return 1e9 * MOST * peak * (is_plain ? PLAINLY : 1);
}

/* Cut a problem down. @return how many times it was larger */
static double cut(vox_problem_spec *s, double most)
{
    const double all = (double)vox_shape_count(s->in[0].shape);

    while (flops_of(s) > most || bytes_of(s) > MOST_BYTES) {
        if (!halve(s))
            break;
    }
    return all / (double)vox_shape_count(s->in[0].shape);
}

/* ---- timing ---- */

/* The first call touches the memory; it only says whether a second one is enough. */
static double seconds_of(vox_trial *t, vox_trial_pass pass)
{
    double s[TURNS], least;
    int turns;

    vox_trial_time(t, pass, 1, s);
    if (s[0] > PLENTY)
        return s[0];
    turns = s[0] > ENOUGH ? 1 : TURNS;
    vox_trial_time(t, pass, turns, s);
    least = s[0];
    for (int i = 1; i < turns; i++)
        least = s[i] < least ? s[i] : least;
    return least;
}

static void add_passes(vox_pace *sum, const vox_problem_item *it, vox_trial *t,
                       double times)
{
    for (int pass = 0; pass < VOX_TRIAL_PASSES; pass++) {
        const vox_trial_pass p = (vox_trial_pass)pass;
        double s;

        if (!it->count[pass] || !vox_trial_has(t, p))
            continue;
        s = COLD * times * seconds_of(t, p);
        sum->step += it->count[pass] * s;
        if (p != VOX_TRIAL_FORWARD)
            continue;
        sum->step += it->rebuilds * s;
        sum->forward += it->count[pass] * s;
    }
}

static int add_item(vox_pace *sum, const vox_problem_item *it, vox_device *dev, double most)
{
    vox_trial t = VOX_TRIAL_INIT;
    vox_problem_spec spec;
    double times;
    int rc;

    VOX_TRY(vox_problem_item_parse(&spec, it));
    times = cut(&spec, most);
    rc = vox_trial_init(&t, &spec, dev, it->grads, it->bf16);
    if (rc == VOX_OK)
        add_passes(sum, it, &t, times);
    vox_trial_release(&t);
    vox_problem_release(&spec);
    return rc;
}

/* Of one piece of the batch. */
static int add_piece(vox_pace *sum, const vox_engine *e)
{
    const double most = most_flops(e->dev);
    vox_problem_list l = VOX_PROBLEM_LIST_INIT;
    int rc = vox_problem_list_add_plan(&l, vox_engine_plan(e),
                                       e->pass[VOX_TRAINING][0].pretext.g, NULL);

    for (int64_t i = 0; i < l.count && rc == VOX_OK; i++)
        rc = add_item(sum, &l.v[i], e->dev, most);
    vox_problem_list_release(&l);
    return rc;
}

/* Parameters of some number, their gradients zero and taken for new. */
static int make_params(vox_params **out, vox_device *dev, int64_t count)
{
    float *zero = vox_zalloc((size_t)count, sizeof *zero);
    vox_params *p = NULL;
    int rc = zero ? vox_params_new(&p, dev) : VOX_E_NOMEM;

    if (rc == VOX_OK)
        rc = vox_params_add(p, "p", VOX_SHAPE(count), (vox_init){VOX_INIT_CONST, 0, 0});
    if (rc == VOX_OK)
        rc = vox_params_seal(p);
    if (rc == VOX_OK)
        rc = vox_params_init(p, 0);
    if (rc == VOX_OK)
        rc = vox_params_set(p, p->grad, 0, zero);
    if (rc == VOX_OK)
        p->param[0].touched = 1;
    vox_free(zero);
    *out = p;
    return rc;
}

/* The optimizer's pass over them; the first finds its moments untouched. */
static int time_update(double *seconds, vox_params *p, const vox_optim_cfg *cfg)
{
    vox_optim *o = NULL;
    int rc = vox_optim_new(&o, p, cfg);

    for (int i = 0; i < 2 && rc == VOX_OK; i++) {
        const double start = vox_clock();

        rc = vox_optim_step(o, 0, NULL);
        vox_device_sync(p->dev);
        *seconds = vox_clock() - start;
    }
    vox_optim_free(o);
    return rc;
}

static int add_update(vox_pace *sum, const vox_engine *e, const vox_optim_cfg *cfg)
{
    const int64_t all = e->params->count, count = all < UPDATED ? all : UPDATED;
    vox_params *p = NULL;
    double seconds = 0;
    int rc = make_params(&p, e->dev, count);

    if (rc == VOX_OK)
        rc = time_update(&seconds, p, cfg);
    vox_params_free(p);
    sum->step += seconds * (double)all / (double)count;
    return rc;
}

int vox_pace_measure(vox_pace *out, const vox_engine *engine, const vox_optim_cfg *optim)
{
    const double pieces = (double)engine->cfg.batch / (double)engine->cfg.micro;

    *out = (vox_pace){0};
    VOX_TRY(add_piece(out, engine));
    out->step *= pieces;
    out->forward *= pieces;
    return add_update(out, engine, optim);
}
