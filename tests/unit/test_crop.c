/* crop: boxes against brute force, permuted copies, holes against a naive fill. */
#include "support/unit.h"

#include "base/rng.h"
#include "image/crop.h"

#include <string.h>

enum { EDGE = 9, MOST = EDGE * EDGE * EDGE };

typedef struct random_volume {
    vox_volume v;
    float data[2 * MOST];
} random_volume;

/* `share` of the voxels are not zero. */
static void draw(random_volume *r, vox_rng *rng, int64_t channels, double share)
{
    vox_shape *s = &r->v.info.shape;

    *s = VOX_SHAPE(channels, 1, 1, 1);
    for (int a = 1; a < 4; a++)
        s->n[a] = 1 + (int64_t)vox_rng_below(rng, EDGE);
    r->v.data = r->data;
    for (int64_t i = 0; i < vox_shape_count(*s); i++)
        r->data[i] = vox_rng_uniform(rng) < share ? (float)vox_rng_range(rng, -2, 2) : 0.0f;
}

static vox_box naive_box(const vox_volume *v)
{
    const int64_t *n = v->info.shape.n;
    vox_box b = {
        {0,    0,    0   },
        {n[1], n[2], n[3]}
    };
    int64_t i = 0, found = 0;

    for (int64_t c = 0; c < n[0]; c++)
        for (int64_t z = 0; z < n[1]; z++)
            for (int64_t y = 0; y < n[2]; y++)
                for (int64_t x = 0; x < n[3]; x++, i++) {
                    const int64_t p[3] = {z, y, x};

                    for (int a = 0; a < 3 && v->data[i] != 0.0f; a++) {
                        b.lo[a] = !found || p[a] < b.lo[a] ? p[a] : b.lo[a];
                        b.hi[a] = !found || p[a] >= b.hi[a] ? p[a] + 1 : b.hi[a];
                    }
                    found += v->data[i] != 0.0f;
                }
    return b;
}

static void boxes_are_tight(void **state)
{
    static random_volume r;
    vox_rng rng = vox_rng_at(1, VOX_STREAM("crop"), 0);

    (void)state;
    for (int i = 0; i < 500; i++) {
        vox_box want, got;

        draw(&r, &rng, 1 + i % 2, i % 5 == 0 ? 0.0 : 0.01 * (i % 7));
        want = naive_box(&r.v);
        got = vox_crop_box(&r.v);
        assert_memory_equal(&got, &want, sizeof got);
    }
}

static void a_copy_permutes_axes(void **state)
{
    static const int orders[6][3] = {
        {0, 1, 2},
        {0, 2, 1},
        {1, 0, 2},
        {1, 2, 0},
        {2, 0, 1},
        {2, 1, 0}
    };
    const int64_t n[3] = {4, 5, 6};
    const vox_box box = {
        {1, 0, 2},
        {3, 4, 6}
    };
    float in[120], out[32];

    (void)state;
    for (int i = 0; i < 120; i++)
        in[i] = (float)i;
    for (int k = 0; k < 6; k++) {
        const int *order = orders[k];
        int64_t m[3], i = 0;

        for (int a = 0; a < 3; a++)
            m[a] = box.hi[order[a]] - box.lo[order[a]];
        vox_crop_copy(out, in, n, &box, order);
        for (int64_t a = 0; a < m[0]; a++)
            for (int64_t b = 0; b < m[1]; b++)
                for (int64_t c = 0; c < m[2]; c++, i++) {
                    int64_t p[3];

                    p[order[0]] = a + box.lo[order[0]];
                    p[order[1]] = b + box.lo[order[1]];
                    p[order[2]] = c + box.lo[order[2]];
                    assert_true(out[i] == (float)((p[0] * 5 + p[1]) * 6 + p[2]));
                }
    }
}

/* Spread from the faces until nothing changes. */
static void naive_outside(uint8_t *out, const float *x, const int64_t n[3])
{
    const int64_t step[3] = {n[1] * n[2], n[2], 1};
    int changed = 1;

    memset(out, 0, (size_t)(n[0] * n[1] * n[2]));
    while (changed) {
        changed = 0;
        for (int64_t i = 0; i < n[0] * n[1] * n[2]; i++) {
            const int64_t p[3] = {i / step[0], i / n[2] % n[1], i % n[2]};
            int wet = 0;

            for (int a = 0; a < 3; a++) {
                wet |= p[a] == 0 || out[i - step[a]];
                wet |= p[a] == n[a] - 1 || out[i + step[a]];
            }
            if (wet && x[i] == 0.0f && !out[i])
                changed = out[i] = 1;
        }
    }
}

static void outside_is_what_the_faces_reach(void **state)
{
    static random_volume r;
    uint8_t got[MOST], want[MOST];
    vox_rng rng = vox_rng_at(2, VOX_STREAM("crop"), 0);

    (void)state;
    for (int i = 0; i < 300; i++) {
        const int64_t *n;

        draw(&r, &rng, 1, 0.1 * (i % 10));
        n = r.v.info.shape.n + 1;
        naive_outside(want, r.data, n);
        assert_int_equal(vox_crop_outside(got, r.data, n), 0);
        assert_memory_equal(got, want, (size_t)(n[0] * n[1] * n[2]));
    }
}

static void a_hole_is_inside_and_a_tunnel_is_not(void **state)
{
    const int64_t n[3] = {3, 3, 3};
    float x[27];
    uint8_t out[27];

    (void)state;
    for (int i = 0; i < 27; i++)
        x[i] = i == 13 ? 0.0f : 1.0f;
    assert_int_equal(vox_crop_outside(out, x, n), 0);
    assert_int_equal(out[13], 0);
    x[14] = 0.0f; /* a way out through a face */
    assert_int_equal(vox_crop_outside(out, x, n), 0);
    assert_int_equal(out[13], 1);
    x[14] = 1.0f;
    x[0] = 0.0f; /* a corner is no neighbour */
    assert_int_equal(vox_crop_outside(out, x, n), 0);
    assert_int_equal(out[13], 0);
    assert_int_equal(out[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_tight),
        cmocka_unit_test(a_copy_permutes_axes),
        cmocka_unit_test(outside_is_what_the_faces_reach),
        cmocka_unit_test(a_hole_is_inside_and_a_tunnel_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
