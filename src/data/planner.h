/*
 * planner: nnsslPlans.json, what preprocessing does with a data set (data.md 6).
 *
 * A plan is made from a fingerprint, or read. Its JSON is kept whole: keys this program
 * does not know, and configurations people added, survive.
 */
#ifndef VOX_DATA_PLANNER_H
#define VOX_DATA_PLANNER_H

#include <json-c/json_object.h>
#include <stddef.h>

#include "base/arena.h"
#include "data/fingerprint.h"
#include "image/prepare.h"

/** One way to preprocess: "onemmiso", "median", "noresample", or a custom one. */
typedef struct vox_configuration {
    const char *name;
    const char *data_identifier; /* folder of the preprocessed images */
    const char *spacing_style;
    int resample;      /* 0: keep the resolution */
    double spacing[3]; /* target in mm, transposed; 0 without resampling */
    vox_norm norm;
    int use_mask_for_norm;
    json_object *json; /* borrowed from the plan's */
} vox_configuration;

typedef struct vox_plans {
    const char *dataset_name, *plans_name, *reader;
    double median[3]; /* "original_median_spacing_after_transp" */
    int forward[3], backward[3];
    vox_configuration *configuration;
    int64_t count;
    json_object *json; /* the whole plan, owned */
} vox_plans;

#define VOX_PLANS_INIT \
    {                  \
        0              \
    }

/**
 * Plan a data set: coarsest axis first, three configurations.
 *
 * @param[out] out   owned by the caller; empty when the call fails
 * @param      old   NULL, or the plan to be replaced: its other configurations are kept
 * @return VOX_OK; VOX_E_ARG: an empty fingerprint; VOX_E_NOMEM
 */
int vox_plans_make(vox_plans *out, const vox_fingerprint *f, const char *dataset_name,
                   const char *plans_name, const vox_plans *old);

/** Read a plans file. @return VOX_OK; VOX_E_MISSING, VOX_E_FORMAT, VOX_E_IO */
int vox_plans_read(vox_plans *out, const char *path);

/** Parse its text; `name` is for messages. */
int vox_plans_parse(vox_plans *out, const char *text, size_t len, const char *name);

/** Write as the peer does: keys in their order, not sorted. @return VOX_OK; VOX_E_IO */
int vox_plans_write(const vox_plans *p, const char *path);

/** The configuration of that name. @return NULL with a message that lists those there are
 */
const vox_configuration *vox_plans_find(const vox_plans *p, const char *name);

/**
 * What the image code needs to follow the plan.
 * @return VOX_OK; VOX_E_ARG: the plan asks for a resampling other than cubic/linear by
 * shape
 */
int vox_plans_prepare(vox_prepare_cfg *out, const vox_plans *p, const vox_configuration *c);

/** Release; legal on an _INIT value. */
void vox_plans_release(vox_plans *p);

#endif
