/*
 * roots: the three folders of the peer, names and numbers of datasets, $NAME/... paths.
 *
 * A dataset is a folder DatasetXXX_Name below the roots (data.md 1).
 */
#ifndef VOX_DATA_ROOTS_H
#define VOX_DATA_ROOTS_H

#include "base/buf.h"
#include "base/opt.h"

typedef enum vox_root { VOX_ROOT_RAW, VOX_ROOT_PREPROCESSED, VOX_ROOT_RESULTS } vox_root;

enum { VOX_ROOTS = 3 };

/** The variable that names the root: "nnssl_raw", "nnssl_preprocessed", "nnssl_results". */
const char *vox_root_name(vox_root root);

/** Value of the variable without trailing slashes, "" when it is unset or empty.
 * @return VOX_OK; VOX_E_NOMEM */
int vox_root_get(vox_buf *out, vox_root root);

/** vox_root_get that insists. @return VOX_OK; VOX_E_MISSING with the variable's name */
int vox_root_need(vox_buf *out, vox_root root);

/** "<root>/<dataset>". @return as vox_root_need */
int vox_root_dataset(vox_buf *out, vox_root root, const char *dataset);

/**
 * The dataset's folder name from what the user typed: "Dataset005_X", "5", "005".
 *
 * A name is taken as it is. A number is looked up below all roots; 10 is not Dataset100_X.
 * @return VOX_OK; VOX_E_USAGE: neither; VOX_E_MISSING: no such number, with the roots;
 *         VOX_E_ARG: several datasets have it, with their names
 */
int vox_dataset_resolve(vox_buf *out, const char *name_or_id);

/** All digits of "DatasetXXX_Name". @return VOX_OK; VOX_E_ARG */
int vox_dataset_number(int64_t *out, const char *name);

/** Names of all datasets below one root, in order; none when the root is not there.
 * @return VOX_OK; VOX_E_NOMEM, VOX_E_IO */
int vox_root_list(vox_strs *out, vox_root root);

/**
 * Replace a leading $NAME by the variable's value (without trailing slashes).
 * @return VOX_OK; VOX_E_MISSING with the variable's name
 */
int vox_path_expand(vox_buf *out, const char *path);

/**
 * The way back: a path below $nnssl_raw or else $nnssl_preprocessed begins with that
 * variable; any other stays. Only whole components match. @return VOX_OK; VOX_E_NOMEM
 */
int vox_path_contract(vox_buf *out, const char *path);

#endif
