/*
 * sample: what one training example is made of, between the data arm and the graph arm.
 *
 * A vox_sample is a small set of named host arrays. A method's `prepare` turns cases (crops
 * read from the store) into a sample whose array names are the graph's input names;
 * `train/` copies by name. Storage is kept between uses of the same object, so a ring of
 * samples allocates only until it has seen the largest.
 */
#ifndef VOX_BASE_SAMPLE_H
#define VOX_BASE_SAMPLE_H

#include "base/shape.h"

enum { VOX_SAMPLE_ARRAYS = 24, VOX_NAME = 48 };

typedef struct vox_array {
    char name[VOX_NAME];
    vox_dtype dtype; /* VOX_F32, VOX_U8 or VOX_I64 */
    vox_shape shape;
    void *data;  /* contiguous, owned by the sample */
    int64_t cap; /* bytes `data` can hold */
} vox_array;

typedef struct vox_sample {
    int count;
    vox_array array[VOX_SAMPLE_ARRAYS];
} vox_sample;

#define VOX_SAMPLE_INIT \
    {                   \
        0               \
    }

/** Add an array (contents undefined) and return its data, or NULL with a message: no
 * memory, a name taken twice, too many arrays. */
void *vox_sample_add(vox_sample *s, const char *name, vox_dtype dtype, vox_shape shape);

/** The array of that name, or NULL (no message). */
const vox_array *vox_sample_find(const vox_sample *s, const char *name);

/** Forget the arrays, keep their storage. */
void vox_sample_clear(vox_sample *s);

/** Release the storage. */
void vox_sample_release(vox_sample *s);

/** One image's part of a sample, as the crop reader delivers it. Borrowed by `prepare`. */
typedef struct vox_case {
    const char *id;      /* unique image id */
    const float *image;  /* [C, D, H, W], zero outside the image */
    const uint8_t *anon; /* [D, H, W], 1 = anonymised, or NULL */
    const uint8_t *anat; /* [D, H, W], 1 = anatomy, or NULL */
    vox_shape shape;     /* of `image` */
    float spacing[3];    /* mm, order z, y, x */
} vox_case;

enum { VOX_CASES_MAX = 8 };

/** What the cases of one sample have in common. */
typedef enum vox_grouping {
    VOX_GROUP_ANY,     /* nothing: each is drawn from all */
    VOX_GROUP_SUBJECT, /* different images of one subject */
    VOX_GROUP_SESSION  /* of one session */
} vox_grouping;

/** The cases of one sample; how many and how grouped a method says. */
typedef struct vox_cases {
    int count;
    vox_case item[VOX_CASES_MAX];
} vox_cases;

#endif
