/* inspect: checkpoints and other files of tensors. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/inspect.h"
#include "cli/report.h"
#include "io/npy.h"
#include "io/pth.h"
#include "io/safetensors.h"

static json_object *describe(const vox_tensors *ts, const vox_view *t)
{
    json_object *o = json_object_new_object();

    vox_report_text(o, "name", t->name);
    vox_report_text(o, "dtype", vox_dtype_name(t->dtype));
    vox_report_ints(o, "shape", t->shape.n, t->shape.rank);
    if (t->alias >= 0)
        vox_report_text(o, "alias_of", ts->item[t->alias].name);
    return o;
}

static json_object *begin(const char *path, const char *format)
{
    json_object *o = json_object_new_object();

    vox_report_text(o, "file", path);
    vox_report_text(o, "format", format);
    return o;
}

static void add_tensors(json_object *o, const vox_tensors *ts)
{
    json_object *list = json_object_new_array();

    for (int64_t i = 0; i < ts->count; i++)
        json_object_array_add(list, describe(ts, &ts->item[i]));
    json_object_object_add(o, "tensors", list);
}

/* ---- .pth ---- */

/* The dict that holds the weights: under the peer's key, a usual one, or the file itself.
 */
static const vox_obj *find_weights(const vox_obj *root)
{
    static const char *const keys[] = {"network_weights", "state_dict", "model_state_dict",
                                       "model"};

    for (int i = 0; i < VOX_COUNT(keys); i++) {
        const vox_obj *found = vox_obj_get(root, keys[i]);

        if (found && found->kind == VOX_OBJ_DICT)
            return found;
    }
    return root;
}

/* A number or text of a dict as a member; null when it is not there. */
static void copy_member(json_object *o, const char *to, const vox_obj *dict,
                        const char *key)
{
    const vox_obj *value = vox_obj_get(dict, key);
    json_object *v = NULL;

    if (value && (value->kind == VOX_OBJ_INT || value->kind == VOX_OBJ_STR) &&
        vox_obj_to_json(&v, value) != VOX_OK)
        v = NULL;
    json_object_object_add(o, to, v);
}

static json_object *training(const vox_obj *root)
{
    json_object *o = json_object_new_object();

    copy_member(o, "epoch", root, "current_epoch");
    copy_member(o, "step", vox_obj_get(root, "voxmind"), "step");
    copy_member(o, "trainer", root, "trainer_name");
    return o;
}

static json_object *plan(const vox_obj *root)
{
    const vox_obj *found = vox_obj_get(root, "nnssl_adaptation_plan");
    json_object *o = NULL;

    if (found && vox_obj_to_json(&o, found) != VOX_OK)
        o = NULL;
    vox_error_clear();
    return o;
}

static json_object *describe_pth(const vox_obj *root, const vox_tensors *ts,
                                 const char *path)
{
    json_object *o = begin(path, "pth");
    const int trained = vox_obj_get(root, "trainer_name") || vox_obj_get(root, "voxmind");

    add_tensors(o, ts);
    json_object_object_add(o, "plan", plan(root));
    json_object_object_add(o, "training", trained ? training(root) : NULL);
    return o;
}

int vox_inspect_pth(json_object **out, const char *path, const vox_inspect_how *how)
{
    vox_pth p = VOX_PTH_INIT;
    vox_tensors ts = VOX_TENSORS_INIT;
    int rc = vox_pth_read(&p, path, VOX_PTH_SKIP_UNKNOWN);

    (void)how;
    if (rc == VOX_OK)
        rc = vox_obj_tensors(&ts, find_weights(p.tree.root), path);
    if (rc == VOX_OK)
        *out = describe_pth(p.tree.root, &ts, path);
    vox_tensors_release(&ts);
    vox_pth_release(&p);
    return rc;
}

/* ---- .safetensors, .npy ---- */

static void add_meta(json_object *o, const vox_tensors *ts)
{
    json_object *meta = json_object_new_object();

    for (int64_t i = 0; i < ts->n_meta; i++)
        vox_report_text(meta, ts->meta[i].key, ts->meta[i].value);
    json_object_object_add(o, "metadata", meta);
}

int vox_inspect_safetensors(json_object **out, const char *path, const vox_inspect_how *how)
{
    vox_tensors ts = VOX_TENSORS_INIT;

    (void)how;
    VOX_TRY(vox_safetensors_read(&ts, path));
    *out = begin(path, "safetensors");
    add_tensors(*out, &ts);
    json_object_object_add(*out, "plan", NULL);
    json_object_object_add(*out, "training", NULL);
    add_meta(*out, &ts);
    vox_tensors_release(&ts);
    return VOX_OK;
}

int vox_inspect_npy(json_object **out, const char *path, const vox_inspect_how *how)
{
    vox_npy npy = VOX_NPY_INIT;

    (void)how;
    VOX_TRY(vox_npy_open(&npy, path));
    *out = begin(path, "npy");
    vox_report_text(*out, "dtype", vox_dtype_name(npy.tensor.dtype));
    vox_report_ints(*out, "shape", npy.tensor.shape.n, npy.tensor.shape.rank);
    vox_npy_close(&npy);
    return VOX_OK;
}
