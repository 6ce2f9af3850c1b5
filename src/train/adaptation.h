/*
 * adaptation: the adaptation plan: how fine-tuning rebuilds the network and finds its
 * weights.
 *
 * Stored in every checkpoint (key order as here) and as adaptation_plan.json (keys sorted).
 * Source: checkpoints.md 11, methods.md 6.3.
 */
#ifndef VOX_TRAIN_ADAPTATION_H
#define VOX_TRAIN_ADAPTATION_H

#include "nets/net.h"

struct json_object;

/**
 * The plan of a run: the data's plan with the one configuration kept and its patch set.
 *
 * @param[out] out    a new object; integral numbers in lists are integers, as the peer
 * writes
 * @param      plans  content of the plans file; borrowed, unchanged
 * @param      configuration  "onemmiso"; @param patch  the training patch [D, H, W]
 * @return VOX_OK; VOX_E_MISSING when plans lack a key or the configuration; VOX_E_NOMEM
 */
int vox_run_plan(struct json_object **out, struct json_object *plans,
                 const char *configuration, const int64_t patch[3]);

/**
 * The adaptation plan.
 *
 * @param[out] out   a new object
 * @param      plan  what vox_run_plan made; a new reference is kept in *out
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_adaptation_plan(struct json_object **out, const vox_model *model,
                        struct json_object *plan, const int64_t patch[3]);

#endif
