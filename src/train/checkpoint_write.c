/* checkpoint_write: the tree of a .pth file from a run. */
#include <json-c/json_object.h>
#include <libdeflate.h>
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/version.h"
#include "train/checkpoint.h"

/* ---- tensors ---- */

/* Where a storage's elements come from: a parameter's run of a block. */
typedef struct source {
    vox_params *params;
    const float *from;
} source;

static int fetch(void *arg, int64_t first, int64_t count, void *dst)
{
    const source *s = arg;

    return vox_device_download(s->params->dev, dst, s->from + first,
                               (size_t)count * sizeof(float));
}

static vox_obj *block_tensor(vox_tree *t, vox_params *p, const float *block, int index)
{
    const vox_param *q = &p->param[index];
    source *s = vox_arena_alloc(&t->arena, 1, sizeof *s);

    if (!s)
        return NULL;
    *s = (source){p, block + q->offset};
    return vox_obj_tensor(t, vox_storage_fetched(t, VOX_F32, q->count, fetch, s), 0,
                          q->shape);
}

/* Every name of the state dict; names of one parameter share its storage. */
static vox_obj *weights(vox_tree *t, vox_params *p)
{
    vox_obj *dict = vox_obj_dict(t);
    vox_obj **made = vox_arena_alloc(&t->arena, (size_t)p->n_param, sizeof(vox_obj *));

    for (int k = 0; made && k < p->n_key; k++) {
        const int i = p->key[k].param;

        if (!made[i])
            made[i] = block_tensor(t, p, p->value, i);
        vox_obj_set(t, dict, p->key[k].name, made[i]);
    }
    return made ? dict : NULL;
}

/* ---- optimizer ---- */

static vox_obj *scalar(vox_tree *t, double v)
{
    float *host = vox_arena_alloc(&t->arena, 1, sizeof *host);

    if (!host)
        return NULL;
    *host = (float)v;
    return vox_obj_tensor(t, vox_storage_new(t, VOX_F32, 1, host), 0, (vox_shape){0});
}

static vox_obj *moments(vox_tree *t, const vox_optim *o, int index)
{
    vox_params *p = o->params;
    vox_obj *dict = vox_obj_dict(t);

    if (o->cfg.kind == VOX_OPTIM_ADAMW) {
        vox_obj_set(t, dict, "step", scalar(t, (double)o->age[index]));
        vox_obj_set(t, dict, "exp_avg", block_tensor(t, p, p->moment[0], index));
        vox_obj_set(t, dict, "exp_avg_sq", block_tensor(t, p, p->moment[1], index));
    } else {
        vox_obj_set(t, dict, "momentum_buffer", block_tensor(t, p, p->moment[0], index));
    }
    return dict;
}

static void set_sgd(vox_tree *t, vox_obj *g, const vox_optim_cfg *cfg)
{
    vox_obj_set(t, g, "momentum", vox_obj_float(t, cfg->momentum));
    vox_obj_set(t, g, "dampening", vox_obj_int(t, 0));
    vox_obj_set(t, g, "weight_decay", vox_obj_float(t, cfg->weight_decay));
    vox_obj_set(t, g, "nesterov", vox_obj_bool(t, cfg->nesterov));
    vox_obj_set(t, g, "maximize", vox_obj_bool(t, 0));
    vox_obj_set(t, g, "foreach", vox_obj_none(t));
    vox_obj_set(t, g, "differentiable", vox_obj_bool(t, 0));
    vox_obj_set(t, g, "fused", vox_obj_none(t));
}

static void set_adamw(vox_tree *t, vox_obj *g, const vox_optim_cfg *cfg)
{
    vox_obj *betas = vox_obj_tuple(t);

    vox_obj_append(t, betas, vox_obj_float(t, cfg->beta[0]));
    vox_obj_append(t, betas, vox_obj_float(t, cfg->beta[1]));
    vox_obj_set(t, g, "betas", betas);
    vox_obj_set(t, g, "eps", vox_obj_float(t, cfg->eps));
    vox_obj_set(t, g, "weight_decay", vox_obj_float(t, cfg->weight_decay));
    vox_obj_set(t, g, "amsgrad", vox_obj_bool(t, 0));
    vox_obj_set(t, g, "foreach", vox_obj_none(t));
    vox_obj_set(t, g, "maximize", vox_obj_bool(t, 0));
    vox_obj_set(t, g, "capturable", vox_obj_bool(t, 0));
    vox_obj_set(t, g, "differentiable", vox_obj_bool(t, 0));
    vox_obj_set(t, g, "fused", vox_obj_none(t));
}

