/* properties: from the peer's pickle, of any protocol and with NumPy's numbers in it. */
#include <string.h>

#include "base/error.h"
#include "data/properties.h"
#include "io/pickle.h"

static int fail_key(const char *name, const char *key)
{
    return vox_fail(VOX_E_FORMAT, "%s: \"%s\" is not what the properties of an image hold",
                    name, key);
}

/* A list or tuple of exactly n numbers. */
static int get_reals(double *out, int n, const vox_obj *list)
{
    if (!list || (list->kind != VOX_OBJ_LIST && list->kind != VOX_OBJ_TUPLE) ||
        list->list.count != n)
        return 0;
    for (int i = 0; i < n; i++) {
        const vox_obj *v = list->list.item[i];

        if (v->kind != VOX_OBJ_FLOAT && v->kind != VOX_OBJ_INT)
            return 0;
        out[i] = v->kind == VOX_OBJ_INT ? (double)v->i : v->f;
    }
    return 1;
}

static int get_ints(int64_t *out, int n, const vox_obj *list)
{
    if (!list || (list->kind != VOX_OBJ_LIST && list->kind != VOX_OBJ_TUPLE) ||
        list->list.count != n)
        return 0;
    for (int i = 0; i < n; i++) {
        if (list->list.item[i]->kind != VOX_OBJ_INT)
            return 0;
        out[i] = list->list.item[i]->i;
    }
    return 1;
}

/* The box is a list of pairs. */
static int get_box(int64_t out[3][2], const vox_obj *list)
{
    if (!list || list->kind != VOX_OBJ_LIST || list->list.count != 3)
        return 0;
    for (int i = 0; i < 3; i++) {
        if (!get_ints(out[i], 2, list->list.item[i]))
            return 0;
    }
    return 1;
}

/* SimpleITK's world has x and y the other way round than NIfTI's. */
static int get_world(vox_properties *p, const vox_obj *sitk)
{
    if (!get_reals(p->origin, 3, vox_obj_get(sitk, "origin")) ||
        !get_reals(p->direction, 9, vox_obj_get(sitk, "direction")))
        return 0;
    for (int i = 0; i < 2; i++)
        p->origin[i] = 0.0 - p->origin[i];
    for (int i = 0; i < 6; i++)
        p->direction[i] = 0.0 - p->direction[i];
    return 1;
}

static int fill(vox_properties *p, const vox_obj *root, const char *name)
{
    if (!get_reals(p->spacing_read, 3, vox_obj_get(root, "spacing")))
        return fail_key(name, "spacing");
    if (!get_ints(p->shape_before_cropping, 3, vox_obj_get(root, "shape_before_cropping")))
        return fail_key(name, "shape_before_cropping");
    if (!get_box(p->bbox, vox_obj_get(root, "bbox_used_for_cropping")))
        return fail_key(name, "bbox_used_for_cropping");
    if (!get_ints(p->shape_after_cropping, 3,
                  vox_obj_get(root, "shape_after_cropping_and_before_resampling")))
        return fail_key(name, "shape_after_cropping_and_before_resampling");
    if (!get_world(p, vox_obj_get(root, "sitk_stuff")))
        return fail_key(name, "sitk_stuff");
    return VOX_OK;
}

int vox_properties_unpickle(vox_properties *out, const void *bytes, size_t len,
                            const char *name)
{
    vox_tree tree = VOX_TREE_INIT;
    vox_properties p = {.key = ""};
    int rc = vox_pickle_parse(&tree, bytes, len, name, VOX_PICKLE_SKIP_UNKNOWN);

    memcpy(p.transpose, out->transpose, sizeof p.transpose);
    if (rc == VOX_OK)
        rc = fill(&p, tree.root, name);
    vox_tree_release(&tree);
    if (rc == VOX_OK)
        *out = p;
    return rc;
}
