/* sample: named arrays that keep their storage. */
#include "base/sample.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

void *vox_sample_add(vox_sample *s, const char *name, vox_dtype dtype, vox_shape shape)
{
    vox_array *a = &s->array[s->count];
    const int64_t count = vox_shape_count(shape);

    if (s->count == VOX_SAMPLE_ARRAYS || strlen(name) >= VOX_NAME || count < 0) {
        vox_fail(VOX_E_ARG, "sample cannot take an array \"%s\"", name);
        return NULL;
    }
    if (vox_sample_find(s, name)) {
        vox_fail(VOX_E_EXISTS, "sample has an array \"%s\" already", name);
        return NULL;
    }
    if (vox_grow(&a->data, &a->cap, count * (int64_t)vox_dtype_size(dtype) + 64, 1) !=
        VOX_OK)
        return NULL;
    snprintf(a->name, sizeof a->name, "%s", name);
    a->dtype = dtype;
    a->shape = shape;
    s->count++;
    return a->data;
}

const vox_array *vox_sample_find(const vox_sample *s, const char *name)
{
    for (int i = 0; i < s->count; i++) {
        if (strcmp(s->array[i].name, name) == 0)
            return &s->array[i];
    }
    return NULL;
}

void vox_sample_clear(vox_sample *s)
{
    s->count = 0;
}

void vox_sample_release(vox_sample *s)
{
    for (int i = 0; i < VOX_SAMPLE_ARRAYS; i++)
        vox_free(s->array[i].data);
    *s = (vox_sample)VOX_SAMPLE_INIT;
}
