/* op_sweep: see the header. */
#include "support/op_sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/op_case.h"
#include "support/unit.h"

enum { MAX_KERNELS = 64, THREADS = 3, MAX_PUTS = 3 };

/* What a kernel has done. */
typedef struct tally {
    int run, picked;
    double worst[OP_FAR]; /* largest error / allowed error, by data */
} tally;

/* A way on devices of 1 to THREADS threads; NULL where this machine lacks it. */
typedef struct way {
    const op_way *how;
    vox_device *dev[THREADS];
    tally kernel[MAX_KERNELS];
} way;

static way ways[OP_WAYS]; /* the first, the reference, stays empty */
static vox_device *reference;

/* A case, what must come out, and the puts that its gradients are tried with. */
typedef struct subject {
    op_case c;
    op_result wanted, magnitude, mixed; /* mixed: magnitude for Winograd's form */
    int threads;                        /* 0..THREADS - 1: of the first call */
    int puts;
    vox_put put[MAX_PUTS][VOX_MAX_IN];
} subject;

int op_sweep_open(void **state)
{
    (void)state;
    reference = op_device("reference", 2);
    for (int i = 1; i < OP_WAYS; i++) {
        int n = 0;

        ways[i].how = &op_ways[i];
        for (int t = 0; t < THREADS; t++)
            ways[i].dev[t] = op_way_open(&op_ways[i], 1 + t);
        while (ways[i].dev[0] && ways[i].dev[0]->kernels[n])
            n++;
        assert_true(n <= MAX_KERNELS);
    }
    return 0;
}

int op_sweep_close(void **state)
{
    (void)state;
    vox_device_close(reference);
    for (int i = 0; i < OP_WAYS; i++) {
        for (int t = 0; t < THREADS; t++)
            vox_device_close(ways[i].dev[t]);
    }
    return 0;
}

/* ---- one kernel ---- */

static const op_result *allowed(const subject *s, const op_how *how)
{
    return how->dev->winograd == VOX_WINOGRAD_NEVER ? &s->magnitude : &s->mixed;
}

static double compare_puts(const subject *s, const op_how *how, const char *who)
{
    op_result wanted = op_result_copy(&s->c, &s->wanted);
    op_result magnitude = op_result_copy(&s->c, allowed(s, how));
    op_result found = op_case_run(&s->c, how);
    double worst;

    op_result_add_base(&s->c, &wanted, how);
    op_result_add_base(&s->c, &magnitude, how);
    worst = op_result_compare(&s->c, who, &found, &wanted, &magnitude);
    op_result_free(&found);
    op_result_free(&wanted);
    op_result_free(&magnitude);
    return worst;
}

static void compare_alias(const subject *s, const op_how *write, const op_result *wanted,
                          const char *who)
{
    for (int i = 0; i < s->c.spec.n_in; i++) {
        op_how how = *write;
        op_result found;

        if (!s->c.in[i] || !(s->c.spec.op->may_alias & VOX_ALIAS(0, i)))
            continue;
        how.alias = i;
        found = op_case_run(&s->c, &how);
        op_result_same(&s->c, who, wanted, &found);
        op_result_free(&found);
    }
}

/* Values, other threads, gradients put in other ways, output over an operand. */
static double check_kernel(const way *w, const vox_kernel *k, const subject *s)
{
    const op_how how = op_how_write(w->dev[s->threads], k);
    op_how other = op_how_write(w->dev[(s->threads + 1) % THREADS], k);
    op_result found = op_case_run(&s->c, &how), again = op_case_run(&s->c, &other);
    char who[128];
    double worst;

    snprintf(who, sizeof who, "%s on %s", k->name, w->how->name);
    worst = op_result_compare(&s->c, who, &found, &s->wanted, allowed(s, &how));
    op_result_same(&s->c, who, &found, &again);
    compare_alias(s, &how, &found, who);
    op_case_check_backward(&s->c, &how, &found, who);
    other.dev = w->dev[(s->threads + 2) % THREADS];
    other.base = 0.625f;
    for (int i = 0; i < s->puts; i++) {
        memcpy(other.put, s->put[i], sizeof other.put);
        worst = fmax(worst, compare_puts(s, &other, who));
    }
    op_result_free(&found);
    op_result_free(&again);
    return worst;
}

