/* engine: pieces of a batch through their plans. */
#include "train/engine.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- building ---- */

static void close_pass(vox_pass *p)
{
    vox_plan_free(p->plan);
    vox_graph_free(p->pretext.g);
    *p = (vox_pass){0};
}

/* Names of the values a pass keeps: the loss, and what is looked at. */
static void list_kept(const char *out[VOX_ENGINE_KEEP + 2], const vox_engine_cfg *cfg,
                      const vox_pass *p, vox_phase phase)
{
    int n = 0;

    out[n++] = "loss";
    if (phase == VOX_VALIDATION && vox_graph_find(p->pretext.g, "y"))
        out[n++] = "y";
    for (int i = 0; phase == VOX_TRAINING && cfg->keep && cfg->keep[i]; i++) {
        VOX_ASSERT(i < VOX_ENGINE_KEEP);
        out[n++] = cfg->keep[i];
    }
    out[n] = NULL;
}

static int open_pass(vox_pass *p, const vox_engine *e, vox_phase phase, int64_t batch)
{
    const char *keep[VOX_ENGINE_KEEP + 2];
    const vox_engine_cfg *cfg = &e->cfg;
    vox_plan_cfg plan = {.dev = e->dev, .recompute = cfg->recompute, .store = cfg->store};

    p->pretext = vox_setup_pretext(cfg->setup, phase, cfg->patch, batch);
    p->pretext.params = e->params;
    VOX_TRY(vox_graph_new(&p->pretext.g));
    VOX_TRY(cfg->setup->method->build(&p->pretext));
    VOX_TRY(vox_graph_status(p->pretext.g));
    if (!vox_graph_find(p->pretext.g, "loss"))
        vox_graph_name(p->pretext.g, p->pretext.loss, "loss");
    plan.loss = phase == VOX_TRAINING ? p->pretext.loss : NULL;
    list_kept(keep, cfg, p, phase);
    plan.keep = keep;
    return vox_plan_new(&p->plan, p->pretext.g, &plan);
}

static int open_passes(vox_engine *e)
{
    const int64_t rest = e->cfg.batch % e->cfg.micro;

    for (vox_phase phase = VOX_TRAINING; phase <= VOX_VALIDATION; phase++) {
        VOX_TRY(open_pass(&e->pass[phase][0], e, phase, e->cfg.micro));
        if (rest)
            VOX_TRY(open_pass(&e->pass[phase][1], e, phase, rest));
    }
    return VOX_OK;
}

static int declare(vox_engine *e)
{
    const vox_setup *setup = e->cfg.setup;
    const vox_pretext p =
        vox_setup_pretext(setup, VOX_TRAINING, e->cfg.patch, e->cfg.micro);

    VOX_TRY(vox_pretext_check(&p));
    if (e->cfg.store != VOX_F32 && !e->dev->kernels[0])
        return vox_fail(VOX_E_USAGE,
                        "--precision is %s, the kernel path %s computes in f32 only",
                        vox_dtype_name(e->cfg.store), e->dev->path);
    if (setup->method->couples && e->cfg.micro < e->cfg.batch)
        return vox_fail(
            VOX_E_USAGE,
            "micro-batch is %lld of %lld: the loss of \"%s\" couples samples, so the "
            "batch cannot be cut",
            (long long)e->cfg.micro, (long long)e->cfg.batch, setup->method->name);
    VOX_TRY(vox_params_new(&e->params, e->dev));
    return setup->model.net->declare(&setup->model, e->params);
}

int vox_engine_open(vox_engine *e, const vox_engine_cfg *cfg, vox_device *dev)
{
    int rc;

    *e = (vox_engine)VOX_ENGINE_INIT;
    e->cfg = *cfg;
    e->dev = dev;
    rc = declare(e);
    if (rc == VOX_OK)
        rc = open_passes(e);
    if (rc != VOX_OK)
        vox_engine_close(e);
    return rc;
}

void vox_engine_close(vox_engine *e)
{
    for (int i = 0; i < 4; i++)
        close_pass(&e->pass[i / 2][i % 2]);
    vox_block_release(&e->block);
    vox_params_free(e->params);
    *e = (vox_engine)VOX_ENGINE_INIT;
}

/* The largest plan binds first, so that the block never grows under a bound plan. */
int vox_engine_start(vox_engine *e, uint64_t seed)
{
    vox_pass *all = &e->pass[0][0], *largest = all;

    VOX_TRY(vox_params_seal(e->params));
    VOX_TRY(vox_params_init(e->params, seed));
    for (int i = 1; i < 4; i++) {
        if (all[i].plan && vox_plan_bytes(all[i].plan) > vox_plan_bytes(largest->plan))
            largest = &all[i];
    }
    VOX_TRY(vox_plan_bind(largest->plan, &e->block));
    for (int i = 0; i < 4; i++) {
        if (all[i].plan && &all[i] != largest)
            VOX_TRY(vox_plan_bind(all[i].plan, &e->block));
    }
    return VOX_OK;
}

