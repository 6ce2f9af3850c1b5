/*
 * op_random: problems drawn at random from an op's own problems, option rows and operands.
 *
 * One in three is a problem of the op with other extents and channels. In the others all
 * attributes, the presence of every optional operand and the shapes of those that have a
 * choice are drawn too. Two of three draws of a kernel, stride or pad are the usual one,
 * for these are what special code is written for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "support/op_case.h"
#include "support/unit.h"

enum { TEXT = 256 };

/* A problem in the making. */
typedef struct line {
    char *text;
    int at, rank;
    vox_rng *rng;
} line;

static int pick(vox_rng *rng, int from, int to)
{
    return from + (int)vox_rng_below(rng, (uint64_t)(to - from + 1));
}

static void put(line *l, const char *fmt, ...) VOX_PRINTF(2, 3);
static void put(line *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    l->at += vsnprintf(l->text + l->at, (size_t)(TEXT - l->at), fmt, ap);
    va_end(ap);
    assert_true(l->at < TEXT);
}

/* Few, some blocks, or some blocks and a rest. */
static int channels(vox_rng *rng)
{
    switch (pick(rng, 0, 3)) {
    case 0:
        return pick(rng, 1, 7);
    case 1:
        return 8 * pick(rng, 1, 6);
    default:
        return pick(rng, 8, 50);
    }
}

/* Of axis i. Rows are of any width up to 17; now and then an axis is long. */
static int extent(const line *l, int i)
{
    if (l->rank == 5 && i == 0)
        return pick(l->rng, 0, 1) ? 1 : pick(l->rng, 1, 3);
    if (l->rank == 5 && i == 1)
        return channels(l->rng);
    if (pick(l->rng, 0, 9) == 0)
        return pick(l->rng, 10, 40);
    return pick(l->rng, 1, i == l->rank - 1 ? 17 : 9);
}

static void draw_shape(line *l, const char *like)
{
    l->rank = 1;
    for (const char *p = like; *p && *p != ' '; p++)
        l->rank += *p == 'x';
    for (int i = 0; i < l->rank; i++)
        put(l, i ? "x%d" : "%d", extent(l, i));
}

/* Words of a problem again; "out=" drawn anew, "in3=SHAPE" left to be derived. */
static void repeat_words(line *l, const char *words)
{
    char copy[TEXT], list[64] = "", given[64] = "", *rest = copy;

    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        if (strncmp(w, "in=", 3) == 0)
            snprintf(list, sizeof list, "%s", w);
        else if (strncmp(w, "in", 2) == 0 && w[3] == '=')
            snprintf(given + strlen(given), sizeof given - strlen(given), ",%c", w[2]);
        else if (strncmp(w, "out=", 4) == 0)
            put(l, " out=%d", channels(l->rng));
        else
            put(l, " %s", w);
    }
    if (list[0])
        put(l, " %s%s", list, given);
    else if (given[0])
        put(l, " in=0,1%s", given);
}

/* One value of a list of three; `kernel` is that of its axis, if drawn before. */
static int draw_step(line *l, const vox_opt *o, int kernel)
{
    const int usual = pick(l->rng, 0, 2) > 0;

    if (strcmp(o->name, "pad") == 0 && kernel > 0)
        return usual ? (kernel - 1) / 2 : pick(l->rng, 0, kernel - 1);
    return usual ? atoi(o->def_text) : pick(l->rng, 1, strcmp(o->name, "kernel") ? 3 : 5);
}

static void draw_list(line *l, const vox_opt *o, int kernel[3])
{
    const int even = pick(l->rng, 0, 2) > 0;
    int v[3];

    for (int a = 0; a < 3; a++)
        v[a] = even && a > 0 && kernel[a] == kernel[0] ? v[0] : draw_step(l, o, kernel[a]);
    put(l, " %s=%d,%d,%d", o->name, v[0], v[1], v[2]);
    if (strcmp(o->name, "kernel") == 0)
        memcpy(kernel, v, sizeof v);
}

/* The default, or one of three values that a float option may have. */
static void draw_float(line *l, const vox_opt *o)
{
    static const char *const values[] = {"0", "0.2", "1"};
    const int i = pick(l->rng, 0, 3);

    if (i < 3 && atof(values[i]) >= o->min && atof(values[i]) <= o->max)
        put(l, " %s=%s", o->name, values[i]);
}

