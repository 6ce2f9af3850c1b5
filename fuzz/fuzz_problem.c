/* fuzz_problem: "<op> <problem text>" to a parsed problem. */
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "graph/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = vox_alloc(size + 1, 1);
    char *space;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    space = strchr(text, ' ');
    if (space) {
        const vox_op *op;

        *space = '\0';
        op = vox_op_find(text);
        if (op) {
            vox_problem_spec spec;

            if (vox_problem_parse(&spec, op, space + 1) == VOX_OK)
                vox_problem_release(&spec);
        }
    }
    vox_free(text);
    return 0;
}
