/* trial: memory for a problem's tensors, and a kernel called on them. */
#include "graph/trial.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

/* Values that are drawn; longer tensors repeat them. */
enum { DRAWN = 1 << 12 };

const char *vox_trial_pass_name(vox_trial_pass pass)
{
    static const char *const names[VOX_TRIAL_PASSES] = {"forward", "backward", "data",
                                                        "weight"};

    return names[pass];
}

vox_trial_pass vox_trial_pass_of(const vox_op *op, vox_role role)
{
    if (!op->flops)
        return VOX_TRIAL_BACKWARD;
    return role == VOX_ROLE_PARAM ? VOX_TRIAL_WEIGHT : VOX_TRIAL_DATA;
}

/* ---- data ---- */

void vox_values_draw(void *out, vox_dtype dtype, int64_t count, int64_t limit, double mean,
                     vox_rng *rng)
{
    for (int64_t i = 0; i < count; i++) {
        if (dtype == VOX_F32) {
            ((float *)out)[i] = (float)(mean + vox_rng_normal(rng));
        } else {
            const uint64_t k = limit == 2 ? vox_rng_below(rng, 5) < 3
                                          : vox_rng_below(rng, (uint64_t)limit);

            if (dtype == VOX_U8)
                ((uint8_t *)out)[i] = (uint8_t)k;
            else
                ((int64_t *)out)[i] = (int64_t)k;
        }
    }
}

/* Device memory that the trial owns. @return NULL with a message when there is none */
static void *device_memory(vox_trial *t, size_t bytes)
{
    void *data = vox_device_alloc(t->dev, bytes ? bytes : 64);

    if (!data)
        return NULL;
    VOX_ASSERT(t->n_memory < VOX_COUNT(t->memory));
    t->memory[t->n_memory].data = data;
    t->memory[t->n_memory++].bytes = bytes ? bytes : 64;
    return data;
}

/* The address kernels use, of memory that nothing has written yet. */
static int allocate(void *out, vox_trial *t, size_t bytes)
{
    void *data = device_memory(t, bytes);

    if (!data)
        return VOX_E_NOMEM;
    *(void **)out = t->dev->type->real(t->dev, data);
    return VOX_OK;
}

static int draw(void *stored, const vox_tensor *v, int64_t limit, vox_rng *rng);

/* bf16 is the upper half of f32: what is drawn, cut off. */
static int draw_bf16(uint16_t *stored, const vox_tensor *v, int64_t limit, vox_rng *rng)
{
    uint32_t *bits = vox_alloc((size_t)v->count, sizeof *bits);
    vox_tensor wide = *v;
    int rc;

    if (!bits)
        return VOX_E_NOMEM;
    wide.dtype = VOX_F32;
    rc = draw(bits, &wide, limit, rng);
    for (int64_t i = 0; rc == VOX_OK && i < v->count; i++)
        stored[i] = (uint16_t)(bits[i] >> 16);
    vox_free(bits);
    return rc;
}

/* Drawn values in the tensor's layout and type. */
static int draw(void *stored, const vox_tensor *v, int64_t limit, vox_rng *rng)
{
    const int64_t count = vox_shape_count(v->shape);
    const int64_t drawn = count < DRAWN ? count : DRAWN;
    const size_t size = vox_dtype_size(v->dtype);
    char *plain;

    if (v->dtype == VOX_BF16)
        return draw_bf16(stored, v, limit, rng);
    plain = v->layout == VOX_PLAIN ? stored : vox_alloc((size_t)count, size);
    if (!plain)
        return VOX_E_NOMEM;
    vox_values_draw(plain, v->dtype, drawn, limit, 0.0, rng);
    for (int64_t i = drawn; i < count; i += drawn)
        memcpy(plain + (size_t)i * size, plain,
               (size_t)(count - i < drawn ? count - i : drawn) * size);
    if (plain == stored)
        return VOX_OK;
    vox_relayout(stored, v->layout, (const float *)(const void *)plain, VOX_PLAIN,
                 v->shape);
    vox_free(plain);
    return VOX_OK;
}

/* Device memory with drawn values; the address kernels use. */
static int fill(const void **out, vox_trial *t, const vox_tensor *v, int64_t limit,
                vox_rng *rng)
{
    const size_t bytes = (size_t)v->count * vox_dtype_size(v->dtype);
    void *data = device_memory(t, bytes), *stored = vox_alloc(bytes, 1);
    int rc = data && stored ? draw(stored, v, limit, rng) : VOX_E_NOMEM;

    if (rc == VOX_OK)
        rc = vox_device_upload(t->dev, data, stored, bytes);
    vox_free(stored);
    if (rc == VOX_OK)
        *out = t->dev->type->real(t->dev, data);
    return rc;
}

