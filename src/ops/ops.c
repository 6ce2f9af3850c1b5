/* ops: the table of all ops, made from ops.def. */
#include <string.h>

#include "graph/op.h"

#define VOX_OP(name) extern const vox_op vox_op_##name;
#include "ops/ops.def"
#undef VOX_OP

static const vox_op *const table[] = {
#define VOX_OP(name) &vox_op_##name,
#include "ops/ops.def"
#undef VOX_OP
};

const vox_op *vox_op_at(int i)
{
    return i >= 0 && i < VOX_COUNT(table) ? table[i] : NULL;
}

const vox_op *vox_op_find(const char *name)
{
    for (int i = 0; i < VOX_COUNT(table); i++) {
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    }
    return NULL;
}
