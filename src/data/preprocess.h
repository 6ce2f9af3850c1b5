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
 * holds a key of the input, the plan and the options, so that finished images are not made
 * again. A run that was killed at any moment is completed by the next one, which leaves the
 * same bytes as one that was never stopped.
 */
#ifndef VOX_DATA_PREPROCESS_H
#define VOX_DATA_PREPROCESS_H

#include "data/planner.h"
#include "data/properties.h"
#include "data/store.h"

typedef struct vox_preprocess_cfg {
    const char *dir;           /* $nnssl_preprocessed/DatasetXXX_Name, or any folder */
    const vox_records *images; /* flattened raw collection */
    const vox_plans *plans;
    const char *configuration;
    int threads;              /* images at a time; fewer when memory is short */
    int64_t memory;           /* bytes this run may use; 0: most of what is free */
    int part, parts;          /* this part of so many; 0, 1 for all */
    vox_store_cfg store;      /* codec and level */
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
 * VOX_E_MISSING: no such configuration; VOX_E_EXISTS: another process works on these images
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

/** Hash one more text and its end; the first follows VOX_HASH (base/hash.h). */
uint64_t vox_preprocess_hash(uint64_t h, const char *text);

/** What becomes of one image. */
typedef enum vox_case_state { VOX_CASE_MADE, VOX_CASE_KEPT, VOX_CASE_BAD } vox_case_state;

/** What all images of a run share. */
typedef struct vox_case_cfg {
    const char *folder; /* of the data */
    vox_prepare_cfg prepare;
    vox_store_cfg store;
    const char *key; /* text of everything but the input that changes the files */
    int again, nan_as_zero;
} vox_case_cfg;

/** Memory a thread keeps from image to image. */
typedef struct vox_case_room {
    vox_stored image;
    vox_prepared_case prepared;
    vox_store_space store;
} vox_case_room;

#define VOX_CASE_ROOM_INIT \
    {                      \
        0                  \
    }

/** Bytes it keeps. */
size_t vox_case_room_kept(const vox_case_room *r);
void vox_case_room_release(vox_case_room *r);

/**
 * One image: read, prepare, write.
 *
 * @param[out] state   VOX_CASE_BAD: the image is at fault, the thread's message says why
 * @param[out] code    of the fault, VOX_OK without one
 * @return VOX_OK, whatever the image's state; VOX_E_IO: the output cannot be written;
 *         VOX_E_NOMEM: not the image's fault, may pass. Nothing half-written is left
 */
int vox_preprocess_case(vox_case_state *state, int *code, const vox_record *image,
                        const vox_case_cfg *cfg, vox_case_room *room);

/** Bytes of memory the image will need, from its headers; 0 when they cannot be read. */
int64_t vox_preprocess_memory(const vox_record *image, const vox_prepare_cfg *prepare);

/** What preprocessing an image will make and take. */
typedef struct vox_forecast {
    vox_volume_info info;
    int64_t shape[3]; /* of the result, if nothing is cropped */
    int64_t memory, disk;
    double seconds; /* of one core */
} vox_forecast;

/** From its header. @return VOX_OK; VOX_E_MISSING, VOX_E_IO, VOX_E_FORMAT: it would be left
 * out */
int vox_preprocess_forecast(vox_forecast *out, const vox_record *image,
                            const vox_prepare_cfg *prepare, const vox_store_cfg *store);

/** What must not be done by two processes at once in a folder. */
typedef struct vox_preprocess_lock {
    int fd;
} vox_preprocess_lock;

/**
 * Claim the images [first, first + count) of the folder `dir`: until the lock is closed,
 * which the kernel also does when the process dies, no other process gets any of them.
 * @return VOX_OK, also where the file system has no locks; VOX_E_EXISTS: another process
 * is at work on some of them; VOX_E_IO
 */
int vox_preprocess_claim(vox_preprocess_lock *l, const char *dir, int64_t first,
                         int64_t count);

/** Wait for the right to write what all parts share: the lists in `dir`. @return VOX_OK;
 * VOX_E_IO */
int vox_preprocess_enter(vox_preprocess_lock *l, const char *dir);

void vox_preprocess_unlock(vox_preprocess_lock *l);

/** Remove what a killed process left half-written: temporary files of these images below
 * `folder`. Only for who has claimed them. @return VOX_OK; VOX_E_NOMEM */
int vox_preprocess_tidy(const char *folder, const vox_record *images, int64_t count);

/** The same for files in `dir` itself whose names begin with `name`. Only after
 * vox_preprocess_enter. */
void vox_preprocess_tidy_lists(const char *dir, const char *name);

/** Write the lists of one part, and join all parts when this was the last.
 * @param good  one byte per image of the part
 * @param key   text of the plan: parts of another, or of other images, are not joined */
int vox_preprocess_lists(const vox_preprocess_cfg *cfg, const vox_configuration *c,
                         int64_t first, int64_t count, const unsigned char *good,
                         const vox_rejects *rejected, const char *key);

#endif
