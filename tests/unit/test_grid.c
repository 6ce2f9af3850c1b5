/* grid: boxes, statistics, copies and resampling of stored voxels against brute force over
 * what they mean, for every type and path. */
#include "support/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "image/resample.h"

enum { EDGE = 23, MOST = EDGE * EDGE * EDGE };

/* A grid of random size inside a larger array, and what its voxels mean. */
typedef struct field {
    vox_grid g;
    union {
        float f32[MOST];
        uint8_t u8[MOST];
        int8_t i8[MOST];
        uint16_t u16[MOST];
        int16_t i16[MOST];
    } raw;
    float meaning[MOST]; /* contiguous */
} field;

static void put(field *f, int64_t at, int v)
{
    switch (f->g.voxel) {
    case VOX_VOXEL_U8:
        f->raw.u8[at] = (uint8_t)v;
        break;
    case VOX_VOXEL_I8:
        f->raw.i8[at] = (int8_t)v;
        break;
    case VOX_VOXEL_U16:
        f->raw.u16[at] = (uint16_t)v;
        break;
    case VOX_VOXEL_I16:
        f->raw.i16[at] = (int16_t)v;
        break;
    default:
        f->raw.f32[at] = (float)v;
    }
}

static int draw_value(vox_voxel e, vox_rng *rng)
{
    static const int least[] = {-40000, 0, INT8_MIN, 0, INT16_MIN};
    static const int most[] = {40000, UINT8_MAX, INT8_MAX, UINT16_MAX, INT16_MAX};

    return least[e] + (int)vox_rng_below(rng, (uint32_t)(most[e] - least[e] + 1));
}

/* `share` of the voxels do not mean 0. */
static void draw(field *f, vox_rng *rng, vox_voxel e, double slope, int zero, double share)
{
    int64_t i = 0;

    memset(f, 0, sizeof *f);
    f->g = (vox_grid){
        .data = &f->raw,
        .voxel = e,
        .step = {EDGE * EDGE, EDGE},
        .slope = slope,
        .inter = -zero * slope
    };
    for (int a = 0; a < 3; a++)
        f->g.n[a] = 1 + (int64_t)vox_rng_below(rng, EDGE);
    for (int64_t at = 0; at < MOST; at++)
        put(f, at, 5); /* around it: never to be seen */
    for (int64_t z = 0; z < f->g.n[0]; z++)
        for (int64_t y = 0; y < f->g.n[1]; y++)
            for (int64_t x = 0; x < f->g.n[2]; x++, i++) {
                const int v = vox_rng_uniform(rng) < share ? draw_value(e, rng) : zero;

                put(f, (z * EDGE + y) * EDGE + x, v);
                f->meaning[i] = (float)(v * slope + f->g.inter);
            }
}

static int64_t count_of(const field *f)
{
    return f->g.n[0] * f->g.n[1] * f->g.n[2];
}

static vox_box naive_box(const field *f)
{
    const int64_t *n = f->g.n;
    vox_box b = {
        {0,    0,    0   },
        {n[0], n[1], n[2]}
    };
    int found = 0;

    for (int64_t i = 0; i < count_of(f); i++) {
        const int64_t p[3] = {i / n[2] / n[1], i / n[2] % n[1], i % n[2]};

        for (int a = 0; a < 3 && f->meaning[i] != 0.0f; a++) {
            b.lo[a] = !found || p[a] < b.lo[a] ? p[a] : b.lo[a];
            b.hi[a] = !found || p[a] >= b.hi[a] ? p[a] + 1 : b.hi[a];
        }
        found |= f->meaning[i] != 0.0f;
    }
    return b;
}

/* Every path, type and a few meanings. */
static void each(void (*check)(field *f, vox_rng *rng))
{
    static const char *const paths[] = {"reference", "plain", "avx2", "avx512"};
    static const vox_isa needs[] = {VOX_ISA_BASE, VOX_ISA_BASE, VOX_ISA_AVX2,
                                    VOX_ISA_AVX512};
    static field f;
    vox_rng rng = vox_rng_at(3, VOX_STREAM("grid"), 0);

    for (int i = 0; i < VOX_COUNT(paths) * VOX_VOXELS * 12; i++) {
        const int path = i / 12 / VOX_VOXELS, kind = i % 12;
        const vox_voxel e = (vox_voxel)(i / 12 % VOX_VOXELS);
        const int scaled = e != VOX_VOXEL_F32 && kind % 3 != 0;

        if (!vox_cpu_has(needs[path]))
            continue;
        setenv("VOX_CPU", paths[path], 1);
        draw(&f, &rng, e, scaled ? (kind % 3 == 1 ? 0.5 : -0.25) : 1.0,
             scaled ? 3 + kind : 0,
             kind < 4   ? 0.01
             : kind < 6 ? 0.0
                        : 0.8);
        check(&f, &rng);
    }
    unsetenv("VOX_CPU");
}

static void check_box(field *f, vox_rng *rng)
{
    const vox_box want = naive_box(f);
    vox_box got;

    (void)rng;
    assert_int_equal(vox_grid_box(&got, &f->g), VOX_OK);
    assert_memory_equal(&got, &want, sizeof got);
}

static void boxes_are_tight(void **state)
{
    (void)state;
    each(check_box);
}

