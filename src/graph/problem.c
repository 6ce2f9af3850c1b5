/* problem: texts like "2x8x5x6x7 out=16 stride=2 in=0,1,3" to values and attributes. */
#include "graph/problem.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { MAX_TEXT = 1024, ABSENT = -1, DERIVED = 0 };
static const int64_t max_elements = (int64_t)1 << 40;

void vox_operand_fill(vox_value *v, vox_dtype dtype, vox_role role, vox_shape shape)
{
    if (v->shape.rank < 0)
        return;
    v->dtype = dtype;
    v->role = role;
    if (v->shape.rank == DERIVED)
        v->shape = shape;
}

/* "in=0,1,3": exactly these are present; shapes given before stay. */
static int set_present(vox_problem_spec *spec, const char *list)
{
    unsigned present = 0;

    for (const char *p = list;; p++) {
        char *end;
        const long i = strtol(p, &end, 10);

        if (end == p || i < 0 || i >= spec->op->n_in_max || (*end && *end != ','))
            return vox_fail(VOX_E_ARG, "in=%s, wanted operands below %d, as 0,1,3", list,
                            spec->op->n_in_max);
        present |= 1u << i;
        p = end;
        if (*p == '\0')
            break;
    }
    for (int i = 1; i < spec->op->n_in_max; i++) {
        if (!(present & 1u << i))
            spec->in[i].shape.rank = ABSENT;
        else if (spec->in[i].shape.rank < 0)
            spec->in[i].shape.rank = DERIVED;
    }
    return VOX_OK;
}

static int parse_shape(vox_shape *out, const char *text)
{
    VOX_TRY(vox_shape_parse(out, text));
    for (int i = 0; i < out->rank; i++) {
        if (out->n[i] < 1)
            return vox_fail(VOX_E_ARG, "shape %s has an empty axis", text);
    }
    if (vox_shape_count(*out) < 1 || vox_shape_count(*out) > max_elements)
        return vox_fail(VOX_E_ARG, "shape %s has more than 2^40 elements", text);
    return VOX_OK;
}

/* "in4=SHAPE", or an attribute. */
static int set_named(vox_problem_spec *spec, const char *name, const char *text)
{
    if (strncmp(name, "in", 2) == 0 && name[2] >= '1' && name[2] <= '9' &&
        name[3] == '\0') {
        const int i = name[2] - '0';

        if (i >= spec->op->n_in_max)
            return vox_fail(VOX_E_ARG, "%s: %s has %d operands", name, spec->op->name,
                            spec->op->n_in_max);
        return parse_shape(&spec->in[i].shape, text);
    }
    if (!spec->op->opts)
        return vox_fail(VOX_E_ARG, "%s: %s has no attributes", name, spec->op->name);
    return vox_opts_set(spec->op->opts, spec->attr, name, text);
}

