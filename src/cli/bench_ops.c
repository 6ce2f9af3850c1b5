/*
 * bench ops: ops by themselves. Problems are texts (graph/problem.h), also those of a net,
 * so that a line can be had again by `voxmind bench ops <op> "<problem>"`, with the options
 * of the run that decide how kernels compute. Two things of a net no text says: that an
 * operand is an input, which has no gradient, and what of the values is stored as bf16.
 */
#include <json-c/json_object.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/bench.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "graph/problem_list.h"

enum { MOST_TURNS = 1000 };
static const double least_seconds = 0.03; /* of one pass of a problem, all turns */

/* ---- which problems ---- */

/* The problems of the run's training graph; of one op, or of all (NULL). */
static int list_net(vox_problem_list *l, vox_bench_run *b, const vox_op *only)
{
    VOX_TRY(vox_bench_run_plan(b, 0));
    return vox_problem_list_add_plan(l, vox_engine_plan(&b->engine),
                                     b->engine.pass[VOX_TRAINING][0].pretext.g, only);
}

/* What a text of its own is stored as: all bf16 that kernels take, or nothing. */
static unsigned storage(const vox_bench_run *b)
{
    return b->run.precision == VOX_BF16 ? ~0u : 0;
}

static int list_table(vox_problem_list *l, const vox_bench_run *b, const vox_op *only)
{
    for (int k = 0; vox_op_at(k); k++) {
        const vox_op *op = vox_op_at(k);

        for (int i = 0; (!only || op == only) && op->problems[i]; i++)
            VOX_TRY(vox_problem_list_add_text(l, op, op->problems[i], storage(b)));
    }
    return VOX_OK;
}

static const char *op_name(int i, void *arg)
{
    (void)arg;
    return vox_op_at(i) ? vox_op_at(i)->name : NULL;
}

static int find_op(const vox_op **out, const char *name)
{
    const char *near;

    *out = vox_op_find(name);
    if (*out)
        return VOX_OK;
    near = vox_suggest(name, op_name, NULL);
    return near ? vox_fail(VOX_E_USAGE, "no op is called \"%s\", did you mean \"%s\"?",
                           name, near)
                : vox_fail(VOX_E_USAGE, "no op is called \"%s\" (voxmind list ops)", name);
}

static int list_items(vox_problem_list *l, vox_bench_run *b, const vox_bench_cfg *cfg,
                      int argc, char **argv)
{
    const vox_run_args *a = &cfg->run;
    const vox_op *only = NULL;

    if (argc)
        VOX_TRY(find_op(&only, argv[0]));
    for (int i = 1; i < argc; i++)
        VOX_TRY(vox_problem_list_add_text(l, only, argv[i], storage(b)));
    if (argc > 1)
        return VOX_OK;
    return a->net || a->trainer || a->recipe || a->method ? list_net(l, b, only)
                                                          : list_table(l, b, only);
}

/* ---- measuring ---- */

typedef struct result {
    const vox_problem_item *it;
    const vox_trial *trial;
    vox_trial_pass pass;
    double median, min; /* seconds */
    int turns;
    double peak; /* GFLOP/s */
} result;

/* null where the op does not count its operations. */
static void put_counted(json_object *o, const char *key, double v, int digits)
{
    if (v > 0)
        vox_report_round(o, key, v, digits);
    else
        vox_report_text(o, key, NULL);
}

