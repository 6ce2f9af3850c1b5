/* plan_print: a plan as text: its memory, and where the time went. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "graph/plan_impl.h"

static const char *node_text(const vox_node *node)
{
    return node->op ? node->op->name : node->name ? node->name : "";
}

void vox_plan_print(const vox_plan *p, FILE *f)
{
    fprintf(f, "%-6s %-8s %12s %12s %6s %6s  %s\n", "item", "kind", "offset", "bytes",
            "first", "last", "node");
    for (int64_t i = 0; i < p->n_item; i++) {
        const item *it = &p->item[i];
        const vox_node *node = p->graph->node[it->node];

        fprintf(f, "%-6lld %-8s %12zu %12zu %6d %6lld  %s %s%s\n", (long long)i, it->kind,
                it->offset, it->bytes, it->birth,
                it->death == FOREVER ? (long long)p->n_task : (long long)it->death,
                node->scope, node_text(node), it->root == i ? "" : " (in place)");
    }
    fprintf(f, "%lld items, %zu bytes in use at most, %zu placed\n", (long long)p->n_item,
            p->live, p->bytes);
}

/* Times of one op, kernel and pass. */
typedef struct row {
    const char *op, *kernel, *pass;
    double seconds, flops;
    int64_t calls;
} row;

static int slower_first(const void *a, const void *b)
{
    const double x = ((const row *)a)->seconds, y = ((const row *)b)->seconds;

    return x < y ? 1 : x > y ? -1 : 0;
}

static double task_flops(const task *t)
{
    const vox_node *node = t->site->node;
    vox_infer io = {.op = node->op->name,
                    .attr = node->attr,
                    .n_in = node->n_in,
                    .n_out = node->n_out,
                    .saved = node->saved};
    int passes = 0;

    if (!node->op->flops)
        return 0;
    for (int i = 0; i < node->n_in; i++) {
        io.in[i] = node->in[i] ? vox_node_value(node->in[i]) : NULL;
        passes += i < 2 && t->put[i] != VOX_SKIP; /* of the data, of the weights */
    }
    memcpy(io.out, node->out, sizeof io.out);
    return node->op->flops(&io) * (t->kind == TASK_BACKWARD ? passes : 1);
}

static void add_row(row *rows, int *n, const task *t)
{
    static const char *const pass[] = {"forward", "seed", "rebuild", "backward"};
    const char *kernel = t->site->kernel   ? t->site->kernel->name
                         : t->site->staged ? "reference+relayout"
                                           : "reference";
    row *r = rows;

    while (r < rows + *n && (r->op != t->site->node->op->name ||
                             strcmp(r->kernel, kernel) || r->pass != pass[t->kind]))
        r++;
    if (r == rows + *n) {
        *r = (row){t->site->node->op->name, kernel, pass[t->kind], 0, 0, 0};
        (*n)++;
    }
    r->seconds += t->seconds;
    r->flops += task_flops(t) * (double)t->runs;
    r->calls += t->runs;
}

void vox_plan_print_profile(const vox_plan *p, FILE *f)
{
    row *rows = vox_zalloc((size_t)p->n_task + 1, sizeof *rows);
    double total = 0;
    int n = 0;

    if (!rows)
        return;
    for (int64_t t = 0; t < p->n_task; t++) {
        if (p->task[t].runs && p->task[t].kind != TASK_SEED)
            add_row(rows, &n, &p->task[t]);
        total += p->task[t].seconds;
    }
    qsort(rows, (size_t)n, sizeof *rows, slower_first);
    fprintf(f, "%-16s %-20s %-9s %7s %10s %6s %9s\n", "op", "kernel", "pass", "calls", "ms",
            "share", "GFLOP/s");
    for (int i = 0; i < n; i++)
        fprintf(f, "%-16s %-20s %-9s %7lld %10.2f %5.1f%% %9.1f\n", rows[i].op,
                rows[i].kernel, rows[i].pass, (long long)rows[i].calls,
                rows[i].seconds * 1e3, total > 0 ? 100 * rows[i].seconds / total : 0.0,
                rows[i].seconds > 0 ? rows[i].flops / rows[i].seconds * 1e-9 : 0.0);
    vox_free(rows);
}
