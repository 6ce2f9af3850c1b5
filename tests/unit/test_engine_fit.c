/* engine_fit: the largest micro-batch for a room, and what is said when none fits. */
#include <string.h>

#include "base/error.h"
#include "support/unit.h"
#include "train/engine.h"

enum { BATCH = 5 };

typedef struct fixture {
    vox_device *dev;
    vox_setup setup;
    vox_engine_cfg cfg;
    vox_room room;
} fixture;

static void open_fixture(fixture *f)
{
    const vox_device_cfg dev = {.name = "cpu", .threads = 2};

    *f = (fixture){
        .room = {.other = 1 << 20, .moments = 1}
    };
    assert_int_equal(vox_device_open(&f->dev, &dev), VOX_OK);
    assert_int_equal(vox_setup_init(&f->setup, "mae", "resenc_xs", NULL), VOX_OK);
    f->cfg = (vox_engine_cfg){
        .setup = &f->setup, .patch = {32, 32, 32},
             .batch = BATCH, .micro = BATCH
    };
}

static void close_fixture(fixture *f)
{
    vox_setup_release(&f->setup);
    vox_device_close(f->dev);
}

/* Bytes that steps of `micro` samples need, all in all. */
static int64_t need(const fixture *f, int64_t micro, const char *recompute)
{
    vox_engine_cfg cfg = f->cfg;
    vox_engine e;
    int64_t bytes;

    cfg.micro = micro;
    cfg.recompute = recompute;
    assert_int_equal(vox_engine_open(&e, &cfg, f->dev), VOX_OK);
    bytes = vox_engine_need(&e, f->room.moments) + f->room.other;
    vox_engine_close(&e);
    return bytes;
}

static void the_largest_that_fits(void **state)
{
    int64_t micro, last = 0;
    fixture f;

    (void)state;
    open_fixture(&f);
    for (int64_t want = 1; want <= BATCH; want++) {
        const int64_t bytes = need(&f, want, NULL);

        assert_true(bytes > last);
        last = bytes;
        f.room.free = bytes / 9 * 10 + 100; /* a tenth stays free */
        assert_int_equal(vox_engine_fit(&micro, &f.cfg, f.dev, &f.room), VOX_OK);
        assert_int_equal(micro, want);
    }
    f.room.free = need(&f, 1, NULL); /* no tenth, but it fits */
    assert_int_equal(vox_engine_fit(&micro, &f.cfg, f.dev, &f.room), VOX_OK);
    assert_int_equal(micro, 1);
    close_fixture(&f);
}

static void a_given_one_is_checked(void **state)
{
    fixture f;

    (void)state;
    open_fixture(&f);
    f.room.free = need(&f, BATCH, NULL);
    assert_int_equal(vox_engine_check(&f.cfg, f.dev, &f.room), VOX_OK);
    f.room.free--;
    assert_int_equal(vox_engine_check(&f.cfg, f.dev, &f.room), VOX_E_NOMEM);
    assert_non_null(
        strstr(vox_error_text(), "a step of 5 samples at once (--micro-batch)"));
    assert_non_null(strstr(vox_error_text(), "; with --micro-batch 1 it needs "));
    assert_non_null(strstr(vox_error_text(), "; with --recompute it needs "));
    assert_non_null(
        strstr(vox_error_text(), "; with --micro-batch 1 --recompute it needs "));
    assert_null(strstr(vox_error_text(), "--patch"));
    close_fixture(&f);
}

static void when_nothing_helps(void **state)
{
    fixture f;
    int64_t micro = 7;

    (void)state;
    open_fixture(&f);
    assert_true(need(&f, 1, "all") < need(&f, 1, "none"));
    f.room.free = need(&f, 1, "all") - 1;
    assert_int_equal(vox_engine_fit(&micro, &f.cfg, f.dev, &f.room), VOX_E_NOMEM);
    assert_int_equal(micro, 7);
    assert_non_null(strstr(vox_error_text(), "a step of 1 sample at once"));
    assert_non_null(strstr(vox_error_text(), "; with --recompute it needs "));
    assert_null(strstr(vox_error_text(), "with --micro-batch"));
    assert_non_null(strstr(vox_error_text(), "; a smaller --patch needs less"));
    f.cfg.recompute = "all"; /* then there is nothing left to advise */
    assert_int_equal(vox_engine_fit(&micro, &f.cfg, f.dev, &f.room), VOX_E_NOMEM);
    assert_null(strstr(vox_error_text(), "--recompute"));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_that_fits),
        cmocka_unit_test(a_given_one_is_checked),
        cmocka_unit_test(when_nothing_helps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