static void draw_words(line *l, const vox_op *op)
{
    int kernel[3] = {0, 0, 0};

    for (const vox_opt *o = op->opts; o && o->name; o++) {
        if (o->kind == VOX_OPT_KIND_INTS)
            draw_list(l, o, kernel);
        else if (o->kind == VOX_OPT_KIND_F32)
            draw_float(l, o);
        else if (strcmp(o->name, "out") == 0)
            put(l, " out=%d", channels(l->rng));
    }
    put(l, " in=0");
    for (int i = 1; i < op->n_in_max; i++) {
        if (i < op->n_in_min || pick(l->rng, 0, 1))
            put(l, ",%d", i);
    }
}

static int64_t divisor(vox_rng *rng, int64_t n)
{
    int64_t d;

    do {
        d = pick(rng, 1, (int)n);
    } while (n % d);
    return d;
}

/* Another shape for operand i, which perhaps it may have: blocks of another size, a second
 * source with channels of its own, another number of indices. */
static int other_shape(vox_shape *s, const vox_problem_spec *spec, int i, vox_rng *rng)
{
    const vox_value *v = &spec->in[i], *out = &spec->out[0];
    const vox_shape image = out->shape.rank == 5 ? out->shape : spec->in[0].shape;

    *s = v->shape;
    if (s->rank == 5 && v->dtype == VOX_U8) {
        for (int a = 2; a < 5; a++)
            s->n[a] = divisor(rng, image.n[a]);
    } else if (s->rank == 5 && v->role == VOX_ROLE_ACTIVATION) {
        s->n[1] = channels(rng);
    } else if (s->rank == 2 && v->dtype == VOX_I64) {
        s->n[1] = pick(rng, 1, 2 * (int)spec->in[0].shape.n[1]);
    } else {
        return 0;
    }
    return 1;
}

/* Small enough for a reference run, and valid. */
static int usable(const vox_op *op, const char *text, int64_t most)
{
    vox_problem_spec spec;
    int fits = 1;

    if (vox_problem_parse(&spec, op, text) != VOX_OK)
        return 0;
    for (int i = 0; i < spec.n_in; i++)
        fits &= spec.in[i].shape.rank < 0 || vox_shape_count(spec.in[i].shape) <= most;
    fits &= vox_shape_count(spec.out[0].shape) <= most;
    if (op->flops) {
        const vox_infer io = vox_problem_infer(&spec);

        fits &= op->flops(&io) <= 1e3 * (double)most;
    }
    vox_problem_release(&spec);
    return fits;
}

/* Give operands other shapes than the derived ones, where the op takes them. */
static void vary_shapes(line *l, const vox_op *op, int64_t most)
{
    for (int i = 1; i < op->n_in_max; i++) {
        char more[TEXT], shape[128];
        vox_problem_spec spec;
        vox_shape s;

        if (pick(l->rng, 0, 1))
            continue;
        if (vox_problem_parse(&spec, op, l->text) != VOX_OK)
            fail_msg("%s", vox_error_text());
        if (i < spec.n_in && other_shape(&s, &spec, i, l->rng)) {
            snprintf(more, sizeof more, "%.120s in%d=%s", l->text, i,
                     vox_shape_text(s, shape));
            if (usable(op, more, most))
                snprintf(l->text, TEXT, "%s", more);
        }
        vox_problem_release(&spec);
    }
}

void op_random_text(char text[static TEXT], const vox_op *op, vox_rng *rng, int64_t most)
{
    int n = 0;

    while (op->problems[n])
        n++;
    for (int tries = 0; tries < 10000; tries++) {
        const char *like = op->problems[vox_rng_below(rng, (uint64_t)n)];
        const int repeat = pick(rng, 0, 2) == 0;
        line l = {.text = text, .rng = rng};

        draw_shape(&l, like);
        if (repeat)
            repeat_words(&l, like + strcspn(like, " "));
        else
            draw_words(&l, op);
        if (!usable(op, text, most))
            continue;
        if (!repeat)
            vary_shapes(&l, op, most);
        return;
    }
    fail_msg("%s: found no random problem", op->name);
}

static int from_environment(const char *name, int otherwise)
{
    const char *text = getenv(name);

    return text ? atoi(text) : otherwise;
}

int op_random_count(int otherwise)
{
    return from_environment("VOX_OPS_RANDOM", otherwise);
}

int op_random_seed(int otherwise)
{
    return from_environment("VOX_OPS_SEED", otherwise);
}
