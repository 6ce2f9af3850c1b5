/* inspect: the .json files of datasets and runs, told apart by their keys. */
#include <json-c/linkhash.h>
#include <string.h>

#include "base/dict.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/inspect.h"
#include "cli/report.h"
#include "data/fingerprint.h"
#include "data/planner.h"
#include "data/records.h"
#include "data/splits.h"

/* ---- what each kind holds ---- */

static int add_fingerprint(json_object *o, json_object *root, const char *path)
{
    vox_fingerprint f = VOX_FINGERPRINT_INIT;
    double percentile[3], median[3];
    int rc = vox_fingerprint_read(&f, path);

    (void)root;
    if (rc == VOX_OK)
        rc = vox_fingerprint_middle(&f, percentile, median);
    if (rc == VOX_OK) {
        vox_report_int(o, "images", f.count);
        vox_report_nums(o, "median_spacing", median, 3);
    }
    vox_fingerprint_release(&f);
    return rc;
}

static int add_plans(json_object *o, json_object *root, const char *path)
{
    vox_plans p = VOX_PLANS_INIT;
    json_object *names = json_object_new_array();
    int64_t forward[3];
    int rc = vox_plans_read(&p, path);

    (void)root;
    for (int64_t i = 0; i < p.count; i++)
        json_object_array_add(names, json_object_new_string(p.configuration[i].name));
    for (int i = 0; i < 3; i++)
        forward[i] = p.forward[i];
    vox_report_text(o, "dataset", p.dataset_name);
    vox_report_text(o, "plan", p.plans_name);
    vox_report_nums(o, "median_spacing", p.median, 3);
    vox_report_ints(o, "transpose_forward", forward, 3);
    json_object_object_add(o, "configurations", names);
    vox_plans_release(&p);
    return rc;
}

static int add_collection(json_object *o, json_object *root, const char *path)
{
    vox_collection c = VOX_COLLECTION_INIT;
    int rc = vox_collection_read(&c, path);

    (void)root;
    if (rc == VOX_OK)
        rc = vox_report_collection(o, &c);
    vox_collection_release(&c);
    return rc;
}

static int add_split(json_object *o, json_object *root, const char *path)
{
    vox_splits s = VOX_SPLITS_INIT;
    const int rc = vox_splits_read(&s, path);

    (void)root;
    vox_report_int(o, "train_subjects", s.train.count);
    vox_report_int(o, "val_subjects", s.val.count);
    vox_splits_release(&s);
    return rc;
}

static int add_adaptation(json_object *o, json_object *root, const char *path)
{
    json_object *net = vox_json_get(root, "architecture_plans");

    (void)path;
    json_object_object_add(o, "net", json_object_get(vox_json_get(net, "arch_class_name")));
    json_object_object_add(
        o, "patch",
        json_object_get(vox_json_get(root, "recommended_downstream_patchsize")));
    json_object_object_add(o, "encoder",
                           json_object_get(vox_json_get(root, "key_to_encoder")));
    return VOX_OK;
}

static int add_run(json_object *o, json_object *root, const char *path)
{
    static const char *const keys[] = {"name",  "method",      "net",   "patch",
                                       "batch", "epochs",      "steps", "optimizer",
                                       "lr",    "weight_decay"};
    json_object *recipe = vox_json_get(root, "recipe");

    (void)path;
    for (int i = 0; i < VOX_COUNT(keys); i++)
        json_object_object_add(o, keys[i], json_object_get(vox_json_get(recipe, keys[i])));
    json_object_object_add(o, "seed", json_object_get(vox_json_get(root, "seed")));
    return VOX_OK;
}

/* ---- telling them apart ---- */

static const struct {
    const char *key, *format;
    int (*add)(json_object *o, json_object *root, const char *path);
} kinds[] = {
    {"spacings",           "fingerprint",     add_fingerprint},
    {"configurations",     "plans",           add_plans      },
    {"datasets",           "pretrain_data",   add_collection },
    {"train",              "splits",          add_split      },
    {"architecture_plans", "adaptation_plan", add_adaptation },
    {"recipe",             "run",             add_run        },
};

static int describe(json_object *o, json_object *root, const char *path)
{
    json_object *keys = json_object_new_array();

    if (json_object_get_type(root) == json_type_array) {
        json_object_put(keys);
        vox_report_text(o, "format", "json list");
        vox_report_int(o, "entries", (int64_t)json_object_array_length(root));
        return VOX_OK;
    }
    for (int i = 0; i < VOX_COUNT(kinds); i++) {
        if (json_object_get_type(root) == json_type_object &&
            json_object_object_get_ex(root, kinds[i].key, NULL)) {
            json_object_put(keys);
            vox_report_text(o, "format", kinds[i].format);
            return kinds[i].add(o, root, path);
        }
    }
    vox_report_text(o, "format", "json");
    json_object_object_add(o, "keys", keys);
    if (json_object_get_type(root) == json_type_object) {
        json_object_object_foreach(root, key, value)
        {
            (void)value;
            json_object_array_add(keys, json_object_new_string(key));
        }
    }
    return VOX_OK;
}

int vox_inspect_json(json_object **out, const char *path, const vox_inspect_how *how)
{
    json_object *root, *o;
    int rc;

    (void)how;
    VOX_TRY(vox_json_read(&root, path));
    o = json_object_new_object();
    vox_report_text(o, "file", path);
    rc = describe(o, root, path);
    json_object_put(root);
    if (rc == VOX_OK)
        *out = o;
    else
        json_object_put(o);
    return rc;
}
