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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_ranges),
        cmocka_unit_test(every_place_equally_often),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
