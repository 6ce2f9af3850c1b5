/*
 * bids: what files beside the images say of them: participants.tsv, sessions.tsv,
 * side-cars.
 *
 * A side-car is a JSON object. <image>.json beside an image is its own; in a BIDS tree the
 * inheritance principle holds, too: a side-car of the same suffix, whose entities the image
 * all has, in the image's folder or one above it; what stands nearer wins. Texts, numbers
 * and booleans are kept, lists and objects are not (they hold a number per slice).
 */
#ifndef VOX_DATA_BIDS_H
#define VOX_DATA_BIDS_H

#include "data/gather.h"
#include "data/walk.h"

/**
 * Give every image the info of its side-cars; those that were taken are `used`.
 *
 * @param      images   the first files of the walk are the images
 * @param[out] skipped  side-cars that cannot be read are appended
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_bids_sidecars(vox_walk *w, int64_t images, vox_rejects *skipped);

/**
 * Give subjects and sessions of the collection what the walk's tables say of them.
 * @return as vox_bids_sidecars
 */
int vox_bids_tables(vox_collection *c, vox_walk *w, int64_t images, const char *dataset,
                    vox_rejects *skipped);

/** Append the plain members of a side-car to an info under construction ("" or "{...",
 * without its end); of several with one key the last counts. `name` is for messages.
 * @return VOX_OK; VOX_E_FORMAT, VOX_E_NOMEM */
int vox_sidecar_parse(vox_buf *info, const char *text, size_t len, const char *name);

/** The folder path[0, n) that holds the subjects: what stands before the first "sub-". */
size_t vox_bids_root(const char *path);

#endif
