/* resample: scikit-image's numbers on every kernel path of this machine. */
#include "support/unit.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "image/resample.h"
#include "io/npy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int thick, labels;
} cases[] = {
    {"up",                   -1, 0},
    {"down",                 -1, 0},
    {"mixed",                -1, 0},
    {"one_axis",             -1, 0},
    {"depth_only",           -1, 0},
    {"tiny",                 -1, 0},
    {"wide",                 -1, 0},
    {"thick0",               0,  0},
    {"thick2",               2,  0},
    {"thick1_in_plane_same", 1,  0},
    {"labels_up",            -1, 1},
    {"labels_down",          -1, 1},
    {"labels_thick",         0,  1},
};

static const struct {
    const char *name;
    vox_isa needs;
    double tolerance; /* of the range */
} paths[] = {
    {"reference", VOX_ISA_BASE,   2e-7},
    {"plain",     VOX_ISA_BASE,   2e-6},
    {"avx2",      VOX_ISA_AVX2,   2e-6},
    {"avx512",    VOX_ISA_AVX512, 2e-6},
};

static vox_volume load(const char *name, const char *file)
{
    char path[512];
    vox_npy npy = VOX_NPY_INIT;
    vox_volume v = VOX_VOLUME_INIT;

    snprintf(path, sizeof path, "%s/tests/golden/resample/%s/%s.npy", VOX_SOURCE_DIR, name,
             file);
    assert_int_equal(vox_npy_open(&npy, path), VOX_OK);
    assert_int_equal(npy.tensor.shape.rank, 3);
    v.info.shape =
        VOX_SHAPE(1, npy.tensor.shape.n[0], npy.tensor.shape.n[1], npy.tensor.shape.n[2]);
    v.data = vox_alloc((size_t)vox_shape_count(v.info.shape), sizeof *v.data);
    assert_non_null(v.data);
    vox_view_f32(v.data, &npy.tensor);
    vox_npy_close(&npy);
    return v;
}

static double range_of(const vox_volume *v)
{
    float lo = v->data[0], hi = lo;

    for (int64_t i = 0; i < vox_shape_count(v->info.shape); i++) {
        lo = fminf(lo, v->data[i]);
        hi = fmaxf(hi, v->data[i]);
    }
    return (double)hi - (double)lo;
}

static double worst_of(const vox_volume *a, const vox_volume *b)
{
    double worst = 0.0;

    assert_true(vox_shape_equal(a->info.shape, b->info.shape));
    for (int64_t i = 0; i < vox_shape_count(a->info.shape); i++)
        worst = fmax(worst, fabs((double)a->data[i] - (double)b->data[i]));
    return worst;
}

static void check(int i, int path)
{
    vox_volume in = load(cases[i].name, "in"), want = load(cases[i].name, "out");
    vox_volume got = VOX_VOLUME_INIT;
    const int64_t *shape = want.info.shape.n + 1;
    double worst;

    if (cases[i].labels)
        assert_int_equal(vox_volume_resample_labels(&got, &in, shape, cases[i].thick),
                         VOX_OK);
    else
        assert_int_equal(vox_volume_resample(&got, &in, shape, cases[i].thick), VOX_OK);
    worst = worst_of(&got, &want) / range_of(&in);
    if (worst > (cases[i].labels ? 0.0 : paths[path].tolerance))
        fail_msg("%s on %s: off by %.3g of the range", cases[i].name, paths[path].name,
                 worst);
    vox_volume_release(&in);
    vox_volume_release(&want);
    vox_volume_release(&got);
}

static void every_case_on_every_path(void **state)
{
    (void)state;
    for (int p = 0; p < VOX_COUNT(paths); p++) {
        if (!vox_cpu_has(paths[p].needs))
            continue;
        setenv("VOX_CPU", paths[p].name, 1);
        for (int i = 0; i < VOX_COUNT(cases); i++)
            check(i, p);
    }
    unsetenv("VOX_CPU");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_case_on_every_path)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
