/* checkpoint_read: a .pth file back into a run, verified first. */
#include <json-c/json_object.h>
#include <libdeflate.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "train/checkpoint.h"

/* ---- checksum ---- */

static int sum_view(uint32_t *crc, const vox_view *v)
{
    const int64_t count = vox_shape_count(v->shape);
    float *host = vox_alloc((size_t)count, sizeof *host);

    if (!host)
        return VOX_E_NOMEM;
    vox_view_f32(host, v);
    *crc = libdeflate_crc32(*crc, host, (size_t)count * sizeof *host);
    vox_free(host);
    return VOX_OK;
}

static int sum_values(uint32_t *crc, const vox_obj *weights, const char *path)
{
    vox_tensors set = VOX_TENSORS_INIT;
    int rc = vox_obj_tensors(&set, weights, path);

    for (int64_t i = 0; rc == VOX_OK && i < set.count; i++) {
        if (set.item[i].alias < 0)
            rc = sum_view(crc, &set.item[i]);
    }
    vox_tensors_release(&set);
    return rc;
}

/* One kind of moment of all parameters that have it, in their order. */
static int sum_moments(uint32_t *crc, const vox_obj *state, const char *name)
{
    for (int64_t k = 0; k < state->list.count; k += 2) {
        const vox_obj *tensor = vox_obj_get(state->list.item[k + 1], name);

        if (tensor && tensor->kind == VOX_OBJ_TENSOR)
            VOX_TRY(sum_view(crc, &tensor->tensor->view));
    }
    return VOX_OK;
}

static int verify(const vox_obj *root, const vox_obj *own, const char *path)
{
    static const char *const moments[] = {"momentum_buffer", "exp_avg", "exp_avg_sq"};
    vox_obj *weights, *optimizer, *state;
    const char *want;
    uint32_t crc = 0;
    char found[32];

    VOX_TRY(vox_obj_need_str(&want, own, "checksum", path));
    VOX_TRY(vox_obj_need_dict(&weights, root, "network_weights", path));
    VOX_TRY(vox_obj_need_dict(&optimizer, root, "optimizer_state", path));
    VOX_TRY(vox_obj_need_dict(&state, optimizer, "state", path));
    VOX_TRY(sum_values(&crc, weights, path));
    for (int i = 0; i < VOX_COUNT(moments); i++)
        VOX_TRY(sum_moments(&crc, state, moments[i]));
    snprintf(found, sizeof found, "crc32:%08x", crc);
    if (strcmp(found, want))
        return vox_fail(VOX_E_FORMAT, "%s: checksum of the tensors is %s, wanted %s", path,
                        found, want);
    return VOX_OK;
}

/* ---- counters ---- */

static int read_number(double *out, const vox_obj *list, int64_t i, const char *path)
{
    const vox_obj *o = i < list->list.count ? list->list.item[i] : NULL;

    if (!o || (o->kind != VOX_OBJ_FLOAT && o->kind != VOX_OBJ_INT))
        return vox_fail(VOX_E_FORMAT, "%s: logging: no number for epoch %lld", path,
                        (long long)i);
    *out = o->kind == VOX_OBJ_INT ? (double)o->i : o->f;
    return VOX_OK;
}

static int read_records(vox_progress *at, const vox_obj *root, const char *path)
{
    static const char *const names[] = {"train_losses", "val_losses", "lrs",
                                        "epoch_start_timestamps", "epoch_end_timestamps"};
    vox_obj *logging, *list[VOX_COUNT(names)];

    VOX_TRY(vox_obj_need_dict(&logging, root, "logging", path));
    for (int k = 0; k < VOX_COUNT(names); k++) {
        VOX_TRY(vox_obj_need_list(&list[k], logging, names[k], path));
        if (list[k]->list.count != at->epoch)
            return vox_fail(VOX_E_FORMAT, "%s: logging: %s has %lld values, wanted %lld",
                            path, names[k], (long long)list[k]->list.count,
                            (long long)at->epoch);
    }
    VOX_TRY(vox_grow(&at->record, &at->cap, at->epoch, sizeof *at->record));
    for (int64_t e = 0; e < at->epoch; e++) {
        vox_epoch_record *r = &at->record[e];
        double *const to[] = {&r->train_loss, &r->val_loss, &r->lr, &r->start, &r->end};

        for (int k = 0; k < VOX_COUNT(names); k++)
            VOX_TRY(read_number(to[k], list[k], e, path));
    }
    return VOX_OK;
}

