/*
 * chain: a case's crop to a named array of the sample, through the transforms named.
 */
#ifndef VOX_TRANSFORMS_CHAIN_H
#define VOX_TRANSFORMS_CHAIN_H

#include "base/rng.h"
#include "base/sample.h"

/**
 * Add the array `name` [patch] f32 to the sample: the centre of the first case's image,
 * then each transform in turn.
 *
 * @param cases  the first case is used; its image is [C, D, H, W], no axis shorter than
 * patch
 * @param chain  names separated by blanks, "mirror"; "" takes the centre as it is
 * @param patch  [C, D, H, W]
 * @param rng    each transform draws from the stream of its name below it
 * @return VOX_OK; VOX_E_ARG for an unknown transform or shapes that do not fit; VOX_E_NOMEM
 *
 * Crop     starts at floor((extent - patch) / 2) on every axis.
 * Threads  re-entrant.
 * Source   augmentation.md 5.1.  Tests  tests/unit/test_chain.c
 */
int vox_chain_apply(vox_sample *out, const char *name, const vox_cases *cases,
                    const char *chain, vox_shape patch, vox_rng rng);

#endif