/* 0.3 is what no u8 means with a slope of 0.5: nothing is cropped. */
static void without_a_zero_all_is_body(void **state)
{
    static field f;
    vox_rng rng = vox_rng_at(4, VOX_STREAM("grid"), 0);
    uint8_t body[MOST];
    static const int as_is[3] = {0, 1, 2};
    vox_box box;

    (void)state;
    draw(&f, &rng, VOX_VOXEL_U8, 0.5, 0, 0.1);
    f.g.inter = 0.3;
    assert_int_equal(vox_grid_box(&box, &f.g), VOX_OK);
    for (int a = 0; a < 3; a++)
        assert_true(box.lo[a] == 0 && box.hi[a] == f.g.n[a]);
    vox_grid_body(body, &f.g, as_is);
    for (int64_t i = 0; i < count_of(&f); i++)
        assert_int_equal(body[i], 1);
}

static void check_stats(field *f, vox_rng *rng)
{
    const vox_stats got = vox_grid_stats(&f->g);
    const vox_stats want = vox_stats_of(f->meaning, count_of(f), NULL);

    (void)rng;
    assert_true(got.count == want.count && got.lo == want.lo && got.hi == want.hi);
    assert_true(fabs(got.mean - want.mean) <= 1e-9 * (1 + fabs(want.mean)));
    assert_true(fabs(got.std - want.std) <= 1e-8 * (1 + want.std));
}

static void statistics_are_those_of_the_meaning(void **state)
{
    (void)state;
    each(check_stats);
}

static void check_copy(field *f, vox_rng *rng)
{
    static const int orders[6][3] = {
        {0, 1, 2},
        {0, 2, 1},
        {1, 0, 2},
        {1, 2, 0},
        {2, 0, 1},
        {2, 1, 0}
    };
    const int *order = orders[vox_rng_below(rng, 6)];
    const int64_t *n = f->g.n, m[3] = {n[order[0]], n[order[1]], n[order[2]]};
    static float out[MOST];
    static uint8_t body[MOST];
    int64_t i = 0;

    vox_grid_copy(out, &f->g, order, (float)(-f->g.inter / f->g.slope), (float)f->g.slope);
    vox_grid_body(body, &f->g, order);
    for (int64_t a = 0; a < m[0]; a++)
        for (int64_t b = 0; b < m[1]; b++)
            for (int64_t c = 0; c < m[2]; c++, i++) {
                int64_t p[3];
                float want;

                p[order[0]] = a;
                p[order[1]] = b;
                p[order[2]] = c;
                want = f->meaning[(p[0] * n[1] + p[1]) * n[2] + p[2]];
                assert_true(out[i] == want);
                assert_int_equal(body[i], want != 0.0f);
            }
}

static void copies_permute_axes(void **state)
{
    (void)state;
    each(check_copy);
}

/* A z-score in the same go as from floats, resampled, then mapped. */
static void check_resample(field *f, vox_rng *rng)
{
    const vox_stats s = vox_grid_stats(&f->g);
    const vox_norm_map map = {s.mean, 1.0 / (s.std + 1e-3)};
    const int thick = (int)vox_rng_below(rng, 4) - 1;
    const float range[2] = {s.lo, s.hi};
    vox_volume v = {.info.shape = VOX_SHAPE(1, f->g.n[0], f->g.n[1], f->g.n[2]),
                    .data = f->meaning};
    vox_volume want = VOX_VOLUME_INIT;
    vox_resample_space space = VOX_RESAMPLE_SPACE_INIT;
    static float got[40 * 40 * 40];
    int64_t m[3];

    for (int a = 0; a < 3; a++)
        m[a] = vox_rng_below(rng, 3) ? 1 + (int64_t)vox_rng_below(rng, 40) : f->g.n[a];
    for (int a = 0; a < 3; a++)
        m[a] = m[a] > 40 ? 40 : m[a];
    assert_int_equal(vox_volume_resample(&want, &v, m, thick), VOX_OK);
    assert_int_equal(vox_grid_resample(got, &f->g, m, thick, &map, range, &space), VOX_OK);
    for (int64_t i = 0; i < m[0] * m[1] * m[2]; i++)
        assert_true(fabs(((double)want.data[i] - map.shift) * map.scale - (double)got[i]) <
                    2e-5);
    vox_resample_space_release(&space);
    vox_volume_release(&want);
}

static void resampling_maps_on_the_way(void **state)
{
    (void)state;
    each(check_resample);
}

/* Small differences far from 0, as of unsigned integers with a large intercept. */
static void a_large_offset_keeps_its_digits(void **state)
{
    static const char *const paths[] = {"reference", "plain", "avx2", "avx512"};
    static const int64_t n[3] = {2, 3, 4};
    const vox_norm_map map = {0.002, 1.0 / 8.0};
    vox_resample_space space = VOX_RESAMPLE_SPACE_INIT;
    uint16_t raw[24];
    vox_grid g = {.data = raw, .voxel = VOX_VOXEL_U16, .slope = 1, .inter = -60000};

    (void)state;
    memcpy(g.n, n, sizeof n);
    g.step[0] = 12;
    g.step[1] = 4;
    for (int i = 0; i < 24; i++)
        raw[i] = (uint16_t)(60000 + i * 7 % 17);
    for (int p = 0; p < VOX_COUNT(paths); p++) {
        float out[24];

        setenv("VOX_CPU", paths[p], 1); /* the best one where it is not there */
        assert_int_equal(vox_grid_resample(out, &g, n, -1, &map, NULL, &space), VOX_OK);
        for (int i = 0; i < 24; i++)
            assert_true(fabs((double)out[i] - (i * 7 % 17 - 0.002) / 8) < 1e-6);
    }
    unsetenv("VOX_CPU");
    vox_resample_space_release(&space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_tight),
        cmocka_unit_test(without_a_zero_all_is_body),
        cmocka_unit_test(statistics_are_those_of_the_meaning),
        cmocka_unit_test(copies_permute_axes),
        cmocka_unit_test(resampling_maps_on_the_way),
        cmocka_unit_test(a_large_offset_keeps_its_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