/* The words behind the shape; `text` is taken apart. Lists of operands come first. */
static int set_words(vox_problem_spec *spec, char *text, int lists)
{
    char *rest = text;

    for (char *word = strtok_r(rest, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');
        int is_list;

        if (!equals)
            return vox_fail(VOX_E_ARG, "\"%s\", wanted name=value", word);
        is_list = strncmp(word, "in=", 3) == 0;
        *equals = '\0';
        if (lists && is_list)
            VOX_TRY(set_present(spec, equals + 1));
        else if (!lists && !is_list)
            VOX_TRY(set_named(spec, word, equals + 1));
    }
    return VOX_OK;
}

/* stride=2 stands for one value per spatial axis. */
static void spread_lists(vox_problem_spec *spec)
{
    const int axes = spec->in[0].shape.rank - 2;

    for (const vox_opt *o = spec->op->opts; o && o->name; o++) {
        vox_ints *list = (vox_ints *)((char *)spec->attr + o->offset);

        if (o->kind != VOX_OPT_KIND_INTS || list->count != 1)
            continue;
        for (; list->count < axes; list->count++)
            list->v[list->count] = list->v[0];
    }
}

vox_infer vox_problem_infer(const vox_problem_spec *spec)
{
    vox_infer io = {.op = spec->op->name,
                    .attr = spec->attr,
                    .n_in = spec->n_in,
                    .n_out = spec->n_out,
                    .saved = spec->saved};

    for (int i = 0; i < spec->n_in; i++)
        io.in[i] = spec->in[i].shape.rank < 0 ? NULL : &spec->in[i];
    memcpy(io.out, spec->out, sizeof io.out);
    return io;
}

static int want_countable(const vox_op *op, const vox_value *v, int n)
{
    char text[128];

    for (int i = 0; i < n; i++) {
        const int64_t count = v[i].shape.rank < 0 ? 1 : vox_shape_count(v[i].shape);

        if (count < 1 || count > max_elements)
            return vox_fail(VOX_E_ARG,
                            "%s: a tensor would be %s, wanted 1 to 2^40 elements", op->name,
                            vox_shape_text(v[i].shape, text));
    }
    return VOX_OK;
}

/* Outputs and saved data, by the op's shape rule. */
static int infer_outputs(vox_problem_spec *spec)
{
    const vox_op *op = spec->op;
    vox_infer io;

    for (int i = 0; i < op->n_out; i++)
        spec->out[i] = (vox_value){VOX_F32, VOX_ROLE_ACTIVATION, {0}};
    spec->n_out = op->n_out;
    io = vox_problem_infer(spec);
    VOX_TRY(op->infer(&io));
    memcpy(spec->out, io.out, sizeof io.out);
    spec->saved = io.saved;
    return want_countable(op, spec->out, op->n_out);
}

/* Operands from the op, then its shape rule. */
static int complete(vox_problem_spec *spec)
{
    const vox_op *op = spec->op;

    spread_lists(spec);
    if (op->operands)
        VOX_TRY(op->operands(spec->in, spec->limit, spec->attr));
    for (int i = 0; i < op->n_in_max; i++) {
        if (spec->in[i].shape.rank == DERIVED)
            return vox_fail(VOX_E_ARG, "%s: operand %d cannot be derived, give in%d=SHAPE",
                            op->name, i, i);
        if (spec->in[i].shape.rank > 0)
            spec->n_in = i + 1;
        else if (i < op->n_in_min)
            return vox_fail(VOX_E_ARG, "%s: operand %d is not optional", op->name, i);
    }
    VOX_TRY(want_countable(op, spec->in, op->n_in_max));
    return infer_outputs(spec);
}

static int begin(vox_problem_spec *spec, const char *shape)
{
    const vox_op *op = spec->op;

    for (int i = 0; i < VOX_MAX_IN; i++)
        spec->in[i].shape.rank = i < op->n_in_min ? DERIVED : ABSENT;
    VOX_TRY(parse_shape(&spec->in[0].shape, shape));
    spec->in[0].dtype = VOX_F32;
    spec->in[0].role = VOX_ROLE_ACTIVATION;
    if (op->attr_size == 0)
        return VOX_OK;
    spec->attr = vox_zalloc(1, op->attr_size);
    if (!spec->attr)
        return VOX_E_NOMEM;
    return op->opts ? vox_opts_defaults(op->opts, spec->attr) : VOX_OK;
}

static int parse(vox_problem_spec *spec, const char *text)
{
    char shape[MAX_TEXT], words[MAX_TEXT];
    const size_t length = strcspn(text, " ");

    if (strlen(text) >= MAX_TEXT)
        return vox_fail(VOX_E_ARG, "the problem is longer than %d characters",
                        MAX_TEXT - 1);
    memcpy(shape, text, length);
    shape[length] = '\0';
    VOX_TRY(begin(spec, shape));
    memcpy(words, text + length, strlen(text + length) + 1);
    VOX_TRY(set_words(spec, words, 1));
    memcpy(words, text + length, strlen(text + length) + 1);
    VOX_TRY(set_words(spec, words, 0));
    return complete(spec);
}

int vox_problem_parse(vox_problem_spec *out, const vox_op *op, const char *text)
{
    int rc;

    *out = (vox_problem_spec)VOX_PROBLEM_SPEC_INIT;
    out->op = op;
    rc = parse(out, text);
    if (rc == VOX_OK)
        return VOX_OK;
    vox_problem_release(out);
    return vox_fail_in(rc, "%s problem \"%.80s\"", op->name, text);
}

void vox_problem_release(vox_problem_spec *spec)
{
    if (spec->attr && spec->op->opts)
        vox_opts_release(spec->op->opts, spec->attr);
    vox_free(spec->attr);
    *spec = (vox_problem_spec)VOX_PROBLEM_SPEC_INIT;
}

int vox_problem_resize(vox_problem_spec *spec, const int64_t extent[3])
{
    const int64_t *like = spec->in[0].shape.n + 2;
    vox_problem_spec new = *spec;

    for (int i = 0; i < spec->n_in; i++) {
        const vox_value *v = &spec->in[i];

        if (v->shape.rank < 0 || v->dtype != VOX_F32 || v->role == VOX_ROLE_PARAM)
            continue;
        if (v->shape.rank != 5 || memcmp(v->shape.n + 2, like, 3 * sizeof *like) != 0)
            return vox_fail(VOX_E_ARG, "operand %d has extents of its own", i);
        memcpy(new.in[i].shape.n + 2, extent, 3 * sizeof *extent);
    }
    VOX_TRY(infer_outputs(&new));
    *spec = new;
    return VOX_OK;
}

int vox_problem_has_grad(const vox_problem_spec *spec, int i)
{
    const vox_value *v = &spec->in[i];

    return spec->op->backward && i < spec->n_in && v->shape.rank >= 0 &&
           v->dtype == VOX_F32 && v->role != VOX_ROLE_INPUT && v->role != VOX_ROLE_STATE;
}

vox_problem vox_problem_on(const vox_problem_spec *spec, const vox_device *dev)
{
    vox_problem q = {.op = spec->op,
                     .attr = spec->attr,
                     .n_in = spec->n_in,
                     .n_out = spec->n_out,
                     .threads = dev->ctx.threads,
                     .winograd = dev->winograd};

    for (int i = 0; i < VOX_MAX_IN; i++)
        q.in[i].shape.rank = -1;
    for (int i = 0; i < q.n_in; i++) {
        q.in[i] = vox_tensor_of(&spec->in[i], vox_layout_of(&spec->in[i], dev->blocked));
        if (vox_problem_has_grad(spec, i))
            q.grads |= 1u << i;
    }
    for (int i = 0; i < q.n_out; i++)
        q.out[i] = vox_tensor_of(&spec->out[i], vox_layout_of(&spec->out[i], dev->blocked));
    return q;
}
