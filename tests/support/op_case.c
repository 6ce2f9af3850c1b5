/* op_case: devices and ways to compute, cases and their data, results. */
#include "support/op_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "ops/conv3d.h"
#include "support/unit.h"

op_how op_how_write(vox_device *dev, const vox_kernel *kernel)
{
    op_how how = {
        .dev = dev, .kernel = kernel, .alias = OP_NO_ALIAS, .grad_alias = OP_NO_ALIAS};

    for (int i = 0; i < VOX_MAX_IN; i++)
        how.put[i] = VOX_WRITE;
    return how;
}

static vox_device *open_device(const vox_device_cfg *cfg)
{
    vox_device *dev = NULL;
    const int rc = vox_device_open(&dev, cfg);

    if (rc == VOX_E_MISSING)
        return NULL;
    if (rc != VOX_OK)
        fail_msg("%s", vox_error_text());
    return dev;
}

vox_device *op_device(const char *path, int threads)
{
    return open_device(&(vox_device_cfg){.name = "cpu", .path = path, .threads = threads});
}

const op_way op_ways[OP_WAYS] = {
    {"reference",        "reference", VOX_WINOGRAD_NEVER },
    {"plain",            "plain",     VOX_WINOGRAD_NEVER },
    {"avx2",             "avx2",      VOX_WINOGRAD_NEVER },
    {"avx512",           "avx512",    VOX_WINOGRAD_NEVER },
    {"plain, winograd",  "plain",     VOX_WINOGRAD_ALWAYS},
    {"avx2, winograd",   "avx2",      VOX_WINOGRAD_ALWAYS},
    {"avx512, winograd", "avx512",    VOX_WINOGRAD_ALWAYS},
};

vox_device *op_way_open(const op_way *w, int threads)
{
    return open_device(&(vox_device_cfg){
        .name = "cpu", .path = w->path, .threads = threads, .winograd = w->winograd});
}

int op_way_is_for(const op_way *w, const vox_problem_spec *s)
{
    return w->winograd == VOX_WINOGRAD_NEVER || op_spec_is_winograd(s);
}

int op_spec_is_winograd(const vox_problem_spec *s)
{
    const vox_conv3d_attr *attr = s->attr;
    int fits = strcmp(s->op->name, "conv3d") == 0 && s->in[0].shape.n[1] >= 8 &&
               s->in[0].role == VOX_ROLE_ACTIVATION && s->out[0].shape.n[1] >= 8;

    for (int a = 0; fits && a < 3; a++)
        fits = attr->kernel.v[a] == 3 && attr->stride.v[a] == 1;
    return fits;
}

int64_t op_case_count_in(const op_case *c, int i)
{
    return vox_shape_count(c->spec.in[i].shape);
}

int64_t op_case_count_out(const op_case *c, int i)
{
    return vox_shape_count(c->spec.out[i].shape);
}

int op_case_has_grad(const op_case *c, int i)
{
    return vox_problem_has_grad(&c->spec, i);
}

/* By `far`: the means of activations, parameters, gradients of outputs. */
static const double means[OP_FAR][3] = {
    {0,   0,   0  },
    {100, 0.5, 0.5},
    {100, 0,   100},
};

static void draw(op_case *c, vox_rng rng, int far)
{
    for (int i = 0; i < c->spec.n_in; i++) {
        const vox_value *v = &c->spec.in[i];
        const double mean = means[far][v->role == VOX_ROLE_PARAM];

        if (v->shape.rank < 0)
            continue;
        c->in[i] = vox_alloc((size_t)op_case_count_in(c, i), vox_dtype_size(v->dtype));
        assert_non_null(c->in[i]);
        vox_values_draw(c->in[i], v->dtype, op_case_count_in(c, i), c->spec.limit[i], mean,
                        &rng);
    }
    for (int i = 0; i < c->spec.n_out; i++) {
        c->dout[i] = vox_alloc((size_t)op_case_count_out(c, i), sizeof(float));
        assert_non_null(c->dout[i]);
        vox_values_draw(c->dout[i], VOX_F32, op_case_count_out(c, i), 0, means[far][2],
                        &rng);
    }
}

op_case op_case_new(const vox_op *op, const char *text, uint64_t seed, int far)
{
    op_case c = {.far = far, .spec = VOX_PROBLEM_SPEC_INIT};

    snprintf(c.problem, sizeof c.problem, "%s", text);
    snprintf(c.text, sizeof c.text, "%s %s (seed %llu, far %d)", op->name, text,
             (unsigned long long)seed, far);
    if (vox_problem_parse(&c.spec, op, text) != VOX_OK)
        fail_msg("%s", vox_error_text());
    draw(&c, vox_rng_at(seed, VOX_STREAM(text), (uint64_t)far), far);
    return c;
}

void op_case_make_input(op_case *c)
{
    c->spec.in[0].role = VOX_ROLE_INPUT;
}

void op_case_free(op_case *c)
{
    for (int i = 0; i < VOX_MAX_IN; i++)
        vox_free(c->in[i]);
    for (int i = 0; i < VOX_MAX_OUT; i++)
        vox_free(c->dout[i]);
    vox_problem_release(&c->spec);
}

void op_result_free(op_result *r)
{
    for (int i = 0; i < VOX_MAX_OUT; i++)
        vox_free(r->out[i]);
    for (int i = 0; i < VOX_MAX_IN; i++)
        vox_free(r->din[i]);
}

static float *copy_of(const float *v, int64_t n)
{
    float *copy = v ? vox_alloc((size_t)n, sizeof *copy) : NULL;

    if (copy)
        memcpy(copy, v, (size_t)n * sizeof *copy);
    return copy;
}

op_result op_result_copy(const op_case *c, const op_result *r)
{
    op_result copy = {{0}, {0}, {0}};

    for (int i = 0; i < c->spec.n_out; i++)
        copy.out[i] = copy_of(r->out[i], op_case_count_out(c, i));
    for (int i = 0; i < c->spec.n_in; i++)
        copy.din[i] = copy_of(r->din[i], op_case_count_in(c, i));
    return copy;
}

vox_problem op_case_problem(const op_case *c, const vox_device *dev)
{
    return vox_problem_on(&c->spec, dev);
}

const vox_kernel *op_pick(const vox_device *dev, const op_case *c)
{
    const vox_problem q = op_case_problem(c, dev);

    return vox_device_kernel(dev, &q);
}