static int read_progress(vox_saved *s, const vox_obj *root, const vox_obj *own)
{
    vox_progress *at = &s->at;
    const vox_obj *best = vox_obj_get(root, "_best_ema");

    vox_progress_init(at);
    VOX_TRY(vox_obj_need_int(&s->seed, own, "seed", s->path));
    VOX_TRY(vox_obj_need_int(&at->epoch, own, "epoch", s->path));
    VOX_TRY(vox_obj_need_int(&at->step, own, "step_in_epoch", s->path));
    VOX_TRY(vox_obj_need_int(&at->total, own, "step", s->path));
    VOX_TRY(vox_obj_need_float(&at->loss_sum, own, "loss_sum", s->path));
    VOX_TRY(vox_obj_need_int(&at->loss_count, own, "loss_count", s->path));
    VOX_TRY(vox_obj_need_int(&at->nonfinite, own, "nonfinite", s->path));
    VOX_TRY(vox_obj_need_float(&at->start, own, "epoch_start", s->path));
    if (best && best->kind == VOX_OBJ_FLOAT)
        at->best = best->f;
    if (at->epoch < 0 || at->step < 0 || at->total < 0)
        return vox_fail(VOX_E_FORMAT, "%s: voxmind: a counter is negative", s->path);
    return read_records(at, root, s->path);
}

/* ---- opening ---- */

static int open_saved(vox_saved *s, const char *path)
{
    const vox_obj *root;
    vox_obj *own, *settings;

    s->path = vox_strdup(path);
    if (!s->path)
        return VOX_E_NOMEM;
    VOX_TRY(vox_pth_read(&s->pth, path, 0));
    root = s->pth.tree.root;
    if (!vox_obj_get(root, "voxmind"))
        return vox_fail(
            VOX_E_ARG,
            "%s: has no \"voxmind\": not written by this program, so it cannot be "
            "continued exactly; -pretrained_weights takes its weights",
            path);
    VOX_TRY(vox_obj_need_dict(&own, root, "voxmind", path));
    VOX_TRY(vox_obj_need_dict(&settings, own, "settings", path));
    VOX_TRY(vox_obj_to_json(&s->settings, settings));
    VOX_TRY(read_progress(s, root, own));
    VOX_TRY(verify(root, own, path));
    vox_map_relax(&s->pth.map);
    return VOX_OK;
}

int vox_saved_open(vox_saved *out, const char *path)
{
    const int rc = open_saved(out, path);

    if (rc != VOX_OK)
        vox_saved_close(out);
    return rc;
}

const char *vox_saved_kernels(const vox_saved *s)
{
    const vox_obj *o = vox_obj_get(vox_obj_get(s->pth.tree.root, "voxmind"), "kernels");

    return o && o->kind == VOX_OBJ_STR ? o->str.text : NULL;
}

void vox_saved_close(vox_saved *s)
{
    json_object_put(s->settings);
    vox_pth_release(&s->pth);
    vox_progress_release(&s->at);
    vox_free(s->path);
    *s = (vox_saved)VOX_SAVED_INIT;
}

/* ---- restoring ---- */

static int set_param(vox_params *p, float *block, int index, const vox_view *v,
                     const char *path)
{
    const vox_param *q = &p->param[index];
    char found[128], want[128];
    float *host;
    int rc;

    if (!vox_shape_equal(v->shape, q->shape))
        return vox_fail(VOX_E_FORMAT, "%s: \"%s\" is %s, wanted %s", path, q->name,
                        vox_shape_text(v->shape, found), vox_shape_text(q->shape, want));
    host = vox_alloc((size_t)q->count, sizeof *host);
    if (!host)
        return VOX_E_NOMEM;
    vox_view_f32(host, v);
    rc = vox_params_set(p, block, index, host);
    vox_free(host);
    return rc;
}

