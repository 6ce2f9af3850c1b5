/* crop: holes against a naive fill. */
#include "support/unit.h"

#include "base/rng.h"
#include "image/crop.h"
#include "image/volume.h"

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

static int outside(uint8_t *out, const float *x, const int64_t n[3])
{
    for (int64_t i = 0; i < n[0] * n[1] * n[2]; i++)
        out[i] = x[i] != 0.0f;
    return vox_crop_outside(out, n);
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
        assert_int_equal(outside(got, r.data, n), 0);
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
    assert_int_equal(outside(out, x, n), 0);
    assert_int_equal(out[13], 0);
    x[14] = 0.0f; /* a way out through a face */
    assert_int_equal(outside(out, x, n), 0);
    assert_int_equal(out[13], 1);
    x[14] = 1.0f;
    x[0] = 0.0f; /* a corner is no neighbour */
    assert_int_equal(outside(out, x, n), 0);
    assert_int_equal(out[13], 0);
    assert_int_equal(out[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_is_what_the_faces_reach),
        cmocka_unit_test(a_hole_is_inside_and_a_tunnel_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
