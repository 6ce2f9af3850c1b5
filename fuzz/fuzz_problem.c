/* fuzz_problem: "<op> <problem text>" to a parsed problem, and to a text again, which must be
 * one of a problem with the same operands. */
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "graph/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_parse_again(const vox_problem_spec *spec)
{
    vox_device reference = {.ctx = {.threads = 1}, .blocked = VOX_PLAIN};
    const vox_problem q = vox_problem_on(spec, &reference);
    vox_buf text = VOX_BUF_INIT;
    vox_problem_spec again;

    VOX_ASSERT(vox_problem_text(&text, &q) == VOX_OK);
    VOX_ASSERT(vox_problem_parse(&again, spec->op, vox_buf_text(&text)) == VOX_OK);
    VOX_ASSERT(again.n_in == spec->n_in);
    for (int i = 0; i < spec->n_in; i++)
        VOX_ASSERT(vox_shape_equal(again.in[i].shape, spec->in[i].shape));
    vox_problem_release(&again);
    vox_buf_release(&text);
}

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

            if (vox_problem_parse(&spec, op, space + 1) == VOX_OK) {
                write_and_parse_again(&spec);
                vox_problem_release(&spec);
            }
        }
    }
    vox_free(text);
    return 0;
}
