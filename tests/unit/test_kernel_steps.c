/* Optimizer steps and norms of every path against the plain C ones; same bits on any number
 * of threads. */
#include "support/unit.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "graph/device.h"
#include "support/kernel_case.h"

enum { COUNT = 3 * 4096 + 37 };

typedef struct state {
    float value[COUNT], grad[COUNT], moment[2][COUNT];
} state;

static state want, got, first;

static vox_step_args args_of(state *s)
{
    return (vox_step_args){
        .count = COUNT,
        .value = s->value,
        .grad = s->grad,
        .moment = {s->moment[0], s->moment[1]},
        .lr = 0.01f,
        .weight_decay = 0.05f,
        .momentum = 0.9f,
        .beta = {0.9f,         0.98f       },
        .eps = 1e-3f,
        .scale = 0.5f,
        .correction = {0.19,         0.0396      },
        .nesterov = 1
    };
}

static void start(state *s)
{
    kernel_case_fill(s->value, COUNT, 1);
    kernel_case_fill(s->grad, COUNT, 2);
    kernel_case_fill(s->moment[0], COUNT, 3);
    kernel_case_fill(s->moment[1], COUNT, 4);
    for (int i = 0; i < COUNT; i++)
        s->moment[1][i] = fabsf(s->moment[1][i]);
}

static void run(void (*fn)(void *), void *arg, int threads)
{
    vox_team *team;

    assert_int_equal(vox_team_new(&team, threads), VOX_OK);
    vox_team_run(team, fn, arg);
    vox_team_free(team);
}

typedef struct step_call {
    void (*step)(const vox_step_args *);
    const vox_step_args *args;
} step_call;

static void call_step(void *arg)
{
    const step_call *c = arg;

    c->step(c->args);
}

static void run_step(void (*step)(const vox_step_args *), const vox_step_args *a,
                     int threads)
{
    run(call_step, &(step_call){step, a}, threads);
}

static void compare(void)
{
    for (int i = 0; i < COUNT; i++) {
        assert_float_equal(got.value[i], want.value[i], 1e-6f);
        assert_float_equal(got.moment[0][i], want.moment[0][i], 1e-6f);
        assert_float_equal(got.moment[1][i], want.moment[1][i], 1e-6f);
    }
}

/* One step by the path and by the reference, from the same state. */
static void check_step(const vox_step_kernels *k, int adam, vox_step_args how)
{
    vox_step_args a = args_of(&want);

    for (int threads = 1; threads < 4; threads += 2) {
        a.nesterov = how.nesterov;
        a.first = how.first;
        start(&want);
        a.value = want.value, a.grad = want.grad;
        a.moment[0] = want.moment[0], a.moment[1] = want.moment[1];
        run_step(adam ? vox_step_reference.adamw : vox_step_reference.sgd, &a, 1);
        start(&got);
        a.value = got.value, a.grad = got.grad;
        a.moment[0] = got.moment[0], a.moment[1] = got.moment[1];
        run_step(adam ? k->adamw : k->sgd, &a, threads);
        compare();
        if (threads == 1)
            first = got;
        else
            assert_memory_equal(&first, &got, sizeof got);
    }
}

static void steps_agree(void **unused)
{
    (void)unused;
    for (const char *const *name = kernel_case_paths(); *name; name++) {
        const vox_cpu_path *path;

        assert_int_equal(vox_cpu_path_find(&path, *name), VOX_OK);
        assert_ptr_not_equal(path->steps, &vox_step_reference);
        for (int i = 0; i < 4; i++)
            check_step(path->steps, 0, (vox_step_args){.nesterov = i & 1, .first = i >> 1});
        for (int i = 0; i < 2; i++)
            check_step(path->steps, 1, (vox_step_args){.first = i});
    }
}

typedef struct norm_call {
    const vox_step_kernels *k;
    int64_t count;
    double sum, tile[64];
} norm_call;

static void call_norm2(void *arg)
{
    norm_call *c = arg;

    c->k->norm2(&c->sum, got.value, c->count, c->tile);
}

static double norm2(const vox_step_kernels *k, int64_t count, int threads)
{
    norm_call c = {.k = k, .count = count, .sum = -1.0};

    assert_in_range(vox_norm2_tiles(count), 0, VOX_COUNT(c.tile));
    run(call_norm2, &c, threads);
    return c.sum;
}

static void norms_agree(void **unused)
{
    static const int64_t counts[] = {0, 1, 15, 256, 4096, 4097, COUNT};

    (void)unused;
    start(&got);
    for (const char *const *name = kernel_case_paths(); *name; name++) {
        const vox_cpu_path *path;

        assert_int_equal(vox_cpu_path_find(&path, *name), VOX_OK);
        for (int i = 0; i < VOX_COUNT(counts); i++) {
            const double wanted = norm2(&vox_step_reference, counts[i], 1);
            const double found = norm2(path->steps, counts[i], 1);

            assert_true(fabs(found - wanted) <= 1e-6 * wanted);
            assert_true(norm2(path->steps, counts[i], 3) == found);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_agree),
        cmocka_unit_test(norms_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