static int make_operands(vox_trial *t, vox_rng *rng)
{
    vox_call *c = &t->call;

    for (int i = 0; i < c->n_in; i++) {
        const void *data;

        c->in[i] = t->problem.in[i];
        if (!vox_problem_has(&t->problem, i))
            continue;
        VOX_TRY(fill(&data, t, &c->in[i], t->spec->limit[i], rng));
        c->in[i].data = (void *)(uintptr_t)data;
        if (!(t->problem.grads & 1u << i))
            continue;
        t->din[i].put = VOX_WRITE;
        VOX_TRY(allocate(&t->din[i].data, t, (size_t)c->in[i].count * sizeof(float)));
    }
    return VOX_OK;
}

static int make_outputs(vox_trial *t, vox_rng *rng)
{
    vox_call *c = &t->call;

    for (int i = 0; i < c->n_out; i++) {
        vox_tensor grad = t->problem.out[i];
        const void *dout;

        grad.dtype = VOX_F32;
        c->out[i] = t->problem.out[i];
        VOX_TRY(allocate(&c->out[i].data, t,
                         (size_t)c->out[i].count * vox_dtype_size(c->out[i].dtype)));
        if (!t->problem.grads)
            continue;
        VOX_TRY(fill(&dout, t, &grad, 0, rng));
        c->dout[i] = dout;
    }
    return VOX_OK;
}

/* ---- setting up ---- */

/* What of `bf16` the kernel takes. */
static void choose_storage(vox_trial *t, unsigned bf16)
{
    bf16 &= t->kernel ? t->kernel->bf16 : 0;
    for (int i = 0; i < t->problem.n_in; i++) {
        if (bf16 & VOX_IN(i) && t->problem.in[i].layout != VOX_PLAIN)
            t->problem.in[i].dtype = VOX_BF16;
    }
    for (int i = 0; i < t->problem.n_out; i++) {
        if (bf16 & VOX_OUT(i) && t->problem.out[i].layout != VOX_PLAIN)
            t->problem.out[i].dtype = VOX_BF16;
    }
}

/* The kernel and its preparation; the reference sees plain tensors. */
static int choose(vox_trial *t, unsigned bf16)
{
    t->kernel = vox_device_kernel(t->dev, &t->problem);
    t->prepared.arena = &t->arena;
    choose_storage(t, bf16);
    if (t->kernel)
        return t->kernel->prepare ? t->kernel->prepare(&t->problem, &t->prepared) : VOX_OK;
    for (int i = 0; i < VOX_MAX_IN; i++) {
        if (vox_problem_has(&t->problem, i))
            t->problem.in[i] = vox_tensor_of(&t->spec->in[i], VOX_PLAIN);
    }
    for (int i = 0; i < t->problem.n_out; i++)
        t->problem.out[i] = vox_tensor_of(&t->spec->out[i], VOX_PLAIN);
    return VOX_OK;
}

static int set_up(vox_trial *t, unsigned bf16)
{
    vox_rng rng = vox_rng_at(1, VOX_STREAM("trial"), 0);
    size_t work;

    VOX_TRY(choose(t, bf16));
    t->call = (vox_call){.op = t->spec->op,
                         .attr = t->spec->attr,
                         .prep = t->prepared.prep,
                         .ctx = &t->dev->ctx,
                         .n_in = t->problem.n_in,
                         .n_out = t->problem.n_out};
    VOX_TRY(make_operands(t, &rng));
    VOX_TRY(make_outputs(t, &rng));
    VOX_TRY(allocate(&t->call.saved, t, t->spec->saved));
    work = t->prepared.work_forward > t->prepared.work_backward ? t->prepared.work_forward
                                                                : t->prepared.work_backward;
    return allocate(&t->call.work, t, work);
}

int vox_trial_init(vox_trial *t, const vox_problem_spec *spec, vox_device *dev,
                   unsigned grads, unsigned bf16)
{
    int rc;

    *t = (vox_trial){.spec = spec, .dev = dev, .problem = vox_problem_on(spec, dev)};
    t->problem.grads &= grads;
    rc = set_up(t, bf16);
    if (rc == VOX_OK)
        return VOX_OK;
    vox_trial_release(t);
    return vox_fail_in(rc, "timing %s", spec->op->name);
}

void vox_trial_release(vox_trial *t)
{
    for (int i = 0; i < t->n_memory; i++)
        vox_device_free(t->dev, t->memory[i].data, t->memory[i].bytes);
    vox_arena_release(&t->arena);
    *t = (vox_trial)VOX_TRIAL_INIT;
}