static int restore_values(const vox_saved *s, vox_params *p)
{
    vox_obj *weights;

    VOX_TRY(vox_obj_need_dict(&weights, s->pth.tree.root, "network_weights", s->path));
    for (int i = 0; i < p->n_param; i++) {
        const vox_view *v;

        VOX_TRY(vox_obj_need_tensor(&v, weights, p->param[i].name, s->path));
        VOX_TRY(set_param(p, p->value, i, v, s->path));
        vox_map_relax(&s->pth.map); /* the file is as large as the run's parameters */
    }
    return VOX_OK;
}

static int restore_moments(const vox_saved *s, vox_optim *o, int index,
                           const vox_obj *state)
{
    static const char *const sgd[] = {"momentum_buffer"}, *const adam[] = {"exp_avg",
                                                                           "exp_avg_sq"};
    const char *const *names = o->cfg.kind == VOX_OPTIM_ADAMW ? adam : sgd;

    for (int m = 0; m < vox_optim_moments(o->cfg.kind); m++) {
        const vox_view *v;

        VOX_TRY(vox_obj_need_tensor(&v, state, names[m], s->path));
        VOX_TRY(set_param(o->params, o->params->moment[m], index, v, s->path));
        vox_map_relax(&s->pth.map);
    }
    return VOX_OK;
}

static int restore_optim(const vox_saved *s, vox_optim *o)
{
    const vox_obj *own = vox_obj_get(s->pth.tree.root, "voxmind");
    vox_obj *optimizer, *state, *ages;
    int64_t n = 0;

    VOX_TRY(vox_obj_need_dict(&optimizer, s->pth.tree.root, "optimizer_state", s->path));
    VOX_TRY(vox_obj_need_dict(&state, optimizer, "state", s->path));
    VOX_TRY(vox_obj_need_list(&ages, own, "ages", s->path));
    if (ages->list.count != o->params->n_param)
        return vox_fail(VOX_E_FORMAT, "%s: %lld parameters, wanted %d", s->path,
                        (long long)ages->list.count, o->params->n_param);
    for (int i = 0; i < o->params->n_param; i++) {
        const vox_obj *age = ages->list.item[i];

        if (age->kind != VOX_OBJ_INT)
            return vox_fail(VOX_E_FORMAT, "%s: an age is no integer", s->path);
        o->age[i] = age->i;
        if (o->age[i] > 0)
            VOX_TRY(restore_moments(s, o, i, vox_obj_get_int(state, n)));
        n += o->params->param[i].role == VOX_ROLE_PARAM;
    }
    return VOX_OK;
}

int vox_saved_restore(const vox_saved *s, vox_params *params, vox_optim *optim)
{
    VOX_TRY(restore_values(s, params));
    return restore_optim(s, optim);
}

static int take_weights(vox_params *p, const vox_pth *pth, const char *path)
{
    vox_obj *weights;

    VOX_TRY(vox_obj_need_dict(&weights, pth->tree.root, "network_weights", path));
    for (int i = 0; i < p->n_param; i++) {
        const vox_view *v;

        if (strstr(p->param[i].name, ".seg_layers."))
            continue;
        VOX_TRY(vox_obj_need_tensor(&v, weights, p->param[i].name, path));
        VOX_TRY(set_param(p, p->value, i, v, path));
        vox_map_relax(&pth->map);
    }
    return VOX_OK;
}

int vox_checkpoint_weights(vox_params *params, const char *path)
{
    vox_pth pth = VOX_PTH_INIT;
    int rc = vox_pth_read(&pth, path, VOX_PTH_SKIP_UNKNOWN);

    if (rc == VOX_OK)
        rc = take_weights(params, &pth, path);
    vox_pth_release(&pth);
    return rc;
}