/* The rate of the epoch done last, and the first: torch keeps both in the group. */
static vox_obj *group(vox_tree *t, const vox_saving *s, int64_t n)
{
    const vox_optim_cfg *cfg = &s->optim->cfg;
    const vox_progress *at = s->at;
    json_object *recipe = vox_json_get(s->settings, "recipe");
    const double first = json_object_get_double(vox_json_get(recipe, "lr"));
    vox_obj *g = vox_obj_dict(t), *list = vox_obj_list(t);

    vox_obj_set(t, g, "lr",
                vox_obj_float(t, at->epoch ? at->record[at->epoch - 1].lr : first));
    if (cfg->kind == VOX_OPTIM_ADAMW)
        set_adamw(t, g, cfg);
    else
        set_sgd(t, g, cfg);
    vox_obj_set(t, g, "initial_lr", vox_obj_float(t, first));
    for (int64_t i = 0; i < n; i++)
        vox_obj_append(t, list, vox_obj_int(t, i));
    vox_obj_set(t, g, "params", list);
    return g;
}

static vox_obj *optimizer(vox_tree *t, const vox_saving *s)
{
    vox_obj *dict = vox_obj_dict(t), *state = vox_obj_dict(t), *groups = vox_obj_list(t);
    int64_t n = 0;

    for (int i = 0; i < s->params->n_param; i++) {
        if (s->params->param[i].role != VOX_ROLE_PARAM)
            continue;
        if (s->optim->age[i] > 0)
            vox_obj_set_obj(t, state, vox_obj_int(t, n), moments(t, s->optim, i));
        n++;
    }
    vox_obj_append(t, groups, group(t, s, n));
    vox_obj_set(t, dict, "state", state);
    vox_obj_set(t, dict, "param_groups", groups);
    return dict;
}

/* ---- the rest ---- */

static vox_obj *logging(vox_tree *t, const vox_progress *at)
{
    static const char *const names[] = {"train_losses", "val_losses", "lrs",
                                        "epoch_start_timestamps", "epoch_end_timestamps"};
    vox_obj *dict = vox_obj_dict(t), *list[VOX_COUNT(names)];

    for (int k = 0; k < VOX_COUNT(names); k++) {
        list[k] = vox_obj_list(t);
        vox_obj_set(t, dict, names[k], list[k]);
    }
    for (int64_t e = 0; e < at->epoch; e++) {
        const vox_epoch_record *r = &at->record[e];
        const double v[] = {r->train_loss, r->val_loss, r->lr, r->start, r->end};

        for (int k = 0; k < VOX_COUNT(names); k++)
            vox_obj_append(t, list[k], vox_obj_float(t, v[k]));
    }
    return dict;
}

/* The peer's constructor arguments; the data description stays out (checkpoints.md 7). */
static vox_obj *init_args(vox_tree *t, const vox_saving *s)
{
    vox_obj *dict = vox_obj_dict(t);

    vox_obj_set(t, dict, "plan", vox_obj_from_json(t, s->plan));
    vox_obj_set(t, dict, "configuration_name", vox_obj_str(t, s->configuration));
    vox_obj_set(t, dict, "fold", vox_obj_str(t, "all"));
    vox_obj_set(t, dict, "pretrain_json", vox_obj_dict(t));
    vox_obj_set(t, dict, "device", vox_obj_device(t, "cpu"));
    return dict;
}