/* @return kernels that ran */
static int check_way(way *w, const subject *s)
{
    const vox_problem problem = op_case_problem(&s->c, w->dev[s->threads]);
    const vox_kernel *const *kernels = w->dev[0]->kernels;
    vox_problem forward = problem;
    int ran = 0;

    forward.grads = 0;
    for (int i = 0; kernels[i]; i++) {
        tally *t = &w->kernel[i];

        if (strcmp(kernels[i]->op, s->c.spec.op->name) != 0 ||
            !kernels[i]->supports(&problem))
            continue;
        assert_true(kernels[i]->supports(&forward));
        t->worst[s->c.far] = fmax(t->worst[s->c.far], check_kernel(w, kernels[i], s));
        t->run++;
        t->picked += ran++ == 0;
    }
    return ran;
}

/* ---- one problem ---- */

static subject subject_of(const vox_op *op, const char *text, uint64_t seed, int far)
{
    const op_how how = op_how_write(reference, NULL);
    subject s = {.c = op_case_new(op, text, seed, far)};

    s.magnitude = op_case_magnitude(&s.c);
    s.mixed = op_result_copy(&s.c, &s.magnitude);
    op_result_mix(&s.c, &s.mixed);
    s.wanted = op_case_run(&s.c, &how);
    return s;
}

static void release(subject *s)
{
    op_result_free(&s->wanted);
    op_result_free(&s->magnitude);
    op_result_free(&s->mixed);
    op_case_free(&s->c);
}

/* On the ways that use Winograd's form so, or on all of them (AUTO). @return 1 if every one
 * had a kernel for it */
static int check(const subject *s, vox_winograd_use use)
{
    int all = 1;

    for (int i = 1; i < OP_WAYS; i++) {
        if (ways[i].dev[0] && op_way_is_for(ways[i].how, &s->c.spec) &&
            (use == VOX_WINOGRAD_AUTO || use == ways[i].how->winograd))
            all &= check_way(&ways[i], s) > 0;
    }
    return all;
}

/* Every second gradient left out, the others left out, all added. */
static void try_all_puts(subject *s)
{
    s->puts = 3;
    for (int i = 0; i < VOX_MAX_IN; i++) {
        s->put[0][i] = i % 2 ? VOX_SKIP : VOX_WRITE;
        s->put[1][i] = i % 2 ? VOX_WRITE : VOX_SKIP;
        s->put[2][i] = VOX_ADD;
    }
}

/* Once as a call amid a net, once as its first, on an input. */
static void check_all(const vox_op *op, const char *text)
{
    for (int far = 0; far < OP_FAR; far++) {
        subject s = subject_of(op, text, (uint64_t)op_random_seed(11), far);

        try_all_puts(&s);
        s.threads = far % THREADS;
        check(&s, VOX_WINOGRAD_AUTO);
        op_case_make_input(&s.c);
        check(&s, VOX_WINOGRAD_AUTO);
        release(&s);
    }
}

/* The rest of the draws is a function of the text too, so that a failure can be replayed
 * by itself: but for threads and puts, of which a replay tries all. */
static int check_random(const vox_op *op, const char *text, uint64_t seed,
                        vox_winograd_use use)
{
    vox_rng rng = vox_rng_at(seed, VOX_STREAM(text), 99);
    int all;
    subject s = subject_of(op, text, seed, (int)vox_rng_below(&rng, OP_FAR));

    s.threads = (int)vox_rng_below(&rng, THREADS);
    s.puts = 1;
    for (int i = 0; i < VOX_MAX_IN; i++)
        s.put[0][i] = (vox_put)vox_rng_below(&rng, 3);
    if (vox_rng_below(&rng, 4) == 0 && use != VOX_WINOGRAD_ALWAYS)
        op_case_make_input(&s.c);
    all = check(&s, use);
    release(&s);
    return all;
}

/* ---- all of them ---- */

static int has_kernel(const vox_op *op)
{
    for (int i = 0; i < OP_WAYS; i++) {
        for (int k = 0; ways[i].dev[0] && ways[i].dev[0]->kernels[k]; k++) {
            if (strcmp(ways[i].dev[0]->kernels[k]->op, op->name) == 0)
                return 1;
        }
    }
    return 0;
}

