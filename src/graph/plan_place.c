/*
 * plan_place: where the items lie in the block.
 *
 * The largest are placed first, each at the lowest offset where nothing living at the same
 * time is in the way.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "graph/plan_impl.h"

static int larger_first(const void *a, const void *b)
{
    const item *x = *(item *const *)a, *y = *(item *const *)b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->birth != y->birth ? x->birth - y->birth : (x < y ? -1 : 1);
}

/* Put `it` into `placed` (n of them, by offset) at the lowest place that is free for its
 * life. */
static void place_item(item **placed, int64_t n, item *it)
{
    size_t at = 0;
    int64_t k;

    for (k = 0; k < n; k++) {
        const item *q = placed[k];

        if (q->death < it->birth || q->birth > it->death)
            continue;
        if (q->offset >= at && q->offset - at >= it->bytes)
            break;
        if (q->offset + q->bytes > at)
            at = q->offset + q->bytes;
    }
    it->offset = at;
    for (k = n; k > 0 && placed[k - 1]->offset > at; k--)
        placed[k] = placed[k - 1];
    placed[k] = it;
}

int vox_plan_place(vox_plan *p)
{
    item **order = vox_alloc((size_t)p->n_item * 2 + 1, sizeof *order);
    item **placed = order ? order + p->n_item : NULL;
    int64_t n = 0;

    if (!order)
        return VOX_E_NOMEM;
    p->bytes = 0;
    for (int64_t i = 0; i < p->n_item; i++) {
        if (p->item[i].root == i)
            order[n++] = &p->item[i];
    }
    if (n)
        qsort(order, (size_t)n, sizeof *order, larger_first);
    for (int64_t i = 0; i < n; i++) {
        place_item(placed, i, order[i]);
        if (order[i]->offset + order[i]->bytes > p->bytes)
            p->bytes = order[i]->offset + order[i]->bytes;
    }
    for (int64_t i = 0; i < p->n_item; i++)
        p->item[i].offset = p->item[p->item[i].root].offset;
    vox_free(order);
    return VOX_OK;
}
