/* sampler: the worked ranges, every place equally often. */
#include "data/sampler.h"
#include "support/unit.h"

/* augmentation.md 2.2 */
static const int64_t worked[][5] = {
  /* size, extent, patch, first, last */
    {240, 257, 160, -49, 32 },
    {180, 257, 160, -49, -28},
    {160, 257, 160, -49, -48},
    {150, 257, 160, -54, -53},
    {90,  257, 160, -84, -83},
    {240, 160, 160, 0,   80 },
    {155, 160, 160, -3,  -2 },
    {50,  64,  64,  -7,  -7 },
};

static void worked_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof worked / sizeof *worked; i++) {
        int64_t range[2];

        vox_box_range(range, worked[i][1], worked[i][2], worked[i][0]);
        assert_int_equal(range[0], worked[i][3]);
        assert_int_equal(range[1], worked[i][4]);
    }
}

static void every_place_equally_often(void **state)
{
    const int64_t extent[3] = {16, 16, 16}, patch[3] = {16, 16, 16}, size[3] = {25, 16, 10};
    int count[10] = {0};
    double chi = 0;

    (void)state;
    for (uint64_t s = 0; s < 20000; s++) {
        vox_rng rng = vox_rng_at(1, VOX_STREAM("box"), s);
        int64_t lo[3];

        vox_box_draw(lo, extent, patch, size, &rng);
        assert_in_range(lo[0], 0, 9);
        assert_int_equal(lo[1], 0);
        assert_int_equal(lo[2], -3);
        count[lo[0]]++;
    }
    for (int i = 0; i < 10; i++)
        chi += (count[i] - 2000.0) * (count[i] - 2000.0) / 2000.0;
    assert_true(chi < 27.9); /* 9 degrees of freedom: 0.1 % */
}

/* augmentation.md 2.4: size, patch, begin. */
static void centres(void **state)
{
    static const int64_t row[][3] = {
        {240, 160, 40},
        {155, 160, -2},
        {154, 160, -3},
        {50,  64,  -7}
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const int64_t p[3] = {row[i][1], row[i][1], row[i][1]};
        const int64_t size[3] = {row[i][0], row[i][0], row[i][0]};
        int64_t lo[3];

        vox_box_centre(lo, p, p, size);
        assert_int_equal(lo[1], row[i][2]);
    }
}

static void around_a_voxel(void **state)
{
    const int64_t p[3] = {16, 16, 16}, size[3] = {40, 40, 10}, voxel[3] = {3, 20, 9};
    const int64_t end[3] = {39, 31, 0};
    int64_t lo[3];

    (void)state;
    vox_box_around(lo, voxel, p, p, size);
    assert_true(lo[0] == 0 && lo[1] == 12 && lo[2] == -3);
    vox_box_around(lo, end, p, p, size);
    assert_true(lo[0] == 24 && lo[1] == 23 && lo[2] == -3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_ranges),
        cmocka_unit_test(every_place_equally_often),
        cmocka_unit_test(centres),
        cmocka_unit_test(around_a_voxel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
