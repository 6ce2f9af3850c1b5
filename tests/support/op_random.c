/* op_random: variations of an op's problems, with other extents and channels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "support/op_case.h"
#include "support/unit.h"

static int pick(vox_rng *rng, int from, int to)
{
    return from + (int)vox_rng_below(rng, (uint64_t)(to - from + 1));
}

/* Few, about a block, or some blocks and a rest. */
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

static int extent(vox_rng *rng)
{
    return pick(rng, 0, 9) == 0 ? pick(rng, 10, 40) : pick(rng, 1, 9);
}

static int draw_shape(char *to, size_t room, const char *like, vox_rng *rng)
{
    int rank = 1, at = 0;

    for (const char *p = like; *p && *p != ' '; p++)
        rank += *p == 'x';
    for (int i = 0; i < rank; i++) {
        const int n = rank == 5 && i == 0   ? pick(rng, 1, 2)
                      : rank == 5 && i == 1 ? channels(rng)
                                            : extent(rng);

        at += snprintf(to + at, room - (size_t)at, "%s%d", i ? "x" : "", n);
    }
    return at;
}

/* Words of a problem again; "out=" drawn anew, "in3=SHAPE" left to be derived. */
static void draw_words(char *to, size_t room, const char *words, vox_rng *rng)
{
    char copy[256], list[64] = "", given[64] = "", *rest = copy;
    int at = 0;

    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        if (strncmp(w, "in=", 3) == 0)
            snprintf(list, sizeof list, "%s", w);
        else if (strncmp(w, "in", 2) == 0 && w[3] == '=')
            snprintf(given + strlen(given), sizeof given - strlen(given), ",%c", w[2]);
        else if (strncmp(w, "out=", 4) == 0)
            at += snprintf(to + at, room - (size_t)at, " out=%d", channels(rng));
        else
            at += snprintf(to + at, room - (size_t)at, " %s", w);
    }
    if (list[0])
        snprintf(to + at, room - (size_t)at, " %s%s", list, given);
    else if (given[0])
        snprintf(to + at, room - (size_t)at, " in=0,1%s", given);
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

void op_random_text(char text[static 256], const vox_op *op, vox_rng *rng, int64_t most)
{
    int n = 0;

    while (op->problems[n])
        n++;
    for (int tries = 0; tries < 10000; tries++) {
        const char *like = op->problems[vox_rng_below(rng, (uint64_t)n)];
        const int at = draw_shape(text, 256, like, rng);

        draw_words(text + at, 256 - (size_t)at, like + strcspn(like, " "), rng);
        if (usable(op, text, most))
            return;
    }
    fail_msg("%s: found no random problem", op->name);
}

int op_random_count(int otherwise)
{
    const char *text = getenv("VOX_OPS_RANDOM");

    return text ? atoi(text) : otherwise;
}
