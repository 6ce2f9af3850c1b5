/* batch: samples become rows of stacked arrays. */
#include "train/batch.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

int vox_batch_init(vox_batch *b, int64_t size)
{
    *b = (vox_batch)VOX_BATCH_INIT;
    b->weight = vox_zalloc((size_t)size, sizeof *b->weight);
    if (!b->weight)
        return VOX_E_NOMEM;
    b->size = size;
    return VOX_OK;
}

/* [n...] to [B, n...]. */
static vox_shape stacked(vox_shape s, int64_t size)
{
    vox_shape t = {.rank = s.rank + 1, .n = {size}};

    for (int i = 0; i < s.rank; i++)
        t.n[i + 1] = s.n[i];
    return t;
}

static size_t row_bytes(const vox_array *a)
{
    return (size_t)(vox_shape_count(a->shape) / a->shape.n[0]) * vox_dtype_size(a->dtype);
}

const void *vox_batch_row(const vox_array *a, int64_t first)
{
    return (const char *)a->data + (size_t)first * row_bytes(a);
}

static int set_layout(vox_batch *b, const vox_sample *s)
{
    vox_sample_clear(&b->stack);
    for (int i = 0; i < s->count; i++) {
        const vox_array *a = &s->array[i];

        if (a->shape.rank >= VOX_MAX_RANK)
            return vox_fail(VOX_E_ARG, "sample array \"%s\" has %d axes, at most %d",
                            a->name, a->shape.rank, VOX_MAX_RANK - 1);
        if (!vox_sample_add(&b->stack, a->name, a->dtype, stacked(a->shape, b->size)))
            return VOX_E_NOMEM;
    }
    return VOX_OK;
}

static int check_array(const vox_batch *b, const vox_array *have, const vox_array *want)
{
    char x[128], y[128];

    if (strcmp(have->name, want->name) == 0 && have->dtype == want->dtype &&
        vox_shape_equal(stacked(have->shape, b->size), want->shape))
        return VOX_OK;
    return vox_fail(VOX_E_ARG, "sample array \"%s\" is %s %s, wanted \"%s\" %s %s",
                    have->name, vox_dtype_name(have->dtype),
                    vox_shape_text(stacked(have->shape, b->size), x), want->name,
                    vox_dtype_name(want->dtype), vox_shape_text(want->shape, y));
}

int vox_batch_put(vox_batch *b, int64_t slot, const vox_sample *s, double weight)
{
    VOX_ASSERT(slot >= 0 && slot < b->size);
    if (slot == 0)
        VOX_TRY(set_layout(b, s));
    if (s->count != b->stack.count)
        return vox_fail(VOX_E_ARG, "sample has %d arrays, the first of its batch %d",
                        s->count, b->stack.count);
    for (int i = 0; i < s->count; i++) {
        const vox_array *to = &b->stack.array[i];
        const size_t n = row_bytes(to);

        VOX_TRY(check_array(b, &s->array[i], to));
        if (n)
            memcpy((char *)to->data + (size_t)slot * n, s->array[i].data, n);
    }
    b->weight[slot] = weight;
    return VOX_OK;
}

double vox_batch_weight(const vox_batch *b, int64_t first, int64_t count)
{
    double sum = 0;

    for (int64_t i = first; i < first + count; i++)
        sum += b->weight[i];
    return sum;
}

int64_t vox_batch_bytes(const vox_batch *b)
{
    int64_t bytes = 0;

    for (int i = 0; i < b->stack.count; i++)
        bytes += (int64_t)row_bytes(&b->stack.array[i]) * b->size;
    return bytes;
}

void vox_batch_release(vox_batch *b)
{
    vox_sample_release(&b->stack);
    vox_free(b->weight);
    *b = (vox_batch)VOX_BATCH_INIT;
}
