/* op_call: buffers with guards, layouts, values as bf16, and one call of an op. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "support/op_case.h"
#include "support/unit.h"

enum { GUARD = 64, PATTERN = 0xa5 };

/* ---- buffers ---- */

static void *guarded(size_t bytes, int fill)
{
    unsigned char *p = vox_alloc(bytes + GUARD, 1);

    assert_non_null(p);
    memset(p, fill, bytes);
    memset(p + bytes, PATTERN, GUARD);
    return p;
}

static void check_guard(const op_case *c, const char *what, const void *p, size_t bytes)
{
    const unsigned char *end = (const unsigned char *)p + bytes;

    for (int i = 0; p && i < GUARD; i++) {
        if (end[i] != PATTERN)
            fail_msg("%s: wrote %d bytes behind %s", c->text, i + 1, what);
    }
}

/* Padding lanes of a blocked tensor are zero. */
static void check_lanes(const op_case *c, const char *what, const float *v,
                        const vox_tensor *t)
{
    const int lanes = vox_layout_lanes(t->layout);
    const int64_t channels = lanes > 1 ? t->shape.n[1] : 0;
    const int64_t blocks = (channels + lanes - 1) / lanes;

    for (int64_t i = 0; lanes > 1 && i < t->count; i++) {
        const int64_t block =
            i / lanes / (t->count / lanes / t->shape.n[0] / blocks) % blocks;

        if (block * lanes + i % lanes >= channels && v[i] != 0.0f)
            fail_msg("%s: padding lane of %s is %g at %lld", c->text, what, (double)v[i],
                     (long long)i);
    }
}

static void to_layout(float *dst, const vox_tensor *t, const float *plain)
{
    if (t->layout == VOX_PLAIN)
        memcpy(dst, plain, (size_t)t->count * sizeof *dst);
    else
        vox_relayout(dst, t->layout, plain, VOX_PLAIN, t->shape);
}

static float *to_plain(const vox_tensor *t, const float *src)
{
    float *plain = vox_alloc((size_t)vox_shape_count(t->shape), sizeof *plain);

    assert_non_null(plain);
    if (t->layout == VOX_PLAIN)
        memcpy(plain, src, (size_t)t->count * sizeof *plain);
    else
        vox_relayout(plain, VOX_PLAIN, src, t->layout, t->shape);
    return plain;
}

/* ---- values as bf16 ---- */

/* A value's tensor: bf16 where the call wants it and the kernel's mask allows. */
static void choose_storage(const op_how *how, vox_tensor *t, unsigned bit)
{
    if (how->bf16 && how->kernel->bf16 & bit && t->layout != VOX_PLAIN)
        t->dtype = VOX_BF16;
}

