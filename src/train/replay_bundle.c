/* replay_bundle: does a bundle fit the net? All faults in one message. Source: replay.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "train/replay_impl.h"

enum { SHORT = 700 /* bytes of faults that a message holds */ };

/* Faults found so far, one line each. */
typedef struct faults {
    const vox_replay_run *run;
    vox_buf text;
    int count, failed;
} faults;

static void add_fault(faults *f, const char *line)
{
    f->count++;
    f->failed |= vox_buf_printf(&f->text, "%s%s", f->count > 1 ? "\n" : "", line) != VOX_OK;
}

static void wrong_shape(faults *f, const vox_view *t, vox_dtype dtype, vox_shape want)
{
    char line[512], a[128], b[128];

    snprintf(line, sizeof line, "\"%s\" is %s %s, wanted %s %s", t->name,
             vox_dtype_name(t->dtype), vox_shape_text(t->shape, a), vox_dtype_name(dtype),
             vox_shape_text(want, b));
    add_fault(f, line);
}

/* A few faults are the message; many are logged, and the message counts them. */
static int give(faults *f)
{
    const char *path = f->run->path;
    char *line, *next;

    if (f->failed)
        return VOX_E_NOMEM;
    if (f->count == 0)
        return VOX_OK;
    if (f->text.len <= SHORT)
        return vox_fail(VOX_E_FORMAT, "%s: %d tensors do not fit:\n%s", path, f->count,
                        vox_buf_text(&f->text));
    for (line = f->text.data; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        vox_log(VOX_ERROR, "replay", "%s", line);
    }
    return vox_fail(VOX_E_FORMAT, "%s: %d tensors do not fit, listed above; the first: %s",
                    path, f->count, f->text.data);
}

static int finish(faults *f)
{
    const int rc = give(f);

    vox_buf_release(&f->text);
    return rc;
}

/* ---- names and shapes ---- */

static void check_param(faults *f, const vox_view *t, unsigned char *seen)
{
    const vox_params *p = f->run->engine.params;
    const int i = vox_params_find(p, t->name + strlen("param/"));
    char line[512];

    if (i < 0) {
        snprintf(line, sizeof line, "\"%s\" is no parameter of %s", t->name,
                 f->run->setup.model.preset);
        add_fault(f, line);
        return;
    }
    seen[i] = 1;
    if (t->dtype != VOX_F32 || !vox_shape_equal(t->shape, p->param[i].shape))
        wrong_shape(f, t, VOX_F32, p->param[i].shape);
}

static int is_input(const vox_node *node)
{
    return !node->op && !node->params && !node->pick_of;
}

/* The input that "step<k>/<name>" fills, or NULL. */
static const vox_node *input_of(const vox_replay_run *r, const char *name)
{
    const vox_graph *g = r->engine.pass[VOX_TRAINING][0].pretext.g;
    const vox_node *node;
    char *end;
    long k;

    if (strncmp(name, "step", 4) != 0 || name[4] < '0' || name[4] > '9')
        return NULL;
    k = strtol(name + 4, &end, 10);
    if (*end != '/' || k >= r->spec.steps)
        return NULL;
    node = vox_graph_find(g, end + 1);
    return node && is_input(node) ? node : NULL;
}

static void check_input(faults *f, const vox_view *t)
{
    const vox_node *node = input_of(f->run, t->name);
    vox_shape want;
    char line[512];

    if (!node) {
        snprintf(line, sizeof line, "\"%s\" is no input of %s in %d steps", t->name,
                 f->run->setup.method->name, f->run->spec.steps);
        add_fault(f, line);
        return;
    }
    want = vox_node_shape(node);
    want.n[0] = f->run->size;
    if (t->dtype != vox_node_value(node)->dtype || !vox_shape_equal(t->shape, want))
        wrong_shape(f, t, vox_node_value(node)->dtype, want);
}

static void list_missing_params(faults *f, const unsigned char *seen)
{
    const vox_params *p = f->run->engine.params;
    char line[512];

    for (int i = 0; i < p->n_param; i++) {
        if (seen[i])
            continue;
        snprintf(line, sizeof line, "\"param/%s\" is missing", p->param[i].name);
        add_fault(f, line);
    }
}

static void list_missing_inputs(faults *f)
{
    const vox_graph *g = f->run->engine.pass[VOX_TRAINING][0].pretext.g;
    char name[128], line[256];

    for (int k = 0; k < f->run->spec.steps; k++) {
        for (int64_t i = 0; i < g->count; i++) {
            if (!is_input(g->node[i]))
                continue;
            snprintf(name, sizeof name, "step%d/%s", k, g->node[i]->name);
            if (vox_tensors_find(&f->run->in, name))
                continue;
            snprintf(line, sizeof line, "\"%s\" is missing", name);
            add_fault(f, line);
        }
    }
}

int vox_replay_check(const vox_replay_run *r)
{
    unsigned char *seen = vox_zalloc((size_t)r->engine.params->n_param, 1);
    faults f = {.run = r};

    if (!seen)
        return VOX_E_NOMEM;
    for (int64_t i = 0; i < r->in.count; i++) {
        const vox_view *t = &r->in.item[i];

        if (strncmp(t->name, "param/", 6) == 0)
            check_param(&f, t, seen);
        else
            check_input(&f, t);
    }
    list_missing_params(&f, seen);
    list_missing_inputs(&f);
    vox_free(seen);
    return finish(&f);
}

/* ---- values ---- */

/* Set parameter i from its first tensor, compare with the later ones (aliases). */
static int load_param(faults *f, const vox_view *t, unsigned char *seen)
{
    vox_params *p = f->run->engine.params;
    const int i = vox_params_find(p, t->name + strlen("param/"));
    const size_t bytes = (size_t)p->param[i].count * sizeof(float);
    float *v = vox_alloc(2, bytes), *old = v ? v + p->param[i].count : NULL;
    int rc = v ? VOX_OK : VOX_E_NOMEM;

    if (rc == VOX_OK)
        vox_view_pack(v, t);
    if (rc == VOX_OK && !seen[i])
        rc = vox_params_set(p, p->value, i, v);
    else if (rc == VOX_OK)
        rc = vox_params_get(p, p->value, i, old);
    if (rc == VOX_OK && seen[i] && memcmp(v, old, bytes) != 0) {
        char line[512];

        snprintf(line, sizeof line, "\"%s\" differs from another name of \"%s\"", t->name,
                 p->param[i].name);
        add_fault(f, line);
    }
    seen[i] = 1;
    vox_free(v);
    return rc;
}

int vox_replay_load(const vox_replay_run *r)
{
    unsigned char *seen = vox_zalloc((size_t)r->engine.params->n_param, 1);
    faults f = {.run = r};
    int rc = seen ? VOX_OK : VOX_E_NOMEM;

    for (int64_t i = 0; i < r->in.count && rc == VOX_OK; i++) {
        if (strncmp(r->in.item[i].name, "param/", 6) == 0)
            rc = load_param(&f, &r->in.item[i], seen);
    }
    vox_free(seen);
    if (rc != VOX_OK) {
        vox_buf_release(&f.text);
        return rc;
    }
    return finish(&f);
}