/* What exact resuming needs beyond the peer's keys. */
static vox_obj *own(vox_tree *t, const vox_saving *s, uint32_t checksum)
{
    const vox_progress *at = s->at;
    vox_obj *dict = vox_obj_dict(t), *ages = vox_obj_list(t);
    char text[32];

    snprintf(text, sizeof text, "crc32:%08x", checksum);
    for (int i = 0; i < s->params->n_param; i++)
        vox_obj_append(t, ages, vox_obj_int(t, s->optim->age[i]));
    vox_obj_set(t, dict, "version", vox_obj_str(t, vox_version()));
    vox_obj_set(t, dict, "commit", vox_obj_str(t, vox_commit()));
    vox_obj_set(t, dict, "kernels", vox_obj_str(t, s->params->dev->path));
    vox_obj_set(t, dict, "seed", vox_obj_from_json(t, vox_json_get(s->settings, "seed")));
    vox_obj_set(t, dict, "epoch", vox_obj_int(t, at->epoch));
    vox_obj_set(t, dict, "step_in_epoch", vox_obj_int(t, at->step));
    vox_obj_set(t, dict, "step", vox_obj_int(t, at->total));
    vox_obj_set(t, dict, "loss_sum", vox_obj_float(t, at->loss_sum));
    vox_obj_set(t, dict, "loss_count", vox_obj_int(t, at->loss_count));
    vox_obj_set(t, dict, "nonfinite", vox_obj_int(t, at->nonfinite));
    vox_obj_set(t, dict, "epoch_start", vox_obj_float(t, at->start));
    vox_obj_set(t, dict, "ages", ages);
    vox_obj_set(t, dict, "checksum", vox_obj_str(t, text));
    vox_obj_set(t, dict, "settings", vox_obj_from_json(t, s->settings));
    return dict;
}

static void fill(vox_tree *t, const vox_saving *s, uint32_t checksum)
{
    vox_obj *root = vox_obj_dict(t);

    vox_obj_set(t, root, "network_weights", weights(t, s->params));
    vox_obj_set(t, root, "optimizer_state", optimizer(t, s));
    vox_obj_set(t, root, "grad_scaler_state", vox_obj_none(t));
    vox_obj_set(t, root, "logging", logging(t, s->at));
    vox_obj_set(t, root, "_best_ema",
                isfinite(s->at->best) ? vox_obj_float(t, s->at->best) : vox_obj_none(t));
    vox_obj_set(t, root, "current_epoch", vox_obj_int(t, s->at->epoch));
    vox_obj_set(t, root, "init_args", init_args(t, s));
    vox_obj_set(t, root, "trainer_name", vox_obj_str(t, s->trainer));
    vox_obj_set(t, root, "nnssl_adaptation_plan", vox_obj_from_json(t, s->adaptation));
    vox_obj_set(t, root, "voxmind", own(t, s, checksum));
    t->root = root;
}

/* Over all values, then the moments of parameters that have them, in the order of the
 * block. */
static int sum_block(uint32_t *crc, vox_params *p, const float *block, const int64_t *age)
{
    int rc = VOX_OK;

    for (int i = 0; i < p->n_param && rc == VOX_OK; i++) {
        const vox_param *q = &p->param[i];
        float *host;

        if (age && age[i] == 0)
            continue;
        host = vox_alloc((size_t)q->count, sizeof *host);
        rc = host ? vox_params_get(p, block, i, host) : VOX_E_NOMEM;
        if (rc == VOX_OK)
            *crc = libdeflate_crc32(*crc, host, (size_t)q->count * sizeof *host);
        vox_free(host);
    }
    return rc;
}

static int sum_tensors(uint32_t *crc, vox_params *p, const vox_optim *o)
{
    *crc = 0;
    VOX_TRY(sum_block(crc, p, p->value, NULL));
    for (int m = 0; m < vox_optim_moments(o->cfg.kind); m++)
        VOX_TRY(sum_block(crc, p, p->moment[m], o->age));
    return VOX_OK;
}

int vox_checkpoint_write(const char *path, const vox_saving *s)
{
    vox_tree t = VOX_TREE_INIT;
    uint32_t checksum;
    int rc;

    VOX_TRY(sum_tensors(&checksum, s->params, s->optim));
    fill(&t, s, checksum);
    rc = vox_tree_status(&t);
    if (rc == VOX_OK)
        rc = vox_pth_write(path, &t);
    vox_tree_release(&t);
    return rc;
}