/* ---- what a pass is ---- */

/* Does the pass compute the gradient of operand i? */
static int computes(const vox_trial *t, vox_trial_pass pass, int i)
{
    return t->din[i].put != VOX_SKIP &&
           vox_trial_pass_of(t->spec->op, t->spec->in[i].role) == pass;
}

int vox_trial_has(const vox_trial *t, vox_trial_pass pass)
{
    int any = pass == VOX_TRIAL_FORWARD;

    for (int i = 0; i < VOX_MAX_IN; i++)
        any |= computes(t, pass, i);
    return any;
}

int vox_trial_is_bf16(const vox_trial *t)
{
    int any = 0;

    for (int i = 0; i < t->problem.n_in; i++)
        any |= vox_problem_has(&t->problem, i) && t->problem.in[i].dtype == VOX_BF16;
    for (int i = 0; i < t->problem.n_out; i++)
        any |= t->problem.out[i].dtype == VOX_BF16;
    return any;
}

const char *vox_trial_kernel(const vox_trial *t)
{
    return t->kernel ? t->kernel->name : "reference";
}

double vox_trial_flops(const vox_trial *t, vox_trial_pass pass)
{
    const vox_infer io = vox_problem_infer(t->spec);

    return t->spec->op->flops && vox_trial_has(t, pass) ? t->spec->op->flops(&io) : 0.0;
}

static double bytes_of(const vox_tensor *v)
{
    return v->shape.rank < 0 ? 0.0 : (double)v->count * (double)vox_dtype_size(v->dtype);
}

/* Gradients are f32 always. */
static double gradient_bytes(const vox_tensor *v)
{
    return (double)v->count * (double)sizeof(float);
}

/* Does backward need operand i? The gradient of data needs the weights, and the other way
 * round. */
static int reads(const vox_trial *t, vox_trial_pass pass, int i)
{
    const vox_op *op = t->spec->op;

    if (pass == VOX_TRIAL_FORWARD)
        return 1;
    return (op->backward_reads & VOX_IN(i)) &&
           (pass == VOX_TRIAL_BACKWARD ||
            vox_trial_pass_of(op, t->spec->in[i].role) != pass);
}

double vox_trial_bytes(const vox_trial *t, vox_trial_pass pass)
{
    const unsigned backward_reads = t->spec->op->backward_reads;
    const int forward = pass == VOX_TRIAL_FORWARD;
    double bytes = 0;

    for (int i = 0; i < t->call.n_in; i++) {
        bytes += reads(t, pass, i) ? bytes_of(&t->call.in[i]) : 0.0;
        bytes += computes(t, pass, i) ? gradient_bytes(&t->call.in[i]) : 0.0;
    }
    for (int i = 0; i < t->call.n_out; i++) {
        bytes += forward ? bytes_of(&t->call.out[i]) : gradient_bytes(&t->call.out[i]);
        if (!forward && (backward_reads & VOX_OUT(i)))
            bytes += bytes_of(&t->call.out[i]);
    }
    if (forward || (backward_reads & VOX_SAVED))
        bytes += (double)t->spec->saved;
    return bytes;
}

/* ---- running ---- */

typedef struct turns {
    void (*fn)(const vox_call *c);
    const vox_call *call;
    int n;
    double *seconds;
} turns;

/* On every member of the team. */
static void take_turns(void *arg)
{
    const turns *r = arg;

    for (int i = 0; i < r->n; i++) {
        double start;

        vox_barrier();
        start = vox_clock();
        r->fn(r->call);
        vox_barrier();
        if (vox_team_member() == 0)
            r->seconds[i] = vox_clock() - start;
    }
}

void vox_trial_time(vox_trial *t, vox_trial_pass pass, int n, double *seconds)
{
    const vox_op *op = t->spec->op;
    turns r = {.call = &t->call, .n = n, .seconds = seconds};

    VOX_ASSERT(vox_trial_has(t, pass));
    if (pass == VOX_TRIAL_FORWARD) {
        r.fn = t->kernel ? t->kernel->forward : op->forward;
    } else {
        if (!t->ran)
            vox_trial_time(t, VOX_TRIAL_FORWARD, 1, seconds);
        r.fn = t->kernel ? t->kernel->backward : op->backward;
        for (int i = 0; i < t->call.n_in; i++)
            t->call.din[i] = computes(t, pass, i) ? t->din[i] : (vox_grad){.put = VOX_SKIP};
    }
    vox_device_run(t->dev, take_turns, &r);
    vox_device_sync(t->dev);
    t->ran = 1;
}
