/*
 * preprocess: the images of a collection to the files training reads, for one
 * configuration.
 *
 * Below cfg->dir (data.md 1.3):
 *
 *     <data identifier>/<output path>.b2nd  __anon.b2nd  __anat.b2nd  .pkl  .json
 *     <data identifier>/voxmind.json          says who made the folder
 *     <data identifier>/reject_report.json    images left out, and why
 *     pretrain_data__<configuration>.json  valid_imgs__<configuration>.json valid_imgs.json
 *
 * Every file is written under another name and renamed; an image's .json comes last and
 * holds a key of the input and the plan, so that finished images are not made again.
 */
#ifndef VOX_DATA_PREPROCESS_H
#define VOX_DATA_PREPROCESS_H

#include "data/planner.h"
#include "data/properties.h"

typedef struct vox_preprocess_cfg {
    const char *dir;           /* $nnssl_preprocessed/DatasetXXX_Name, or any folder */
    const vox_records *images; /* flattened raw collection */
    const vox_plans *plans;
    const char *configuration;
    int threads;              /* images at a time; fewer when memory is short */
    int part, parts;          /* this part of so many; 0, 1 for all */
    int level;                /* zstd level of the store; 0: default */
    int again;                /* 1: make finished images again */
    int nan_as_zero;          /* 1: voxels that are no numbers become 0, as the peer has it;
                                 else such images are refused */
    vox_progress_fn progress; /* or NULL */
    void *arg;
} vox_preprocess_cfg;

typedef struct vox_preprocess_result {
    int64_t made, kept; /* kept: finished by an earlier run */
    vox_rejects rejected;
} vox_preprocess_result;

#define VOX_PREPROCESS_RESULT_INIT \
    {                              \
        0                          \
    }

/**
 * Preprocess.
 *
 * @param[out] result  owned by the caller, also after a failure
 * @return VOX_OK, bad images are in result->rejected; VOX_E_FORMAT: all were bad; VOX_E_IO:
 * cannot write; VOX_E_STOP: a signal, what is finished stays; VOX_E_ARG: part;
 * VOX_E_MISSING: no such configuration
 */
int vox_preprocess(const vox_preprocess_cfg *cfg, vox_preprocess_result *result);

void vox_preprocess_result_release(vox_preprocess_result *r);

/** The slice [*first, *first + *count) of part `part` of `parts`: sizes differ by at
 * most 1. */
void vox_preprocess_part(int64_t *first, int64_t *count, int64_t total, int part,
                         int parts);

/* The steps below are preprocess.c's, in files of their own. */

/** Paths of one image's files. */
typedef struct vox_case_paths {
    char *image, *mask[VOX_MASKS], *pickle, *json;
} vox_case_paths;

/** Make them for the output path `out` below `folder`. @return VOX_OK; VOX_E_NOMEM */
int vox_case_paths_make(vox_case_paths *p, const char *folder, const char *out);
void vox_case_paths_release(vox_case_paths *p);

/** What becomes of one image. */
typedef enum vox_case_state { VOX_CASE_MADE, VOX_CASE_KEPT, VOX_CASE_BAD } vox_case_state;

enum { VOX_CASE_AGAIN = 1, VOX_CASE_NAN_AS_ZERO = 2 };

/**
 * One image: read, prepare, write.
 *
 * @param key_of_plan  text of everything in the plan that changes the result
 * @param how          0 or VOX_CASE_*
 * @param[out] state   VOX_CASE_BAD: the image is at fault, the thread's message says why
 * @return VOX_OK, whatever the image's state; VOX_E_IO: the output cannot be written
 */
int vox_preprocess_case(vox_case_state *state, const vox_record *image, const char *folder,
                        const vox_prepare_cfg *prepare, const char *key_of_plan, int level,
                        unsigned how);

/** Bytes of memory the image will need, from its headers; 0 when they cannot be read. */
int64_t vox_preprocess_memory(const vox_record *image, const vox_prepare_cfg *prepare);

/** Write the lists of one part, and join all parts when this was the last.
 * @param good  one byte per image of the part */
int vox_preprocess_lists(const vox_preprocess_cfg *cfg, const vox_configuration *c,
                         int64_t first, int64_t count, const unsigned char *good,
                         const vox_rejects *rejected);

#endif
