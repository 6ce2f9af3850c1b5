/*
 * place: subject, session and modality of an image, from its path.
 */
#ifndef VOX_DATA_PLACE_H
#define VOX_DATA_PLACE_H

#include "base/arena.h"
#include "base/buf.h"

/** Where an image belongs, as text that is good as a file name. */
typedef struct vox_place {
    const char *dataset;                      /* "" when the path names none */
    const char *subject, *session, *modality; /* modality "": not known */
} vox_place;

/** Length of a file's name without the ending of its format, whichever that is. */
size_t vox_place_stem(const char *name);

/**
 * Guess from the path below the indexed folder,
 * "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz".
 *
 * @param skip      leading folders that all images share: they tell nothing
 * @param channels  1: a number "_0000" at the end of a name is nnU-Net's channel, not the
 * case's
 * @return VOX_OK; VOX_E_NOMEM
 */
int vox_place_guess(vox_place *out, vox_arena *arena, const char *path, int skip,
                    int channels);

/** Length of a name without ending and channel number ("a_0001.nii" is 1), and that number;
 * -1 when there is none. */
size_t vox_place_channel(const char *name, int *channel);

/** Does the path hold a BIDS subject: a folder or name that begins with "sub-"? */
int vox_place_is_bids(const char *path);

/**
 * The place by a pattern as "{subject}/{session}_{modality}.nii.gz".
 *
 * The pattern is held against as many last parts of the path as it has itself. {word} takes
 * one or more characters other than "/", as many as it can; "*" takes any number of them.
 * {subject} must be there; {session}, {modality} and {dataset} may be; any other word goes
 * to `info`.
 *
 * @param[out] info  initialised; members of a JSON object are appended ("{..." without end)
 * @return 1, 0 when it does not match, or VOX_E_NOMEM
 */
int vox_place_match(vox_place *out, vox_arena *arena, vox_buf *info, const char *pattern,
                    const char *path);

/** Is it a pattern? @return VOX_OK; VOX_E_USAGE with what is wrong */
int vox_place_check_pattern(const char *pattern);

#endif