size_t vox_engine_bytes(const vox_engine *e)
{
    const vox_pass *all = &e->pass[0][0];
    size_t most = 0;

    for (int i = 0; i < 4; i++) {
        if (all[i].plan && vox_plan_bytes(all[i].plan) > most)
            most = vox_plan_bytes(all[i].plan);
    }
    return most;
}

double vox_engine_flops(const vox_engine *e)
{
    const vox_pass *p = e->pass[VOX_TRAINING];
    double forward =
        (double)(e->cfg.batch / e->cfg.micro) * vox_graph_flops(p[0].pretext.g);

    if (p[1].plan)
        forward += vox_graph_flops(p[1].pretext.g);
    return 3 * forward; /* data and weight gradients cost a forward each */
}

vox_plan *vox_engine_plan(const vox_engine *e)
{
    return e->pass[VOX_TRAINING][0].plan;
}

/* ---- running ---- */

/* Every input of the graph has its array in the batch. */
static int check_inputs(const vox_pass *p, const vox_batch *b)
{
    const vox_graph *g = p->pretext.g;

    for (int64_t i = 0; i < g->count; i++) {
        const vox_node *node = g->node[i];

        if (node->op || node->params || node->pick_of ||
            vox_sample_find(&b->stack, node->name))
            continue;
        return vox_fail(VOX_E_MISSING,
                        "%s: samples have no array \"%s\", which its graph takes",
                        p->pretext.method->name, node->name);
    }
    return VOX_OK;
}

static int fill(vox_plan *plan, const vox_batch *b, int64_t first, int64_t count)
{
    for (int i = 0; i < b->stack.count; i++) {
        const vox_array *a = &b->stack.array[i];
        vox_shape shape = a->shape;

        shape.n[0] = count;
        VOX_TRY(vox_plan_set(plan, a->name, a->dtype, shape, vox_batch_row(a, first)));
    }
    return VOX_OK;
}

/* Forward of the piece that starts at `first`: its pass, size and loss. */
static int run_piece(vox_engine *e, vox_phase phase, const vox_batch *b, int64_t first,
                     vox_pass **pass, int64_t *count, double *loss)
{
    float value;

    *count = smaller(e->cfg.micro, b->size - first);
    *pass = &e->pass[phase][*count < e->cfg.micro];
    if (!e->checked[phase])
        VOX_TRY(check_inputs(*pass, b));
    e->checked[phase] = 1;
    VOX_TRY(fill((*pass)->plan, b, first, *count));
    VOX_TRY(vox_plan_forward((*pass)->plan));
    VOX_TRY(vox_plan_get((*pass)->plan, "loss", &value));
    *loss = (double)value;
    return VOX_OK;
}

int vox_engine_gradient(vox_engine *e, const vox_batch *b, double *loss)
{
    const double all = vox_batch_weight(b, 0, b->size);
    int64_t count;

    VOX_ASSERT(b->size == e->cfg.batch);
    *loss = 0;
    vox_params_begin_step(e->params);
    for (int64_t first = 0; first < b->size && isfinite(*loss); first += count) {
        double piece, share;
        vox_pass *pass;

        VOX_TRY(run_piece(e, VOX_TRAINING, b, first, &pass, &count, &piece));
        share = vox_batch_weight(b, first, count) / all;
        *loss += share * piece;
        if (isfinite(*loss))
            VOX_TRY(vox_plan_backward(pass->plan, (float)share));
        if (e->cfg.look)
            VOX_TRY(e->cfg.look(e->cfg.look_arg, pass, first, count));
    }
    return VOX_OK;
}

int vox_engine_has(const vox_engine *e, const char *name)
{
    return vox_graph_find(e->pass[VOX_VALIDATION][0].pretext.g, name) != NULL;
}

int vox_engine_evaluate(vox_engine *e, const vox_batch *b, double *loss, float *y)
{
    const double all = vox_batch_weight(b, 0, b->size);
    int64_t count;

    VOX_ASSERT(b->size == e->cfg.batch);
    *loss = 0;
    for (int64_t first = 0; first < b->size; first += count) {
        double piece;
        vox_pass *pass;

        VOX_TRY(run_piece(e, VOX_VALIDATION, b, first, &pass, &count, &piece));
        *loss += vox_batch_weight(b, first, count) / all * piece;
        if (y) {
            const vox_node *node = vox_graph_find(pass->pretext.g, "y");

            VOX_TRY(vox_plan_get(pass->plan, "y", y));
            y += vox_shape_count(vox_node_shape(node));
        }
    }
    return VOX_OK;
}
