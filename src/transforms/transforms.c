/* transforms: the table of transforms.def and its lookup. */
#include "transforms/transform.h"

#include <string.h>

#include "base/error.h"
#include "base/opt.h"

#define VOX_TRANSFORM(name) extern const vox_transform vox_transform_##name;
#include "transforms/transforms.def"
#undef VOX_TRANSFORM

static const vox_transform *const table[] = {
#define VOX_TRANSFORM(name) &vox_transform_##name,
#include "transforms/transforms.def"
#undef VOX_TRANSFORM
};

const vox_transform *vox_transform_at(int i)
{
    return i >= 0 && i < VOX_COUNT(table) ? table[i] : NULL;
}

static const char *name_at(int i, void *arg)
{
    const vox_transform *t = vox_transform_at(i);

    (void)arg;
    return t ? t->name : NULL;
}

const vox_transform *vox_transform_find(const char *name)
{
    const char *near;

    for (int i = 0; i < VOX_COUNT(table); i++) {
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    }
    near = vox_suggest(name, name_at, NULL);
    vox_fail(VOX_E_ARG, "no transform \"%s\"%s%s%s", name, near ? ", did you mean \"" : "",
             near ? near : "", near ? "\"?" : "");
    return NULL;
}
