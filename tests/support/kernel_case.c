/* kernel_case: see the header. */
#include "support/kernel_case.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "support/unit.h"

static void *keep(kernel_case *k, size_t bytes)
{
    void *p = vox_alloc(bytes + 64, 1);

    assert_non_null(p);
    assert_true(k->blocks < VOX_COUNT(k->block));
    k->block[k->blocks++] = p;
    return p;
}

static float *nans(kernel_case *k, int64_t count)
{
    float *v = keep(k, (size_t)count * sizeof *v);

    for (int64_t i = 0; i < count; i++)
        v[i] = NAN;
    return v;
}

void kernel_case_init(kernel_case *k, const char *path, const char *op, const void *attr,
                      int threads)
{
    memset(k, 0, sizeof *k);
    assert_int_equal(vox_cpu_path_find(&k->path, path), VOX_OK);
    for (const vox_kernel *const *at = k->path->kernels; *at && !k->kernel; at++) {
        if (strcmp((*at)->op, op) == 0)
            k->kernel = *at;
    }
    assert_non_null(k->kernel);
    for (int i = 0; i < VOX_MAX_IN; i++)
        k->problem.in[i].shape.rank = -1;
    k->problem.attr = attr;
    k->problem.threads = threads;
    k->ctx = (vox_context){threads, 0, 1};
}

void kernel_case_release(kernel_case *k)
{
    for (int i = 0; i < k->blocks; i++)
        vox_free(k->block[i]);
    vox_arena_release(&k->arena);
}

static vox_tensor tensor(const kernel_case *k, vox_role role, vox_dtype dtype,
                         vox_shape shape)
{
    const vox_value v = {dtype, role, shape};

    return vox_tensor_of(&v, vox_layout_of(&v, k->path->blocked));
}

/* A copy in the tensor's layout. */
static float *laid_out(kernel_case *k, const vox_tensor *t, const float *plain)
{
    float *v = nans(k, t->count);

    if (t->layout == VOX_PLAIN)
        memcpy(v, plain, (size_t)t->count * sizeof *v);
    else
        vox_relayout(v, t->layout, plain, VOX_PLAIN, t->shape);
    return v;
}

static void add_operand(kernel_case *k, int i, const vox_tensor *t)
{
    k->problem.in[i] = *t;
    if (k->problem.n_in <= i)
        k->problem.n_in = i + 1;
}

void kernel_case_in(kernel_case *k, int i, vox_role role, vox_shape shape,
                    const float *plain, vox_put put, const float *before)
{
    vox_tensor t = tensor(k, role, VOX_F32, shape);

    add_operand(k, i, &t);
    t.data = laid_out(k, &t, plain);
    k->call.in[i] = t;
    if (put == VOX_SKIP)
        return;
    k->problem.grads |= 1u << i;
    k->call.din[i].put = put;
    k->call.din[i].data = put == VOX_ADD ? laid_out(k, &t, before) : nans(k, t.count);
}

void kernel_case_in_u8(kernel_case *k, int i, vox_shape shape, const uint8_t *data)
{
    vox_tensor t = tensor(k, VOX_ROLE_INPUT, VOX_U8, shape);

    add_operand(k, i, &t);
    t.data = keep(k, (size_t)t.count);
    memcpy(t.data, data, (size_t)t.count);
    k->call.in[i] = t;
}

void kernel_case_out(kernel_case *k, vox_shape shape, const float *dout, size_t saved)
{
    vox_tensor t = tensor(k, VOX_ROLE_ACTIVATION, VOX_F32, shape);

    k->problem.n_out = 1;
    k->problem.out[0] = t;
    t.data = nans(k, t.count);
    k->call.out[0] = t;
    if (dout)
        k->call.dout[0] = laid_out(k, &t, dout);
    k->call.saved = keep(k, saved);
}

int kernel_case_prepare(kernel_case *k)
{
    size_t work;

    if (!k->kernel->supports(&k->problem))
        return 0;
    k->prepared.arena = &k->arena;
    if (k->kernel->prepare)
        assert_int_equal(k->kernel->prepare(&k->problem, &k->prepared), VOX_OK);
    work = k->prepared.work_forward > k->prepared.work_backward ? k->prepared.work_forward
                                                                : k->prepared.work_backward;
    k->call.work = nans(k, (int64_t)(work / sizeof(float)) + 16);
    k->call.prep = k->prepared.prep;
    k->call.attr = k->problem.attr;
    k->call.ctx = &k->ctx;
    k->call.n_in = k->problem.n_in;
    k->call.n_out = k->problem.n_out;
    return 1;
}

typedef struct team_call {
    void (*fn)(const vox_call *);
    const vox_call *call;
} team_call;

static void run_call(void *arg)
{
    const team_call *run = arg;

    run->fn(run->call);
}

void kernel_case_run(kernel_case *k, void (*fn)(const vox_call *))
{
    team_call run = {fn, &k->call};
    vox_team *team;

    assert_int_equal(vox_team_new(&team, k->ctx.threads), VOX_OK);
    vox_team_run(team, run_call, &run);
    vox_team_free(team);
}

/* Lanes of the last block that no channel fills. */
static void assert_padding_is_zero(const vox_tensor *t, const float *v)
{
    const int64_t lanes = vox_layout_lanes(t->layout);
    const int64_t blocks = (t->shape.n[1] + lanes - 1) / lanes;
    const int64_t voxels = t->count / (t->shape.n[0] * blocks * lanes);

    for (int64_t i = 0; i < t->count; i++) {
        if (i / lanes / voxels % blocks * lanes + i % lanes >= t->shape.n[1])
            assert_true(v[i] == 0.0f);
    }
}

static void get(const vox_tensor *t, const float *v, float *out)
{
    const vox_shape s = t->shape;

    if (t->layout == VOX_PLAIN) {
        memcpy(out, v, (size_t)t->count * sizeof *v);
        return;
    }
    assert_padding_is_zero(t, v);
    vox_relayout(out, VOX_PLAIN, v, t->layout, s);
}

void kernel_case_get_out(const kernel_case *k, float *out)
{
    get(&k->call.out[0], k->call.out[0].data, out);
}

void kernel_case_get_din(const kernel_case *k, int i, float *out)
{
    get(&k->call.in[i], k->call.din[i].data, out);
}

void kernel_case_fill(float *v, int64_t count, uint32_t seed)
{
    for (int64_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        v[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
    }
}

const char *const *kernel_case_paths(void)
{
    static const char *const all[] = {"plain", "avx2", "avx512"};
    static const char *found[VOX_COUNT(all) + 1];
    const vox_cpu_path *path;
    int n = 0;

    for (int i = 0; i < VOX_COUNT(all); i++) {
        if (vox_cpu_path_find(&path, all[i]) == VOX_OK)
            found[n++] = all[i];
    }
    found[n] = NULL;
    return found;
}