static int tell(const result *r)
{
    const vox_device *dev = r->trial->dev;
    const double gflop = 1e-9 * vox_trial_flops(r->trial, r->pass);
    const double gbyte = 1e-9 * vox_trial_bytes(r->trial, r->pass);
    json_object *o = json_object_new_object();

    vox_report_text(o, "bench", "ops");
    vox_report_text(o, "op", r->it->op->name);
    vox_report_text(o, "problem", r->it->text);
    vox_report_text(o, "pass", vox_trial_pass_name(r->pass));
    vox_report_text(o, "kernel", vox_trial_kernel(r->trial));
    vox_report_int(o, "count", r->it->count[r->pass]);
    vox_report_int(o, "threads", dev->ctx.threads);
    vox_report_text(o, "cpu", dev->path);
    vox_report_text(o, "precision",
                    vox_dtype_name(vox_trial_is_bf16(r->trial) ? VOX_BF16 : VOX_F32));
    vox_report_int(o, "repeat", r->turns);
    vox_report_round(o, "ms_median", 1e3 * r->median, 4);
    vox_report_round(o, "ms_min", 1e3 * r->min, 4);
    put_counted(o, "gflop", gflop, 4);
    put_counted(o, "gflops", gflop / r->median, 1);
    vox_report_round(o, "gbytes", gbyte / r->median, 2);
    vox_report_round(o, "peak_gflops", r->peak, 1);
    put_counted(o, "share_of_peak", gflop / r->median / r->peak, 4);
    return vox_report_json(o);
}

/* The first call touches the memory, the second tells how many turns are enough. */
static void measure_pass(result *r, vox_trial *t, int repeat)
{
    double seconds[MOST_TURNS];

    vox_trial_time(t, r->pass, 2, seconds);
    r->turns = repeat;
    if (repeat * seconds[1] < least_seconds)
        r->turns = 1 + (int)(least_seconds / (seconds[1] + least_seconds / MOST_TURNS));
    r->turns = r->turns > MOST_TURNS ? MOST_TURNS : r->turns;
    vox_trial_time(t, r->pass, r->turns, seconds);
    r->median = vox_bench_median(seconds, r->turns);
    r->min = seconds[0];
}

static int measure_spec(const vox_problem_item *it, const vox_problem_spec *spec,
                        vox_device *dev, int repeat, double peak)
{
    vox_trial trial = VOX_TRIAL_INIT;
    int rc = vox_trial_init(&trial, spec, dev, it->grads, it->bf16);

    for (int pass = 0; pass < VOX_TRIAL_PASSES && rc == VOX_OK; pass++) {
        result r = {.it = it, .trial = &trial, .pass = (vox_trial_pass)pass, .peak = peak};

        if (!vox_trial_has(&trial, r.pass))
            continue;
        measure_pass(&r, &trial, repeat);
        rc = tell(&r);
    }
    vox_trial_release(&trial);
    return rc;
}

static int measure(const vox_problem_list *l, vox_device *dev, int repeat, int quiet)
{
    vox_progress_line line;
    double peak = 0, next = 0; /* when to measure the peak again */
    int rc = VOX_OK;

    vox_progress_line_init(&line, quiet);
    for (int64_t i = 0; i < l->count && rc == VOX_OK; i++) {
        vox_problem_spec spec;

        rc = vox_problem_item_parse(&spec, &l->v[i]);
        if (rc != VOX_OK)
            break;
        if (vox_clock() >= next) {
            vox_bench_peak_again(&peak, dev);
            next = vox_clock() + 1;
        }
        rc = measure_spec(&l->v[i], &spec, dev, repeat, peak);
        vox_problem_release(&spec);
        vox_progress_line_show(&line, "problems", i + 1, l->count);
    }
    vox_progress_line_end(&line);
    return rc;
}

int vox_bench_ops(const vox_bench_cfg *cfg, const vox_common *common, int argc, char **argv)
{
    vox_bench_run b = {0};
    vox_problem_list items = VOX_PROBLEM_LIST_INIT;
    int rc = vox_bench_run_open(&b, cfg, common);

    if (rc == VOX_OK)
        rc = list_items(&items, &b, cfg, argc, argv);
    if (rc == VOX_OK)
        rc = measure(&items, b.dev, cfg->repeat, common->quiet);
    vox_problem_list_release(&items);
    vox_bench_run_close(&b);
    return rc;
}