static const char *only(void)
{
    return getenv("VOX_OPS_PROBLEM");
}

static void check_only(const char *call)
{
    char name[64];
    const size_t length = strcspn(call, " ");

    snprintf(name, sizeof name, "%.*s", (int)length, call);
    if (!vox_op_find(name) || call[length] != ' ')
        fail_msg("VOX_OPS_PROBLEM=\"%s\", wanted an op and its problem", call);
    check_all(vox_op_find(name), call + length + 1);
}

void op_sweep_problems(void)
{
    if (only()) {
        check_only(only());
        return;
    }
    for (int k = 0; vox_op_at(k); k++) {
        const vox_op *op = vox_op_at(k);

        for (int i = 0; has_kernel(op) && op->problems[i]; i++)
            check_all(op, op->problems[i]);
    }
}

/* A random problem, such that it has Winograd's form if that is to be used. */
static void draw_text(char text[static 256], const vox_op *op, vox_rng *rng, int64_t most,
                      vox_winograd_use use)
{
    int fits;

    do {
        vox_problem_spec spec;

        op_random_text(text, op, rng, most);
        assert_int_equal(vox_problem_parse(&spec, op, text), 0);
        fits = use == VOX_WINOGRAD_NEVER || op_spec_is_winograd(&spec);
        vox_problem_release(&spec);
    } while (!fits);
}

static void sweep(const vox_op *op, int n, int64_t most, vox_winograd_use use)
{
    const uint64_t seed = (uint64_t)op_random_seed(5);
    vox_rng rng = vox_rng_at(seed, VOX_STREAM(op->name), (uint64_t)use);
    int tries = 0;

    for (int i = 0; i < n; tries++) {
        char text[256];

        draw_text(text, op, &rng, most, use);
        i += check_random(op, text, seed, use);
        if (tries > 4 * n)
            fail_msg("%s: kernels take %d of %d random problems", op->name, i, tries);
    }
}

void op_sweep_random(int n, int64_t most)
{
    for (int k = 0; !only() && vox_op_at(k); k++) {
        if (has_kernel(vox_op_at(k)))
            sweep(vox_op_at(k), n, most, VOX_WINOGRAD_NEVER);
    }
    if (!only())
        sweep(vox_op_find("conv3d"), n, most, VOX_WINOGRAD_ALWAYS);
}

void op_sweep_borders(void)
{
    enum { PADS = 3, WIDTHS = 9 };
    const vox_op *op = vox_op_find("conv3d");
    const uint64_t seed = (uint64_t)op_random_seed(11);

    if (!only()) /* a whole tile, and no sum longer than it */
        check_all(op, "1x64x3x3x6 out=48 pad=0");
    for (int i = 0; !only() && i < PADS * WIDTHS; i++) {
        const int pad = i / WIDTHS, least = pad == 0 ? 3 : 1, width = 1 + i % WIDTHS;
        char text[64];

        if (width < least)
            continue;
        snprintf(text, sizeof text, "2x9x%dx%dx%d out=17 pad=%d", least + i % 3,
                 least + i % 4, width, pad);
        check_random(op, text, seed, VOX_WINOGRAD_ALWAYS);
    }
}

static void report_way(const way *w)
{
    for (int k = 0; w->dev[0] && w->dev[0]->kernels[k]; k++) {
        const tally *t = &w->kernel[k];
        const char *name = w->dev[0]->kernels[k]->name;

        if (t->run == 0 && w->how->winograd == VOX_WINOGRAD_ALWAYS)
            continue;
        print_message("%-16s %-18s %5d  %5d        %.2f  %.2f  %.2f\n", w->how->name, name,
                      t->run, t->picked, t->worst[0], t->worst[1], t->worst[2]);
        if (t->picked == 0 && !only())
            fail_msg("%s on %s: no problem %s it", name, w->how->name,
                     t->run ? "picks" : "reaches");
    }
}

void op_sweep_report(void)
{
    print_message("                                     run picked  error / bound: near, "
                  "far, far\n");
    for (int i = 0; i < OP_WAYS; i++)
        report_way(&ways[i]);
}