static uint16_t bf16_of(float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float f32_of(uint16_t v)
{
    const uint32_t bits = (uint32_t)v << 16;
    float out;

    memcpy(&out, &bits, sizeof out);
    return out;
}

static void round_all(float *v, int64_t n)
{
    for (int64_t i = 0; v && i < n; i++)
        v[i] = f32_of(bf16_of(v[i]));
}

void op_case_round(op_case *c)
{
    for (int i = 0; i < c->spec.n_in; i++) {
        if (c->in[i] && c->spec.in[i].role == VOX_ROLE_ACTIVATION &&
            c->spec.in[i].dtype == VOX_F32)
            round_all(c->in[i], op_case_count_in(c, i));
    }
}

void op_result_round(const op_case *c, op_result *r)
{
    for (int i = 0; i < c->spec.n_out; i++)
        round_all(r->out[i], op_case_count_out(c, i));
}

static size_t value_bytes(const vox_tensor *t)
{
    return (size_t)t->count * vox_dtype_size(t->dtype);
}

static void store_value(void *dst, const vox_tensor *t, const float *plain)
{
    float *wide = guarded((size_t)t->count * sizeof *wide, 0);

    to_layout(wide, t, plain);
    for (int64_t i = 0; t->dtype == VOX_BF16 && i < t->count; i++)
        ((uint16_t *)dst)[i] = bf16_of(wide[i]);
    if (t->dtype != VOX_BF16)
        memcpy(dst, wide, value_bytes(t));
    vox_free(wide);
}

/* A value as f32 in its layout; caller frees. */
static float *load_value(const vox_tensor *t)
{
    float *wide = guarded((size_t)t->count * sizeof *wide, 0);

    for (int64_t i = 0; t->dtype == VOX_BF16 && i < t->count; i++)
        wide[i] = f32_of(((const uint16_t *)t->data)[i]);
    if (t->dtype != VOX_BF16)
        memcpy(wide, t->data, value_bytes(t));
    return wide;
}

/* ---- one call ---- */

typedef struct run {
    const op_case *c;
    const op_how *how;
    vox_arena arena;
    vox_prepared prepared;
    vox_call call;
    void *in[VOX_MAX_IN], *copy[VOX_MAX_IN]; /* copy: to see that operands stay */
    void *out[VOX_MAX_OUT];
    float *dout[VOX_MAX_OUT], *din[VOX_MAX_IN];
    double *squares[VOX_MAX_IN];
    size_t in_bytes[VOX_MAX_IN];
} run;

static void begin(run *r)
{
    const vox_layout blocked = r->how->kernel ? r->how->dev->blocked : VOX_PLAIN;
    const vox_problem_spec *s = &r->c->spec;
    vox_call *call = &r->call;

    *call = (vox_call){.op = s->op,
                       .attr = s->attr,
                       .ctx = &r->how->dev->ctx,
                       .n_in = s->n_in,
                       .n_out = s->n_out};
    for (int i = 0; i < s->n_in; i++) {
        call->in[i] = vox_tensor_of(&s->in[i], vox_layout_of(&s->in[i], blocked));
        if (!r->c->in[i])
            continue;
        choose_storage(r->how, &call->in[i], VOX_IN(i));
        r->in_bytes[i] = value_bytes(&call->in[i]);
        r->in[i] = guarded(r->in_bytes[i], 0xff);
        if (s->in[i].dtype == VOX_F32)
            store_value(r->in[i], &call->in[i], r->c->in[i]);
        else
            memcpy(r->in[i], r->c->in[i], r->in_bytes[i]);
        r->copy[i] = guarded(r->in_bytes[i], 0);
        memcpy(r->copy[i], r->in[i], r->in_bytes[i]);
        call->in[i].data = r->in[i];
    }
    for (int i = 0; i < s->n_out; i++) {
        call->out[i] = vox_tensor_of(&s->out[i], vox_layout_of(&s->out[i], blocked));
        choose_storage(r->how, &call->out[i], VOX_OUT(i));
        r->out[i] = guarded(value_bytes(&call->out[i]), 0xff);
        call->out[i].data = r->out[i];
        r->dout[i] = guarded((size_t)call->out[i].count * sizeof(float), 0xff);
        to_layout(r->dout[i], &call->out[i], r->c->dout[i]);
    }
    call->saved = guarded(s->saved, 0xff);
}

static void prepare(run *r)
{
    const vox_kernel *k = r->how->kernel;
    vox_problem p = op_case_problem(r->c, r->how->dev);

    if (r->how->forward_only)
        p.grads = 0;
    r->prepared.arena = &r->arena;
    if (!k)
        return;
    for (int i = 0; i < p.n_in; i++)
        choose_storage(r->how, &p.in[i], VOX_IN(i));
    for (int i = 0; i < p.n_out; i++)
        choose_storage(r->how, &p.out[i], VOX_OUT(i));
    assert_true(k->supports(&p));
    if (k->prepare)
        assert_int_equal(k->prepare(&p, &r->prepared), VOX_OK);
    r->call.prep = r->prepared.prep;
}

typedef struct region {
    void (*fn)(const vox_call *c);
    const vox_call *call;
} region;

static void thread_call(void *arg)
{
    const region *r = arg;

    r->fn(r->call);
}

/* Call on the device's threads, with workspace. */
static void call_on(run *r, void (*fn)(const vox_call *c), size_t work)
{
    region reg = {fn, &r->call};

    r->call.work = guarded(work, 0xff);
    vox_device_run(r->how->dev, thread_call, &reg);
    check_guard(r->c, "the workspace", r->call.work, work);
    check_guard(r->c, "the saved data", r->call.saved, r->c->spec.saved);
    vox_free(r->call.work);
    r->call.work = NULL;
}

static void check_operands(const run *r)
{
    for (int i = 0; i < r->call.n_in; i++) {
        check_guard(r->c, "an operand", r->in[i], r->in_bytes[i]);
        if (r->in[i] && i != r->how->alias &&
            memcmp(r->in[i], r->copy[i], r->in_bytes[i]) != 0)
            fail_msg("%s: operand %d was overwritten", r->c->text, i);
    }
}

static void check_outputs(const run *r)
{
    for (int i = 0; i < r->call.n_out; i++) {
        const vox_tensor *t = &r->call.out[i];

        float *value = load_value(t);

        check_guard(r->c, "an output", r->out[i], value_bytes(t));
        check_lanes(r->c, "an output", value, t);
        vox_free(value);
    }
}

static void run_forward(run *r, op_result *out)
{
    const vox_kernel *k = r->how->kernel;

    if (r->how->alias != OP_NO_ALIAS)
        r->call.out[0].data = r->in[r->how->alias];
    call_on(r, k ? k->forward : r->c->spec.op->forward, r->prepared.work_forward);
    check_operands(r);
    check_outputs(r);
    for (int i = 0; i < r->call.n_out; i++) {
        float *value = load_value(&r->call.out[i]);

        out->out[i] = to_plain(&r->call.out[i], value);
        vox_free(value);
    }
}

/* The outputs again: the same bits. */
static void run_rebuild(run *r)
{
    const vox_kernel *k = r->how->kernel;
    void (*fn)(const vox_call *c) = k ? k->rebuild : r->c->spec.op->rebuild;
    const size_t bytes = value_bytes(&r->call.out[0]);
    void *first = r->out[0];

    if (r->how->alias != OP_NO_ALIAS)
        return;
    if (!fn)
        fn = k ? k->forward : r->c->spec.op->forward;
    r->out[0] = guarded(bytes, 0xff);
    r->call.out[0].data = r->out[0];
    call_on(r, fn, r->prepared.work_forward);
    check_operands(r);
    check_outputs(r);
    if (memcmp(first, r->out[0], bytes) != 0)
        fail_msg("%s: a rebuilt output has other bits", r->c->text);
    vox_free(first);
}

static size_t squares_bytes(const run *r, int i)
{
    return (size_t)r->prepared.squares[i] * sizeof(double);
}

/* Gathered squares are those of the gradient as it is now, f32 sums of a few dozen apart. */
static void check_squares(const run *r, int i, op_result *out)
{
    const int64_t n = op_case_count_in(r->c, i);
    double sum = 0.0;

    if (!r->squares[i])
        return;
    check_guard(r->c, "gathered squares", r->squares[i], squares_bytes(r, i));
    for (int64_t k = 0; k < r->prepared.squares[i]; k++)
        out->squares[i] += r->squares[i][k];
    for (int64_t k = 0; k < n; k++)
        sum += (double)out->din[i][k] * (double)out->din[i][k];
    if (!(fabs(out->squares[i] - sum) <= 3e-6 * sum))
        fail_msg("%s: squares of gradient %d are %.9g, wanted %.9g", r->c->text, i,
                 out->squares[i], sum);
}

static void make_din(run *r, int i)
{
    const vox_tensor *t = &r->call.in[i];
    const vox_put put = op_case_has_grad(r->c, i) ? r->how->put[i] : VOX_SKIP;

    r->call.din[i] = (vox_grad){.put = VOX_SKIP};
    if (!op_case_has_grad(r->c, i))
        return;
    if (i == r->how->grad_alias) {
        r->din[i] = r->dout[0]; /* its owner from now on */
        r->dout[0] = NULL;
    } else {
        r->din[i] = guarded((size_t)t->count * sizeof(float), 0xff);
    }
    if (put != VOX_SKIP && r->prepared.squares[i] > 0)
        r->squares[i] = guarded(squares_bytes(r, i), 0xff);
    r->call.din[i] = (vox_grad){r->din[i], put, r->squares[i]};
    if (put == VOX_ADD) {
        const int64_t n = vox_shape_count(t->shape);
        float *base = vox_alloc((size_t)n, sizeof *base);

        assert_non_null(base);
        for (int64_t k = 0; k < n; k++)
            base[k] = r->how->base;
        to_layout(r->din[i], t, base);
        vox_free(base);
    }
}

static void check_din(const run *r, int i)
{
    const vox_tensor *t = &r->call.in[i];
    const unsigned char *p = (const unsigned char *)r->din[i];
    const size_t bytes = (size_t)t->count * sizeof(float);

    check_guard(r->c, "a gradient", p, bytes);
    if (r->call.din[i].put != VOX_SKIP) {
        check_lanes(r->c, "a gradient", r->din[i], t);
        return;
    }
    for (size_t k = 0; p && k < bytes; k++) {
        if (p[k] != 0xff)
            fail_msg("%s: gradient %d was to be skipped", r->c->text, i);
    }
}

/* What backward is given it leaves alone. */
static void check_douts(const run *r)
{
    for (int i = 0; i < r->call.n_out; i++) {
        const vox_tensor *t = &r->call.out[i];
        const size_t bytes = (size_t)t->count * sizeof(float);
        float *given;

        if (!r->dout[i]) /* a gradient was written over it */
            continue;
        given = vox_alloc(bytes, 1);
        assert_non_null(given);
        to_layout(given, t, r->c->dout[i]);
        check_guard(r->c, "the gradient of an output", r->dout[i], bytes);
        if (memcmp(given, r->dout[i], bytes) != 0)
            fail_msg("%s: the gradient of output %d was overwritten", r->c->text, i);
        vox_free(given);
    }
}

/* Whose gradients a call of backward makes. */
enum { ALL, PARAMS, DATA };

static int is_of(const run *r, int i, int which)
{
    const int param = r->c->spec.in[i].role == VOX_ROLE_PARAM;

    return which == ALL || param == (which == PARAMS);
}

/* One call of backward, with nothing there but what it may read. */
static void call_backward(run *r, int which)
{
    const vox_kernel *k = r->how->kernel;
    const vox_op *op = r->c->spec.op;
    const unsigned reads = which == DATA ? op->data_reads : op->backward_reads;
    const vox_call whole = r->call;

    for (int i = 0; i < r->call.n_in; i++) {
        if (!(reads & VOX_IN(i)))
            r->call.in[i].data = NULL;
        if (!is_of(r, i, which))
            r->call.din[i] = (vox_grad){.put = VOX_SKIP};
    }
    for (int i = 0; i < r->call.n_out; i++) {
        if (!(reads & VOX_OUT(i)))
            r->call.out[i].data = NULL;
    }
    call_on(r, k ? k->backward : op->backward, r->prepared.work_backward);
    check_operands(r);
    check_douts(r);
    r->call = whole;
}

static void run_backward(run *r, op_result *out)
{
    for (int i = 0; i < r->call.n_out; i++)
        r->call.dout[i] = r->dout[i];
    for (int i = 0; i < r->call.n_in; i++)
        make_din(r, i);
    for (int which = r->how->apart ? PARAMS : ALL; which <= (r->how->apart ? DATA : ALL);
         which++)
        call_backward(r, which);
    for (int i = 0; i < r->call.n_in; i++) {
        check_din(r, i);
        if (r->call.din[i].put != VOX_SKIP)
            out->din[i] = to_plain(&r->call.in[i], r->din[i]);
        check_squares(r, i, out);
    }
}

static void end(run *r)
{
    for (int i = 0; i < VOX_MAX_IN; i++) {
        vox_free(r->in[i]);
        vox_free(r->copy[i]);
        vox_free(r->din[i]);
        vox_free(r->squares[i]);
    }
    for (int i = 0; i < VOX_MAX_OUT; i++) {
        vox_free(r->out[i]);
        vox_free(r->dout[i]);
    }
    vox_free(r->call.saved);
    vox_arena_release(&r->arena);
}

op_result op_case_run(const op_case *c, const op_how *how)
{
    run r = {.c = c, .how = how};
    op_result out = {{0}, {0}, {0}};

    begin(&r);
    prepare(&r);
    run_forward(&r, &out);
    if (!how->forward_only) {
        run_rebuild(&r);
        if (c->spec.op->backward && how->alias == OP_NO_ALIAS)
            run_backward(&r, &out);
    }
    end(&r);
    return out;
}
