/*
 * plan_drop: what forward drops and backward makes again.
 *
 * Memory matters where most of it is in use. What lies idle there and can be made again is
 * dropped, by a cut at that moment: no droppable value lives over it unused. Then another
 * moment is the highest, and gets its cut, until that gains nothing more. So a value that
 * is in nobody's way is not computed twice.
 *
 * Source: Chen et al. 2016, arXiv:1604.06174, for what is kept between scopes.
 */
#include <string.h>

#include "base/mem.h"
#include "graph/plan_impl.h"

/* A cut must gain one part in GAIN, at the latest after PATIENCE of them: several moments
 * may be equally high. */
enum { GAIN = 256, PATIENCE = 8 };

/* ---- what may be dropped ---- */

/* A piece of text: a scope within which everything may be made again. */
typedef struct scope {
    const char *text;
    size_t len; /* 0: none */
} scope;

/* Is `name` the scope or below it? "encoder.stages.1" does not hold "stages.10". */
static int within(const char *name, scope part)
{
    return strncmp(name, part.text, part.len) == 0 &&
           (name[part.len] == '\0' || name[part.len] == '.');
}

/* The next of a list of scopes. */
static scope next_scope(const char **rest)
{
    const scope s = {*rest, strcspn(*rest, ",")};

    *rest += s.len + ((*rest)[s.len] == ',');
    return s;
}

static int is(const vox_plan *p, const char *word)
{
    return strcmp(p->cfg.recompute, word) == 0;
}

/* The scope that the node is recomputed with. */
static scope part_of(const vox_plan *p, const vox_node *node)
{
    const char *rest = p->cfg.recompute;

    if (is(p, "none") || is(p, "cheap"))
        return (scope){"", 0};
    if (is(p, "all"))
        return (scope){node->scope, strlen(node->scope)};
    while (*rest) {
        const scope s = next_scope(&rest);

        if (s.len && within(node->scope, s))
            return s;
    }
    return (scope){"", 0};
}

static int same(scope a, scope b)
{
    return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

/* Values that nodes of other scopes read stay; the others of a scope may go. */
static void mark_inside(vox_plan *p)
{
    int k;

    for (int64_t i = 0; i < p->graph->count; i++)
        p->site[i].droppable = part_of(p, p->site[i].node).len > 0;
    for (int64_t i = 0; i < p->graph->count; i++) {
        const vox_node *node = p->site[i].node;
        const scope part = part_of(p, node);

        for (int n = 0; p->site[i].needed && n < node->n_in; n++) {
            site *from = node->in[n] ? vox_plan_site(p, node->in[n], &k) : NULL;

            if (from && !same(part, part_of(p, from->node)))
                from->droppable = 0;
        }
    }
}

/* Can it be made again from what is kept, or is as cheap itself? */
static int is_cheap(vox_plan *p, const unsigned char *cheap, const site *s)
{
    int k;

    if (!s->node->op->rebuild)
        return 0;
    for (int n = 0; n < s->node->n_in; n++) {
        const site *from = s->node->in[n] ? vox_plan_site(p, s->node->in[n], &k) : NULL;

        if (from && from->droppable && !cheap[from->node->id])
            return 0;
    }
    return 1;
}

static int mark_cheap(vox_plan *p)
{
    unsigned char *cheap = vox_zalloc((size_t)p->graph->count + 1, 1);

    if (!cheap)
        return VOX_E_NOMEM;
    for (int64_t i = 0; i < p->graph->count; i++) {
        site *s = &p->site[i];

        s->droppable &= s->node->op && !s->kept;
        cheap[i] = s->node->op && !s->kept && is_cheap(p, cheap, s);
        s->droppable |= cheap[i];
    }
    vox_free(cheap);
    return VOX_OK;
}

static int mark_droppable(vox_plan *p)
{
    int k;

    if (is(p, "none") || !p->cfg.loss)
        return VOX_OK;
    mark_inside(p);
    VOX_TRY(mark_cheap(p));
    vox_plan_site(p, p->cfg.loss, &k)->droppable = 0;
    return VOX_OK;
}

static int has_scope(const vox_plan *p, scope s)
{
    for (int64_t i = 0; i < p->graph->count; i++) {
        if (within(p->graph->node[i]->scope, s))
            return 1;
    }
    return 0;
}

static int check_scopes(const vox_plan *p)
{
    const char *rest = p->cfg.recompute;

    while (!is(p, "none") && !is(p, "cheap") && !is(p, "all") && *rest) {
        const scope s = next_scope(&rest);

        if (!has_scope(p, s))
            return vox_fail(VOX_E_USAGE,
                            "recompute: nothing is called \"%.*s\"; wanted none, cheap, "
                            "all, or scopes as `estimate -v` lists them",
                            (int)s.len, s.text);
    }
    return VOX_OK;
}

/* ---- where memory is scarce ---- */

/* Bytes in use at every task; room for one more. */
static void sum_lives(const vox_plan *p, int64_t *bytes)
{
    memset(bytes, 0, (size_t)(p->n_task + 1) * sizeof *bytes);
    for (int64_t i = 0; i < p->n_item; i++) {
        const item *it = &p->item[i];

        if (it->root != i)
            continue;
        bytes[it->birth] += (int64_t)it->bytes;
        if (it->death < p->n_task)
            bytes[it->death + 1] -= (int64_t)it->bytes;
    }
    for (int64_t t = 1; t < p->n_task; t++)
        bytes[t] += bytes[t - 1];
}

static int is_cut(const vox_plan *p, int64_t moment)
{
    for (int i = 0; i < p->n_cut; i++) {
        if (p->cut[i] == moment)
            return 1;
    }
    return 0;
}

/* Lists anew. @param[out] highest  a moment with most in use that has no cut yet, or -1 */
static int list(vox_plan *p, int64_t *highest)
{
    int64_t *bytes, most = 0;

    VOX_TRY(vox_plan_list_tasks(p));
    VOX_TRY(vox_plan_list_items(p));
    bytes = vox_alloc((size_t)p->n_task + 1, sizeof *bytes);
    if (!bytes)
        return VOX_E_NOMEM;
    sum_lives(p, bytes);
    *highest = -1;
    for (int64_t t = 0; t < p->n_task; t++)
        most = bytes[t] > most ? bytes[t] : most;
    for (int64_t t = 0; t < p->n_task; t++) {
        if (bytes[t] == most && !is_cut(p, p->task[t].moment))
            *highest = p->task[t].moment;
    }
    p->live = (size_t)most;
    vox_free(bytes);
    return VOX_OK;
}

static int has_droppable(const vox_plan *p)
{
    for (int64_t i = 0; i < p->graph->count; i++) {
        if (p->site[i].droppable)
            return 1;
    }
    return 0;
}

static int choose_cuts(vox_plan *p)
{
    int64_t highest;
    size_t least;
    int best = 0;

    VOX_TRY(list(p, &highest));
    least = p->live;
    if (!has_droppable(p))
        return VOX_OK;
    while (highest >= 0 && p->n_cut < MAX_CUTS && p->n_cut < best + PATIENCE) {
        p->cut[p->n_cut++] = highest;
        VOX_TRY(list(p, &highest));
        if (p->live < least - least / GAIN) {
            best = p->n_cut;
            least = p->live;
        }
    }
    p->n_cut = best;
    return list(p, &highest);
}

int vox_plan_settle(vox_plan *p)
{
    if (!p->cfg.recompute)
        p->cfg.recompute = "cheap";
    VOX_TRY(check_scopes(p));
    VOX_TRY(mark_droppable(p));
    VOX_TRY(choose_cuts(p));
    return vox_plan_place(p);
}
